package testrig_test

import (
	"net/http"
	"testing"

	"parley/acts"
	"parley/admin/api"
	"parley/org"
	"parley/testrig"
)

// People see what their teams share, and share more with them: on a page of their own and by the API. Those of other
// teams do not.
func TestSavedReplies(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet", "paris")
	for slug, people := range map[string][]string{"desk": {"romeo", "juliet"}, "night": {"juliet"}} {
		if _, err := r.Node.Org.CreateTeam(t.Context(), acts.System, testrig.Host,
			org.NewTeam{Slug: slug, Name: "Team " + slug, People: people}); err != nil {
			t.Fatal(err)
		}
	}
	romeo, juliet, paris := r.Browser(t), r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	juliet.SignIn("juliet")
	paris.SignIn("paris")
	const page = "/me/saved"
	has(t, "nothing yet", romeo.Get(page), 200, "None yet", `name="team" value="desk"`)
	has(t, "two teams", juliet.Get(page), 200, `<option value="night"`)
	has(t, "no team", paris.Get(page), 200, "You are in no team")
	for _, f := range [][]string{
		{"team", "desk", "kind", "snippet", "name", "hours", "text", "We are open\nfrom 9 to 5."},
		{"team", "desk", "kind", "contact", "name", "noc@hosting.example", "text", "Hosting, on call"},
	} {
		if p := romeo.Post(page, f...); p.Status != http.StatusSeeOther || p.To != page {
			t.Fatalf("%v: %d: %s", f, p.Status, p.Text)
		}
	}
	has(t, "her page", juliet.Get(page), 200, "from 9 to 5.", "Hosting, on call", `href="/chat/c/noc@hosting.example"`)
	has(t, "no address", romeo.Post(page, "team", "desk", "kind", "contact", "name", "no one@"), 422,
		"This is not an address", `value="no one@"`)
	has(t, "no text", romeo.Post(page, "team", "desk", "kind", "snippet", "name", "x"), 422, `value="x"`)
	if p := paris.Post(page, "team", "desk", "kind", "snippet", "name", "spam", "text", "spam"); p.Status == 303 {
		t.Errorf("somebody else's team: %d", p.Status)
	}
	paris.Post(page, "team", "desk", "kind", "snippet", "name", "hours", "do", "remove")

	c := apiOfAll(t, r, "juliet", "paris")
	var replies []api.SavedReply
	c[0].want(200, "GET", "/v1/me/snippets", "", &replies)
	want := api.SavedReply{Name: "hours", Text: "We are open\nfrom 9 to 5.", Team: "desk", TeamName: "Team desk"}
	if len(replies) != 1 || replies[0] != want {
		t.Errorf("%+v", replies)
	}
	var contacts []api.SharedContact
	c[0].want(200, "GET", "/v1/me/contacts", "", &contacts)
	if len(contacts) != 1 || contacts[0].Address != "noc@hosting.example" || contacts[0].Name != "Hosting, on call" {
		t.Errorf("%+v", contacts)
	}
	c[1].want(200, "GET", "/v1/me/snippets", "", &replies)
	if len(replies) != 0 {
		t.Errorf("of no team: %+v", replies)
	}
	for _, path := range []string{"/api/v1/me/snippets", "/api/v1/me/contacts"} { // a browser has no token
		has(t, path, juliet.Get(path), 200, "Team desk")
	}

	juliet.Post(page, "team", "desk", "kind", "snippet", "name", "hours", "text", "x", "do", "remove")
	hasNot(t, "removed", romeo.Get(page), "from 9 to 5.")
}
