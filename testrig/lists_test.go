package testrig_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/admin/api"
	"parley/org"
	"parley/store"
	"parley/testrig"
)

// More of each than any page, picker or answer of the API holds.
const (
	manyGroups = 1030
	manyPeople = 130
	manyOthers = 70
)

// fill makes long lists of everything. The last of each is named with a Z.
func fill(t *testing.T, r *testrig.Rig) (groups []store.Group) {
	t.Helper()
	ctx, st, now := t.Context(), r.Node.Store, time.Now().UTC().Truncate(time.Microsecond)
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name := func(kind string, i, n int) string {
		if i == n-1 {
			return "Z" + kind
		}
		return fmt.Sprintf("%s %04d", kind, i)
	}
	low := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }
	members := []store.Member{
		{JID: "mercutio@" + testrig.Host, Role: store.RoleOwner, Since: now},
		{JID: "romeo@" + testrig.Host, Role: store.RoleModerator, Since: now},
	}
	rooms := r.Node.Org.RoomDomain(testrig.Host)
	for i := range manyGroups {
		n := name("Group", i, manyGroups)
		g := store.Group{
			Host:          testrig.Host,
			ID:            fmt.Sprintf("id%d", i),
			Slug:          org.Slug(n),
			Room:          org.Slug(n),
			Name:          n,
			ThemesBy:      "members",
			Created:       now,
			GroupSettings: store.GroupSettings{Kind: org.Public, MentionBy: "members"},
		}
		if i >= manyGroups-manyOthers && i < manyGroups-1 { // there is no end of mandatory ones, too
			g.Mandatory = org.Everyone
		}
		groups = append(groups, g)
		no(st.CreateGroup(ctx, g, store.Room{Host: rooms, Name: g.Room, Group: g.ID, Created: now}, members,
			store.Bookmark{Room: g.Room + "@" + rooms, Name: n}))
	}
	for i := range manyPeople {
		n := name("Person", i, manyPeople)
		no(st.CreatePerson(ctx, store.Person{
			User:       store.User{Host: testrig.Host, Name: low(n), FullName: n, Created: now},
			Role:       store.RoleMember,
			Department: n,
		}))
	}
	for i := range manyOthers {
		_, err := r.Node.Org.CreateTeam(ctx, acts.System, testrig.Host,
			org.NewTeam{Slug: org.Slug(name("Team", i, manyOthers)), Name: name("Team", i, manyOthers)})
		no(err)
		no(st.CreateWebhook(ctx, store.Webhook{
			Host:      testrig.Host,
			ID:        fmt.Sprintf("hook%d", i),
			Direction: store.HookOut,
			Name:      name("Hook", i, manyOthers),
			Group:     "id0",
			URL:       "https://hooks.example/",
			Created:   now.Add(time.Duration(i)),
		}, 1000))
		no(st.AddAPIToken(ctx, store.APIToken{
			Host:    testrig.Host,
			Hash:    fmt.Sprintf("%064d", i),
			Owner:   low(name("Person", i, manyOthers)),
			Name:    name("Token", i, manyOthers),
			Scopes:  "people:read",
			Created: now.Add(time.Duration(i) * time.Microsecond),
			Expires: now.Add(time.Hour),
		}, 1000))
		id := store.FirstID(now.Add(-time.Duration(i) * time.Minute))
		no(st.AddMail(ctx, store.Mail{
			Host:    testrig.Host,
			ID:      id,
			To:      "x@work.example",
			Subject: name("Mail", i, manyOthers),
			State:   store.MailFailed,
		}))
		d := store.Delivery{
			Host:    testrig.Host,
			Hook:    "hook0",
			Room:    "group-0000",
			ID:      id,
			Event:   "message",
			Body:    []byte("{}"),
			State:   store.DeliveryDead,
			Error:   name("Delivery", i, manyOthers),
			Updated: now,
		}
		no(st.AddDeliveries(ctx, d))
		no(st.SetDelivery(ctx, d))
		no(st.AddAudit(ctx, testrig.Host, store.AuditEntry{
			ID:     id,
			Actor:  "romeo",
			Action: "group.create",
			Target: name("Audit", i, manyOthers),
		}))
		no(st.CreateInvitation(ctx, store.Invitation{
			Host:     testrig.Host,
			ID:       fmt.Sprintf("inv%d", i),
			Kind:     store.KindInvite,
			Username: low(name("Invited", i, manyOthers)),
			Inviter:  "romeo",
			State:    store.InviteOpen,
			MaxUses:  1,
			Created:  now.Add(-time.Duration(i) * time.Minute),
			Expires:  now.Add(time.Hour),
		}, 1000, store.InvitationEvent{ID: id, Kind: "created"}))
	}
	return groups
}

