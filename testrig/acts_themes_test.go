package testrig_test

import (
	"context"
	"strings"

	"parley/acts"
	"parley/admin/api"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// The rows of TestActs for themes and teams.

func actsOfThemes() []actRow {
	const forMembers = "missing done done done done"
	const forModerators = "missing forbidden done done done"
	open := func(p *actsPlace) { p.makeTheme(false) }
	newest := func(p *actsPlace) string {
		ts, err := p.r.Node.Org.Themes(context.Background(), testrig.Host, p.group.ID, jid.JID{})
		p.must(err)
		if len(ts) != 1 {
			return ""
		}
		return p.group.Slug + "/" + ts[0].Key
	}
	change := func(body string) func(*actsPlace, string) string {
		return byOperator("PATCH", "/groups/{slug}/themes/{theme}", body)
	}
	command := func(node string, fields ...string) actDoor {
		return actDoor{door: acts.Client, name: "command", do: byCommand("{themeroom}", node, fields...)}
	}
	return []actRow{
		{
			name:   "create a theme",
			verb:   acts.ThemeCreate,
			want:   forMembers,
			target: newest,
			detail: map[string]string{"name": `"Balcony"`, "restricted": "false"},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/themes"), "name", "Balcony")},
				{door: acts.API, do: byAPI("POST", "/groups/{slug}/themes", `{"name": "Balcony"}`)},
				{door: acts.CommandLine, do: byOperator("POST", "/groups/{slug}/themes", `{"name": "Balcony"}`)},
				{door: acts.Client, name: "command", do: func(p *actsPlace, who string) string {
					return byIQ("{room}", "<command xmlns='http://jabber.org/protocol/commands' "+
						"node='https://parley.im/commands#new-theme' action='execute'>"+
						submitted("", "name", "Balcony")+"</command>")(p, who)
				}},
				{door: acts.Client, name: "presence", do: func(p *actsPlace, who string) string {
					id := fresh()
					return ofStanza(do(p.t, p.clients[who],
						"<presence id='"+id+"' to='"+strings.Replace(p.room, "@", ".balcony@", 1)+
							"/me'><x xmlns='http://jabber.org/protocol/muc'/></presence>", id))
				}},
				{door: acts.Line, do: byLine("{room}", "!theme Balcony", "New theme: Balcony")},
				{
					door: acts.Client,
					name: "space",
					do: bySpace("<publish node='{id}'><item id='balcony'>" +
						"<conference xmlns='urn:xmpp:bookmarks:1' name='Balcony'/></item></publish>"),
				},
			}},
		{
			name:   "rename a theme",
			verb:   acts.ThemeRename,
			want:   forModerators,
			make:   open,
			target: ofTheme,
			detail: map[string]string{"name": `\["Theme {N}","Balcony"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/t/{theme}/settings"), "name", "Balcony")},
				{door: acts.API, do: byAPI("PATCH", "/groups/{slug}/themes/{theme}", `{"name": "Balcony"}`)},
				{door: acts.CommandLine, do: change(`{"name": "Balcony"}`)},
				command("rename-theme", "name", "Balcony"),
				{door: acts.Line, do: byLine("{themeroom}", "!rename Balcony", "now called Balcony")},
			}},
		{
			name:   "close a theme",
			verb:   acts.ThemeState,
			want:   forModerators,
			make:   open,
			target: ofTheme,
			detail: map[string]string{"state": `\["open","closed"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/t/{theme}/close"))},
				{door: acts.API, do: byAPI("PATCH", "/groups/{slug}/themes/{theme}", `{"state": "closed"}`)},
				{
					door: acts.CommandLine,
					do:   byOperator("PATCH", "/groups/{slug}/themes/{theme}", `{"state": "closed"}`),
				},
				command("close-theme"),
				{door: acts.Line, do: byLine("{themeroom}", "!close", "this theme is closed")},
				{
					door: acts.Client,
					name: "space",
					do:   bySpace("<retract node='{id}'><item id='{themeroom}'/></retract>"),
				},
			}},
		{
			name:   "archive a theme",
			verb:   acts.ThemeState,
			want:   forModerators,
			make:   open,
			target: ofTheme,
			detail: map[string]string{"state": `\["open","archived"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/t/{theme}/settings"), "state", "archived")},
				{door: acts.API, do: byAPI("PATCH", "/groups/{slug}/themes/{theme}", `{"state": "archived"}`)},
				{door: acts.CommandLine, do: change(`{"state": "archived"}`)},
				command("archive-theme"),
				{door: acts.Line, do: byLine("{themeroom}", "!archive", "this theme is archived")},
			}},
		{
			name:   "have somebody in a theme",
			verb:   acts.ThemePeople,
			want:   "missing missing done done done",
			target: ofTheme,
			make:   func(p *actsPlace) { p.setMember("newcomer", store.RoleMember); p.makeTheme(true) },
			detail: map[string]string{"members": `{"newcomer@example.org":"member"}`, "count": "1", "before": ""},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/g/{slug}/t/{theme}/people"), "person", "newcomer", "role", "member")},
				{
					door: acts.API,
					do:   byAPI("PUT", "/groups/{slug}/themes/{theme}/people/newcomer", `{"role": "member"}`),
				},
				{
					door: acts.CommandLine,
					do:   byOperator("PUT", "/groups/{slug}/themes/{theme}/people/newcomer", `{"role": "member"}`),
				},
				command("theme-people", "people", "newcomer@example.org"),
				{door: acts.Client, name: "muc#admin", do: byAffiliation("{themeroom}", "newcomer", "member")},
				{door: acts.Line, do: byLine("{themeroom}", "!invite newcomer", "has been added")},
			},
		},
	}
}

func actsOfTeams() []actRow {
	const forAdmins = "forbidden forbidden forbidden forbidden done"
	const forTeam = "forbidden done forbidden forbidden done" // the member is in the team
	team := func(p *actsPlace) { p.makeTeam("member") }
	share := func(kind, name, text string) actDoor {
		return actDoor{
			door: acts.CommandLine,
			do:   byOperator("PUT", "/teams/{team}/shares/"+kind+"/"+name, `{"text": "`+text+`"}`),
		}
	}
	// The pages of teams are a part of the console, which members do not have.
	noConsole := map[string]string{"member": forbidden}
	return []actRow{
		{
			name:   "create a team",
			verb:   acts.TeamCreate,
			want:   forAdmins,
			target: func(p *actsPlace) string { return p.slug("guards") },
			detail: map[string]string{"name": `"Guards {N}"`, "members": "0"},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/admin/teams"), "name", "Guards {N}")},
				{door: acts.API, do: byAPI("POST", "/teams", `{"name": "Guards {N}"}`)},
				{
					door: acts.CommandLine,
					do:   byOperator("POST", "/teams", `{"slug": "guards-{N}", "name": "Guards {N}"}`),
				},
				{door: acts.Client, name: "command", do: byCommand(groupsService, "new-team", "name", "Guards {N}")},
			}},
		{
			name:   "change a team",
			verb:   acts.TeamChange,
			want:   forAdmins,
			make:   team,
			target: ofTeam,
			detail: map[string]string{"description": `\["","On the wall"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/admin/teams/{team}"), "description", "On the wall")},
				{door: acts.API, do: byAPI("PATCH", "/teams/{team}", `{"description": "On the wall"}`)},
				{door: acts.CommandLine, do: byOperator("PATCH", "/teams/{team}", `{"description": "On the wall"}`)},
			}},
		{
			name:   "have somebody in a team",
			verb:   acts.TeamPeople,
			want:   forAdmins,
			make:   team,
			target: ofTeam,
			detail: map[string]string{"members": `\["newcomer"\]`},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/admin/teams/{team}/people"), "member", "newcomer", "do", "in")},
				{door: acts.API, do: byAPI("PUT", "/teams/{team}/people", `{"in": ["newcomer"]}`)},
				{door: acts.CommandLine, do: byOperator("PUT", "/teams/{team}/people", `{"in": ["newcomer"]}`)},
				{
					door: acts.Client,
					name: "command",
					do:   byCommand(groupsService, "team-people", "team", "{team}", "in", "newcomer@example.org"),
				},
			}},
		{
			name:   "delete a team",
			verb:   acts.TeamDelete,
			want:   forAdmins,
			make:   team,
			target: ofTeam,
			detail: map[string]string{"name": `"Team {N}"`, "members": "1"},
			doors: []actDoor{
				{door: acts.Page, do: byPage(at("/admin/teams/{team}/delete"), "confirm", "{teamname}")},
				{door: acts.API, do: byAPI("DELETE", "/teams/{team}", "")},
				{
					door: acts.CommandLine,
					do:   byOperator("DELETE", "/teams/{team}", ""),
				},
				{door: acts.Client, name: "command", do: byCommand(groupsService, "delete-team", "team", "{team}")},
			}},
		{
			name:   "share a saved reply",
			verb:   acts.TeamShare,
			want:   forTeam,
			make:   team,
			target: ofTeam,
			detail: map[string]string{"kind": `"snippet"`, "name": `"hello"`},
			doors: []actDoor{
				{
					door: acts.Page,
					but:  noConsole,
					do: byPage(at("/admin/teams/{team}/shared"), "kind", store.SharedSnippet, "name",
						"hello", "text", "Good morrow"),
				},
				{door: acts.API, do: byAPI("PUT", "/teams/{team}/shares/snippets/hello", `{"text": "Good morrow"}`)},
				share(api.Snippets, "hello", "Good morrow"),
				{
					door: acts.Client,
					name: "command",
					do: byCommand("example.org", "new-snippet", "team", "{team}", "name",
						"hello", "text", "Good morrow"),
				},
			}},
		{
			name:   "share a contact",
			verb:   acts.TeamShare,
			want:   forTeam,
			make:   team,
			target: ofTeam,
			detail: map[string]string{"kind": `"contact"`, "name": `"nurse@second.example"`},
			doors: []actDoor{
				{
					door: acts.Page,
					but:  noConsole,
					do: byPage(at("/admin/teams/{team}/shared"), "kind", store.SharedContact, "name",
						"nurse@second.example", "text", "Nurse"),
				},
				{
					door: acts.API,
					do:   byAPI("PUT", "/teams/{team}/shares/contacts/nurse@second.example", `{"text": "Nurse"}`),
				},
				share(api.Contacts, "nurse@second.example", "Nurse"),
				{
					door: acts.Client,
					name: "command",
					do: byCommand("example.org", "share-contact", "team", "{team}", "contact",
						"nurse@second.example", "name", "Nurse"),
				},
			}},
		{
			name:   "share a saved reply no more",
			verb:   acts.TeamUnshare,
			want:   forTeam,
			target: ofTeam,
			detail: map[string]string{"kind": `"snippet"`, "name": `"hello"`},
			make: func(p *actsPlace) {
				team(p)
				p.must(p.r.Node.Org.PutSnippet(context.Background(), acts.System, testrig.Host,
					p.team.Slug, "hello", "Good morrow"))
			},
			doors: []actDoor{
				{
					door: acts.Page,
					but:  noConsole,
					do: byPage(at("/admin/teams/{team}/shared"), "do", "remove", "kind",
						store.SharedSnippet, "name", "hello"),
				},
				{door: acts.API, do: byAPI("DELETE", "/teams/{team}/shares/snippets/hello", "")},
				{door: acts.CommandLine, do: byOperator("DELETE", "/teams/{team}/shares/snippets/hello", "")},
				{
					door: acts.Client,
					name: "command",
					do:   byCommand("example.org", "delete-snippet", "which", "{team}/hello"),
				},
			},
		},
	}
}
