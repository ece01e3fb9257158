package muc

import (
	"context"
	"slices"
	"strings"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

// Ad-hoc commands of a group's room and of a theme.

const (
	nodeNewTheme     = "https://parley.im/commands#new-theme"
	nodeMembers      = "https://parley.im/commands#members"
	nodeLeaveGroup   = "https://parley.im/commands#leave-group"
	nodeDeleteGroup  = "https://parley.im/commands#delete-group"
	nodeCloseTheme   = "https://parley.im/commands#close-theme"
	nodeReopenTheme  = "https://parley.im/commands#reopen-theme"
	nodeArchiveTheme = "https://parley.im/commands#archive-theme"
	nodeRenameTheme  = "https://parley.im/commands#rename-theme"
	nodeThemePeople  = "https://parley.im/commands#theme-people"
)

func (r *Room) groupCommands() []server.Command {
	return append([]server.Command{
		{Node: nodeNewTheme, Name: "New theme", Allowed: r.startsThemes, Form: newThemeForm, Do: r.newTheme},
		{Node: nodeMembers, Name: "Change who is in this group", Allowed: r.ranked(Admin), Form: membersForm, Do: r.changeMembers},
		r.requestsCommand(),
		r.settingsCommand(),
		{Node: nodeLeaveGroup, Name: "Leave this group", Allowed: r.ranked(Member), Form: confirmForm(nodeLeaveGroup, "Leave this group", "Its rooms and themes go from your lists.", ""),
			Do: func(ctx context.Context, who jid.JID, _ form.Form) (string, *form.Form, error) {
				return "You are in this group no more.", nil, r.s.cfg.Org.Leave(ctx, r.s.by(who), r.s.host.Domain, r.group)
			}},
		{Node: nodeDeleteGroup, Name: "Delete this group", Allowed: r.ranked(Owner),
			Form: confirmForm(nodeDeleteGroup, "Delete this group", "Everyone leaves its rooms and themes. For 30 days an administrator can bring it back.", "The group's name"), Do: r.deleteGroup},
	}, r.teamCommands()...)
}

// startsThemes says whether somebody may start a theme here: they are offered it then.
func (r *Room) startsThemes(ctx context.Context, who jid.JID) bool {
	return r.s.cfg.Org.MayCreateTheme(ctx, r.s.host.Domain, r.group, who.Bare()) == nil
}

func newThemeForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeNewTheme)
	f.Title, f.Instructions = "New theme", "A focused conversation in this group. Its members find it in their clients."
	f.Add("name", form.TextSingle, "Name").Required()
	f.Add("message", form.TextSingle, "Begins with the message of this id")
	f.AddBool("restricted", "Only for people named here", false)
	f.Add("people", form.JIDMulti, "People")
	return f, nil
}

// confirmForm asks once more; with a field for a word to be typed.
func confirmForm(node, title, text, field string) func(context.Context, jid.JID) (*form.Form, error) {
	return func(context.Context, jid.JID) (*form.Form, error) {
		f := form.New(form.Ask, node)
		f.Title, f.Instructions = title, text
		if field != "" {
			f.Add("name", form.TextSingle, field).Required()
		}
		return f, nil
	}
}

func (r *Room) deleteGroup(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	if f.Get("name") != r.config().Name {
		return "", nil, server.WithText(server.NotAcceptable, "type the group's name: "+r.config().Name)
	}
	return "The group is deleted.", nil, r.s.cfg.Org.DeleteGroup(ctx, r.s.by(who), r.s.host.Domain, r.group)
}

func membersForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeMembers)
	f.Title = "Who is in this group"
	f.Add("people", form.JIDMulti, "People").Required()
	f.AddList("role", "are from now on", store.RoleMember, form.Option{Label: "Members", Value: store.RoleMember}, form.Option{Label: "Moderators", Value: store.RoleModerator},
		form.Option{Label: "Owners", Value: store.RoleOwner}, form.Option{Label: "Not in it", Value: "none"}, form.Option{Label: "Banned", Value: store.RoleBanned})
	return f, nil
}

func (r *Room) changeMembers(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	people, err := f.JIDs("people")
	if err != nil || len(people) == 0 || len(people) > maxChanges {
		return "", nil, server.NotAcceptable
	}
	role := f.Get("role")
	if role == "none" {
		role = ""
	}
	var ms []store.Member
	for _, j := range people {
		ms = append(ms, store.Member{JID: j.Bare().String(), Role: role})
	}
	return "Done.", nil, r.s.cfg.Org.SetMembers(ctx, r.s.by(who), r.s.host.Domain, r.group, ms)
}

