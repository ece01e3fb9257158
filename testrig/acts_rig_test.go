package testrig_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"parley/acts"
	"parley/config"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// Results of trying an act. A door that shows a refusal in words, such as a page that is shown again, returns refused.
const (
	isDone    = "done"
	same      = "same" // nothing was to be done: no error, and no entry in the log
	forbidden = "forbidden"
	missing   = "missing"
	exists    = "exists"
	invalid   = "invalid"
	refused   = "refused"
)

// The people who try. A colleague is in the organization and not in the group, an administrator runs the organization
// and is not in the group. The operator is at the command line.
var actActors = []string{"colleague", "member", "moderator", "owner", "admin"}

const operator = "operator"

// actsWorld is a rig with everybody at every door.
type actsWorld struct {
	t       *testing.T
	r       *testrig.Rig
	ctl     *testrig.Line
	clients map[string]*testrig.Client
	pages   map[string]*testrig.Browser
	apis    map[string]apiClient
	made    int
	fields  map[string]bool // of the details of all entries
}

func newActsWorld(t *testing.T, change func(*config.Config)) *actsWorld {
	r, ctl := startControlled(t, func(c *config.Config) {
		web(c)
		c.Groups.MaxOwned, c.Groups.ThemePace = 100_000, 100_000
		change(c)
	})
	w := &actsWorld{
		t:       t,
		r:       r,
		ctl:     ctl,
		clients: make(map[string]*testrig.Client),
		pages:   make(map[string]*testrig.Browser),
		apis:    make(map[string]apiClient),
		fields:  make(map[string]bool),
	}
	r.Account("colleague", "member", "moderator", "owner", "!admin", "newcomer")
	for i, byAPI := range apiOfAll(t, r, actActors...) {
		who := actActors[i]
		w.apis[who], w.clients[who], w.pages[who] = byAPI, signIn(t, r, who), r.Browser(t)
		w.pages[who].SignIn(who)
	}
	return w
}

// actsPlace is what an act is tried at: a fresh group with a theme, and what else its row makes.
type actsPlace struct {
	*actsWorld
	number    int
	group     store.Group
	room      string
	theme     store.Theme
	themeRoom string
	team      store.Team
}

// name returns a name that nothing else has.
func (p *actsPlace) name(word string) string { return fmt.Sprintf("%s %d", word, p.number) }

func (p *actsPlace) slug(word string) string { return fmt.Sprintf("%s-%d", word, p.number) }