var nextPage = regexp.MustCompile(`href="([^"]*)"[^>]*>(?:Next|Older)<`)

// walk reads a list page by page to its end, and says on which page a text is.
func walk(t *testing.T, b *testrig.Browser, path, want string) int {
	t.Helper()
	found := 0
	for n := 1; n < 100; n++ {
		p := b.Get(path)
		if p.Status != 200 {
			t.Fatalf("%s: %d", path, p.Status)
		}
		if strings.Contains(p.Text, want) {
			found = n
		}
		m := nextPage.FindStringSubmatch(p.Text)
		if m == nil {
			if found == 0 {
				t.Errorf("%s: %q is on no page", path, want)
			}
			return n
		}
		to := strings.ReplaceAll(m[1], "&amp;", "&")
		if strings.HasPrefix(to, "?") {
			to = strings.SplitN(path, "?", 2)[0] + to
		}
		path = strings.SplitN(to, "#", 2)[0]
	}
	t.Fatalf("%s has no end", path)
	return 0
}

// Entries beyond the first page of a list can be reached through every door: by further pages, by search, by pickers.
func TestTheLastOfEachListIsFound(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "benvolio")
	role(t, r, "romeo", store.RoleOwner, "")
	role(t, r, "benvolio", store.RoleSupervisor, "Person 0001")
	fill(t, r)
	romeo, juliet, benvolio := r.Browser(t), r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	juliet.SignIn("juliet")
	benvolio.SignIn("benvolio")

	t.Run("pages", func(t *testing.T) {
		for _, c := range []struct {
			who        *testrig.Browser
			path, want string
			pages      int
		}{
			{romeo, "/groups", ">ZGroup<", 42},
			{juliet, "/groups", ">ZGroup<", 42},
			{juliet, "/groups?of=others", ">ZGroup<", 42},
			{romeo, "/groups?of=mine", ">ZGroup<", 42},
			{juliet, "/people", ">juliet<", 1},
			{romeo, "/admin/people", ">ZPerson<", 6},
			{romeo, "/admin/invitations", ">zinvited<", 3},
			{romeo, "/admin/teams", ">ZTeam<", 3},
			{romeo, "/admin/webhooks", ">ZHook<", 3},
			{romeo, "/admin/webhooks/hook0", ">ZDelivery<", 2},
			{romeo, "/admin/audit", "ZAudit", 3},
			{romeo, "/admin/system", "ZMail", 4},
			{romeo, "/admin/settings", ">ZToken<", 3},
			{romeo, "/g/group-0000/members/add", ">ZPerson<", 6},
			{romeo, "/admin/teams/zteam/people?as=outside", ">ZPerson<", 6},
		} {
			if n := walk(t, c.who, c.path, c.want); n != c.pages {
				t.Errorf("%s has %d pages, not %d", c.path, n, c.pages)
			}
		}
	})
	t.Run("search", func(t *testing.T) {
		for _, c := range []struct {
			who        *testrig.Browser
			path, want string
		}{
			{juliet, "/groups?q=zgroup", ">ZGroup<"},
			{romeo, "/admin/webhooks?q=zhook", ">ZHook<"},
			{romeo, "/admin/teams?q=zteam", ">ZTeam<"},
			{romeo, "/admin/people?q=zperson", ">ZPerson<"},
			{romeo, "/pick/people?find_member=zperson", ">ZPerson<"},
			{romeo, "/pick/groups?for=group&find_group=zgroup", ">ZGroup<"},
			{romeo, "/pick/groups?for=defaults&find_defaults=zgroup", ">ZGroup<"},
			{romeo, "/pick/groups?for=colleague&find_groups=zgroup", ">ZGroup<"},
			{benvolio, "/pick/groups?for=colleague&find_groups=zgroup", ">ZGroup<"},
			{romeo, "/admin", fmt.Sprint(manyGroups)},
			{romeo, "/groups", ">1030<"},
			{romeo, "/groups/new", "more: search to find them"},
			{romeo, "/admin/people/new", "more: search to find them"},
			{romeo, "/admin/people/new", "and in 19 more"},
			{romeo, "/admin/teams/zteam", "more: search to find them"},
			{romeo, "/admin/webhooks", "more: search to find them"},
		} {
			if p := c.who.Get(c.path); p.Status != 200 || !strings.Contains(p.Text, c.want) {
				t.Errorf("%s: %d, without %q", c.path, p.Status, c.want)
			}
		}
		p := juliet.Do("GET", "/search?palette=1&q=zgr",
			nil, func(q *http.Request) { q.Header.Set("HX-Request", "true") })
		if !strings.Contains(p.Text, "/g/zgroup") {
			t.Error("the palette does not find the last group")
		}
		for _, path := range []string{"/pick/people", "/pick/groups?for=group", "/pick/groups?for=colleague"} {
			if p := juliet.Get(path); p.Status != 403 {
				t.Errorf("%s: %d for a member", path, p.Status)
			}
		}
		if p := benvolio.Get("/pick/groups?for=group"); p.Status != 404 {
			t.Errorf("all groups for a supervisor: %d", p.Status)
		}
	})
	t.Run("pickers without scripts", func(t *testing.T) { pickWithoutScripts(t, r, romeo) })
	t.Run("API", func(t *testing.T) { listsOfAPI(t, r, romeo, juliet) })
	t.Run("control", func(t *testing.T) {
		line := r.Line(t)
		var ts []api.Token
		path := fmt.Sprintf("/tokens?all=true&offset=%d&limit=500", manyOthers-1)
		if err := line.Do("GET", path, "", &ts); err != nil || len(ts) == 0 || ts[len(ts)-1].Name != "ZToken" {
			t.Errorf("%v, %v", ts, err)
		}
		var ds []api.Delivery
		const dead = "/webhooks/hook0/deliveries?state=dead"
		if err := line.Do("GET", fmt.Sprintf("%s&limit=%d", dead, manyOthers-1), "", &ds); err != nil ||
			len(ds) != manyOthers-1 {
			t.Fatal(len(ds), err)
		}
		last := ds[len(ds)-1].ID
		if err := line.Do("GET", dead+"&limit=10&before="+last, "", &ds); err != nil || len(ds) != 1 ||
			ds[0].Error != "ZDelivery" {
			t.Errorf("%v, %v", ds, err)
		}
		if err := line.Do("GET", "/webhooks/hook0/deliveries?before=!", "", &ds); err == nil {
			t.Error("an id that is none")
		}
	})
	// The oldest mail, far beyond the first page, is tried again.
	ms, err := r.Node.Store.Mails(t.Context(), testrig.Host, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	last := ms[len(ms)-1]
	if p := romeo.Post("/admin/system/mail/" + last.ID.String()); p.Status != 303 {
		t.Fatal(p.Status)
	}
	if ms, err = r.Node.Store.Mails(t.Context(), testrig.Host, last.ID+1, 1); err != nil ||
		ms[0].State == store.MailFailed && !ms[0].Due.After(last.Due) {
		t.Errorf("%+v, %v", ms, err)
	}
}

