package testrig_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"parley/testrig"
)

// apiClient asks the API with a token.
type apiClient struct {
	t     *testing.T
	b     *testrig.Browser
	token string
}

func (a apiClient) do(method, path, body string, into any) int {
	a.t.Helper()
	p := a.b.Do(method, "/api"+path, nil, func(q *http.Request) {
		q.Header.Del("Sec-Fetch-Site")
		if a.token != "" {
			q.Header.Set("Authorization", "Bearer "+a.token)
		}
		if body != "" {
			q.Body, q.ContentLength = readCloser{strings.NewReader(body)}, int64(len(body))
			q.Header.Set("Content-Type", "application/json")
		}
	})
	if into != nil {
		if err := json.Unmarshal([]byte(p.Text), into); err != nil {
			a.t.Fatalf("%s %s: %d %s", method, path, p.Status, p.Text)
		}
	}
	return p.Status
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// newToken creates a token on the page of tokens.
func newToken(t *testing.T, b *testrig.Browser, scopes ...string) string {
	t.Helper()
	fields := []string{"name", "test", "days", "30"}
	for _, s := range scopes {
		fields = append(fields, "scope", s)
	}
	p := b.Post("/me/tokens", fields...)
	token := regexp.MustCompile(`parley_[0-9a-z]+`).FindString(p.Text)
	if p.Status != 200 || token == "" {
		t.Fatalf("no token: %d", p.Status)
	}
	if strings.Contains(b.Get("/me/tokens").Text, token) {
		t.Error("the token is shown twice")
	}
	return token
}

func TestAPI(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	romeo, juliet := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	juliet.SignIn("juliet")
	all := apiClient{t, r.Browser(t), newToken(t, romeo, "people:read", "people:write", "groups:read", "groups:write",
		"messages:read", "messages:write", "audit:read")}
	reads := apiClient{t, r.Browser(t), newToken(t, romeo, "people:read")}
	hers := apiClient{t, r.Browser(t), newToken(t, juliet, "people:read", "people:write", "groups:read", "groups:write",
		"messages:read", "messages:write", "audit:read")}
	nobody := apiClient{t, r.Browser(t), ""}

	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Security []map[string][]string
		}
	}
	if status := nobody.do("GET", "/openapi.json", "", &doc); status != 200 ||
		!strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Paths) < 12 {
		t.Fatalf("%d, %s, %d paths", status, doc.OpenAPI, len(doc.Paths))
	}
	// Each operation that is described wants a token, and a scope of it.
	none := apiClient{t, r.Browser(t), newToken(t, romeo, "audit:read")}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			path := strings.TrimPrefix(regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "romeo"), "/api")
			body := ""
			if method != "get" {
				body = "{}"
			}
			if len(op.Security) != 1 || len(op.Security[0]["token"]) != 1 {
				t.Errorf("%s %s is open", method, path)
			}
			if status := nobody.do(strings.ToUpper(method), path, body, nil); status != 401 {
				t.Errorf("%s %s without a token: %d", method, path, status)
			}
			if status := none.do(strings.ToUpper(method), path, body, nil); status != 403 && path != "/v1/audit" {
				t.Errorf("%s %s without the scope: %d", method, path, status)
			}
		}
	}
	if status := (apiClient{t, r.Browser(t), "parley_nonsense"}).do("GET", "/v1/people", "", nil); status != 401 {
		t.Errorf("a token that is none: %d", status)
	}
	// The cookie of the pages is no token.
	if status := (apiClient{t, romeo, ""}).do("GET", "/v1/people", "", nil); status != 401 {
		t.Errorf("with a cookie: %d", status)
	}

	var person struct{ Name, Address, State, Role string }
	if status := all.do("POST", "/v1/people", `{"full_name": "Ben Volio", "email": "ben@work.example", "lang": "fr"}`,
		&person); status != 201 || person.Address != "ben@example.org" || person.State != "invited" {
		t.Fatalf("%d, %+v", status, person)
	}
	var problem struct {
		Detail string
		Errors []struct{ Location string }
	}
	if status := all.do("POST", "/v1/people", `{"email": "BEN@work.example", "name": "other"}`,
		&problem); status != 409 || problem.Errors[0].Location != "body.email" {
		t.Errorf("%d, %+v", status, problem)
	}
	if status := all.do("POST", "/v1/people", `{"name": "x", "colour": "red"}`, nil); status != 422 {
		t.Errorf("a field that there is not: %d", status)
	}
	var link struct{ Link, URI string }
	if status := all.do("POST", "/v1/people/ben/invitation", `{"hours": 2}`, &link); status != 200 ||
		!strings.Contains(link.Link, "/i/") || !strings.Contains(link.URI, "preauth=") {
		t.Fatalf("%d, %+v", status, link)
	}
	if p := r.Browser(t).Post(link.Link[strings.Index(link.Link, "/i/"):], "full_name", "Ben",
		"password", "A-good-Password-1", "again", "A-good-Password-1"); p.To != "/welcome" {
		t.Errorf("accepted: %d", p.Status)
	}
	var page struct {
		Total  int
		People []struct{ Name, State string }
	}
	if status := reads.do("GET", "/v1/people?q=ben&state=active", "", &page); status != 200 || page.Total != 1 ||
		page.People[0].Name != "ben" {
		t.Errorf("%d, %+v", status, page)
	}
	if status := reads.do("PATCH", "/v1/people/ben", `{"title": "x"}`, nil); status != 403 {
		t.Errorf("writing with a scope to read: %d", status)
	}
	if status := all.do("PATCH", "/v1/people/ben", `{"title": "Cousin", "disabled": true}`, &person); status != 200 ||
		person.State != "disabled" {
		t.Errorf("%d, %+v", status, person)
	}
	// A member's token with every scope is still a member's.
	for _, c := range [][3]string{
		{"GET", "/v1/people", ""},
		{"GET", "/v1/people/romeo", ""},
		{"POST", "/v1/people", `{"name": "x"}`},
		{"DELETE", "/v1/people/ben", ""},
		{"GET", "/v1/audit", ""},
		{"POST", "/v1/groups", `{"name": "x"}`},
		{"PATCH", "/v1/people/juliet", `{"role": "owner"}`},
	} {
		if status := hers.do(c[0], c[1], c[2], nil); status != 403 {
			t.Errorf("%s %s by a member: %d", c[0], c[1], status)
		}
	}

	if status := all.do("POST", "/v1/groups", `{"name": "Verona", "kind": "private"}`, nil); status != 201 {
		t.Fatalf("%d", status)
	}
	if status := hers.do("GET", "/v1/groups/verona", "", nil); status != 404 {
		t.Errorf("a private group for a stranger: %d", status)
	}
	if status := all.do("PUT", "/v1/groups/verona/members/juliet", `{"role": "member"}`, nil); status != 204 {
		t.Errorf("%d", status)
	}
	if status := hers.do("POST", "/v1/groups/verona/messages", `{"text": "wherefore"}`, nil); status != 204 {
		t.Errorf("%d", status)
	}
	var ms []struct{ Text, Sender string }
	if status := all.do("GET", "/v1/groups/verona/messages", "", &ms); status != 200 ||
		ms[len(ms)-1].Text != "wherefore" || ms[len(ms)-1].Sender != "juliet@example.org" {
		t.Errorf("%d, %+v", status, ms)
	}
	if status := all.do("GET", "/v1/search?q=wherefore", "", &ms); status != 200 || len(ms) != 1 {
		t.Errorf("%d, %+v", status, ms)
	}
	if status := hers.do("PUT", "/v1/groups/verona/members/juliet", `{"role": "owner"}`, nil); status != 403 {
		t.Errorf("a member makes herself owner: %d", status)
	}
	var log []struct{ Actor, Action string }
	if status := all.do("GET", "/v1/audit?action=group", "", &log); status != 200 || len(log) < 2 ||
		log[0].Actor != "romeo" {
		t.Errorf("%d, %+v", status, log)
	}
	// Revoked, it is no good; so is that of a disabled account.
	hash := regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`).FindStringSubmatch(juliet.Get("/me/tokens").Text)
	if hash == nil {
		t.Fatal("no token on the page")
	}
	if p := romeo.Post("/me/tokens/revoke", "token", hash[1]); p.Status != 303 ||
		hers.do("GET", "/v1/groups", "", nil) != 200 {
		t.Error("somebody else's token was revoked")
	}
	juliet.Post("/me/tokens/revoke", "token", hash[1])
	if status := hers.do("GET", "/v1/groups", "", nil); status != 401 {
		t.Errorf("revoked: %d", status)
	}
}
