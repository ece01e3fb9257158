package testrig_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
)

// teamOf gives a team of the rig's host, and its people in order.
func teamOf(t *testing.T, r *testrig.Rig, slug string) (store.Team, []string) {
	t.Helper()
	x, err := r.Node.Org.Team(t.Context(), testrig.Host, slug)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := r.Node.Org.TeamPeople(t.Context(), testrig.Host, x.ID)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range ps {
		names = append(names, p.Name)
	}
	return x, names
}

// A team from its making to its end, on the pages of the console.
func TestTeamsOnPages(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "nurse", "paris")
	b := r.Browser(t)
	b.SignIn("romeo")
	if p := b.Get("/admin/teams"); p.Status != 200 || !strings.Contains(p.Text, "No teams yet") {
		t.Errorf("without teams: %d", p.Status)
	}
	if p := b.Post("/admin/teams", "name", "Sales", "emoji", "no emoji", "description", "We sell"); p.Status != 422 ||
		!strings.Contains(p.Text, `id="emoji" name="emoji" value="no emoji" maxlength="16" aria-invalid="true"`) ||
		!strings.Contains(p.Text, "We sell") {
		t.Errorf("no emoji: %d", p.Status)
	}
	if p := b.Post("/admin/teams", "name", "Sales", "emoji", "🛒",
		"description", "We sell"); p.To != "/admin/teams/sales/people?as=outside" {
		t.Fatalf("made: %d to %q", p.Status, p.To)
	}
	if p := b.Post("/admin/teams", "name", "Sales"); p.Status != 422 && p.Status != 409 {
		t.Errorf("twice: %d", p.Status)
	}
	if p := b.Get("/admin/teams?q=sell"); !strings.Contains(p.Text, "/admin/teams/sales") {
		t.Error("not found by its description")
	}
	if p := b.Get("/admin/teams?q=kitchen"); strings.Contains(p.Text, `href="/admin/teams/sales"`) ||
		!strings.Contains(p.Text, "No team found") {
		t.Error("found by what it has not")
	}
	for _, name := range []string{"Shop", "Fair"} {
		if p := b.Post("/groups/new", "name", name, "kind", "private", "themes_by", "members"); p.Status != 303 {
			t.Fatal(p.Status, p.Text)
		}
	}
	// The team's people: others are listed to be added, and become members of its default groups.
	if p := b.Post("/admin/teams/sales", "with_defaults", "1", "defaults", "shop"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if p := b.Get("/admin/teams/sales/people"); !strings.Contains(p.Text, "Nobody is in this team yet") {
		t.Error("empty, and does not say so")
	}
	if p := b.Get("/admin/teams/sales/people?as=outside&q=jul"); !strings.Contains(p.Text, `value="juliet"`) ||
		strings.Contains(p.Text, `value="nurse"`) {
		t.Error("the search for who is not in it")
	}
	if p := b.Post("/admin/teams/sales/people", "do", "in"); p.Status != 303 ||
		!strings.Contains(b.Get("/admin/teams/sales/people").Text, "Select some people first") {
		t.Errorf("nobody ticked: %d", p.Status)
	}
	if p := b.Post("/admin/teams/sales/people", "do", "in", "member", "nobody"); p.Status != 303 ||
		!strings.Contains(b.Get("/admin/teams/sales/people").Text, "There is no account") {
		t.Errorf("who there is not: %d", p.Status)
	}
	if p := b.Post("/admin/teams/sales/people", "do", "in", "member", "juliet", "member", "nurse"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if text := b.Get("/admin/teams/sales/people").Text; !strings.Contains(text, "2 people joined the team") ||
		!strings.Contains(text, `value="juliet"`) || strings.Contains(text, `value="paris"`) ||
		!strings.Contains(text, "data-undo") {
		t.Error("who is in it is not listed")
	}
	gs, err := r.Node.Store.GroupsOf(t.Context(), testrig.Host, "juliet@example.org")
	if err != nil || len(gs) != 1 || gs[0].Slug != "shop" {
		t.Errorf("default groups: %v, %v", gs, err)
	}
	if b.Post("/admin/teams/sales/people", "do", "out", "member", "nurse"); true {
		if _, names := teamOf(t, r, "sales"); !slices.Equal(names, []string{"juliet"}) {
			t.Errorf("after nurse was taken out: %v", names)
		}
	}
	// The team's name, emoji and description.
	if p := b.Post("/admin/teams/sales", "name", "Vente", "emoji", "💶", "description", "Nous vendons",
		"mention_by", "nobody"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if x, _ := teamOf(t, r, "sales"); x.Name != "Vente" || x.Emoji != "💶" || x.MentionBy != "nobody" ||
		x.Description != "Nous vendons" {
		t.Errorf("%+v", x)
	}
	if p := b.Post("/admin/teams/sales", "name", strings.Repeat("x", 200)); p.Status != 422 ||
		!strings.Contains(p.Text, `aria-invalid="true"`) {
		t.Errorf("a name without end: %d", p.Status)
	}
	if text := b.Get("/admin/teams/sales").Text; !strings.Contains(text, "💶 Vente") ||
		!strings.Contains(text, `value="shop" checked`) || strings.Contains(text, `value="fair" checked`) {
		t.Error("its page does not show its hat and default groups")
	}
	// Things that the team shares.
	if p := b.Post("/admin/teams/sales/shared", "kind", "snippet", "name", "hours",
		"text", "We open\nat nine."); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if p := b.Post("/admin/teams/sales/shared", "kind", "snippet", "name", "", "text", "lost?"); p.Status != 422 ||
		!strings.Contains(p.Text, "lost?") {
		t.Errorf("a reply without a name: %d", p.Status)
	}
	if p := b.Post("/admin/teams/sales/shared", "kind", "contact", "name", "no address at all @",
		"text", "X"); p.Status != 422 || !strings.Contains(p.Text, "This is not an address") {
		t.Errorf("no address: %d", p.Status)
	}
	if p := b.Post("/admin/teams/sales/shared", "kind", "contact", "name", "shop@partner.example",
		"text", "The partner"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if text := b.Get("/admin/teams/sales/shared").Text; !strings.Contains(text, "We open\nat nine.") ||
		!strings.Contains(text, "shop@partner.example") || !strings.Contains(text, "The partner") {
		t.Error("what is shared is not listed")
	}
	if p := b.Post("/admin/teams/sales/shared", "kind", "snippet", "name", "hours", "do", "remove"); p.Status != 303 ||
		strings.Contains(b.Get("/admin/teams/sales/shared").Text, "at nine") {
		t.Errorf("taken back: %d", p.Status)
	}
	if p := b.Post("/admin/teams/sales/shared", "kind", "secret", "name", "x", "text", "y"); p.Status != 422 {
		t.Errorf("of no kind: %d", p.Status)
	}
	// Its end, with its name typed.
	if p := b.Post("/admin/teams/sales/delete", "confirm", "sales"); p.Status != 422 {
		t.Errorf("without its name: %d", p.Status)
	}
	if p := b.Post("/admin/teams/sales/delete", "confirm", "Vente"); p.Status != 303 {
		t.Errorf("deleted: %d", p.Status)
	}
	for _, path := range []string{
		"/admin/teams/sales", "/admin/teams/sales/people", "/admin/teams/sales/shared", "/admin/teams/none",
	} {
		if p := b.Get(path); p.Status != 404 {
			t.Errorf("%s afterwards: %d", path, p.Status)
		}
	}
}

// A supervisor has to do with the teams that the supervisor is in, and puts people of the own department into them.
func TestTeamsOfASupervisor(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "tybalt", "paris", "juliet")
	role(t, r, "tybalt", store.RoleSupervisor, "Sales")
	role(t, r, "paris", store.RoleMember, "Sales")
	role(t, r, "juliet", store.RoleMember, "Board")
	romeo, tybalt := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	tybalt.SignIn("tybalt")
	for _, name := range []string{"Sales", "Board"} {
		if p := romeo.Post("/admin/teams", "name", name); p.Status != 303 {
			t.Fatal(p.Status, p.Text)
		}
	}
	if p := tybalt.Get("/admin/teams"); p.Status != 200 || !strings.Contains(p.Text, "You are not in a team") ||
		strings.Contains(p.Text, `<form method="post" action="/admin/teams">`) {
		t.Errorf("in no team: %d", p.Status)
	}
	romeo.Post("/admin/teams/sales/people", "do", "in", "member", "tybalt", "member", "juliet")
	if text := tybalt.Get("/admin/teams").Text; !strings.Contains(text, "/admin/teams/sales") ||
		strings.Contains(text, "/admin/teams/board") {
		t.Error("the list is not of the own teams")
	}
	for path, status := range map[string]int{
		"/admin/teams/sales":                   200,
		"/admin/teams/sales/people":            200,
		"/admin/teams/sales/people?as=outside": 200,
		"/admin/teams/sales/shared":            200,
		"/admin/teams/board":                   404,
		"/admin/teams/board/people":            404,
		"/admin/teams/board/shared":            404,
	} {
		if p := tybalt.Get(path); p.Status != status {
			t.Errorf("%s: %d, want %d", path, p.Status, status)
		}
	}
	if text := tybalt.Get("/admin/teams/sales").Text; strings.Contains(text, `name="mention_by"`) ||
		strings.Contains(text, "/delete") {
		t.Error("is offered to change what the team is")
	}
	for _, try := range [][]string{
		{"/admin/teams", "name", "Mine"},
		{"/admin/teams/sales", "name", "Mine"},
		{"/admin/teams/sales/delete", "confirm", "Sales"},
		{"/admin/teams/board/people", "do", "in", "member", "tybalt"},
		{"/admin/teams/board/shared", "kind", "snippet", "name", "x", "text", "y"},
	} {
		if p := tybalt.Post(try[0], try[1:]...); p.Status != 403 &&
			(p.Status != 404 || !strings.Contains(try[0], "board")) {
			t.Errorf("%v: %d", try, p.Status)
		}
	}
	if text := tybalt.Get("/admin/teams/sales/people?as=outside").Text; !strings.Contains(text, `value="paris"`) ||
		strings.Contains(text, `value="romeo"`) {
		t.Error("who may be added")
	}
	tybalt.Post("/admin/teams/sales/people", "do", "in", "member", "paris")
	tybalt.Post("/admin/teams/sales/people", "do", "in", "member", "romeo")
	tybalt.Post("/admin/teams/sales/people", "do", "out", "member", "juliet")
	tybalt.Post("/admin/teams/sales/people", "do", "out", "member", "tybalt")
	if _, names := teamOf(t, r, "sales"); !slices.Equal(names, []string{"juliet", "paris", "tybalt"}) {
		t.Errorf("the team has %v", names)
	}
	if p := tybalt.Post("/admin/teams/sales/shared", "kind", "snippet", "name", "hours",
		"text", "At nine"); p.Status != 303 {
		t.Errorf("a saved reply: %d %s", p.Status, p.Text)
	}
}

// A large team: a search, and then all the people found are added at once.
func TestTeamOfMany(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	var csv strings.Builder
	csv.WriteString("full_name,email,department\n")
	for i := range 60 {
		fmt.Fprintf(&csv, "Person %d,p%d@work.example,Team %d\n", i, i, i%2)
	}
	if p := b.Post("/admin/people/import", "text", csv.String(), "do", "import"); p.Status != 200 {
		t.Fatal(p.Status)
	}
	b.Post("/admin/teams", "name", "Many")
	if text := b.Get("/admin/teams/many/people?as=outside&department=Team+1").Text; !strings.Contains(text,
		"Select all 30 people of this list") {
		t.Error("no offer to take all of the list")
	}
	if p := b.Post("/admin/teams/many/people", "do", "in", "all", "1", "department", "Team 1"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if _, names := teamOf(t, r, "many"); len(names) != 30 || names[0] != "p1" {
		t.Errorf("the team has %d: %v", len(names), names)
	}
	if text := b.Get("/admin/teams/many/people?page=2").Text; strings.Count(text,
		`type="checkbox" name="member"`) != 5 {
		t.Errorf("the second page has %d", strings.Count(text, `type="checkbox" name="member"`))
	}
}
