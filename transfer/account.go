package transfer

import (
	"cmp"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/auth"
	"parley/internal/shape"
	rules "parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// An element of parley's own holds what an account has that the format does not know. Left out on purpose: everything
// that signs in as the account without its password (second factors, tokens of clients and of the API, sessions of
// browsers, links of invitations), registrations for push, which clients renew, and shared files.

// account writes this element.
func (x Exporter) account(o *out, h *server.Host, u store.User) {
	p, err := o.st.Person(o.ctx, h.Domain, u.Name)
	if o.fail(err) {
		return
	}
	a := wire.E(nsAccount, "account").Set("name", u.FullName)
	if u.Disabled {
		a.Set("disabled", "true")
	}
	for _, f := range personFields(&p) {
		a.Set(f.name, *f.at)
	}
	for _, f := range shownFields(&p.Shown) {
		a.Set(f.name, *f.at)
	}
	if p.Role != store.RoleMember {
		a.Set("role", p.Role)
	}
	a.Set("archived", stamp(p.Archived)).Set("last-seen", stamp(u.LastSeen)).Set("last-status", u.LastStatus)
	r, err := o.st.Retention(o.ctx, h.Domain, u.Name)
	if o.fail(err) {
		return
	}
	a.Set("retention", span(r.Set)).Set("own-retention", span(r.Own))
	d, err := o.st.Digest(o.ctx, h.Domain, u.Name)
	if o.fail(err) {
		return
	}
	a.Set("digest", d.Every)
	o.quiet(h, u.Name, a)
	cs, _, err := o.st.Roster(o.ctx, h.Domain, u.Name)
	if o.fail(err) {
		return
	}
	for _, c := range cs {
		if c.Approved && !c.InRoster {
			a.Add(wire.E(nsAccount, "approved").Set("jid", c.JID))
		}
	}
	ds, err := o.st.Displayed(o.ctx, h.Domain, u.Name)
	if o.fail(err) {
		return
	}
	for _, d := range ds {
		e := wire.E(nsAccount, "displayed").Set("chat", d.Chat).Set("id", d.ID.String())
		if d.Marked != 0 {
			e.Set("marked", d.Marked.String())
		}
		a.Add(e)
	}
	for _, key := range slices.Sorted(maps.Keys(p.Fields)) {
		a.Add(wire.T(nsAccount, "field", p.Fields[key]).Set("key", key))
	}
	o.tasks(h, u.Name, a)
	o.saved(h, u.Name, a)
	o.unsent(h, u.Name, a)
	if x.Passwords {
		o.appPasswords(h, u.Name, a)
	}
	o.element(a)
}

// personField is a field of a person's profile, with the name of its attribute.
type personField struct {
	name string
	at   *string
	max  int // bytes
}

// bytesOf limits the values of fields, in bytes. Others may have four bytes for each character that is allowed.
var bytesOf = map[string]int{"email": 320, "phone": 200, "lang": 8}

// personFields gives the fields of a profile, without the full name and the role, which are written by themselves.
func personFields(p *store.Person) (fs []personField) {
	at := rules.Columns(p)
	for _, f := range shape.Of(rules.Profile{}) {
		if f.Name != "full_name" && f.Name != "role" {
			fs = append(fs, personField{name: f.Name, at: at[f.Name], max: cmp.Or(bytesOf[f.Name], 4*f.Max)})
		}
	}
	return fs
}

// shownFields are the choices of who sees the fields.
func shownFields(s *store.Shown) []personField {
	return []personField{
		{name: "shown-email", at: &s.Email},
		{name: "shown-phone", at: &s.Phone},
		{name: "shown-title", at: &s.Title},
		{name: "shown-department", at: &s.Department},
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeFormat)
}

// span formats a retention: seconds, or "forever".
func span(d time.Duration) string {
	switch {
	case d == store.Forever:
		return "forever"
	case d == 0:
		return ""
	}
	return strconv.FormatInt(int64(d/time.Second), 10)
}

func readSpan(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if s == "forever" {
		return store.Forever, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > 36500*24*3600 {
		return 0, errValue
	}
	return time.Duration(n) * time.Second, nil
}

func (o *out) appPasswords(h *server.Host, name string, to *wire.Element) {
	ps, err := o.st.AppPasswords(o.ctx, h.Domain, name)
	if o.fail(err) {
		return
	}
	for _, p := range ps {
		e := wire.E(nsAccount, "app-password").Set("id", p.ID).Set("name", p.Name).Set("created", stamp(p.Created)).
			Set("used", stamp(p.Used))
		to.Add(e.Add(o.credentials(p.Keys)...))
	}
}

// credentials gives the keys of a password (section 3.3).
func (o *out) credentials(kept []byte) (es []*wire.Element) {
	var k auth.Keys
	if o.fail(k.UnmarshalBinary(kept)) {
		return nil
	}
	b64 := base64.StdEncoding.EncodeToString
	for _, m := range []struct {
		name string
		key  auth.Key
	}{{"SCRAM-SHA-1", k.SHA1}, {"SCRAM-SHA-256", k.SHA256}} {
		if m.key.IsZero() {
			continue
		}
		es = append(es, wire.E(nsScram, "scram-credentials",
			wire.T(nsScram, "iter-count", strconv.Itoa(m.key.Iterations)),
			wire.T(nsScram, "salt", b64(m.key.Salt)), wire.T(nsScram, "server-key", b64(m.key.Server)),
			wire.T(nsScram, "stored-key", b64(m.key.Stored))).Set("mechanism", m.name))
	}
	return es
}

// account imports this element, unless the account existed before.
func (u *incoming) account(e *wire.Element) error {
	if !u.made {
		return nil
	}
	if err := u.person(e); err != nil {
		return err
	}
	if err := u.fields(e); err != nil {
		return err
	}
	if role := e.Attr("role"); role != "" {
		u.report.problem(kindProfiles,
			"%s: was %s on the server that it comes from; files give nobody rights: give them yourself, by `parley "+
				"user admin %[1]s on` or on the pages", u.self, cut(role, 20))
	}
	set, err := readSpan(e.Attr("retention"))
	own, err2 := readSpan(e.Attr("own-retention"))
	if err != nil || err2 != nil {
		u.report.problem(kindProfiles, "%s: how long its messages are kept: it is malformed", u.self)
	} else if set != 0 || own != 0 {
		if err := u.Store.SetRetention(u.ctx, u.h.Domain,
			u.name, func(r *store.Retention) { r.Set, r.Own = set, max(own, 0) }); err != nil {
			return err
		}
	}
	switch d := e.Attr("digest"); d {
	case store.DigestOff, store.DigestDaily, store.DigestWeekly:
		if err := u.Store.SetDigest(u.ctx, u.h.Domain,
			store.Digest{Owner: u.name, Every: d, Due: u.h.Clock.Now().Add(24 * time.Hour)}); err != nil {
			return err
		}
	}
	if t, err := time.Parse(timeFormat, e.Attr("last-seen")); err == nil {
		if err := u.Store.SetLastSeen(u.ctx, u.h.Domain, u.name, t, cut(e.Attr("last-status"), 1023)); err != nil {
			return err
		}
	}
	return u.rest(e)
}

// person imports the profile.
func (u *incoming) person(e *wire.Element) error {
	_, _, err := u.Store.UpdatePerson(u.ctx, u.h.Domain, u.name, func(p *store.Person) error {
		if name := e.Attr("name"); len(name) <= 800 {
			p.FullName = name
		}
		p.Disabled = e.Attr("disabled") == "true"
		for _, f := range personFields(p) {
			if v := e.Attr(f.name); len(v) <= f.max {
				*f.at = v
			}
		}
		for _, f := range shownFields(&p.Shown) {
			switch v := e.Attr(f.name); v {
			case "", store.ShownToTeam, store.ShownToAdmins:
				*f.at = v
			default: // a value of another version: rather show too little
				*f.at = store.ShownToAdmins
			}
		}
		p.Archived, _ = time.Parse(timeFormat, e.Attr("archived")) // missing: not archived
		return nil
	})
	if errors.Is(err, store.ErrExists) {
		u.report.problem(kindProfiles,
			"%s: somebody else has the address %s: it is left out, with phone, title and department",
			u.self, cut(e.Attr("email"), 320))
		if name := e.Attr("name"); len(name) <= 800 {
			if err := u.Store.SetFullName(u.ctx, u.h.Domain, u.name, name); err != nil {
				return err
			}
		}
		return u.Store.SetDisabled(u.ctx, u.h.Domain, u.name, e.Attr("disabled") == "true" || e.Attr("archived") != "")
	}
	return err
}

// fields imports the values of profile fields that are defined here. An account's file does not define fields.
func (u *incoming) fields(e *wire.Element) error {
	var fs []store.ProfileField
	values := make(map[string]string)
	for _, c := range e.Elements() {
		if c.Name != (wire.Name{Space: nsAccount, Local: "field"}) {
			continue
		}
		if fs == nil {
			var err error
			if fs, err = u.Store.ProfileFields(u.ctx, u.h.Domain); err != nil {
				return err
			}
		}
		key := cut(c.Attr("key"), 40)
		at := slices.IndexFunc(fs, func(f store.ProfileField) bool { return f.Key == key })
		if at < 0 {
			u.report.problem(kindProfiles,
				"%s: its value of the profile field %q is left out: there is no such field here; "+
					"define it before accounts are imported (parley user field add)", u.self, key)
			continue
		}
		v, err := rules.FieldValue(fs[at], c.Text())
		if err != nil {
			u.report.problem(kindProfiles, "%s: its value of the profile field %q is left out: %v", u.self, key, err)
			continue
		}
		values[key] = v
	}
	if len(values) == 0 {
		return nil
	}
	_, _, err := u.Store.UpdatePerson(u.ctx, u.h.Domain, u.name, func(p *store.Person) error {
		p.Fields = values
		return nil
	})
	return err
}

func (u *incoming) rest(e *wire.Element) error {
	var ds []store.Displayed
	for _, c := range e.Elements() {
		var err error
		switch c.Name.Local {
		case "approved":
			err = u.approved(c)
		case "displayed":
			var d store.Displayed
			if d, err = displayed(c, u.h.Clock.Now()); err == nil {
				ds = append(ds, d)
			}
		case "app-password":
			err = u.appPassword(c)
		case "quiet-hours":
			err = u.quiet(c)
		case "saved":
			err = u.saved(c)
		}
		if err := u.problem(kindOf(c.Name.Local), c.Name.Local, err); err != nil {
			return err
		}
	}
	if len(ds) == 0 {
		return nil
	}
	return u.problem(kindOther, "how far it has read",
		u.Store.SetDisplayed(u.ctx, u.h.Domain, u.name, maxDisplayed, ds...))
}

func kindOf(local string) string {
	switch local {
	case "approved":
		return kindContacts
	case "app-password":
		return kindPasswords
	}
	return kindOther
}

// maxDisplayed is for how many conversations the reading position is kept.
const maxDisplayed = 10_000

func displayed(e *wire.Element, now time.Time) (store.Displayed, error) {
	j, err := jid.Parse(e.Attr("chat"))
	id, err2 := store.ParseID(e.Attr("id"))
	if err != nil || err2 != nil || !j.IsBare() || id.Time().After(now.Add(24*time.Hour)) {
		return store.Displayed{}, errValue
	}
	d := store.Displayed{Chat: j.String(), ID: id}
	if m := e.Attr("marked"); m != "" {
		if d.Marked, err = store.ParseID(m); err != nil || d.Marked.Time().After(now.Add(24*time.Hour)) {
			return store.Displayed{}, errValue
		}
	}
	return d, nil
}

// approved imports a pre-approval of somebody who is not a contact (RFC 6121, section 3.4).
func (u *incoming) approved(e *wire.Element) error {
	j, err := jid.Parse(e.Attr("jid"))
	if err != nil || j.Bare() == u.self {
		return errValue
	}
	_, err = u.Store.UpdateContact(u.ctx, u.h.Domain, u.name, j.Bare().String(), u.MaxContacts,
		func(c *store.Contact) (bool, error) {
			c.Approved = true
			return false, nil
		})
	return err
}

// maxAppPasswords is how many app passwords an account may have: signing in compares the client's proof with each.
const maxAppPasswords = 25

func (u *incoming) appPassword(e *wire.Element) error {
	var k auth.Keys
	for _, c := range e.Elements() {
		if err := readCredentials(&k, c); err != nil {
			return err
		}
	}
	b, err := k.MarshalBinary()
	if id := e.Attr("id"); err != nil || id == "" || len(id) > 64 || strings.ContainsAny(id, " /") ||
		len(e.Attr("name")) > 400 {
		return errValue
	}
	p := store.AppPassword{ID: e.Attr("id"), Name: e.Attr("name"), Keys: b}
	p.Created, _ = time.Parse(timeFormat, e.Attr("created"))
	p.Used, _ = time.Parse(timeFormat, e.Attr("used"))
	err = u.Store.AddAppPassword(u.ctx, u.h.Domain, u.name, p, maxAppPasswords)
	if errors.Is(err, store.ErrExists) {
		return errValue
	}
	return err
}

// readCredentials reads keys into keys. COMPAT: ejabberd 23 encodes them twice.
func readCredentials(keys *auth.Keys, e *wire.Element) error {
	mech := e.Attr("mechanism")
	get := func(local string) []byte {
		b, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.ChildText(nsScram, local)), ""))
		return b
	}
	n, err := strconv.Atoi(strings.TrimSpace(e.ChildText(nsScram, "iter-count")))
	if err != nil {
		return errValue
	}
	k := auth.Key{Salt: get("salt"), Iterations: n, Stored: get("stored-key"), Server: get("server-key")}
	if keys.SetKey(mech, k) == nil {
		return nil
	}
	for _, b := range []*[]byte{&k.Salt, &k.Stored, &k.Server} {
		if *b, err = base64.StdEncoding.DecodeString(string(*b)); err != nil {
			return errValue
		}
	}
	if keys.SetKey(mech, k) != nil {
		return errValue
	}
	return nil
}
