package testrig_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"strings"
	"testing"

	"parley/people"
	"parley/store"
	"parley/testrig"
)

// apiOfAll signs accounts in, and gives each a token with every scope.
func apiOfAll(t *testing.T, r *testrig.Rig, names ...string) (out []apiClient) {
	t.Helper()
	for _, n := range names {
		b := r.Browser(t)
		b.SignIn(n)
		out = append(out, apiClient{t, r.Browser(t), newToken(t, b, people.Scopes...)})
	}
	return out
}

// want asks for something that must answer with a status.
func (a apiClient) want(status int, method, path, body string, into any) {
	a.t.Helper()
	if got := a.do(method, path, body, into); got != status {
		a.t.Errorf("%s %s %s: %d, not %d", method, path, body, got, status)
	}
}

func TestAPIGroups(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt", "paris")
	as := apiOfAll(t, r, "romeo", "juliet", "tybalt")
	romeo, juliet, tybalt := as[0], as[1], as[2]
	romeo.want(422, "POST", "/v1/groups", `{"slug": "verona"}`, nil)
	romeo.want(422, "POST", "/v1/groups", `{"name": "Verona", "react_by": "nobody"}`, nil)
	var made struct {
		Emoji, Kind string
		ReactBy     string `json:"react_by"`
		Guests      bool
	}
	romeo.want(201, "POST", "/v1/groups",
		`{"name": "Verona", "kind": "private", "emoji": "🎭", "react_by": "moderators", "guests": true}`, &made)
	if made.Kind != "private" || made.Emoji != "🎭" || made.ReactBy != "moderators" || !made.Guests {
		t.Errorf("made: %+v", made)
	}
	var plan struct {
		Added, Removed, Changed []string
		Done                    bool
	}
	romeo.want(200, "POST", "/v1/groups/verona/members",
		`{"members": ["juliet", "tybalt@example.org"], "role": "member", "dry_run": true}`, &plan)
	if len(plan.Added) != 2 || plan.Done {
		t.Errorf("the plan: %+v", plan)
	}
	juliet.want(404, "GET", "/v1/groups/verona", "", nil)
	romeo.want(200, "POST", "/v1/groups/verona/members",
		`{"members": ["juliet", "tybalt@example.org"], "role": "member"}`, &plan)
	juliet.want(200, "GET", "/v1/groups/verona", "", nil)
	romeo.want(200, "POST", "/v1/groups/verona/members", `{"members": ["juliet"], "role": "moderator"}`, &plan)
	if !plan.Done || len(plan.Changed) != 1 {
		t.Errorf("done: %+v", plan)
	}
	for body, status := range map[string]int{
		`{"members": ["nobody"], "role": "member"}`: 404,
		`{"members": ["@"], "role": "member"}`:      422,
		`{"members": [], "role": "member"}`:         422,
		`{"members": ["romeo"], "role": "none"}`:    403,
		`{"members": ["paris"], "role": "king"}`:    422,
	} {
		romeo.want(status, "POST", "/v1/groups/verona/members", body, nil)
	}
	tybalt.want(403, "POST", "/v1/groups/verona/members", `{"members": ["paris"], "role": "member"}`, nil)
	juliet.want(403, "POST", "/v1/groups/verona/members", `{"members": ["paris"], "role": "owner"}`, nil)

	var g struct {
		Name, Emoji, Kind, Photo, Mandatory string
		SinceJoin                           bool   `json:"since_join"`
		MentionBy                           string `json:"mention_by"`
		Teams                               []struct{ Slug, Role string }
		Members                             []struct{ Address, Role string }
		Themes                              []struct{ Key, Name, State string }
		Adding                              *struct{ Done, Total int }
	}
	juliet.want(403, "PATCH", "/v1/groups/verona", `{"name": "Mine"}`, nil)
	romeo.want(200, "PATCH", "/v1/groups/verona",
		`{"name": "Fair Verona", "mention_by": "nobody", "since_join": true}`, &g)
	if g.Name != "Fair Verona" || g.MentionBy != "nobody" || !g.SinceJoin || g.Emoji != "🎭" {
		t.Errorf("%+v", g)
	}
	romeo.want(422, "PATCH", "/v1/groups/verona", `{"emoji": "abc"}`, nil)

	var img bytes.Buffer
	if err := png.Encode(&img, image.NewGray(image.Rect(0, 0, 700, 600))); err != nil {
		t.Fatal(err)
	}
	put, _ := json.Marshal(map[string]any{"image": img.Bytes()})
	juliet.want(403, "PUT", "/v1/groups/verona/photo", string(put), nil)
	romeo.want(204, "PUT", "/v1/groups/verona/photo", string(put), nil)
	var photo struct{ Type, Hash, Image string }
	tybalt.want(200, "GET", "/v1/groups/verona/photo", "", &photo)
	if raw, err := base64.StdEncoding.DecodeString(photo.Image); err != nil ||
		photo.Type != "image/png" || len(raw) > 64<<10 {
		t.Errorf("%s, %d bytes, %v", photo.Type, len(raw), err)
	}
	romeo.want(422, "PUT", "/v1/groups/verona/photo", `{"image": "bm8gcGljdHVyZQ=="}`, nil)
	romeo.want(422, "PUT", "/v1/groups/verona/photo", `{"image": ""}`, nil)
	romeo.want(204, "DELETE", "/v1/groups/verona/photo", "", nil)
	romeo.want(404, "GET", "/v1/groups/verona/photo", "", nil)

	// Teams, and everybody.
	var team struct {
		Slug, Name, Emoji string
		MentionBy         string `json:"mention_by"`
	}
	tybalt.want(403, "POST", "/v1/teams", `{"name": "Guard"}`, nil)
	romeo.want(201, "POST", "/v1/teams", `{"name": "Guard", "slug": "guard", "people": ["paris"]}`, &team)
	romeo.want(422, "PATCH", "/v1/teams/guard", `{"mention_by": "moderators"}`, nil)
	romeo.want(200, "PATCH", "/v1/teams/guard", `{"mention_by": "members", "emoji": "🌙"}`, &team)
	romeo.want(200, "PATCH", "/v1/teams/guard", `{"name": "Night guard"}`, &team)
	if team.Name != "Night guard" || team.MentionBy != "members" || team.Emoji != "🌙" {
		t.Errorf("%+v", team)
	}
	romeo.want(204, "PUT", "/v1/groups/verona/teams/guard", `{"role": "member"}`, nil)
	romeo.want(404, "PUT", "/v1/groups/verona/teams/none", `{"role": "member"}`, nil)
	juliet.want(403, "DELETE", "/v1/groups/verona/teams/guard", "", nil)
	juliet.want(403, "PUT", "/v1/groups/verona/mandatory", `{"whom": "everyone"}`, nil)
	romeo.want(204, "PUT", "/v1/groups/verona/mandatory", `{"whom": "guard"}`, nil)
	romeo.want(200, "GET", "/v1/groups/verona", "", &g)
	if g.Mandatory != "guard" || len(g.Teams) != 1 || g.Teams[0].Slug != "guard" || len(g.Members) != 4 {
		t.Errorf("%+v", g)
	}
	romeo.want(204, "PUT", "/v1/groups/verona/mandatory", `{"whom": ""}`, nil)
	romeo.want(204, "DELETE", "/v1/groups/verona/teams/guard", "", nil)
	romeo.want(204, "PUT", "/v1/teams/guard/people", `{"in": ["tybalt"], "out": ["paris"]}`, nil)
	var whole struct{ People []struct{ Address string } }
	romeo.want(200, "GET", "/v1/teams/guard", "", &whole)
	if len(whole.People) != 1 || whole.People[0].Address != "tybalt@example.org" {
		t.Errorf("%+v", whole)
	}
	var shares []struct{ Name, Text, Creator string }
	romeo.want(204, "PUT", "/v1/teams/guard/shares/snippets/halt", `{"text": "Halt! Who goes there?"}`, nil)
	romeo.want(204, "PUT", "/v1/teams/guard/shares/contacts/watch@elsewhere.example", `{"text": "The watch"}`, nil)
	romeo.want(200, "GET", "/v1/teams/guard/shares/snippets", "", &shares)
	if len(shares) != 1 || shares[0].Name != "halt" || shares[0].Text != "Halt! Who goes there?" {
		t.Errorf("%+v", shares)
	}
	romeo.want(422, "GET", "/v1/teams/guard/shares/secrets", "", nil)
	tybalt.want(403, "GET", "/v1/teams/guard/shares/snippets", "", nil)
	romeo.want(204, "DELETE", "/v1/teams/guard/shares/snippets/halt", "", nil)
	romeo.want(404, "DELETE", "/v1/teams/guard/shares/snippets/halt", "", nil)
	romeo.want(204, "DELETE", "/v1/teams/guard", "", nil)
	romeo.want(404, "GET", "/v1/teams/guard", "", nil)

	// Themes.
	var theme struct {
		Key, Name, State, Creator string
		Restricted                bool
		People                    []struct{ Address, Role string }
	}
	tybalt.want(201, "POST", "/v1/groups/verona/themes",
		`{"name": "Duel", "restricted": true, "people": ["juliet"]}`, &theme)
	at := "/v1/groups/verona/themes/" + theme.Key
	if !theme.Restricted || theme.State != "open" || theme.Creator != "tybalt@example.org" {
		t.Errorf("%+v", theme)
	}
	paris := apiOfAll(t, r, "paris")[0]
	romeo.want(204, "PUT", "/v1/groups/verona/members/paris", `{"role": "member"}`, nil)
	paris.want(404, "GET", at, "", nil)
	paris.want(404, "PATCH", at, `{"name": "x"}`, nil)
	tybalt.want(200, "PATCH", at, `{"name": "Duel at dawn"}`, &theme)
	tybalt.want(403, "PUT", at+"/people/paris", `{"role": "member"}`, nil)
	juliet.want(204, "PUT", at+"/people/paris", `{"role": "member"}`, nil)
	paris.want(200, "GET", at, "", &theme)
	if theme.Name != "Duel at dawn" || len(theme.People) != 0 {
		t.Errorf("to a member: %+v", theme)
	}
	juliet.want(200, "GET", at, "", &theme)
	if len(theme.People) != 3 {
		t.Errorf("to a moderator: %+v", theme)
	}
	juliet.want(204, "DELETE", at+"/people/paris", "", nil)
	paris.want(404, "GET", at, "", nil)
	juliet.want(200, "PATCH", at, `{"state": "closed"}`, &theme)
	tybalt.want(403, "POST", "/v1/groups/verona/messages?theme="+theme.Key, `{"text": "too late"}`, nil)

	// Messages are retracted by their authors, and by moderators.
	tybalt.want(204, "POST", "/v1/groups/verona/messages", `{"text": "villain"}`, nil)
	var ms []struct{ ID, Text string }
	juliet.want(200, "GET", "/v1/groups/verona/messages", "", &ms)
	id := ms[len(ms)-1].ID
	paris.want(403, "DELETE", "/v1/groups/verona/messages/"+id, "", nil)
	juliet.want(204, "DELETE", "/v1/groups/verona/messages/"+id+"?reason=manners", "", nil)
	paris.want(204, "POST", "/v1/groups/verona/messages", `{"text": "sweet"}`, nil)
	paris.want(200, "GET", "/v1/groups/verona/messages", "", &ms)
	paris.want(204, "DELETE", "/v1/groups/verona/messages/"+ms[len(ms)-1].ID, "", nil)
	paris.want(200, "GET", "/v1/groups/verona/messages", "", &ms)
	for _, m := range ms {
		if m.Text == "villain" || m.Text == "sweet" {
			t.Errorf("%q is still there", m.Text)
		}
	}
	paris.want(404, "DELETE", "/v1/groups/verona/messages/0000000000001", "", nil)
	juliet.want(404, "POST", "/v1/groups/verona/kick", `{"address": "paris"}`, nil) // not in the room
	paris.want(403, "POST", "/v1/groups/verona/kick", `{"address": "juliet"}`, nil)

	// By request.
	romeo.want(201, "POST", "/v1/groups", `{"name": "Council", "kind": "request"}`, nil)
	var joined struct{ State string }
	paris.want(200, "POST", "/v1/groups/council/join", `{"reason": "please"}`, &joined)
	var asked []struct{ Address, Reason string }
	romeo.want(200, "GET", "/v1/groups/council/requests", "", &asked)
	if joined.State != "asked" || len(asked) != 1 || asked[0].Reason != "please" {
		t.Errorf("%+v, %+v", joined, asked)
	}
	paris.want(403, "GET", "/v1/groups/council/requests", "", nil)
	romeo.want(204, "PUT", "/v1/groups/council/requests/paris", `{"yes": true}`, nil)
	romeo.want(404, "PUT", "/v1/groups/council/requests/paris", `{"yes": true}`, nil)
	paris.want(204, "POST", "/v1/groups/council/leave", "", nil)

	juliet.want(403, "DELETE", "/v1/groups/verona", "", nil)
	romeo.want(204, "DELETE", "/v1/groups/verona", "", nil)
	var deleted []struct{ Slug string }
	romeo.want(200, "GET", "/v1/deleted-groups", "", &deleted)
	if len(deleted) != 1 || deleted[0].Slug != "verona" {
		t.Errorf("%+v", deleted)
	}
	juliet.want(403, "GET", "/v1/deleted-groups", "", nil)
	romeo.want(200, "POST", "/v1/deleted-groups/verona/restore", "", nil)
	juliet.want(200, "GET", "/v1/groups/verona", "", nil)
}

