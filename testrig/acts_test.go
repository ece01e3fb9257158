package testrig_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/acts"
	"parley/config"
	languages "parley/internal/i18n"
	"parley/org"
	"parley/store"
	"parley/testrig"
)

// TestActs plays each act through each door that has it, as everybody, and compares right, error and entry of the log.
func TestActs(t *testing.T) {
	w := newActsWorld(t, func(*config.Config) {})
	played := make(map[acts.Verb]bool)
	for _, rows := range [][]actRow{actsOfGroups(), actsOfMembers(), actsOfThemes(), actsOfTeams()} {
		for _, row := range rows {
			w.play(row)
			played[row.verb] = true
		}
	}
	for _, m := range acts.Meanings {
		thing, _, _ := strings.Cut(string(m.Verb), ".")
		if slices.Contains([]string{"group", "theme", "team"}, thing) && !played[m.Verb] && m.Verb != acts.GroupKick {
			t.Errorf("no row plays %s", m.Verb)
		}
	}
	showsDoors(t, w)
}

// showsDoors looks at the log as people and programs read it.
func showsDoors(t *testing.T, w *actsWorld) {
	t.Helper()
	var log []struct{ Action, Door string }
	if status := w.apis["admin"].do("GET", "/v1/audit?limit=500", "", &log); status != http.StatusOK || len(log) < 100 {
		t.Fatal(status, len(log))
	}
	for _, e := range log {
		if e.Door == "" {
			t.Errorf("the API does not say by which door %s was done", e.Action)
		}
	}
	p := w.pages["admin"].Get("/admin/audit?actor=owner")
	for _, word := range []string{"Chat app", "127.0.0.1"} {
		if !strings.Contains(p.Text, word) {
			t.Errorf("the page of the log has no %q", word)
		}
	}
	for _, lang := range languages.Languages {
		ms, err := languages.Messages(lang)
		w.must(err)
		for field := range w.fields {
			if ms["field "+field].Other == "" {
				t.Errorf("%s.json has no word for the field %q of the log", lang, field)
			}
		}
	}
}

// TestActsOfMembersWhoCreate: where members may create groups, they may by every door.
func TestActsOfMembersWhoCreate(t *testing.T) {
	w := newActsWorld(t, func(c *config.Config) { c.Groups.Create = "members" })
	row := createGroup()
	row.want = "done done done done done"
	w.play(row)
	for _, who := range actActors {
		if p := w.pages[who].Get("/groups"); !strings.Contains(p.Text, `href="/groups/new"`) {
			t.Errorf("%s is not offered to create a group", who)
		}
		if p := w.pages[who].Get("/groups/new"); p.Status != http.StatusOK {
			t.Errorf("%s: the page for a new group: %d", who, p.Status)
		}
	}
}

const forOwners = "missing forbidden forbidden done done" // of a private group

func createGroup() actRow {
	return actRow{name: "create a group", verb: acts.GroupCreate, want: "forbidden forbidden forbidden forbidden done",
		target: func(p *actsPlace) string { return p.slug("new") },
		detail: map[string]string{"kind": `"private"`, "members": "1"},
		doors: []actDoor{
			{
				door: acts.Page,
				do:   byPage(at("/groups/new"), "name", "New {N}", "kind", "private", "themes_by", "members"),
			},
			{door: acts.API, do: byAPI("POST", "/groups", `{"name": "New {N}", "kind": "private"}`)},
			{
				door: acts.CommandLine,
				do: byOperator("POST", "/groups",
					`{"slug": "new-{N}", "name": "New {N}", "kind": "private", "owner": "owner"}`),
			},
			{
				door: acts.Client,
				name: "command",
				do:   byCommand(groupsService, "new-group", "name", "New {N}", "kind", "private"),
			},
			{door: acts.Client, name: "space", do: bySpace("<create node='New {N}'/>")},
		}}
}

