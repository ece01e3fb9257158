package groups

import (
	"context"
	"slices"
	"strings"

	"parley/muc"
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

// maxPeople is how many people one form may name.
const maxPeople = 500

func (k *keeper) groupCommands() []server.Command {
	return append([]server.Command{
		{Node: nodeNewTheme, Name: "New theme", Allowed: k.startsThemes, Form: newThemeForm, Do: k.newTheme},
		{
			Node:    nodeMembers,
			Name:    "Change the members of this group",
			Allowed: k.ranked(muc.Admin),
			Form:    membersForm,
			Do:      k.changeMembers,
		},
		k.requestsCommand(),
		k.settingsCommand(),
		{
			Node:    nodeLeaveGroup,
			Name:    "Leave this group",
			Allowed: k.ranked(muc.Member),
			Form: confirmForm(nodeLeaveGroup, "Leave this group",
				"Its rooms and themes disappear from your lists.", ""),
			Do: func(ctx context.Context, who jid.JID, _ form.Form) (string, *form.Form, error) {
				return "You have left this group.", nil, k.org.Leave(ctx, k.s.by(who), k.host, k.group)
			},
		},
		{Node: nodeDeleteGroup, Name: "Delete this group", Allowed: k.ranked(muc.Owner),
			Form: confirmForm(
				nodeDeleteGroup,
				"Delete this group",
				"Everyone leaves its rooms and themes. For 30 days an administrator can restore it.",
				"The group's name",
			), Do: k.deleteGroup},
	}, k.teamCommands()...)
}

// startsThemes says whether a person may start a theme here, and is offered the command.
func (k *keeper) startsThemes(ctx context.Context, who jid.JID) bool {
	return k.org.MayCreateTheme(ctx, k.host, k.group, who.Bare()) == nil
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

// confirmForm asks whether it is meant. With field it asks for a word to be typed, too.
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

func (k *keeper) deleteGroup(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	if f.Get("name") != k.r.Config().Name {
		return "", nil, server.WithText(server.NotAcceptable, "type the group's name: "+k.r.Config().Name)
	}
	return "The group is deleted.", nil, k.org.DeleteGroup(ctx, k.s.by(who), k.host, k.group)
}

func membersForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodeMembers)
	f.Title = "Members of this group"
	f.Add("people", form.JIDMulti, "People").Required()
	f.AddList(
		"role",
		"New role",
		store.RoleMember,
		form.Option{Label: "Members", Value: store.RoleMember},
		form.Option{Label: "Moderators", Value: store.RoleModerator},
		form.Option{
			Label: "Owners",
			Value: store.RoleOwner,
		},
		form.Option{Label: "None: remove them", Value: "none"},
		form.Option{Label: "Banned", Value: store.RoleBanned},
	)
	return f, nil
}

func (k *keeper) changeMembers(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	people, err := f.JIDs("people")
	if err != nil || len(people) == 0 || len(people) > maxPeople {
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
	return "Done.", nil, k.org.SetMembers(ctx, k.s.by(who), k.host, k.group, ms)
}

func (k *keeper) themeCommands() []server.Command {
	manages := func(ctx context.Context, who jid.JID) bool {
		return k.org.MayManageTheme(ctx, k.host, k.theme, who) == nil
	}
	state := func(node, name, to, note string, may func(context.Context, jid.JID) bool) server.Command {
		return server.Command{
			Node:    node,
			Name:    name,
			Allowed: may,
			Do: func(ctx context.Context, who jid.JID, _ form.Form) (string, *form.Form, error) {
				return note, nil, k.org.SetThemeState(ctx, k.s.by(who), k.host, k.theme, to)
			},
		}
	}
	return []server.Command{
		state(
			nodeCloseTheme,
			"Close this theme",
			org.ThemeClosed,
			"The theme is closed: people can read it but not write in it.",
			manages,
		),
		state(nodeReopenTheme, "Reopen this theme", org.ThemeOpen, "The theme is open again.", manages),
		state(
			nodeArchiveTheme,
			"Archive this theme",
			org.ThemeArchived,
			"The theme is archived: it can be read, and is in nobody's list.",
			k.ranked(muc.Admin),
		),
		{
			Node:    nodeRenameTheme,
			Name:    "Rename this theme",
			Allowed: manages,
			Form:    k.renameForm,
			Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
				t, err := k.org.RenameTheme(ctx, k.s.by(who), k.host, k.theme, f.Get("name"))
				return "The theme is now called " + t.Name + ".", nil, err
			},
		},
		{
			Node:    nodeThemePeople,
			Name:    "Change the people of this theme",
			Allowed: k.ranked(muc.Admin),
			Form:    k.peopleForm,
			Do:      k.changePeople,
		},
	}
}

func (k *keeper) renameForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	t, err := k.org.Theme(ctx, k.host, k.theme)
	f := form.New(form.Ask, nodeRenameTheme)
	f.Title = "Rename this theme"
	f.Add("name", form.TextSingle, "Name", t.Name).Required()
	return f, err
}

// peopleForm shows the list of people of a restricted theme, or the guests of an open one.
func (k *keeper) peopleForm(ctx context.Context, _ jid.JID) (*form.Form, error) {
	ms, err := k.org.ThemePeople(ctx, k.host, k.theme)
	if err != nil {
		return nil, err
	}
	f := form.New(form.Ask, nodeThemePeople)
	f.Title = "People of this theme"
	var in []string
	for _, m := range ms {
		if m.Role != store.RoleBanned {
			in = append(in, m.JID)
		}
	}
	f.Add("people", form.JIDMulti, "People named in this theme", in...)
	return f, nil
}

// changePeople replaces the list with the one in the form.
func (k *keeper) changePeople(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	want, err := f.JIDs("people")
	if err != nil || len(want) > maxPeople {
		return "", nil, server.NotAcceptable
	}
	had, err := k.org.ThemePeople(ctx, k.host, k.theme)
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
	return "Done.", nil, k.org.SetThemePeople(ctx, k.s.by(who), k.host, k.theme, ms)
}

func (k *keeper) newTheme(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	people, err := f.JIDs("people")
	if err != nil {
		return "", nil, server.NotAcceptable
	}
	restricted, _ := f.Bool("restricted")
	n := org.NewTheme{Name: f.Get("name"), Restricted: restricted, Creator: who.Bare(), People: people}
	var quote []string
	if id := strings.TrimSpace(f.Get("message")); id != "" {
		n.Source, quote, err = k.s.source(ctx, k.r.Name(), k.group, k.theme, who, about{reply: id})
		if err == nil && n.Source == (store.Source{}) {
			err = server.WithText(server.ItemNotFound, "there is no such message in this room")
		}
		if err != nil {
			return "", nil, err
		}
	}
	t, err := k.s.makeThemeWith(ctx, k.s.by(who), k.group, n, quote)
	if err != nil {
		return "", nil, err
	}
	room := k.org.RoomJID(k.host, t.Room)
	res := form.New("result", nodeNewTheme)
	res.Add("room", "jid-single", "Room", room.String())
	return "The theme " + t.Name + " is at " + room.String() + ".", res, nil
}
