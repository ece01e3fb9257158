package testrig_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// askers are the people who try the doors of the console, each with a letter: a stranger (not signed in; for commands a
// member of another host), a member, a supervisor, an administrator of another host with that host's things, the same
// with the first host's things (commands only: pages and the API know the host from the asker), an administrator of the
// first host, its owner.
var askers = []struct{ letter, account, host, role string }{
	{"x", "guest", testrig.Second, store.RoleMember},
	{"m", "member", testrig.Host, store.RoleMember},
	{"s", "supervisor", testrig.Host, store.RoleSupervisor},
	{"e", "elsewhere", testrig.Second, store.RoleAdmin},
	{"f", "elsewhere", testrig.Second, store.RoleAdmin},
	{"a", "admin", testrig.Host, store.RoleAdmin},
	{"o", "owner", testrig.Host, store.RoleOwner},
}

// deed is something that can be done by one or several doors: whoever may do it may do it by each of them.
type deed struct {
	name, who string // letters of askers; "f" is only asked at commands
	doors     []string
}

// things are the objects of a host that the doors need, made by its owner. They stand for the names in patterns.
type things struct {
	host string
	at   map[string]string
}

// makeThings makes the things, and the askers.
func makeThings(t *testing.T, r *testrig.Rig, host string) things {
	t.Helper()
	make := func(name, role string) {
		r.Account(name + "@" + host)
		if _, _, err := r.Node.Store.UpdateOwner(t.Context(), host, name, func(p *store.Person) error {
			p.Role, p.Department, p.Email = role, "Sales", name+"@work.example"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		r.AccountChanged(host, name)
	}
	make("escalus", store.RoleOwner)
	make("paris", store.RoleMember)
	make("nurse", store.RoleMember)
	for _, a := range askers {
		if a.host == host && a.letter != "f" {
			make(a.account, a.role)
		}
	}
	b := r.Browser(t)
	b.Base = "https://" + host
	b.SignIn("escalus@" + host)
	api := apiClient{t, b, newToken(t, b, people.Scopes...)}
	create := func(path, body, field string) string {
		t.Helper()
		var got map[string]any
		if status := api.do("POST", "/v1"+path, body, &got); status >= 300 {
			t.Fatalf("%s: %d %v", path, status, got)
		}
		s, _ := got[field].(string)
		return s
	}
	at := map[string]string{
		"slug":    "verona",
		"name":    "paris",
		"team":    "guards",
		"address": "paris@" + host,
		"domain":  "bad.example",
		"section": "organization",
		"hash":    "0",
		"kind":    "snippets",
		"token":   "0",
		"version": "0",
	}
	create("/groups", `{"name":"Verona","slug":"verona","kind":"private"}`, "slug")
	create("/groups/verona/members", `{"members":["nurse"],"role":"owner"}`, "")
	at["key"] = create("/groups/verona/themes", `{"name":"Balcony"}`, "key")
	at["theme"] = at["key"]
	at["room"], at["themeroom"] = rooms(t, r, host)
	create("/groups", `{"name":"Mantua","slug":"mantua"}`, "slug")
	api.do("DELETE", "/v1/groups/mantua", "", nil)
	create("/teams", `{"name":"Guards","slug":"guards","people":["paris"]}`, "slug")
	at["field"] = create("/profile-fields", `{"name":"Extension"}`, "key")
	at["link"] = create("/links", `{"name":"Tickets","url":"https://tickets.example/"}`, "id")
	at["action"] = create("/actions", `{"name":"Create a ticket","url":"https://127.0.0.1:9/","comment":true}`, "id")
	at["invitation"] = create("/invitations", `{}`, "id")
	at["webhook"] = create("/webhooks", `{"group":"verona","name":"builds"}`, "id")
	at["task"] = create("/conversations/"+at["room"]+"/tasks", `{"what":"Keep the peace"}`, "id")
	tomorrow := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
	at["scheduled"] = create("/conversations/"+at["room"]+"/scheduled", `{"text":"hi","at":"`+tomorrow+`"}`, "id")
	for name, page := range map[string]string{"message": "/g/verona", "reply": "/g/verona/t/" + at["key"]} {
		if p := b.Post(page, "text", "hello"); p.Status != http.StatusSeeOther {
			t.Fatal(p.Status, p.Text)
		}
		if m := regexp.MustCompile(page + `/m/([0-9a-z]{13})`).FindStringSubmatch(b.Get(page).Text); m != nil {
			at[name] = m[1]
		}
	}
	create("/people", `{"name":"valentine"}`, "name")
	if p := b.Post("/admin/system/mail"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status, p.Text)
	}
	mails, err := r.Node.Store.Mails(t.Context(), host, 0, 1)
	if err != nil || len(mails) == 0 {
		t.Fatal(mails, err)
	}
	at["mail"] = mails[0].ID.String()
	tokens, err := r.Node.Store.APITokensOf(t.Context(), host, "escalus")
	if err != nil || len(tokens) == 0 {
		t.Fatal(tokens, err)
	}
	at["key of a program"] = tokens[0].Hash
	rep := store.Report{Host: host, ID: r.Node.IDs.Next(), Reporter: "paris", Who: "spam@bad.example", Reason: "spam"}
	if err := r.Node.Store.AddReport(t.Context(), rep, 10); err != nil {
		t.Fatal(err)
	}
	at["report"] = rep.ID.String()
	return things{host, at}
}

// rooms gives the addresses of the group's room and of its theme's.
func rooms(t *testing.T, r *testrig.Rig, host string) (group, theme string) {
	t.Helper()
	g, err := r.Node.Org.Group(t.Context(), host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	ths, err := r.Node.Org.Themes(t.Context(), host, g.ID, jid.MustParse("nurse@"+host))
	if err != nil || len(ths) == 0 {
		t.Fatal(ths, err)
	}
	return g.Room + "@groups." + host, ths[0].Room + "@groups." + host
}

var braces = regexp.MustCompile(`\{[^}]*\}`)

// fill puts their ids into a pattern.
func (x things) fill(pattern string) string {
	if special, ok := map[string]string{
		"/api/v1/deleted-groups/{slug}/restore":     "/api/v1/deleted-groups/mantua/restore",
		"/admin/people/{name}/{act}":                "/admin/people/paris/signout",
		"/admin/people/fields/{key}":                "/admin/people/fields/{field}",
		"/admin/people/fields/{key}/{act}":          "/admin/people/fields/{field}/up",
		"/api/v1/profile-fields/{key}":              "/api/v1/profile-fields/{field}",
		"/admin/settings/links/{link}/{act}":        "/admin/settings/links/{link}/up",
		"/admin/settings/actions/{action}/{act}":    "/admin/settings/actions/{action}/up",
		"/admin/webhooks/{id}/{act}":                "/admin/webhooks/{webhook}/disable",
		"/admin/invitations/{id}/{act}":             "/admin/invitations/{invitation}/extend",
		"/api/v1/teams/{team}/shares/{kind}/{name}": "/api/v1/teams/guards/shares/snippets/hi",
		"/api/v1/people/{name}/invitation":          "/api/v1/people/valentine/invitation",
		"/api/v1/groups/{slug}/members/{address}":   "/api/v1/groups/verona/members/nurse",
		"/pick/groups":                              "/pick/groups?for=colleague",
		"/api/v1/search":                            "/api/v1/search?q=hello",
		"/api/v1/find":                              "/api/v1/find?q=hello",
		"/api/v1/preview":                           "/api/v1/preview?address=http://127.0.0.1/",
		"/chat/{view}":                              "/chat/missed",
		"/g/{slug}/t/{key}/m/{id}":                  "/g/verona/t/{key}/m/{reply}",
		"/g/{slug}/t/{key}/m/{id}/retract":          "/g/verona/t/{key}/m/{reply}/retract",
		"/g/{slug}/t/{key}/m/{id}/act/{action}":     "/g/verona/t/{key}/m/{reply}/act/{action}",
		"/admin/system/mail/{id}":                   "/admin/system/mail/{mail}",
		"/api/v1/tokens/{id}":                       "/api/v1/tokens/{key of a program}?owner=escalus",
	}[pattern]; ok {
		pattern = special
	}
	for part, of := range map[string]string{
		"/invitations/":   "invitation",
		"/webhooks/":      "webhook",
		"/messages/":      "message",
		"/conversations/": "room",
		"/m/":             "message",
		"/reports/":       "report",
	} {
		pattern = strings.ReplaceAll(pattern, part+"{id}", part+"{"+of+"}")
	}
	return braces.ReplaceAllStringFunc(strings.ReplaceAll(pattern, "{$}", ""), func(name string) string {
		name = strings.Trim(name, "{}.")
		if v, ok := x.at[name]; ok {
			return v
		}
		return "0"
	})
}

// shutPage says that a page refuses the asker; public pages, which anybody may open, may say that something does not
// exist.
func shutPage(p testrig.Page, public bool) bool {
	// where a form leads to, which says what went wrong
	for _, k := range (&http.Response{Header: p.Header}).Cookies() {
		if b, err := base64.RawURLEncoding.DecodeString(k.Value); err == nil &&
			strings.Contains(string(b), "Your role does not allow this") {
			return true
		}
	}
	return p.Status == 401 || p.Status == 403 || p.Status == 404 && !public ||
		p.Status == 303 && strings.HasPrefix(p.To, "/login") && !public
}

// last are the pages and operations that end what others need: they are tried after those, and with
// nothing left to lose.
func last(door string) int {
	switch {
	case strings.Contains(door, "GET "):
		return 0
	case strings.Contains(door, "logout"), strings.Contains(door, "me/sessions"):
		return 4
	case slices.Contains([]string{
		"api DELETE /api/v1/teams/{team}", "api DELETE /api/v1/groups/{slug}", "api DELETE /api/v1/people/{name}",
		"page POST /admin/teams/{team}/delete", "page POST /g/{slug}/delete",
	}, door):
		return 3
	case strings.HasSuffix(door, "/join"), strings.Contains(door, "DELETE"), strings.HasSuffix(door, "/delete"),
		strings.HasSuffix(door, "/leave"), strings.HasSuffix(door, "/kick"):
		return 2
	}
	return 1
}

// sent holds the fields that a form or a request needs to get as far as the check of rights.
var sent = map[string]string{
	"page POST /lang":                        "lang=en",
	"page POST /admin/settings/default":      "name=organization.title",
	"api POST /api/v1/groups/{slug}/members": `{"members":["paris"],"role":"member"}`,
	"api POST /api/v1/groups/{slug}/kick":    `{"address":"paris"}`,
	"api POST /api/v1/people":                `{"name":"lucetta","department":"Sales"}`,
	"api PUT /api/v1/groups/{slug}/photo":    `{"image":"aGVsbG8="}`,
	"api PATCH /api/v1/people/{name}":        `{"phone":"123"}`,
}

// bodyFor returns the body for an operation: from sent, or made from the operation's schema.
func bodyFor(t *testing.T, door string, described any) string {
	t.Helper()
	if known := sent[door]; known != "" || described == nil {
		return known
	}
	raw, err := json.Marshal(described)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func inOrder(doors []string) []string {
	slices.SortStableFunc(doors, func(a, b string) int { return last(a) - last(b) })
	return doors
}

// described is the server's description of its operations: by door, the schema of the body.
func described(t *testing.T, b *testrig.Browser) map[string]any {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]apiOperation
		Components struct{ Schemas map[string]any }
	}
	if status := (apiClient{t, b, ""}).do("GET", "/openapi.json", "", &doc); status != 200 {
		t.Fatal(status)
	}
	out := make(map[string]any)
	for path, ops := range doc.Paths {
		for method, op := range ops {
			door := "api " + strings.ToUpper(method) + " " + path
			if out[door] = nil; op.RequestBody == nil {
				continue
			}
			var schema any
			if err := json.Unmarshal(op.RequestBody.Content["application/json"].Schema, &schema); err != nil {
				t.Fatal(err)
			}
			out[door] = sample(doc.Components.Schemas, schema)
		}
	}
	return out
}

// sample makes the smallest value that a schema accepts.
func sample(all map[string]any, schema any) any {
	s, _ := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		name, err := url.PathUnescape(strings.TrimPrefix(ref, "#/components/schemas/"))
		if err != nil {
			return nil
		}
		return sample(all, all[name])
	}
	if enum := list(s["enum"]); len(enum) > 0 {
		return enum[0]
	}
	switch typ := append(list(s["type"]), s["type"]); typ[0] {
	case "object":
		props, _ := s["properties"].(map[string]any)
		out := make(map[string]any)
		for _, name := range list(s["required"]) {
			name, _ := name.(string)
			out[name] = sample(all, props[name])
		}
		return out
	case "array":
		return []any{}
	case "boolean":
		return true
	case "integer", "number":
		return 1
	}
	return "x"
}