func TestAPIOrganization(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "tybalt", "paris")
	role(t, r, "tybalt", store.RoleSupervisor, "Sales")
	role(t, r, "juliet", store.RoleOwner, "Sales")
	as := apiOfAll(t, r, "romeo", "tybalt", "paris")
	romeo, tybalt, paris := as[0], as[1], as[2]

	// Invitations: a supervisor has the own ones.
	type invitation struct {
		ID, State, Link, Name string
		Expires               string
		History               []struct{ What string }
	}
	var i, again invitation
	var page struct {
		Invitations []invitation
		Total       int
	}
	romeo.want(201, "POST", "/v1/people", `{"full_name": "Ben Volio", "department": "Court"}`, nil)
	romeo.want(200, "POST", "/v1/people/ben.volio/invitation", `{"hours": 2}`, &i)
	romeo.want(200, "GET", "/v1/invitations?name=ben.volio", "", &page)
	if page.Total != 1 || page.Invitations[0].ID != i.ID || page.Invitations[0].State != "open" ||
		page.Invitations[0].Link == "" {
		t.Errorf("%+v", page)
	}
	tybalt.want(200, "GET", "/v1/invitations", "", &page)
	if page.Total != 0 {
		t.Errorf("a supervisor sees others' invitations: %+v", page)
	}
	for n, c := range []apiClient{tybalt, paris} {
		for _, x := range [][3]string{
			{"GET", "", ""}, {"DELETE", "", ""}, {"POST", "/resend", "{}"}, {"POST", "/extend", `{"hours": 3}`},
		} {
			// a supervisor may have others of their own
			c.want([]int{404, 403}[n], x[0], "/v1/invitations/"+i.ID+x[1], x[2], nil)
		}
	}
	romeo.want(200, "POST", "/v1/invitations/"+i.ID+"/resend", `{}`, &again)
	if again.ID != i.ID || again.Link == i.Link || again.Link == "" {
		t.Errorf("%+v after %+v", again, i)
	}
	romeo.want(200, "POST", "/v1/invitations/"+i.ID+"/extend", `{"hours": 500}`, &i)
	if i.Expires <= again.Expires {
		t.Errorf("extended to %s from %s", i.Expires, again.Expires)
	}
	romeo.want(204, "DELETE", "/v1/invitations/"+i.ID, "", nil)
	romeo.want(200, "GET", "/v1/invitations/"+i.ID, "", &i)
	if i.State != "revoked" || len(i.History) < 4 {
		t.Errorf("%+v", i)
	}
	romeo.want(404, "GET", "/v1/invitations/none", "", nil)
	i = invitation{}
	romeo.want(201, "POST", "/v1/invitations", `{"uses": 10, "hours": 5}`, &i)
	if i.Name != "" || !strings.Contains(i.Link, "/i/") {
		t.Errorf("%+v", i)
	}
	// A link for a new password, but not for somebody with a higher role.
	romeo.want(200, "POST", "/v1/people/paris/reset", `{}`, &i)
	if !strings.Contains(i.Link, "/reset/") {
		t.Errorf("%+v", i)
	}
	romeo.want(403, "POST", "/v1/people/juliet/reset", `{}`, nil)
	paris.want(403, "POST", "/v1/people/romeo/reset", `{}`, nil)

	// Webhooks.
	var hook struct{ ID, Secret, URL, Direction string }
	romeo.want(201, "POST", "/v1/groups", `{"name": "Verona"}`, nil)
	romeo.want(201, "POST", "/v1/webhooks", `{"group": "verona", "name": "CI"}`, &hook)
	if hook.Direction != "in" || !strings.Contains(hook.URL, "/hooks/") {
		t.Errorf("%+v", hook)
	}
	romeo.want(201, "POST", "/v1/webhooks",
		`{"group": "verona", "name": "Log", "url": "https://hooks.example/in", "events": ["message"]}`, &hook)
	if hook.Direction != "out" || hook.Secret == "" {
		t.Errorf("%+v", hook)
	}
	var hooks []struct{ ID, Secret string }
	romeo.want(200, "GET", "/v1/webhooks?group=verona", "", &hooks)
	if len(hooks) != 2 || hooks[0].Secret+hooks[1].Secret != "" {
		t.Errorf("%+v", hooks)
	}
	romeo.want(204, "PATCH", "/v1/webhooks/"+hook.ID, `{"disabled": true}`, nil)
	var one struct{ Disabled bool }
	romeo.want(200, "GET", "/v1/webhooks/"+hook.ID, "", &one)
	if !one.Disabled {
		t.Error("it is not off")
	}
	var ds []struct{ ID string }
	romeo.want(200, "GET", "/v1/webhooks/"+hook.ID+"/deliveries?state=dead", "", &ds)
	var count struct{ Count int }
	romeo.want(200, "POST", "/v1/webhooks/"+hook.ID+"/redeliver", "", &count)
	romeo.want(204, "DELETE", "/v1/webhooks/"+hook.ID, "", nil)
	romeo.want(404, "DELETE", "/v1/webhooks/"+hook.ID, "", nil)

	// Federation: its rules are there, whether it is on or not.
	romeo.want(204, "PUT", "/v1/federation/rules/bad.example", `{"action": "block", "note": "spam"}`, nil)
	romeo.want(422, "PUT", "/v1/federation/rules/bad.example", `{"action": "praise"}`, nil)
	var rules struct {
		OnlyListed bool `json:"only_listed"`
		Rules      []struct{ Domain, Action, Note string }
	}
	romeo.want(204, "PUT", "/v1/federation/only-listed", `{"only_listed": true}`, nil)
	romeo.want(200, "GET", "/v1/federation/rules", "", &rules)
	if !rules.OnlyListed || len(rules.Rules) != 1 || rules.Rules[0].Note != "spam" {
		t.Errorf("%+v", rules)
	}
	romeo.want(204, "DELETE", "/v1/federation/rules/bad.example", "", nil)
	romeo.want(404, "DELETE", "/v1/federation/rules/bad.example", "", nil)

	// The server, settings, tokens, the audit log.
	var health struct {
		OK     bool
		Checks []struct {
			Name string
			OK   bool
		}
	}
	romeo.want(200, "GET", "/v1/health", "", &health)
	if !health.OK || len(health.Checks) < 2 {
		t.Errorf("%+v", health)
	}
	var list []struct{ Name, Value string }
	romeo.want(200, "PATCH", "/v1/settings", `{"organization.title": "Verona"}`, &list)
	romeo.want(403, "PATCH", "/v1/settings", `{"signin.two_factor": ""}`, nil)
	romeo.want(422, "PATCH", "/v1/settings", `{"organization.nothing": "x"}`, nil)
	romeo.want(200, "GET", "/v1/settings", "", &list)
	title := ""
	for _, s := range list {
		if s.Name == "organization.title" {
			title = s.Value
		}
	}
	if title != "Verona" {
		t.Errorf("%+v", list)
	}
	romeo.want(200, "GET", "/v1/sessions", "", nil)
	var records []struct{ Type, Name, Value string }
	romeo.want(200, "GET", "/v1/dns", "", &records)
	if len(records) < 3 {
		t.Errorf("%+v", records)
	}
	var findings []struct{ Area, State string }
	romeo.want(200, "GET", "/v1/findings", "", &findings)
	if len(findings) < 3 {
		t.Errorf("%+v", findings)
	}
	romeo.want(200, "GET", "/v1/reports", "", nil)
	romeo.want(404, "DELETE", "/v1/reports/0000000000001", "", nil)
	var tokens []struct{ ID, Owner, Scopes string }
	paris.want(200, "GET", "/v1/tokens", "", &tokens)
	if len(tokens) != 1 || tokens[0].Owner != "paris" {
		t.Errorf("%+v", tokens)
	}
	paris.want(403, "GET", "/v1/tokens?all=true", "", nil)
	romeo.want(200, "GET", "/v1/tokens?all=true", "", &tokens)
	if len(tokens) != 3 {
		t.Errorf("%d tokens", len(tokens))
	}
	for _, path := range []string{
		"/v1/webhooks", "/v1/federation/rules", "/v1/federation/domains", "/v1/health", "/v1/sessions", "/v1/reports",
		"/v1/settings", "/v1/teams", "/v1/audit", "/v1/deleted-groups", "/v1/dns", "/v1/findings",
	} {
		for _, c := range []apiClient{tybalt, paris} {
			c.want(403, "GET", path, "", nil)
		}
	}
	for _, tok := range tokens {
		if tok.Owner == "paris" {
			tybalt.want(404, "DELETE", "/v1/tokens/"+tok.ID+"?owner=paris", "", nil)
			paris.want(404, "DELETE", "/v1/tokens/none", "", nil)
			paris.want(204, "DELETE", "/v1/tokens/"+tok.ID, "", nil)
		}
	}
	paris.want(401, "GET", "/v1/tokens", "", nil)
	var log []struct{ Action string }
	romeo.want(200, "GET", "/v1/audit?action=system", "", &log)
	if len(log) < 6 {
		t.Errorf("%+v", log)
	}
}
