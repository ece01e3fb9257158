package muc

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
)

// RoomConfig is what a room's owner decides (section 10.2). It is kept as JSON.
type RoomConfig struct {
	Name          string `json:"name,omitempty"`
	Description   string `json:"description,omitempty"`
	Lang          string `json:"lang,omitempty"`
	Persistent    bool   `json:"persistent"`
	Public        bool   `json:"public"`
	MembersOnly   bool   `json:"members_only"`
	Moderated     bool   `json:"moderated"`
	NonAnonymous  bool   `json:"non_anonymous"`
	Archive       bool   `json:"archive"`
	Password      string `json:"password,omitempty"`
	ChangeSubject bool   `json:"change_subject"` // participants may
	Invites       bool   `json:"invites"`        // members may invite
	// who may send private messages: anyone, participants, moderators, none
	PM         string   `json:"pm,omitempty"`
	MaxUsers   int      `json:"max_users,omitempty"`
	PubSub     string   `json:"pubsub,omitempty"`  // IRI of a node that belongs to the room
	History    int      `json:"history,omitempty"` // messages on joining; 0: the service's default
	Broadcast  []string `json:"broadcast"`         // roles whose presence is shown; nil: all
	MemberList []string `json:"member_list"`
	// who reads the room's messages: "" (all who may enter), members, admins
	HistoryFor string   `json:"history_for,omitempty"`
	SinceJoin  bool     `json:"since_join,omitempty"` // they read only messages since they were added
	SlowMode   int      `json:"slow_mode,omitempty"`  // seconds between two messages of one person (XEP-0500)
	Avatars    []string `json:"avatars,omitempty"`    // SHA-1 in hex of the pictures in the room's vCard (XEP-0486)

	Hats []Hat               `json:"hats,omitempty"` // XEP-0317: the room's own
	Worn map[string][]string `json:"worn,omitempty"` // the hats that people wear: URIs by bare address

	Mentions *MentionRules `json:"mentions,omitempty"` // nil: the defaults

	Several bool `json:"several,omitempty"` // a conversation of a few people (several.go)

	Locked bool `json:"locked,omitempty"` // not configured yet: kept, so that a room is not open after a crash
}

// MentionRules say who may mention whom in a room (XEP-0513, section 3.6); zero values are the defaults.
type MentionRules struct {
	Count        int    `json:"count,omitempty"` // in one message; default 10
	Individual   string `json:"individual,omitempty"`
	Channel      string `json:"channel,omitempty"` // everyone in the room or its space, and teams
	Associations string `json:"associations,omitempty"`
}

// Default is what rooms are unless their service says otherwise.
var Default = RoomConfig{Persistent: false, Public: true, Archive: true, Invites: true, PM: "anyone"}

const (
	nsConfig = "http://jabber.org/protocol/muc#roomconfig"
	nsInfo   = "http://jabber.org/protocol/muc#roominfo"
	prefix   = "muc#roomconfig_"

	fieldHistoryFor = "{https://parley.im/rooms}history_for"
	fieldSinceJoin  = "{https://parley.im/rooms}history_since_join"
)

const (
	maxRoomName = 200  // bytes
	maxRoomDesc = 2000 // bytes
	maxPassword = 200
)

func maxUserOptions(now int) []form.Option {
	var os []form.Option
	seen := false
	for _, n := range []int{10, 20, 50, 100, 200, 500, 1000} {
		os = append(os, form.Option{Label: strconv.Itoa(n), Value: strconv.Itoa(n)})
		seen = seen || n == now
	}
	if now > 0 && !seen {
		os = append(os, form.Option{Label: strconv.Itoa(now), Value: strconv.Itoa(now)})
	}
	return append(os, form.Option{Label: "No limit of its own", Value: "none"})
}

var allRoles = []string{"moderator", "participant", "visitor"}