// pickWithoutScripts sends each form once as a search, which keeps what was filled in and ticked, and once to be
// carried out.
func pickWithoutScripts(t *testing.T, r *testrig.Rig, romeo *testrig.Browser) {
	ctx := t.Context()
	// Enter after words
	p := romeo.Post("/groups/new", "name", "Balcony", "kind", "private", "themes_by", "members", "member", "person0001",
		"find_member", "zperson", "shown_member", "")
	for _, want := range []string{`value="Balcony"`, `value="person0001" checked`, `value="zperson">`, ">ZPerson<"} {
		if p.Status != 200 || !strings.Contains(p.Text, want) {
			t.Errorf("new group: %d without %s", p.Status, want)
		}
	}
	if _, err := r.Node.Org.Group(ctx, testrig.Host, "balcony"); err == nil {
		t.Fatal("looking for people has made the group")
	}
	p = romeo.Post("/groups/new", "name", "Balcony", "kind", "private", "themes_by", "members", "member", "person0001",
		"member", "zperson", "find_member", "zperson", "shown_member", "zperson")
	g, err := r.Node.Org.Group(ctx, testrig.Host, "balcony")
	if err != nil || p.Status != 303 {
		t.Fatal(p.Status, err)
	}
	if in := rolesIn(t, r, g); in["zperson"] == "" || in["person0001"] == "" {
		t.Error(in)
	}
	// A theme for some of many.
	members := []store.Member{{JID: "zperson@" + testrig.Host, Role: store.RoleMember}}
	for i := range manyPeople - 1 {
		members = append(members,
			store.Member{JID: fmt.Sprintf("person%04d@%s", i, testrig.Host), Role: store.RoleMember})
	}
	if err := r.Node.Org.SetMembers(ctx, acts.System, testrig.Host, "id0", members); err != nil {
		t.Fatal(err)
	}
	if p := romeo.Get("/g/group-0000/themes/new"); !strings.Contains(p.Text, "more: search to find them") {
		t.Error("not said that members are left out")
	}
	p = romeo.Post("/g/group-0000/themes", "name", "Tomb", "restricted", "1", "person", "person0002@"+testrig.Host,
		"find", "person", "find_person", "zperson")
	if p.Status != 200 || !strings.Contains(p.Text, `value="person0002@`+testrig.Host+`" checked`) ||
		!strings.Contains(p.Text, ">ZPerson<") || !strings.Contains(p.Text, `value="Tomb"`) {
		t.Errorf("new theme: %d", p.Status)
	}
	p = romeo.Post("/g/group-0000/themes", "name", "Tomb", "restricted", "1", "person", "zperson@"+testrig.Host)
	if p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if p := romeo.Get("/g/group-0000/pick?find_person=zperson"); p.Status != 200 ||
		!strings.Contains(p.Text, ">ZPerson<") {
		t.Errorf("%d", p.Status)
	}
	key := p.To[strings.LastIndex(p.To, "/")+1:]
	if p := romeo.Get("/g/group-0000/pick?theme=" + key + "&find_person=zperson"); p.Status != 200 ||
		strings.Contains(p.Text, ">ZPerson<") {
		t.Errorf("who is in the theme already is offered: %d", p.Status)
	}
	// A webhook for the last group.
	p = romeo.Post("/admin/webhooks", "name", "CI", "direction", "in", "find", "group", "find_group", "zgroup")
	if p.Status != 200 || !strings.Contains(p.Text, `value="zgroup"`) || !strings.Contains(p.Text, `value="CI"`) {
		t.Errorf("new webhook: %d", p.Status)
	}
	if p := romeo.Post("/admin/webhooks", "name", "CI", "direction", "in", "group", "zgroup"); p.Status != 200 ||
		!strings.Contains(p.Text, "CI is ready") {
		t.Errorf("new webhook: %d", p.Status)
	}
	// A team's groups: those it has stay ticked while one searches.
	p = romeo.Post("/admin/teams/zteam", "with_defaults", "1", "defaults", "group-0003", "find", "defaults",
		"find_defaults", "zgroup")
	if p.Status != 200 || !strings.Contains(p.Text, `value="group-0003" checked`) ||
		!strings.Contains(p.Text, `value="zgroup"`) {
		t.Errorf("groups of a team: %d", p.Status)
	}
	romeo.Post("/admin/teams/zteam", "with_defaults", "1", "defaults", "group-0003", "defaults", "zgroup")
	if p := romeo.Get("/admin/teams/zteam"); !strings.Contains(p.Text, `value="group-0003" checked`) ||
		!strings.Contains(p.Text, `value="zgroup" checked`) {
		t.Error("the groups of a team are not kept")
	}
	// A colleague in the last group.
	p = romeo.Post("/admin/people/new", "full_name", "Rosaline", "name", "rosaline", "role", "member", "lang", "en",
		"groups", "group-0003", "find", "groups", "find_groups", "zgroup", "do", "create")
	if p.Status != 200 || !strings.Contains(p.Text, `value="group-0003" checked`) ||
		!strings.Contains(p.Text, `value="zgroup"`) || !strings.Contains(p.Text, `value="Rosaline"`) {
		t.Errorf("new colleague: %d", p.Status)
	}
	if p := romeo.Post("/admin/people/new", "full_name", "Rosaline", "name", "rosaline", "role", "member", "lang", "en",
		"groups", "zgroup", "do", "create"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	last, err := r.Node.Org.Group(ctx, testrig.Host, "zgroup")
	if err != nil || rolesIn(t, r, last)["rosaline"] != store.RoleMember {
		t.Error(err)
	}
}

// listsOfAPI: lists tell how many there are and where the next part is; following that leads to the last.
func listsOfAPI(t *testing.T, r *testrig.Rig, romeo, juliet *testrig.Browser) {
	a := apiClient{t, r.Browser(t),
		newToken(t, romeo, "people:read", "groups:read", "webhooks:read", "tokens:read", "system:read", "audit:read")}
	token := newToken(t, juliet, "groups:read")
	get := func(token, path string) testrig.Page {
		return a.b.Do("GET", path, nil, func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+token) })
	}
	for path, want := range map[string]string{
		"/groups":                   "ZGroup",
		"/groups?limit=100":         "ZGroup",
		"/teams?limit=20":           "ZTeam",
		"/webhooks?limit=20":        "ZHook",
		"/tokens?all=true&limit=20": "ZToken",
	} {
		who := a.token
		if strings.HasPrefix(path, "/groups") {
			who = token
		}
		total, seen, found := "", 0, false
		for next := "/api/v1" + path; next != ""; {
			p := get(who, next)
			var list []map[string]any
			if p.Status != 200 || json.Unmarshal([]byte(p.Text), &list) != nil {
				t.Fatalf("%s: %d %s", next, p.Status, p.Text)
			}
			total, next = p.Header.Get("X-Total-Count"), p.Header.Get("Link")
			seen += len(list)
			for _, one := range list {
				found = found || one["name"] == want
			}
			if next != "" {
				to, ok := strings.CutSuffix(strings.TrimPrefix(next, "<"), `>; rel="next"`)
				if u, err := url.Parse(to); !ok || err != nil || !strings.HasPrefix(u.Path, "/api/v1/") {
					t.Fatalf("%s: %q", path, next)
				}
				next = to
			}
		}
		if fmt.Sprint(seen) != total || !found {
			t.Errorf("%s: %d seen of %s, the last one %v", path, seen, total, found)
		}
	}
	var gs []map[string]any
	if p := get(token, "/api/v1/groups?q=zgroup&limit=1"); json.Unmarshal([]byte(p.Text), &gs) != nil || len(gs) != 1 ||
		gs[0]["slug"] != "zgroup" || p.Header.Get("X-Total-Count") != "1" || p.Header.Get("Link") != "" {
		t.Errorf("%+v", p)
	}
	if p := get(token, "/api/v1/groups?offset=5&limit=2"); json.Unmarshal([]byte(p.Text), &gs) != nil || len(gs) != 2 ||
		gs[0]["slug"] != "group-0004" && gs[0]["slug"] != "group-0005" {
		t.Errorf("%+v", p)
	}
	if p := get(token, "/api/v1/groups?limit=1001"); p.Status != 422 {
		t.Errorf("a limit that cannot be: %d", p.Status)
	}
	var ds []struct{ ID, Error string }
	p := get(a.token, "/api/v1/webhooks/hook0/deliveries?limit=69")
	if json.Unmarshal([]byte(p.Text), &ds) != nil || len(ds) != 69 {
		t.Fatal(p.Text)
	}
	p = get(a.token, "/api/v1/webhooks/hook0/deliveries?before="+ds[68].ID)
	if json.Unmarshal([]byte(p.Text), &ds) != nil || len(ds) != 1 || ds[0].Error != "ZDelivery" {
		t.Error(p.Text)
	}
}
