package groups_test

import (
	"context"
	"strings"
	"testing"

	"parley/acts"
	"parley/muc"
	"parley/muc/groups"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// !help lists each command that somebody may use in a place, and none that would be refused.
func TestHelpIsComplete(t *testing.T) {
	r := newRig(t, func(c *groups.Config, rooms *muc.Config) {
		c.Meetings, rooms.Search = "https://meet.example.net/{secret}", true
	})
	r.User("romeo", "juliet", "paris")
	r.Login("romeo/x", "juliet/x", "paris/x")
	ctx := context.Background()
	person := func(name string) jid.JID { return jid.MustParse(name + "@" + testHost) }
	g, err := r.org.CreateGroup(
		ctx,
		acts.System,
		testHost,
		org.NewGroup{
			Name:     "Verona",
			Kind:     org.Private,
			ThemesBy: "moderators",
			Owner:    person("romeo"),
			Members:  []jid.JID{person("juliet"), person("paris")},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	th, err := r.org.CreateTheme(
		ctx,
		acts.System,
		testHost,
		g.ID,
		org.NewTheme{Name: "Feast", Creator: person("romeo")},
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.org.SetMember(ctx, acts.System, testHost, g.ID, person("paris"), store.RoleModerator); err != nil {
		t.Fatal(err)
	}
	inGroup, inTheme := groups.Texts(r.svc)
	for _, want := range []string{"!help", "!theme", "!meet", "!snippet"} {
		if _, ok := inGroup[want]; !ok {
			t.Errorf("there is no %s", want)
		}
	}
	help := func(who, room string) string {
		t.Helper()
		at := r.org.RoomJID(testHost, room).String()
		r.Play(
			who + " sends: <presence to='" + at + "/" + who + "'>" + x + "</presence>\n" + who + " forgets from " + at,
		)
		r.Clients[who].Sends("<message type='groupchat' id='help' to='" + at + "'><body>!help</body></message>")
		for {
			e := r.Clients[who].Next()
			if e == nil {
				t.Fatalf("%s gets no help in %s", who, room)
			}
			if text := e.ChildText("jabber:client", "body"); strings.Contains(text, "\n") && e.Attr("from") == at {
				return text
			}
		}
	}
	// Rights that a member has or lacks beyond the affiliation: only moderators create themes here, and this theme is
	// somebody else's.
	refused := map[string]map[string]bool{"juliet": {"!theme": true, "!rename": true, "!close": true, "!reopen": true}}
	mine := map[string]int{"juliet": 1, "paris": 2, "romeo": 3}
	least := map[string]int{org.None: 0, org.Member: 1, org.Admin: 2, org.Owner: 3}
	for _, who := range []string{"juliet", "paris", "romeo"} {
		for room, words := range map[string]map[string]string{g.Room: inGroup, th.Room: inTheme} {
			lines := strings.Split(help(who, room), "\n")
			named := make(map[string]bool)
			for _, line := range lines[1:] {
				if word, about, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(word, "!") && about != "" {
					named[strings.Fields(word)[0]] = true
				}
			}
			for word, from := range words {
				if has := mine[who] >= least[from] && !refused[who][word]; named[word] != has {
					t.Errorf("%s in %s: %s is named: %v", who, room, word, named[word])
				}
				delete(named, word)
			}
			if len(named) > 0 {
				t.Errorf("%s in %s: %v are no commands", who, room, named)
			}
			if !strings.Contains(lines[len(lines)-1], "!search and words to notify@"+testHost) {
				t.Errorf("how to search is not told: %q", lines[len(lines)-1])
			}
		}
	}
}

// The line about a new theme comes from its creator, who need not be in the room; nobody else's nickname is used.
func TestNewThemeIsItsCreators(t *testing.T) {
	r := newRig(t)
	r.User("romeo", "juliet", "paris", "tybalt")
	r.Login("romeo/x")
	ctx := context.Background()
	person := func(name string) jid.JID { return jid.MustParse(name + "@" + testHost) }
	for _, kind := range []string{org.Private, org.Federated} {
		g, err := r.org.CreateGroup(
			ctx,
			acts.System,
			testHost,
			org.NewGroup{
				Name:    "Verona " + kind,
				Kind:    kind,
				Owner:   person("romeo"),
				Members: []jid.JID{person("juliet"), person("paris"), person("tybalt")},
			},
		)
		if err != nil {
			t.Fatal(err)
		}
		room := r.org.RoomJID(testHost, g.Room).String()
		if err := r.Store.SetBookmarks(ctx, testHost, "juliet", 0,
			store.Bookmark{Room: room, Name: g.Name, Nick: "Jule"}); err != nil {
			t.Fatal(err)
		}
		if err := r.Store.SetFullName(ctx, testHost, "tybalt", "Tybalt Capulet"); err != nil {
			t.Fatal(err)
		}
		r.Play(
			"romeo sends: <presence to='" + room + "/Paris'>" + x + "</presence>\nromeo forgets from " + room,
		) // a name that belongs to somebody else
		hidden := kind == org.Federated
		for who, nick := range map[string]string{
			"romeo":  "/Paris",
			"juliet": "/Jule",
			"tybalt": "/Tybalt Capulet",
			"paris":  "",
			"":       "",
		} {
			n := org.NewTheme{Name: "Theme of <" + who + ">"}
			if who != "" {
				n.Creator = person(who)
			}
			if who == "tybalt" && hidden {
				nick = ""
			}
			if _, err := r.org.CreateTheme(ctx, acts.System, testHost, g.ID, n); err != nil {
				t.Fatal(err)
			}
			e := r.Clients["romeo"].Next()
			if e == nil || e.Attr("from") != room+nick ||
				!strings.Contains(e.ChildText("jabber:client", "body"), "New theme: Theme of <"+who+">") {
				t.Fatalf("%s, %q: %v", kind, who, e)
			}
			id := e.Child("urn:xmpp:sid:0", "stanza-id").Attr("id")
			sender := ""
			if nick != "" {
				sender = person(who).String()
			}
			es, _, _, err := r.Store.ReadRoom(
				ctx,
				"groups."+testHost,
				g.Room,
				store.Page{IDs: []store.ID{must(store.ParseID(id))}, Max: 1},
			)
			if err != nil || len(es) != 1 || es[0].Sender != sender {
				t.Errorf("%s, %q: sent by %v, %v", kind, who, es, err)
			}
			if has := e.Child("urn:xmpp:occupant-id:0", "occupant-id") != nil; has != (nick != "") {
				t.Errorf("%s, %q: an occupant-id: %v", kind, who, has)
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