func (w *actsWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// place makes a group of a kind, owned by the owner.
func (w *actsWorld) place(kind string) *actsPlace {
	w.t.Helper()
	w.made++
	p := &actsPlace{actsWorld: w, number: w.made}
	ctx, o := context.Background(), w.r.Node.Org
	var err error
	p.group, err = o.CreateGroup(ctx, acts.System, testrig.Host, org.NewGroup{
		Name:    p.name("Group"),
		Kind:    kind,
		Owner:   personOf("owner"),
		Members: []jid.JID{personOf("member"), personOf("moderator")},
	})
	w.must(err)
	w.must(o.SetMember(ctx, acts.System, testrig.Host, p.group.ID, personOf("moderator"), store.RoleModerator))
	p.room = o.RoomJID(testrig.Host, p.group.Room).String()
	return p
}

func (p *actsPlace) makeTheme(restricted bool) {
	p.t.Helper()
	t, err := p.r.Node.Org.CreateTheme(context.Background(), acts.System, testrig.Host, p.group.ID,
		org.NewTheme{Name: p.name("Theme"), Restricted: restricted})
	p.must(err)
	p.theme, p.themeRoom = t, p.r.Node.Org.RoomJID(testrig.Host, t.Room).String()
}

func (p *actsPlace) makeTeam(people ...string) {
	p.t.Helper()
	t, err := p.r.Node.Org.CreateTeam(context.Background(), acts.System, testrig.Host,
		org.NewTeam{Name: p.name("Team"), People: people})
	p.must(err)
	p.team = t
}

func (p *actsPlace) setMember(who, role string) {
	p.t.Helper()
	p.must(p.r.Node.Org.SetMember(context.Background(), acts.System, testrig.Host, p.group.ID, personOf(who), role))
}

// entries are those of the log since one of them, the newest first.
func (w *actsWorld) entries(since store.ID) []store.AuditEntry {
	w.t.Helper()
	es, err := w.r.Node.Store.AuditEntries(context.Background(), testrig.Host, store.AuditFilter{Limit: 20})
	w.must(err)
	return slices.DeleteFunc(es, func(e store.AuditEntry) bool { return e.ID <= since })
}

func (w *actsWorld) newest() store.ID {
	if es := w.entries(0); len(es) > 0 {
		return es[0].ID
	}
	return 0
}

// actDoor is one door of an act.
type actDoor struct {
	door acts.Door
	name string // of the way, where a door has several
	do   func(p *actsPlace, who string) string
	// but holds other results of this door for some actors, each with its reason.
	but map[string]string
}

// actRow is an act, with its result for each of actActors.
type actRow struct {
	name   string
	verb   acts.Verb
	kind   string // of the group; "": private
	want   string
	make   func(p *actsPlace) // prepares what the act needs besides the group
	target func(p *actsPlace) string
	detail map[string]string // fields of the entry's detail: expressions that their JSON matches
	doors  []actDoor
}

func ofGroup(p *actsPlace) string { return p.group.Slug }

func ofTheme(p *actsPlace) string { return p.group.Slug + "/" + p.theme.Key }

func ofTeam(p *actsPlace) string { return p.team.Slug }

// play tries an act by each of its doors, as everybody.
func (w *actsWorld) play(row actRow) {
	want := strings.Fields(row.want)
	for _, d := range row.doors {
		if d.door == acts.CommandLine {
			w.tryAs(row, d, operator, isDone)
			continue
		}
		for i, who := range actActors {
			as := want[i]
			if but, ok := d.but[who]; ok {
				as = but
			}
			if as != "-" {
				w.tryAs(row, d, who, as)
			}
		}
	}
}

func (w *actsWorld) tryAs(row actRow, d actDoor, who, want string) {
	kind := row.kind
	if kind == "" {
		kind = org.Private
	}
	p := w.place(kind)
	if row.make != nil {
		row.make(p)
	}
	at := fmt.Sprintf("%s, %s %s, %s", row.name, d.door, d.name, who)
	since := w.newest()
	got := d.do(p, who)
	es := w.entries(since)
	if got == refused && slices.Contains([]string{forbidden, missing, exists, invalid}, want) ||
		got == isDone && want == same {
		got = want
	}
	if got != want {
		w.t.Errorf("%s: %s, not %s", at, got, want)
	}
	if want != isDone {
		if len(es) > 0 {
			w.t.Errorf("%s: the log has %+v of what was not done", at, es)
		}
		return
	}
	if len(es) != 1 {
		w.t.Errorf("%s: the log has %d entries: %+v", at, len(es), es)
		return
	}
	w.compare(at, row, d, who, p, es[0])
}

// compare looks at the audit entry of the act.
func (w *actsWorld) compare(at string, row actRow, d actDoor, who string, p *actsPlace, e store.AuditEntry) {
	actor := who
	if who == operator {
		actor = ""
	}
	if e.Action != string(row.verb) || e.Target != row.target(p) || e.Door != string(d.door) || e.Actor != actor {
		w.t.Errorf("%s: the log has %s of %s by %q through %q, not %s of %s by %q through %q",
			at, e.Action, e.Target, e.Actor, e.Door, row.verb, row.target(p), actor, d.door)
	}
	if local := strings.HasPrefix(e.Remote, "127.0.0.1") || strings.HasPrefix(e.Remote, "::1"); who == operator &&
		e.Remote != acts.ByCommandLine || who != operator && !local {
		w.t.Errorf("%s: it came from %q", at, e.Remote)
	}
	detail := make(map[string]json.RawMessage)
	if e.Detail != "" {
		w.must(json.Unmarshal([]byte(e.Detail), &detail))
	}
	for field := range detail {
		w.fields[field] = true
	}
	for field, want := range row.detail {
		want = p.fill(want)
		if !regexp.MustCompile("^" + want + "$").Match(detail[field]) {
			w.t.Errorf("%s: the detail's %s is %s, not %s: %s", at, field, detail[field], want, e.Detail)
		}
	}
}

// ofStatus returns the result for an HTTP status.
func ofStatus(status int) string {
	switch status {
	case 200, 201, 204:
		return isDone
	case 401, 403:
		return forbidden
	case 404:
		return missing
	case 409:
		return exists
	}
	return invalid
}

// byPage sends a form. A page that leads on says in a cookie what has become of it.
func byPage(at func(p *actsPlace) string, fields ...string) func(*actsPlace, string) string {
	return func(p *actsPlace, who string) string {
		form := make(url.Values)
		for i := 0; i+1 < len(fields); i += 2 {
			form.Add(fields[i], p.fill(fields[i+1]))
		}
		return ofPage(p.pages[who].Do("POST", at(p), form, nil))
	}
}

func ofPage(g testrig.Page) string {
	if g.Status != http.StatusSeeOther {
		return ofStatus(g.Status)
	}
	for _, k := range (&http.Response{Header: g.Header}).Cookies() {
		b, err := base64.RawURLEncoding.DecodeString(k.Value)
		var note struct{ Kind string }
		if err == nil && json.Unmarshal(b, &note) == nil && note.Kind == "ok" {
			return isDone
		}
	}
	return refused
}

// byUpload sends a form with a picture.
func byUpload(at func(p *actsPlace) string) func(*actsPlace, string) string {
	return func(p *actsPlace, who string) string {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		f, err := m.CreateFormFile("photo", "photo.png")
		p.must(err)
		_, err = f.Write(picture(p.number))
		p.must(err)
		p.must(m.Close())
		return ofPage(p.pages[who].Do("POST", at(p), nil, func(q *http.Request) {
			q.Body, q.ContentLength = io.NopCloser(&b), int64(b.Len())
			q.Header.Set("Content-Type", m.FormDataContentType())
		}))
	}
}

func picture(n int) []byte {
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, 32, 32))
	img.Pix[n%len(img.Pix)] = 200
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// fill puts the place's names into a text: {slug}, {N}, {room}, {theme} …
func (p *actsPlace) fill(text string) string {
	return strings.NewReplacer("{slug}", p.group.Slug, "{id}", p.group.ID, "{room}", p.room, "{theme}", p.theme.Key,
		"{themeroom}", p.themeRoom, "{team}", p.team.Slug, "{name}", p.group.Name, "{teamname}", p.team.Name, "{N}",
		fmt.Sprint(p.number)).Replace(text)
}