// ad-hoc commands: where they are, by a name that does not change from run to run.
func (x things) services(host string) map[string]string {
	return map[string]string{
		"host":   host,
		"groups": "groups." + host,
		"room":   x.at["room"],
		"theme":  x.at["themeroom"],
		"free":   "square@groups." + host,
		"nodes":  "pubsub." + host,
		"spaces": "spaces." + host,
		"users":  "users." + host,
	}
}

// askCommands tries each command without listing them first, and compares with the list offered.
func askCommands(t *testing.T, r *testrig.Rig, x things, c *testrig.Client, known []string) (open map[string]bool) {
	t.Helper()
	open = make(map[string]bool)
	listed := make(map[string]bool)
	for at, address := range x.services(x.host) {
		e := ask(t, c, address, "get",
			"<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>")
		if q := e.Find("query"); ok(e) && q != nil {
			for _, it := range q.Children {
				listed["command "+at+" "+it.Attr("node")] = true
			}
		}
	}
	for _, door := range append(slices.Collect(maps.Keys(listed)), known...) {
		parts := strings.Fields(door)
		e := ask(t, c, x.services(x.host)[parts[1]], "set",
			"<command xmlns='http://jabber.org/protocol/commands' node='"+parts[2]+"' action='cancel'/>")
		open[door] = ok(e)
		if open[door] != listed[door] {
			t.Errorf("%s: listed %v, open %v", door, listed[door], open[door])
		}
	}
	return open
}

