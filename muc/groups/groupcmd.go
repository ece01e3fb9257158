package groups

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"parley/internal/shape"
	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	nodeNewGroup      = "https://parley.im/commands#new-group"
	nodeGroupSettings = "https://parley.im/commands#group-settings"
)

// commands are the service's: making a group, and what administrators of the organization have.
func (s *Service) commands() []server.Command {
	return append([]server.Command{{
		Node: nodeNewGroup,
		Name: "New group",
		Allowed: func(ctx context.Context, who jid.JID) bool {
			return s.cfg.Org.MayCreateGroup(ctx, s.by(who), s.host.Domain)
		},
		Form: newGroupForm,
		Do:   s.newGroup,
	}}, s.adminCommands()...)
}

func newGroupForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeNewGroup)
	f.Title = "New group"
	private := org.Private
	addFields(f, org.GroupChange{Kind: &private}, "name", "description", "kind", "emoji")
	f.Field("name").Required = true
	f.Add("members", form.JIDMulti, "Members")
	return f, nil
}

// kindLabels say what the kinds of groups mean.
var kindLabels = map[string]string{
	org.Private:      "Private: only its members know of it",
	org.Public:       "Public: people find it, and become members by entering",
	org.Large:        "Public and large: everyone who enters may write",
	org.ByRequest:    "By request: people find it and ask to join",
	org.Announcement: "Announcements: moderators write and start themes, the others read and react",
	org.Federated:    "Federated: people of other servers may be members",
}

// addFields adds the named fields of a change to a form, with the values that now has.
func addFields(f *form.Form, now any, names ...string) {
	for _, name := range names {
		field := shape.Named(now, name)
		text, _ := field.Value(now)
		addField(f, field, text)
	}
}

// addField adds one field of a change to a form. now is its value.
func addField(f *form.Form, field shape.Field, now string) {
	switch field.Kind {
	case shape.Box:
		f.AddBool(field.Name, field.Label, now == "true")
	case shape.Lines:
		f.AddText(field.Name, field.Label, now)
	case shape.Choice:
		var os []form.Option
		for _, c := range field.Choices {
			os = append(os, form.Option{Label: cmp.Or(kindLabels[c], strings.ToUpper(c[:1])+c[1:]), Value: c})
		}
		f.AddList(field.Name, field.Label, now, os...)
	default:
		f.Add(field.Name, form.TextSingle, field.Label)
		if now != "" {
			f.Field(field.Name).Values = []string{now}
		}
	}
}

func (s *Service) newGroup(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	members, err := f.JIDs("members")
	if err != nil {
		return "", nil, server.NotAcceptable
	}
	is, err := settingsOf(f)
	if err != nil {
		return "", nil, err
	}
	n := org.NewGroup{Settings: is, Owner: who.Bare(), Members: members}
	if private, ok := f.Bool("private"); f.Get("kind") == "" { // of the form of earlier versions
		n.Private = private || !ok
	}
	g, err := s.cfg.Org.CreateGroup(ctx, s.by(who), s.host.Domain, n)
	if err != nil {
		return "", nil, err
	}
	room := s.cfg.Org.RoomJID(s.host.Domain, g.Room)
	res := form.New(form.Result, nodeNewGroup)
	res.Add("room", form.JIDSingle, "Room", room.String())
	return "The group " + g.Name + " is at " + room.String() + ".", res, nil
}

// settingsCommand lets a group's owners change its settings, in one form.
func (k *keeper) settingsCommand() server.Command {
	o, host := k.org, k.host
	return server.Command{Node: nodeGroupSettings, Name: "Settings of this group", Allowed: k.ranked(muc.Owner),
		Form: func(ctx context.Context, _ jid.JID) (*form.Form, error) {
			g, err := o.GroupByID(ctx, host, k.group)
			if err != nil {
				return nil, err
			}
			return settingsForm(g), nil
		},
		Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
			c, err := settingsOf(f)
			if err == nil {
				_, err = o.Update(ctx, k.s.by(who), host, k.group, c)
			}
			return "The group has been changed.", nil, err
		}}
}

func settingsForm(g store.Group) *form.Form {
	f := form.New(form.Ask, nodeGroupSettings)
	f.Title = "Settings of " + g.Name
	now := org.SettingsInForce(g)
	for _, field := range shape.Of(now) {
		text, _ := field.Value(now)
		addField(f, field, text)
		if field.Name == "name" {
			f.Required()
		}
	}
	return f
}

// settingsOf reads a form into a change. Fields that the form leaves out stay as they are.
func settingsOf(f form.Form) (c org.GroupChange, err error) {
	err = shape.Read(&c, func(field shape.Field) (string, bool) {
		if field.Kind == shape.Box {
			on, ok := f.Bool(field.Name)
			return strconv.FormatBool(on), ok
		}
		return f.Text(field.Name), f.Has(field.Name)
	})
	return c, err
}

// ranked lets people of this affiliation or a higher one use a command.
func (k *keeper) ranked(least string) func(context.Context, jid.JID) bool {
	return func(ctx context.Context, who jid.JID) bool {
		a, err := k.Affiliation(ctx, who)
		return err == nil && muc.AtLeast(a, least)
	}
}