func at(text string) func(*actsPlace) string {
	return func(p *actsPlace) string { return p.fill(text) }
}

func byAPI(method, at, body string) func(*actsPlace, string) string {
	return func(p *actsPlace, who string) string {
		return ofStatus(p.apis[who].do(method, "/v1"+p.fill(at), p.fill(body), nil))
	}
}

// byOperator is the command line: the requests that it sends to the API over the control socket.
func byOperator(method, at, body string) func(*actsPlace, string) string {
	return func(p *actsPlace, _ string) string {
		err := p.ctl.Do(method, p.fill(at), p.fill(body), nil)
		var e *testrig.LineError
		switch {
		case err == nil:
			return isDone
		case errors.As(err, &e):
			return ofStatus(e.Status)
		}
		p.t.Error(err)
		return invalid
	}
}

// ofStanza returns the result for an answer.
func ofStanza(e *testrig.Element) string {
	if e.Attr("type") != "error" {
		if n := e.Find("note"); n != nil && n.Attr("type") == "error" {
			return refused
		}
		return isDone
	}
	for condition, what := range map[string]string{
		"forbidden":             forbidden,
		"not-allowed":           forbidden,
		"registration-required": forbidden,
		"item-not-found":        missing,
		"conflict":              exists,
		"unexpected-request":    missing,
	} {
		if e.Find(condition) != nil {
			return what
		}
	}
	return invalid
}

const (
	groupsService = "groups." + testrig.Host
	spacesService = "spaces." + testrig.Host
)

