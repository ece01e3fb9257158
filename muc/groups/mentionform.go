package groups

import (
	"context"
	"slices"
	"strconv"

	"parley/muc"
	"parley/server"
	"parley/wire"
	"parley/wire/form"
)

const maxMentions = 100

var mentioners = []string{"participants", "moderators", "none"}

// mentionRules gives the rules in force.
func mentionRules(c *muc.RoomConfig) muc.MentionRules {
	m := muc.MentionRules{}
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

// mentionField is a field of the form and the rule that it sets.
type mentionField struct {
	name, label string
	at          *string
}

// mentionFields gives the fields of the form. Everyone in a group, its teams and everyone in the room go together.
func (ms *mentions) mentionFields(m *muc.MentionRules) []mentionField {
	fs := []mentionField{
		{"mentions#individual", "Who can mention individual users?", &m.Individual},
		{"mentions#channel", "Who can mention everyone in the room?", &m.Channel},
		{"mentions#associations", "Who can mention roles and affiliations?", &m.Associations},
	}
	if ms.group != "" {
		fs = append(fs,
			mentionField{"mentions#space", "Who can mention everyone in the group?", &m.Channel},
			mentionField{"mentions#hats", "Who can mention teams?", &m.Channel})
	}
	return fs
}

func (ms *mentions) form(typ string, m muc.MentionRules) *form.Form {
	f := form.New(typ, nsMentions)
	if typ == form.Ask {
		f.Title = "Permissions for Explicit Mentions"
		f.Instructions = "Who may mention whom, and how many mentions a message may have. The rules for everyone in " +
			"the room, for everyone in its group and for teams are always the same."
	}
	f.Add("mentions#count", form.TextSingle, "How many mentions are allowed in a message?", strconv.Itoa(m.Count))
	if typ == form.Ask {
		f.Fields[len(f.Fields)-1].Required = true
	}
	for _, fd := range ms.mentionFields(&m) {
		f.Add(fd.name, form.ListSingle, fd.label, *fd.at)
		if typ == form.Ask {
			last := &f.Fields[len(f.Fields)-1]
			last.Required = true
			last.Options = []form.Option{
				{Label: "Participants", Value: "participants"},
				{Label: "Moderators Only", Value: "moderators"},
				{Label: "Nobody", Value: "none"},
			}
		}
	}
	return f
}

// onIQ gives the rules to a person who asks, and takes an owner's changes of them.
func (ms *mentions) onIQ(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	if q.Name.Local != "query" {
		return nil, server.ServiceUnavailable
	}
	if err := ms.r.Keeper().Knows(ctx, st.From, false); err != nil {
		return nil, err
	}
	if st.Type == "get" {
		return wire.E(nsMentions, "query", ms.form(form.Ask, mentionRules(ms.r.Now())).Element()), nil
	}
	a, err := ms.r.Keeper().Affiliation(ctx, st.From)
	if err != nil {
		return nil, err
	}
	if a != muc.Owner {
		return nil, server.Forbidden
	}
	f, err := form.Parse(q.Child(wire.NSForm, "x"))
	if err != nil || f.Type != form.Submit && f.Type != form.Cancel || f.About() != "" && f.About() != nsMentions {
		return nil, server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil, nil
	}
	was := mentionRules(ms.r.Now())
	now, changed, err := ms.readMentionForm(f, was)
	if err != nil {
		return nil, err
	}
	if len(changed.Fields) > 1 { // besides its type
		c := *ms.r.Now()
		c.Mentions = &now
		if err := ms.r.KeepConfig(ctx, c); err != nil {
			return nil, err
		}
	}
	ms.s.Reply(ctx, st, nil)
	if len(changed.Fields) > 1 {
		changed.Title = "Updated configuration for Explicit Mention Permissions"
		m := &wire.Stanza{
			Kind: wire.Message,
			Name: messageName,
			Type: "groupchat",
			From: ms.r.JID(),
			ID:   ms.s.host.NewID(),
		}
		ms.r.SendAll(ctx, m.Add(changed.Element()))
	}
	return nil, server.ErrHandled
}

// readMentionForm returns the submitted rules, and a form with those of them that are new.
func (ms *mentions) readMentionForm(
	f form.Form,
	was muc.MentionRules,
) (now muc.MentionRules, changed *form.Form, err error) {
	now, changed = was, form.New(form.Result, nsMentions)
	if f.Has("mentions#count") {
		n, err := strconv.Atoi(f.Get("mentions#count"))
		if err != nil || n < 1 || n > maxMentions {
			return now, nil, server.WithText(server.NotAcceptable, "mentions#count must be 1 to 100")
		}
		if now.Count = n; n != was.Count {
			changed.Add("mentions#count", form.TextSingle, "", strconv.Itoa(n))
		}
	}
	old := ms.mentionFields(&was)
	for i, fd := range ms.mentionFields(&now) {
		if !f.Has(fd.name) {
			continue
		}
		v := f.Get(fd.name)
		if !slices.Contains(mentioners, v) {
			return now, nil, server.WithText(server.NotAcceptable, fd.name+" must be participants, moderators or none")
		}
		if v != *old[i].at {
			*fd.at = v
			changed.Add(fd.name, form.ListSingle, "", v)
		}
	}
	return now, changed, nil
}