func rolesField(name, label string, values []string) form.Field {
	if values == nil {
		values = allRoles
	}
	fd := form.Field{Var: name, Type: "list-multi", Label: label, Values: values}
	for _, r := range allRoles {
		fd.Options = append(fd.Options, form.Option{Label: r, Value: r})
	}
	return fd
}

// Described begins the form that an owner fills in, with what every room has: its name, its description and its
// language. It is called on the room's goroutine.
func (r *Room) Described() *form.Form {
	f := form.New(form.Ask, nsConfig)
	f.Title = "Configuration of " + r.jid.String()
	f.Add(prefix+"roomname", form.TextSingle, "Name", r.cfg.Name)
	f.Add(prefix+"roomdesc", form.TextSingle, "Description", r.cfg.Description)
	f.Add(prefix+"lang", form.TextSingle, "Language of discussions", r.cfg.Lang)
	return f
}

// Apply takes over what an owner's form says. With fixed only the name, the description and the language may change:
// other fields are ignored. An error is a stanza error, and c is of no use then.
func (c *RoomConfig) Apply(f form.Form, fixed bool) error {
	for _, fd := range f.Fields {
		name, ok := strings.CutPrefix(fd.Var, prefix)
		switch fd.Var {
		case "muc#maxhistoryfetch":
			name, ok = "historylength", true
		case fieldHistoryFor, fieldSinceJoin:
			name, ok = fd.Var, true
		}
		if !ok {
			continue
		}
		v := f.Get(fd.Var)
		switch name {
		case "roomname":
			if c.Name = v; len(v) > maxRoomName {
				return server.NotAcceptable
			}
			continue
		case "roomdesc":
			if c.Description = f.Text(fd.Var); len(c.Description) > maxRoomDesc {
				return server.NotAcceptable
			}
			continue
		case "pubsub":
			if !fixed {
				c.PubSub = v
			}
			if len(v) > maxRoomDesc {
				return server.NotAcceptable
			}
			continue
		case "lang":
			if c.Lang = v; len(v) > 35 {
				return server.NotAcceptable
			}
			continue
		}
		if fixed {
			continue
		}
		if err := c.applyField(name, v, fd, f); err != nil {
			return err
		}
	}
	if protect, ok := f.Bool(prefix + "passwordprotectedroom"); ok {
		if !protect {
			c.Password = ""
		} else if c.Password == "" {
			return server.WithText(server.NotAcceptable, "a password is missing")
		}
	}
	return nil
}

func (c *RoomConfig) applyField(name, v string, fd form.Field, f form.Form) error {
	bools := map[string]*bool{
		"persistentroom": &c.Persistent,
		"publicroom":     &c.Public,
		"membersonly":    &c.MembersOnly,
		"moderatedroom":  &c.Moderated,
		"changesubject":  &c.ChangeSubject,
		"allowinvites":   &c.Invites,
		"enablelogging":  &c.Archive,
		fieldSinceJoin:   &c.SinceJoin,
	}
	if to := bools[name]; to != nil {
		b, ok := f.Bool(fd.Var)
		if !ok {
			return server.NotAcceptable
		}
		*to = b
		return nil
	}
	switch name {
	case "roomsecret":
		if c.Password = v; len(v) > maxPassword {
			return server.NotAcceptable
		}
	case "whois":
		if v != "anyone" && v != "moderators" {
			return server.NotAcceptable
		}
		c.NonAnonymous = v == "anyone"
	case "allowpm":
		switch v {
		case "anyone", "participants", "moderators", "none":
			c.PM = v
		default:
			return server.NotAcceptable
		}
	case "maxusers", "historylength":
		n := 0
		if v != "none" && v != "" {
			var err error
			if n, err = strconv.Atoi(v); err != nil || n < 0 {
				return server.NotAcceptable
			}
		}
		if name == "maxusers" {
			c.MaxUsers = n
		} else {
			c.History = n
		}
	case fieldHistoryFor:
		switch v {
		case "anyone":
			c.HistoryFor = ""
		case historyForMembers, historyForAdmins:
			c.HistoryFor = v
		default:
			return server.NotAcceptable
		}
	case "slow_mode_duration":
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > maxSlow {
			return server.NotAcceptable
		}
		c.SlowMode = n
	case "presencebroadcast":
		c.Broadcast = roles(fd.Values)
	case "getmemberlist":
		c.MemberList = roles(fd.Values)
	}
	return nil
}