func byIQ(to, payload string) func(*actsPlace, string) string {
	return func(p *actsPlace, who string) string {
		payload := strings.ReplaceAll(p.fill(payload), "{who}", who+"@"+testrig.Host)
		return ofStanza(ask(p.t, p.clients[who], p.fill(to), "set", payload))
	}
}

// byCommand runs an ad-hoc command with a form of names and values in turn.
func byCommand(to, node string, fields ...string) func(*actsPlace, string) string {
	return byIQ(to, "<command xmlns='http://jabber.org/protocol/commands' node='https://parley.im/commands#"+node+
		"' action='execute'>"+submitted("", fields...)+"</command>")
}

func submitted(about string, fields ...string) string {
	if about != "" {
		fields = append([]string{"FORM_TYPE", about}, fields...)
	}
	if len(fields) == 0 {
		return ""
	}
	x := "<x xmlns='jabber:x:data' type='submit'>"
	for i := 0; i+1 < len(fields); i += 2 {
		x += "<field var='" + fields[i] + "'><value>" + fields[i+1] + "</value></field>"
	}
	return x + "</x>"
}

func byAffiliation(to, who, affiliation string) func(*actsPlace, string) string {
	return byIQ(to, "<query xmlns='http://jabber.org/protocol/muc#admin'><item jid='"+who+"@"+testrig.Host+
		"' affiliation='"+affiliation+"'/></query>")
}

func bySpace(verbs string) func(*actsPlace, string) string {
	return byIQ(spacesService, "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"+verbs+"</pubsub>")
}

func bySpaceOwner(verbs string) func(*actsPlace, string) string {
	return byIQ(spacesService, "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"+verbs+"</pubsub>")
}

// byForm sends a message with a form. Nothing is answered where it was taken: a request after it is answered later.
func byForm(to, form string) func(*actsPlace, string) string {
	return func(p *actsPlace, who string) string {
		c, id, then := p.clients[who], fresh(), fresh()
		p.must(c.Write("<message id='" + id + "' to='" + p.fill(to) + "'>" + p.fill(form) + "</message>"))
		p.must(c.Write("<iq type='get' id='" + then + "' to='" + p.fill(to) +
			"'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"))
		verdict := isDone
		for {
			e, err := c.Next()
			p.must(err)
			switch e.Attr("id") {
			case id:
				verdict = ofStanza(e)
			case then:
				return verdict
			}
		}
	}
}

// byInvite enters a room and invites somebody: in a room for members only that makes them a member.
func byInvite(room, whom string) func(*actsPlace, string) string {
	return func(p *actsPlace, who string) string {
		if !enters(p.t, p.clients[who], p.fill(room)) {
			return refused
		}
		return byForm(room, "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='"+whom+"@"+
			testrig.Host+"'/></x>")(p, who)
	}
}

var actLines atomic.Int64

// roomLine enters a room and writes a line. It waits for an answer, the room's message to everybody, or an error.
func byLine(room, text string, answer string) func(*actsPlace, string) string {
	return func(p *actsPlace, who string) string {
		room, text, c := p.fill(room), p.fill(text), p.clients[who]
		nick := fmt.Sprintf("%s-%d", who, actLines.Add(1))
		id := fresh()
		if do(p.t, c, "<presence id='"+id+"' to='"+room+"/"+nick+
			"'><x xmlns='http://jabber.org/protocol/muc'/></presence>", id).Attr("type") == "error" {
			return refused // nobody writes where they are not
		}
		id = fresh()
		p.must(c.Write("<message type='groupchat' id='" + id + "' to='" + room + "'><body>" +
			text + "</body></message>"))
		for {
			e, err := c.Next()
			p.must(err)
			switch b := e.Find("body"); {
			case e.Attr("id") == id && e.Attr("type") == "error":
				return ofStanza(e)
			case answer == "" && e.Name.Local == "presence" && e.Attr("from") == room+"/"+nick &&
				e.Attr("type") == "unavailable",
				answer != "" && b != nil && e.Attr("type") == "groupchat" && strings.HasPrefix(e.Attr("from"), room) &&
					strings.Contains(b.Text, p.fill(answer)) && b.Text != text:
				return isDone
			}
		}
	}
}