// askAPI asks an operation with a body, or with none.
func askAPI(b *testrig.Browser, token, method, path, body string) testrig.Page {
	return b.Do(method, path, nil, func(q *http.Request) {
		q.Header.Del("Sec-Fetch-Site")
		if token != "" { // a wrong one would be counted, and stop the test
			q.Header.Set("Authorization", "Bearer "+token)
		}
		if body != "" {
			q.Body, q.ContentLength = readCloser{strings.NewReader(body)}, int64(len(body))
			q.Header.Set("Content-Type", "application/json")
		}
	})
}

// sameWhateverIsSent checks that somebody without the right gets one answer, whatever they send.
func sameWhateverIsSent(t *testing.T, b *testrig.Browser, token, door, path string, refused testrig.Page) {
	t.Helper()
	method, _, _ := strings.Cut(strings.TrimPrefix(door, "api "), " ")
	bodies := []string{""}
	if method != "GET" && method != "DELETE" {
		bodies = append(bodies, "{", "{}", "[1]", `{"name":7,"role":"x","members":[],"text":"","hours":-1,"nothing":1}`)
	}
	and := "?"
	if strings.Contains(path, "?") {
		and = "&"
	}
	for _, query := range []string{"", and + "limit=x&offset=-1&state=x&whose=x&before=" + strings.Repeat("x", 50)} {
		for _, body := range bodies {
			if p := askAPI(b, token, method, path+query, body); p.Status != refused.Status || p.Text != refused.Text {
				t.Errorf("%s: %d %s, and with %s %s: %d %s",
					door, refused.Status, refused.Text, query, body, p.Status, p.Text)
				return
			}
		}
	}
}