func roles(values []string) []string {
	out := []string{}
	for _, v := range values {
		switch v {
		case "moderator", "participant", "visitor":
			out = append(out, v)
		}
	}
	return out
}

// access is what searches and inboxes have to know of a free room.
func (c RoomConfig) access() store.RoomAccess {
	a := store.RoomAccess{Readers: store.ReadersMembers, Since: c.SinceJoin, Named: c.NonAnonymous, Several: c.Several}
	if c.Several {
		a.Title = c.Name
	}
	switch {
	case !mayRead(&c, Member):
		a.Readers = store.ReadersAdmins
	case mayRead(&c, None) && c.Public:
		a.Readers = store.ReadersAnyone
	case mayRead(&c, None):
		a.Readers = store.ReadersKnown
	}
	return a
}

// saveConfig keeps a configuration and tells the occupants what has changed.
func (r *Room) saveConfig(ctx context.Context, now RoomConfig) error {
	err := r.storeConfig(ctx, now)
	if err == nil {
		r.showConfig(ctx, now)
	}
	return err
}

func (r *Room) storeConfig(ctx context.Context, c RoomConfig) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return r.s.st.SaveRoomConfig(ctx, r.s.cfg.Domain, r.name, b, c.access())
}

// showConfig takes over a configuration and tells the occupants what has changed (section 10.2.1).
func (r *Room) showConfig(ctx context.Context, now RoomConfig) {
	was := r.cfg
	r.setConfig(now)
	r.tellConfig(ctx, was, now)
	if r.locked.Load() {
		return // nobody but its owner is in
	}
	r.avatarChanged(ctx, was.Avatars)
	if now.MembersOnly && !was.MembersOnly {
		r.expelStrangers(ctx)
	}
	if now.Moderated != was.Moderated {
		r.refreshRoles(ctx)
	}
	r.reveal(ctx)
}

func (r *Room) setConfig(c RoomConfig) {
	r.mu.Lock()
	r.cfg = c
	r.mu.Unlock()
	for _, o := range r.order {
		o.shown = [2]*wire.Stanza{}
	}
}

// reveal shows or hides occupants whose new role has its presence shown or hidden.
func (r *Room) reveal(ctx context.Context) {
	for _, o := range r.order {
		if r.visible(o) != o.seen {
			r.show(ctx, o)
		}
	}
}

func (r *Room) tellConfig(ctx context.Context, was, now RoomConfig) {
	var codes []string
	if was.NonAnonymous != now.NonAnonymous {
		codes = append(codes, map[bool]string{true: "172", false: "173"}[now.NonAnonymous])
	}
	if was.Archive != now.Archive {
		codes = append(codes, map[bool]string{true: "170", false: "171"}[now.Archive])
	}
	was.NonAnonymous, was.Archive, was.Worn = now.NonAnonymous, now.Archive, now.Worn
	a, _ := json.Marshal(was)
	b, _ := json.Marshal(now)
	if string(a) != string(b) {
		codes = append(codes, "104")
	}
	if len(codes) == 0 {
		return
	}
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: r.jid, ID: r.s.host.NewID()}
	r.send(ctx, st.Add(userX(nil, codes...)), r.everyone(nil))
}

func (r *Room) historyMax() int {
	n := r.cfg.History
	if n <= 0 {
		n = r.s.cfg.HistoryDefault
	}
	return min(n, r.s.cfg.HistoryMax)
}
