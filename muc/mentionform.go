package muc

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
)

// MentionRules say who may mention whom in a room (XEP-0513, section 3.6); zero values are the defaults.
type MentionRules struct {
	Count        int    `json:"count,omitempty"` // in one message; default 10
	Individual   string `json:"individual,omitempty"`
	Channel      string `json:"channel,omitempty"` // everyone in the room or its space, and teams
	Associations string `json:"associations,omitempty"`
}

const maxMentions = 100

var mentioners = []string{"participants", "moderators", "none"}

func (c *RoomConfig) mentionRules() MentionRules {
	m := MentionRules{}
	if c.Mentions != nil {
		m = *c.Mentions
	}
	if m.Count == 0 {
		m.Count = 10
	}
	for _, at := range []*string{&m.Individual, &m.Channel, &m.Associations} {
		if *at == "" {
			*at = "participants"
		}
	}
	return m
}

func allows(rule string, moderator bool) bool {
	return rule == "participants" || rule == "moderators" && moderator
}

// mentionFields are the form's fields by what they set.
func (r *Room) mentionFields(m *MentionRules) []struct {
	name, label string
	at          *string
} {
	fs := []struct {
		name, label string
		at          *string
	}{
		{"mentions#individual", "Who can mention individual users?", &m.Individual},
		{"mentions#channel", "Who can mention everyone in the room?", &m.Channel},
		{"mentions#associations", "Who can mention roles and affiliations?", &m.Associations},
	}
	if r.group != "" {
		for _, kind := range []string{"space", "hats"} {
			fs = append(fs, struct {
				name, label string
				at          *string
			}{"mentions#" + kind, map[string]string{"space": "Who can mention everyone in the group?", "hats": "Who can mention teams?"}[kind], &m.Channel})
		}
	}
	return fs
}

func (r *Room) mentionForm(typ string, m MentionRules) *form.Form {
	f := form.New(typ, nsMentions)
	if typ == form.Ask {
		f.Title = "Permissions for Explicit Mentions"
		f.Instructions = "Who may mention whom, and how many in one message. Everyone in the room, in its group, and teams go together."
	}
	f.Add("mentions#count", form.TextSingle, "How many mentions are allowed in a message?", strconv.Itoa(m.Count))
	if typ == form.Ask {
		f.Fields[len(f.Fields)-1].Required = true
	}
	for _, fd := range r.mentionFields(&m) {
		f.Add(fd.name, form.ListSingle, fd.label, *fd.at)
		if typ == form.Ask {
			last := &f.Fields[len(f.Fields)-1]
			last.Required = true
			last.Options = []form.Option{{Label: "Participants", Value: "participants"}, {Label: "Moderators Only", Value: "moderators"}, {Label: "Nobody", Value: "none"}}
		}
	}
	return f
}

// onMentions answers who asks for the rules, and an owner who changes them. It is the room's goroutine's work.
func (r *Room) onMentions(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	if q.Name.Local != "query" {
		return nil, server.ServiceUnavailable
	}
	if err := r.known(ctx, st.From); err != nil {
		return nil, err
	}
	if st.Type == "get" {
		return wire.E(nsMentions, "query", r.mentionForm(form.Ask, r.cfg.mentionRules()).Element()), nil
	}
	a, err := r.affiliation(ctx, st.From)
	if err != nil {
		return nil, err
	}
	if a != Owner {
		return nil, server.Forbidden
	}
	f, err := form.Parse(q.Child(wire.NSForm, "x"))
	if err != nil || f.Type != form.Submit && f.Type != form.Cancel || f.About() != "" && f.About() != nsMentions {
		return nil, server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil, nil
	}
	was := r.cfg.mentionRules()
	now, changed, err := r.readMentionForm(f, was)
	if err != nil {
		return nil, err
	}
	if len(changed.Fields) > 1 { // besides its type
		c := r.cfg
		c.Mentions = &now
		b, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		if err := r.s.st.SaveRoomConfig(ctx, r.s.cfg.Domain, r.name, b, c.access()); err != nil {
			return nil, err
		}
		r.mu.Lock()
		r.cfg = c
		r.mu.Unlock()
	}
	r.s.reply(ctx, st, nil)
	if len(changed.Fields) > 1 {
		changed.Title = "Updated configuration for Explicit Mention Permissions"
		m := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: r.jid, ID: r.s.host.NewID()}
		r.send(ctx, m.Add(changed.Element()), r.everyone(nil))
	}
	return nil, server.ErrHandled
}

// readMentionForm gives the rules as submitted, and a form of what is new in them.
func (r *Room) readMentionForm(f form.Form, was MentionRules) (now MentionRules, changed *form.Form, err error) {
	now, changed = was, form.New(form.Result, nsMentions)
	if f.Has("mentions#count") {
		n, err := strconv.Atoi(f.Get("mentions#count"))
		if err != nil || n < 1 || n > maxMentions {
			return now, nil, server.WithText(server.NotAcceptable, "mentions#count is 1 to 100")
		}
		if now.Count = n; n != was.Count {
			changed.Add("mentions#count", form.TextSingle, "", strconv.Itoa(n))
		}
	}
	old := r.mentionFields(&was)
	for i, fd := range r.mentionFields(&now) {
		if !f.Has(fd.name) {
			continue
		}
		v := f.Get(fd.name)
		if !slices.Contains(mentioners, v) {
			return now, nil, server.WithText(server.NotAcceptable, fd.name+" is participants, moderators or none")
		}
		if v != *old[i].at {
			*fd.at = v
			changed.Add(fd.name, form.ListSingle, "", v)
		}
	}
	return now, changed, nil
}