func (r *Room) themeCommands() []server.Command {
	manages := func(ctx context.Context, who jid.JID) bool {
		return r.s.cfg.Org.MayManageTheme(ctx, r.s.host.Domain, r.theme, who) == nil
	}
	state := func(node, name, to, note string, may func(context.Context, jid.JID) bool) server.Command {
		return server.Command{
			Node:    node,
			Name:    name,
			Allowed: may,
			Do: func(ctx context.Context, who jid.JID, _ form.Form) (string, *form.Form, error) {
				return note, nil, r.s.cfg.Org.SetThemeState(ctx, r.s.by(who), r.s.host.Domain, r.theme, to)
			},
		}
	}
	return []server.Command{
		state(nodeCloseTheme, "Close this theme", org.ThemeClosed, "The theme is closed: it can be read, and nobody writes any more.", manages),
		state(nodeReopenTheme, "Reopen this theme", org.ThemeOpen, "The theme goes on.", manages),
		state(nodeArchiveTheme, "Archive this theme", org.ThemeArchived, "The theme is archived: it can be read, and is in nobody's list.", r.ranked(Admin)),
		{Node: nodeRenameTheme, Name: "Rename this theme", Allowed: manages, Form: r.renameForm, Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
			t, err := r.s.cfg.Org.RenameTheme(ctx, r.s.by(who), r.s.host.Domain, r.theme, f.Get("name"))
			return "The theme is now called " + t.Name + ".", nil, err
		}},
		{Node: nodeThemePeople, Name: "Change who is in this theme", Allowed: r.ranked(Admin), Form: r.peopleForm, Do: r.changePeople},
	}
}

func (r *Room) renameForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	t, err := r.s.cfg.Org.Theme(ctx, r.s.host.Domain, r.theme)
	f := form.New(form.Ask, nodeRenameTheme)
	f.Title = "Rename this theme"
	f.Add("name", form.TextSingle, "Name", t.Name).Required()
	return f, err
}

// peopleForm shows who is in the list of a restricted theme, and the guests of any.
func (r *Room) peopleForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	ms, err := r.s.cfg.Org.ThemePeople(ctx, r.s.host.Domain, r.theme)
	if err != nil {
		return nil, err
	}
	f := form.New(form.Ask, nodeThemePeople)
	f.Title = "Who is in this theme"
	var in []string
	for _, m := range ms {
		if m.Role != store.RoleBanned {
			in = append(in, m.JID)
		}
	}
	f.Add("people", form.JIDMulti, "People named in this theme", in...)
	return f, nil
}

// changePeople makes the list what the form says.
func (r *Room) changePeople(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	want, err := f.JIDs("people")
	if err != nil || len(want) > maxChanges {
		return "", nil, server.NotAcceptable
	}
	had, err := r.s.cfg.Org.ThemePeople(ctx, r.s.host.Domain, r.theme)
	if err != nil {
		return "", nil, err
	}
	var ms []store.Member
	for _, m := range had {
		if j := jid.MustParse(m.JID); m.Role != store.RoleBanned && !slices.Contains(want, j) {
			ms = append(ms, store.Member{JID: m.JID})
		}
	}
	for _, j := range want {
		ms = append(ms, store.Member{JID: j.Bare().String(), Role: store.RoleMember})
	}
	return "Done.", nil, r.s.cfg.Org.SetThemePeople(ctx, r.s.by(who), r.s.host.Domain, r.theme, ms)
}

func (r *Room) newTheme(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	people, err := f.JIDs("people")
	if err != nil {
		return "", nil, server.NotAcceptable
	}
	restricted, _ := f.Bool("restricted")
	n := org.NewTheme{Name: f.Get("name"), Restricted: restricted, Creator: who.Bare(), People: people}
	var quote []string
	if id := strings.TrimSpace(f.Get("message")); id != "" {
		n.Source, quote, err = r.s.source(ctx, r.name, r.group, r.theme, who, about{reply: id})
		if err == nil && n.Source == (store.Source{}) {
			err = server.WithText(server.ItemNotFound, "there is no such message in this room")
		}
		if err != nil {
			return "", nil, err
		}
	}
	t, err := r.s.makeThemeWith(ctx, r.s.by(who), r.group, n, quote)
	if err != nil {
		return "", nil, err
	}
	room := r.s.cfg.Org.RoomJID(r.s.host.Domain, t.Room)
	res := form.New("result", nodeNewTheme)
	res.Add("room", "jid-single", "Room", room.String())
	return "The theme " + t.Name + " is at " + room.String() + ".", res, nil
}
