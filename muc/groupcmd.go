package muc

import (
	"context"

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

// commands of the service: making a group.
func (s *Service) commands() []server.Command {
	return append([]server.Command{{Node: nodeNewGroup, Name: "New group", Allowed: func(ctx context.Context, who jid.JID) bool {
		return who.Domain() == s.host.Domain && (s.cfg.GroupsBy == "members" || s.isAdmin(ctx, who))
	}, Form: func(context.Context, jid.JID) (*form.Form, error) {
		f := form.New(form.Ask, nodeNewGroup)
		f.Title = "New group"
		f.Add("name", form.TextSingle, "Name").Required()
		f.Add("description", form.TextSingle, "What it is for")
		addKind(f, org.Private)
		f.Add("emoji", form.TextSingle, "Emoji")
		f.Add("members", form.JIDMulti, "Members")
		return f, nil
	}, Do: s.newGroup}}, s.adminCommands()...)
}

// kindLabels say what a kind means, in the order of org.Kinds.
var kindLabels = map[string]string{
	org.Private:      "Private: only its members know of it",
	org.Public:       "Public: people find it, and are members by coming in",
	org.Large:        "Public and large: whoever comes in may talk",
	org.ByRequest:    "By request: people find it and ask to be members",
	org.Announcement: "Announcements: moderators write, the others read and react",
	org.Federated:    "Federated: people of other servers may be members",
}

func addKind(f *form.Form, now string) {
	var os []form.Option
	for _, k := range org.Kinds {
		os = append(os, form.Option{Label: kindLabels[k], Value: k})
	}
	f.AddList("kind", "Kind of group", now, os...)
}

func (s *Service) newGroup(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	members, err := f.JIDs("members")
	if err != nil {
		return "", nil, server.NotAcceptable
	}
	n := org.NewGroup{Name: f.Get("name"), Description: f.Get("description"), Kind: f.Get("kind"), Emoji: f.Get("emoji"), Owner: who.Bare(), Members: members}
	if private, ok := f.Bool("private"); n.Kind == "" { // of the form of earlier versions
		n.Private = private || !ok
	}
	g, err := s.cfg.Org.CreateGroup(ctx, s.host.Domain, n)
	if err != nil {
		return "", nil, err
	}
	room := s.cfg.Org.RoomJID(s.host.Domain, g.Room)
	res := form.New(form.Result, nodeNewGroup)
	res.Add("room", form.JIDSingle, "Room", room.String())
	return "The group " + g.Name + " is at " + room.String() + ".", res, nil
}

// settingsCommand is what a group's owners decide, in one form.
func (r *room) settingsCommand() server.Command {
	o, host := r.s.cfg.Org, r.s.host.Domain
	return server.Command{Node: nodeGroupSettings, Name: "Settings of this group", Allowed: r.ranked(org.Owner),
		Form: func(ctx context.Context, _ jid.JID) (*form.Form, error) {
			g, err := o.GroupByID(ctx, host, r.group)
			if err != nil {
				return nil, err
			}
			return settingsForm(g), nil
		},
		Do: func(ctx context.Context, _ jid.JID, f form.Form) (string, *form.Form, error) {
			_, err := o.Update(ctx, host, r.group, settingsOf(f))
			return "The group has been changed.", nil, err
		}}
}

func settingsForm(g store.Group) *form.Form {
	f := form.New(form.Ask, nodeGroupSettings)
	f.Title = "Settings of " + g.Name
	f.Add("name", form.TextSingle, "Name", g.Name).Required()
	f.AddText("description", "Description", g.Description)
	f.Add("emoji", form.TextSingle, "Emoji", g.Emoji)
	addKind(f, org.RulesOf(g).Kind)
	f.AddBool("hidden", "Of announcements: people do not find it by themselves", g.Private)
	f.AddList("themes_by", "Who creates themes", g.ThemesBy, form.Option{Label: "Members", Value: "members"}, form.Option{Label: "Moderators", Value: "moderators"})
	f.AddList("mention_by", "Who may mention everyone", g.MentionBy, form.Option{Label: "Members", Value: "members"},
		form.Option{Label: "Moderators", Value: "moderators"}, form.Option{Label: "Nobody", Value: "nobody"})
	f.AddBool("guests", "Themes may have guests", g.Guests)
	f.AddBool("since_join", "Members read only what was said since they were added", g.SinceJoin)
	return f
}

// settingsOf reads what a form has; what it leaves out stays.
func settingsOf(f form.Form) (c org.GroupChange) {
	text := func(name string) *string {
		if !f.Has(name) {
			return nil
		}
		v := f.Text(name)
		return &v
	}
	yes := func(name string) *bool {
		if v, ok := f.Bool(name); ok {
			return &v
		}
		return nil
	}
	return org.GroupChange{Name: text("name"), Description: text("description"), Kind: text("kind"), ThemesBy: text("themes_by"), MentionBy: text("mention_by"),
		Emoji: text("emoji"), Hidden: yes("hidden"), Guests: yes("guests"), SinceJoin: yes("since_join")}
}

// ranked says of who is allowed a command: those of this affiliation or a higher one.
func (r *room) ranked(least string) func(context.Context, jid.JID) bool {
	return func(ctx context.Context, who jid.JID) bool {
		a, err := r.affiliation(ctx, who)
		return err == nil && rank[a] >= rank[least]
	}
}