func actsOfGroups() []actRow {
	deleted := func(p *actsPlace) {
		p.must(p.r.Node.Org.DeleteGroup(context.Background(), acts.System, testrig.Host, p.group.ID))
	}
	return []actRow{
		createGroup(),
		{
			name:   "change a group",
			verb:   acts.GroupChange,
			want:   forOwners,
			target: ofGroup,
			detail: map[string]string{"name": `\["Group {N}","Fair {N}"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/settings"), "name", "Fair {N}")},
				{door: acts.API, do: byAPI("PATCH", "/groups/{slug}", `{"name": "Fair {N}"}`)},
				{door: acts.CommandLine, do: byOperator("PATCH", "/groups/{slug}", `{"name": "Fair {N}"}`)},
				{door: acts.Client, name: "command", do: byCommand("{room}", "group-settings", "name", "Fair {N}")},
				{
					door: acts.Client,
					name: "muc#owner",
					do: byIQ("{room}", "<query xmlns='http://jabber.org/protocol/muc#owner'>"+
						submitted("http://jabber.org/protocol/muc#roomconfig",
							"muc#roomconfig_roomname", "Fair {N}")+"</query>"),
				},
				{
					door: acts.Client,
					name: "space",
					do: bySpaceOwner("<configure node='{id}'>" +
						submitted("http://jabber.org/protocol/pubsub#node_config",
							"pubsub#title", "Fair {N}") + "</configure>"),
				},
			}},
		{
			name:   "delete a group",
			verb:   acts.GroupDelete,
			want:   forOwners,
			target: ofGroup,
			detail: map[string]string{"name": `"Group {N}"`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/delete"), "confirm", "{name}")},
				{door: acts.API, do: byAPI("DELETE", "/groups/{slug}", "")},
				{door: acts.CommandLine, do: byOperator("DELETE", "/groups/{slug}", "")},
				{door: acts.Client, name: "command", do: byCommand("{room}", "delete-group", "name", "{name}")},
				{door: acts.Client, name: "space", do: bySpaceOwner("<delete node='{id}'/>")},
			}},
		{
			name:   "restore a group",
			verb:   acts.GroupRestore,
			want:   "forbidden forbidden forbidden forbidden done",
			make:   deleted,
			target: ofGroup,
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/groups/restore"), "slug", "{slug}")},
				{door: acts.API, do: byAPI("POST", "/deleted-groups/{slug}/restore", "")},
				{door: acts.CommandLine, do: byOperator("POST", "/deleted-groups/{slug}/restore", "")},
				{door: acts.Client, name: "command", do: byCommand(groupsService, "restore-group", "group", "{slug}")},
			}},
		{
			name:   "set a photo",
			verb:   acts.GroupPhoto,
			want:   forOwners,
			target: ofGroup,
			detail: map[string]string{"hash": `\["","[0-9a-f]{40}"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byUpload(at("/g/{slug}/photo"))},
				{door: acts.API, do: func(p *actsPlace, who string) string {
					return byAPI("PUT", "/groups/{slug}/photo",
						`{"image": "`+base64.StdEncoding.EncodeToString(picture(p.number))+`"}`)(p, who)
				}},
				{door: acts.CommandLine, do: func(p *actsPlace, who string) string {
					return byOperator("PUT", "/groups/{slug}/photo",
						`{"image": "`+base64.StdEncoding.EncodeToString(picture(p.number))+`"}`)(p, who)
				}},
				{door: acts.Client, name: "vCard", do: func(p *actsPlace, who string) string {
					return byIQ("{room}", "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>"+
						base64.StdEncoding.EncodeToString(picture(p.number))+"</BINVAL></PHOTO></vCard>")(p, who)
				}},
			}},
		{
			name:   "have a team in a group for good",
			verb:   acts.GroupMandatory,
			want:   "missing forbidden forbidden forbidden done",
			make:   func(p *actsPlace) { p.makeTeam("newcomer") },
			target: ofGroup,
			detail: map[string]string{"whom": `\["","team-{N}"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/mandatory"), "whom", "{team}")},
				{door: acts.API, do: byAPI("PUT", "/groups/{slug}/mandatory", `{"whom": "{team}"}`)},
				{door: acts.CommandLine, do: byOperator("PUT", "/groups/{slug}/mandatory", `{"whom": "{team}"}`)},
				{door: acts.Client, name: "command", do: byCommand("{room}", "mandatory", "whom", "team:{team}")},
			},
		},
		{
			name:   "have a team in a group",
			verb:   acts.GroupTeam,
			want:   forOwners,
			make:   func(p *actsPlace) { p.makeTeam("newcomer") },
			target: ofGroup,
			detail: map[string]string{"team": `"team-{N}"`, "role": `\["","member"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/teams"), "team", "{team}", "role", "member")},
				{door: acts.API, do: byAPI("PUT", "/groups/{slug}/teams/{team}", `{"role": "member"}`)},
				{door: acts.CommandLine, do: byOperator("PUT", "/groups/{slug}/teams/{team}", `{"role": "member"}`)},
				{door: acts.Client, name: "command", do: byCommand("{room}", "group-teams", "teams", "{team}")},
			},
		},
	}
}

// setRole is a row for giving the newcomer a role.
func setRole(name, role, affiliation, want string, was string) actRow {
	in := role
	if in == "" {
		in = "none"
	}
	row := actRow{
		name:   name,
		verb:   acts.GroupMembers,
		want:   want,
		target: ofGroup,
		detail: map[string]string{
			"role":    `"` + role + `"`,
			"members": `\["newcomer@example.org"\]`,
			"count":   "1",
			"before":  "",
		},
		make: func(p *actsPlace) {
			if was != "" {
				p.setMember("newcomer", was)
			}
		},
		doors: []actDoor{
			{
				door: acts.Page,
				do: byPage(at("/g/{slug}/members"), "member", "newcomer", "role",
					map[bool]string{true: "remove", false: role}[role == ""]),
			},
			{
				door: acts.API,
				name: "many",
				do:   byAPI("POST", "/groups/{slug}/members", `{"members": ["newcomer"], "role": "`+in+`"}`),
			},
			{
				door: acts.Client,
				name: "command",
				do:   byCommand("{room}", "members", "people", "newcomer@example.org", "role", in),
			},
			{door: acts.Client, name: "muc#admin", do: byAffiliation("{room}", "newcomer", affiliation)},
			{
				door: acts.Client,
				name: "space",
				do: bySpaceOwner("<affiliations node='{id}'><affiliation jid='newcomer@example.org' affiliation='" +
					map[string]string{
						"member":  "member",
						"admin":   "publisher",
						"owner":   "owner",
						"none":    "none",
						"outcast": "outcast",
					}[affiliation] + "'/></affiliations>"),
			},
		},
	}
	if was != "" {
		row.detail["before"] = `{"newcomer@example.org":"` + was + `"}`
	}
	one := actDoor{
		door: acts.API,
		name: "one",
		do:   byAPI("PUT", "/groups/{slug}/members/newcomer", `{"role": "`+role+`"}`),
	}
	operators := byOperator("PUT", "/groups/{slug}/members/newcomer", `{"role": "`+role+`"}`)
	if role == "" {
		one.do = byAPI("DELETE", "/groups/{slug}/members/newcomer", "")
		operators = byOperator("DELETE", "/groups/{slug}/members/newcomer", "")
	}
	row.doors = append(row.doors, one, actDoor{door: acts.CommandLine, do: operators})
	return row
}

func actsOfMembers() []actRow {
	const forModerators = "missing forbidden done done done"
	add := setRole("add a member", store.RoleMember, "member", forModerators, "")
	add.doors = append(add.doors, actDoor{door: acts.Line, do: byLine("{room}", "!invite newcomer", "has been added")},
		actDoor{
			door: acts.Client,
			name: "space's subscriptions",
			do: bySpaceOwner("<subscriptions node='{id}'>" +
				"<subscription jid='newcomer@example.org' subscription='subscribed'/></subscriptions>"),
		})
	add.doors = append(add.doors, actDoor{door: acts.Client, name: "invitation", do: byInvite("{room}", "newcomer")})
	remove := setRole("remove a member", "", "none", forModerators, store.RoleMember)
	remove.doors = append(remove.doors, actDoor{
		door: acts.Line,
		do:   byLine("{room}", "!remove newcomer", "has been removed"),
	},
		actDoor{
			door: acts.Client,
			name: "space's subscriptions",
			do: bySpaceOwner("<subscriptions node='{id}'>" +
				"<subscription jid='newcomer@example.org' subscription='none'/></subscriptions>"),
		})
	asked := func(p *actsPlace) {
		by := acts.Person(personOf("newcomer"), testrig.Host, acts.Client)
		p.must(p.r.Node.Org.Request(context.Background(), by, testrig.Host, p.group.ID, "I sing"))
	}
	const register = "<query xmlns='jabber:iq:register'>"
	registered := byIQ("{room}",
		register+submitted("http://jabber.org/protocol/muc#register", "muc#register_roomnick", "me")+"</query>")
	subscribed := bySpace("<subscribe node='{id}' jid='{who}'/>")
	return []actRow{
		add, remove,
		setRole("make a moderator", store.RoleModerator, "admin", forOwners, store.RoleMember),
		setRole("make an owner", store.RoleOwner, "owner", forOwners, ""),
		setRole("ban a member", store.RoleBanned, "outcast", forModerators, store.RoleMember),
		setRole("ban a moderator", store.RoleBanned, "outcast", forOwners, store.RoleModerator),
		{
			name:   "join a group",
			verb:   acts.GroupJoin,
			kind:   org.Public,
			want:   "done same same same done",
			target: ofGroup,
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/join"))},
				{door: acts.API, do: byAPI("POST", "/groups/{slug}/join", `{}`)},
				// Administrators may enter rooms without being in their groups.
				{
					door: acts.Client,
					name: "presence",
					but:  map[string]string{"admin": same},
					do: func(p *actsPlace, who string) string {
						if enters(p.t, p.clients[who], p.room) {
							return isDone
						}
						return forbidden
					}},
				{door: acts.Client, name: "registration", do: registered},
				{door: acts.Client, name: "space", do: subscribed},
			}},
		{
			name:   "ask to join",
			verb:   acts.GroupAsk,
			kind:   org.ByRequest,
			want:   "done same same same -",
			target: ofGroup,
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/join"), "reason", "I sing")},
				{door: acts.API, do: byAPI("POST", "/groups/{slug}/join", `{"reason": "I sing"}`)},
				{door: acts.Client, name: "registration", do: registered},
				{door: acts.Client, name: "space", do: subscribed},
			}},
		{
			name:   "answer a request",
			verb:   acts.GroupRequest,
			kind:   org.ByRequest,
			want:   "forbidden forbidden done done done",
			make:   asked,
			target: ofGroup,
			detail: map[string]string{"members": `\["newcomer@example.org"\]`, "accepted": "true"},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/requests"), "address", "newcomer@example.org", "do", "yes")},
				{door: acts.API, do: byAPI("PUT", "/groups/{slug}/requests/newcomer", `{"yes": true}`)},
				{door: acts.CommandLine, do: byOperator("PUT", "/groups/{slug}/requests/newcomer", `{"yes": true}`)},
				{
					door: acts.Client,
					name: "command",
					do:   byCommand("{room}", "requests", "approve", "newcomer@example.org"),
				},
				{door: acts.Line, do: byLine("{room}", "!approve newcomer", "is a member now")},
				{
					door: acts.Client,
					name: "form",
					do: byForm("{room}", submitted("http://jabber.org/protocol/muc#register", "x-jid",
						"newcomer@example.org", "muc#register_allow", "1")),
				},
				{
					door: acts.Client,
					name: "space",
					do: bySpaceOwner("<subscriptions node='{id}'>" +
						"<subscription jid='newcomer@example.org' subscription='subscribed'/></subscriptions>"),
				},
				{
					door: acts.Client,
					name: "space's form",
					do: byForm(spacesService, submitted("http://jabber.org/protocol/pubsub#subscribe_authorization",
						"pubsub#node", "{id}", "pubsub#subscriber_jid", "newcomer@example.org", "pubsub#allow", "1")),
				},
			},
		},
		{
			name:   "take a request back",
			verb:   acts.GroupWithdraw,
			kind:   org.ByRequest,
			want:   "done - - - -",
			target: ofGroup,
			make: func(p *actsPlace) {
				by := acts.Person(personOf("colleague"), testrig.Host, acts.Client)
				p.must(p.r.Node.Org.Request(context.Background(), by, testrig.Host, p.group.ID, ""))
			},
			doors: []actDoor{
				{door: acts.Client, name: "registration", do: byIQ("{room}", register+"<remove/></query>")},
				{door: acts.Client, name: "space", do: bySpace("<unsubscribe node='{id}' jid='{who}'/>")},
			},
		},
		// The last owner stays, and who administers is not in it.
		{
			name:   "leave a group",
			verb:   acts.GroupLeave,
			want:   "missing done done forbidden missing",
			target: ofGroup,
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/leave"))},
				{door: acts.API, do: byAPI("POST", "/groups/{slug}/leave", "")},
				{door: acts.Client, name: "command", do: func(p *actsPlace, who string) string {
					return byIQ("{room}", "<command xmlns='http://jabber.org/protocol/commands' "+
						"node='https://parley.im/commands#leave-group' action='complete'>"+
						"<x xmlns='jabber:x:data' type='submit'/></command>")(p, who)
				}},
				{door: acts.Line, do: byLine("{room}", "!leave", "")},
				{door: acts.Client, name: "registration", do: byIQ("{room}", register+"<remove/></query>")},
				{door: acts.Client, name: "space", do: bySpace("<unsubscribe node='{id}' jid='{who}'/>")},
			}},
	}
}
