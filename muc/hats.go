package muc

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Hats (XEP-0317): titles that people wear in rooms. Those of the organization (roles, teams) come from Config.Hats and
// are worn in every room; a free room has its own besides, which its administrators make and give by ad-hoc commands.

const (
	nsHats       = "urn:xmpp:hats:0"
	nsHatForm    = "urn:xmpp:hats:commands"
	maxHats      = 50  // of a room
	maxWorn      = 10  // of its hats by one person
	maxWearers   = 500 // people with hats of the room
	maxHatTitle  = 100 // bytes
	maxHatURI    = 500 // bytes
	hatCreate    = nsHatForm + ":create"
	hatDestroy   = nsHatForm + ":destroy"
	hatList      = nsHatForm + ":list"
	hatAssign    = nsHatForm + ":assign"
	hatUnassign  = nsHatForm + ":unassign"
	hatsAssigned = nsHatForm + ":list-assigned"
)

// Hat is a title that somebody wears.
type Hat struct {
	URI   string `json:"uri"`
	Title string `json:"title"`
	Hue   string `json:"hue,omitempty"` // an angle of the colour circle (XEP-0392); "" leaves it to clients
}

// HatsChanged makes rooms look up a person's hats again and show them, on whatever node they are.
func (s *Service) HatsChanged(who jid.JID) {
	s.hatsChanged(who)
	s.host.Everywhere.Tell(s.hatsName(), who)
}

// hatsName is the name under which other nodes hear that somebody's hats have changed.
func (s *Service) hatsName() string { return "hats " + s.cfg.Domain }

func (s *Service) hatsChanged(who jid.JID) {
	s.mu.RLock()
	names := slices.Sorted(maps.Keys(s.rooms)) // in an order that a simulation repeats
	s.mu.RUnlock()
	for _, name := range names {
		s.PostLoaded(name, func(ctx context.Context, r *Room) {
			r.rehat(ctx, func(o *Occupant) bool { return o.bare == who.Bare() })
		})
	}
}

// hatsOf makes the payload of an occupant's hats; nil for no hats.
func (r *Room) hatsOf(ctx context.Context, who jid.JID) *wire.Element {
	var hats []Hat
	for i := range r.hooks {
		if f := r.hooks[i].Hats; f != nil {
			hats = append(hats, f(ctx, who)...)
		}
	}
	for _, uri := range r.cfg.Worn[who.String()] {
		if i := hatIndex(r.cfg.Hats, uri); i >= 0 {
			hats = append(hats, r.cfg.Hats[i])
		}
	}
	if len(hats) == 0 {
		return nil
	}
	e := wire.E(nsHats, "hats")
	for _, h := range hats {
		e.Add(wire.E(nsHats, "hat").Set("title", h.Title).Set("uri", h.URI).Set("hue", h.Hue))
	}
	return e
}

// rehat shows the occupants whose hats have changed.
func (r *Room) rehat(ctx context.Context, ok func(*Occupant) bool) {
	for _, o := range slices.Clone(r.order) {
		if !ok(o) {
			continue
		}
		if was, now := o.hats, r.hatsOf(ctx, o.bare); !sameHats(was, now) {
			o.hats = now
			r.reshow(ctx, o, leaving{})
		}
	}
}

func sameHats(a, b *wire.Element) bool {
	if a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.AppendXML(nil, ""), b.AppendXML(nil, ""))
}

func hatIndex(hats []Hat, uri string) int {
	return slices.IndexFunc(hats, func(h Hat) bool { return h.URI == uri })
}