// everyDoor asks all the doors of a kind as somebody.
func everyDoor(t *testing.T, kind string, i int, want map[string]*deed) (open map[string]bool) {
	t.Helper()
	who := askers[i]
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Shutdown.ByCommand = true
	})
	host := testrig.Host
	if who.letter == "e" {
		host = who.host
	}
	x := makeThings(t, r, host)
	if who.host != host {
		r.Account(who.account + "@" + who.host)
		if _, _, err := r.Node.Store.UpdateOwner(t.Context(), who.host,
			who.account, func(p *store.Person) error { p.Role = who.role; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	b := r.Browser(t)
	b.Base = "https://" + host
	if who.letter != "x" {
		b.SignIn(who.account + "@" + who.host)
	}
	open = make(map[string]bool)
	switch kind {
	case "command":
		var hosts []string
		for door := range want {
			if strings.HasPrefix(door, "command ") {
				hosts = append(hosts, door)
			}
		}
		for _, f := range r.Node.Host(host).Features {
			for _, c := range f.Commands {
				hosts = append(hosts, "command host "+c.Node)
			}
		}
		nurse := signInAt(t, r, "nurse", host, "x")
		enters(t, nurse, "square@groups."+host)
		if e := ask(t, nurse, "square@groups."+host, "set",
			"<query xmlns='http://jabber.org/protocol/muc#owner'>"+
				"<x xmlns='jabber:x:data' type='submit'/></query>"); !ok(e) {
			t.Fatal(e)
		}
		return askCommands(t, r, x, signInAt(t, r, who.account, who.host, "x"), hosts)
	case "page":
		var doors []string
		for _, route := range r.Node.WebRoutes() {
			doors = append(doors, "page "+route)
		}
		for _, door := range inOrder(doors) {
			method, path, ok := strings.Cut(strings.TrimPrefix(door, "page "), " ")
			if !ok {
				method, path = "GET", "/nothing/here"
			}
			var form url.Values
			if method == "POST" {
				if form, _ = url.ParseQuery(sent[door]); form == nil {
					form = url.Values{}
				}
			}
			// the backup would be under way when the node stops
			if door == "page POST /admin/system/backup" && who.letter == "o" {
				open[door] = strings.Contains(b.Get("/admin/system").Text, `action="/admin/system/backup"`)
				continue
			}
			p := b.Do(method, x.fill(path), form, nil)
			open[door] = !shutPage(p, want[door] != nil && strings.Contains(want[door].who, "x"))
		}
	case "api":
		token := ""
		if who.letter != "x" {
			token = newToken(t, b, people.Scopes...)
		}
		bodies := described(t, b)
		delete(bodies, "api GET /api/v1/events") // it goes on for ever: TestFrontStream
		for _, door := range inOrder(slices.Sorted(maps.Keys(bodies))) {
			method, path, _ := strings.Cut(strings.TrimPrefix(door, "api "), " ")
			body := bodyFor(t, door, bodies[door])
			p := askAPI(b, token, method, x.fill(path), body)
			open[door] = p.Status != 401 && p.Status != 403 && p.Status != 404
			// Only people without the right: administrators have it, and are told that the person does not exist; a
			// stranger has no token.
			if d := want[door]; !open[door] && token != "" && d != nil && !strings.Contains(d.who, who.letter) &&
				(d.who != "" || strings.Contains("ms", who.letter)) {
				sameWhateverIsSent(t, b, token, door, x.fill(path), p)
			}
		}
	}
	return open
}

// Whoever may do something may do it by every door for it, and nobody else by any: pages of the console, the API, and
// ad-hoc commands, as the running server lists them. A new door must be named in deeds.
func TestEveryDoorAsksTheSame(t *testing.T) {
	want := make(map[string]*deed)
	for i := range deeds {
		for _, door := range deeds[i].doors {
			if want[door] != nil {
				t.Errorf("%s: named twice", door)
			}
			want[door] = &deeds[i]
		}
	}
	for _, kind := range []string{"command", "page", "api"} {
		for i, a := range askers {
			if a.letter == "f" && kind != "command" {
				continue
			}
			t.Run(kind+" "+a.letter, func(t *testing.T) {
				t.Parallel()
				open := everyDoor(t, kind, i, want)
				for door := range open {
					if want[door] == nil {
						t.Errorf("%s is new: say in deeds who may open it", door)
					} else if may := strings.Contains(want[door].who, a.letter); may != open[door] {
						t.Errorf("%s (%s): open %v, want %v", door, want[door].name, open[door], may)
					}
				}
				for door := range want {
					if _, there := open[door]; !there && strings.HasPrefix(door, kind+" ") {
						t.Errorf("%s is not there any more", door)
					}
				}
			})
		}
	}
}