// hatsHash changes when the list of a room's hats does (section 3).
func hatsHash(hats []Hat) string {
	sum := sha1.New()
	for _, h := range hats {
		sum.Write([]byte(h.URI + "\x00" + h.Title + "\x00" + h.Hue + "\x00"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Commands are about hats.
func (k *free) Commands() []server.Command {
	r := k.r
	admin := r.ranked(Admin)
	do := func(change func(c *RoomConfig,
		f form.Form) error) func(context.Context, jid.JID, form.Form) (string, *form.Form, error) {
		return func(ctx context.Context, _ jid.JID, f form.Form) (string, *form.Form, error) {
			return "", nil, r.ask(ctx, func(ctx context.Context, r *Room) error {
				return r.changeHats(ctx, func(c *RoomConfig) error { return change(c, f) })
			})
		}
	}
	ask := func(title string,
		fill func(f *form.Form, hats []form.Option)) func(context.Context, jid.JID) (*form.Form, error) {
		return func(context.Context, jid.JID) (*form.Form, error) {
			f := form.New(form.Ask, nsHatForm)
			f.Title = title
			var os []form.Option
			for _, h := range r.Config().Hats {
				os = append(os, form.Option{Label: h.Title, Value: h.URI})
			}
			fill(f, os)
			return f, nil
		}
	}
	which := func(f *form.Form, os []form.Option) { f.AddList("hats#uri", "Hat", "", os...) }
	whose := func(f *form.Form, os []form.Option) {
		f.Add("hats#jid", form.JIDSingle, "User address").Required()
		which(f, os)
	}
	return []server.Command{
		{
			Node:    hatCreate,
			Name:    "Create or change a hat",
			Allowed: admin,
			Do:      do(createHat(r.s.host.Domain)),
			Form: ask("Creating a hat", func(f *form.Form, _ []form.Option) {
				f.Add("hats#title", form.TextSingle, "Title").Required()
				f.Add("hats#uri", form.TextSingle, "URI").Required()
				f.Add("hats#hue", form.TextSingle, "Hue")
			}),
		},
		{
			Node:    hatDestroy,
			Name:    "Destroy a hat",
			Allowed: admin,
			Do:      do(destroyHat),
			Form:    ask("Destroying a hat", which),
		},
		{Node: hatAssign, Name: "Assign a hat", Allowed: admin, Do: do(assignHat), Form: ask("Assigning a hat", whose)},
		{
			Node:    hatUnassign,
			Name:    "Remove a hat",
			Allowed: admin,
			Do:      do(unassignHat),
			Form:    ask("Removing a hat", whose),
		},
		{Node: hatList, Name: "List the hats", Allowed: r.mayLook, Do: r.listHats},
		{Node: hatsAssigned, Name: "List who wears which hat", Allowed: admin, Do: r.listWorn},
	}
}

// mayLook says whether a person may see the hats: everyone who could enter may.
func (r *Room) mayLook(ctx context.Context, who jid.JID) bool {
	a, err := r.affiliation(ctx, who)
	c := r.Config()
	return err == nil && a != Outcast && (rank[a] >= rank[Member] || !c.MembersOnly && c.Password == "")
}

// changeHats saves a change and shows it: presence of everyone whose hats are others now, and code 104 if the list of
// hats has changed.
func (r *Room) changeHats(ctx context.Context, change func(c *RoomConfig) error) error {
	was := r.cfg
	now := was
	now.Hats, now.Worn = slices.Clone(was.Hats), maps.Clone(was.Worn)
	if now.Worn == nil {
		now.Worn = make(map[string][]string)
	}
	if err := change(&now); err != nil {
		return err
	}
	if err := r.saveConfig(ctx, now); err != nil {
		return err
	}
	shown := func(c *RoomConfig, who string) string {
		var b strings.Builder
		for _, uri := range c.Worn[who] {
			if i := hatIndex(c.Hats, uri); i >= 0 {
				b.WriteString(hatsHash(c.Hats[i : i+1]))
			}
		}
		return b.String()
	}
	r.rehat(ctx, func(o *Occupant) bool { return shown(&was, o.bare.String()) != shown(&now, o.bare.String()) })
	return nil
}

func createHat(host string) func(c *RoomConfig, f form.Form) error {
	return func(c *RoomConfig, f form.Form) error {
		h := Hat{URI: f.Get("hats#uri"), Title: strings.TrimSpace(f.Get("hats#title")), Hue: f.Get("hats#hue")}
		if h.URI == "" || h.Title == "" || len(h.URI) > maxHatURI || len(h.Title) > maxHatTitle ||
			!strings.Contains(h.URI, ":") {
			return server.WithText(server.NotAcceptable, "a hat needs a title and a URI, neither of them too long")
		}
		if h.Hue != "" {
			if hue, err := strconv.ParseFloat(h.Hue, 64); err != nil || !(hue >= 0 && hue <= 360) || len(h.Hue) > 20 {
				return server.WithText(server.NotAcceptable, "a hue is an angle from 0 to 360")
			}
		}
		if strings.HasPrefix(strings.ToLower(h.URI), "https://"+host+"/hats/") {
			return server.WithText(server.NotAllowed, "only the organization gives such hats")
		}
		if i := hatIndex(c.Hats, h.URI); i >= 0 {
			c.Hats[i] = h
			return nil
		}
		if len(c.Hats) >= maxHats {
			return server.ResourceConstraint
		}
		c.Hats = append(c.Hats, h)
		return nil
	}
}

func destroyHat(c *RoomConfig, f form.Form) error {
	uri := f.Get("hats#uri")
	if uri == "" {
		uri = f.Get("hat") // as the XEP's form names it
	}
	i := hatIndex(c.Hats, uri)
	if i < 0 {
		return server.ItemNotFound
	}
	c.Hats = slices.Delete(c.Hats, i, i+1)
	for who := range c.Worn {
		takeHat(c, who, uri)
	}
	return nil
}

func takeHat(c *RoomConfig, who, uri string) {
	left := slices.DeleteFunc(slices.Clone(c.Worn[who]), func(u string) bool { return u == uri })
	if c.Worn[who] = left; len(left) == 0 {
		delete(c.Worn, who)
	}
}

// wearer reads who and which hat a form is about.
func wearer(c *RoomConfig, f form.Form) (who, uri string, err error) {
	js, err := f.JIDs("hats#jid")
	if err != nil || len(js) != 1 || js[0].Local() == "" {
		return "", "", server.WithText(server.NotAcceptable, "say whose hat it is")
	}
	uri = f.Get("hats#uri")
	if hatIndex(c.Hats, uri) < 0 {
		return "", "", server.ItemNotFound
	}
	return js[0].Bare().String(), uri, nil
}

func assignHat(c *RoomConfig, f form.Form) error {
	who, uri, err := wearer(c, f)
	if err != nil || slices.Contains(c.Worn[who], uri) {
		return err
	}
	if len(c.Worn[who]) >= maxWorn || c.Worn[who] == nil && len(c.Worn) >= maxWearers {
		return server.ResourceConstraint
	}
	c.Worn[who] = append(slices.Clone(c.Worn[who]), uri)
	return nil
}

func unassignHat(c *RoomConfig, f form.Form) error {
	who, uri, err := wearer(c, f)
	if err != nil {
		return err
	}
	if !slices.Contains(c.Worn[who], uri) {
		return server.ItemNotFound
	}
	takeHat(c, who, uri)
	return nil
}

func (r *Room) listHats(context.Context, jid.JID, form.Form) (string, *form.Form, error) {
	f := table("Hats list", "hats#title", "hats#uri", "hats#hue")
	for _, h := range r.Config().Hats {
		row(f, "hats#title", h.Title, "hats#uri", h.URI, "hats#hue", h.Hue)
	}
	return "", f, nil
}

func (r *Room) listWorn(context.Context, jid.JID, form.Form) (string, *form.Form, error) {
	f := table("Assigned hats list", "hats#jid", "hats#uri", "hats#title", "hats#hue")
	c := r.Config()
	for _, who := range slices.Sorted(maps.Keys(c.Worn)) {
		for _, uri := range c.Worn[who] {
			if i := hatIndex(c.Hats, uri); i >= 0 {
				row(f, "hats#jid", who, "hats#uri", uri, "hats#title", c.Hats[i].Title, "hats#hue", c.Hats[i].Hue)
			}
		}
	}
	return "", f, nil
}

// table begins a form of results with rows (XEP-0004, section 3.4).
func table(title string, columns ...string) *form.Form {
	f := &form.Form{Type: form.Result, Title: title}
	reported := wire.E(wire.NSForm, "reported")
	for _, c := range columns {
		reported.Add(wire.E(wire.NSForm, "field").Set("var", c))
	}
	f.Extra = []*wire.Element{reported}
	return f
}

func row(f *form.Form, cells ...string) {
	item := wire.E(wire.NSForm, "item")
	for i := 0; i+1 < len(cells); i += 2 {
		item.Add(wire.E(wire.NSForm, "field", wire.T(wire.NSForm, "value", cells[i+1])).Set("var", cells[i]))
	}
	f.Extra = append(f.Extra, item)
}
