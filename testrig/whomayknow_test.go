package testrig_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/server"
	"parley/testrig"
	"parley/wire/jid"
)

// TestAccountsCannotBeTold: for an account that shows a stranger nothing, features answer the stranger as for an
// account that does not exist. The test asks every query that accounts answer, also from another host.
func TestAccountsCannotBeTold(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo", "juliet", "nurse@second.example")
	juliet, romeo := signIn(t, r, "juliet"), signIn(t, r, "romeo")
	do(t, juliet, "<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='hers'>"+
		"<item id='i'><e xmlns='u:x'/></item></publish></pubsub></iq>", "p")
	nurse, err := r.Connect("tls", testrig.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nurse.Close)
	if err := nurse.SignIn("nurse", testrig.Password); err != nil || nurse.Bind("x") != nil {
		t.Fatal(err)
	}
	payloads := map[string][]string{
		"http://jabber.org/protocol/pubsub": {"<items node='hers'/>", "<items node='none'/>",
			"<items node='urn:xmpp:bookmarks:1'/>", "<items node='urn:xmpp:avatar:metadata'/>", "<items/>",
			"<subscribe node='hers' jid='romeo@example.org'/>", "<subscribe node='none' jid='romeo@example.org'/>",
			"<publish node='hers'><item/></publish>", "<publish node='none'><item/></publish>",
			"<retract node='hers'><item id='i'/></retract>", "<options node='hers' jid='romeo@example.org'/>",
			"<default node='hers'/>", "<create node='x'/>", "<bad/>", ""},
		"http://jabber.org/protocol/pubsub#owner": {"<configure node='hers'/>", "<configure node='none'/>",
			"<delete node='hers'/>", "<purge node='none'/>", "<affiliations node='hers'/>", "<default/>"},
		"http://jabber.org/protocol/disco#info":       {""},
		"http://jabber.org/protocol/disco#items":      {""},
		"http://jabber.org/protocol/commands command": {""},
	}
	asked := 0
	id := regexp.MustCompile(`(juliet|nobody)@example\.org|id='[^']*'|id="[^"]*"`)
	for _, f := range r.Node.Host(testrig.Host).Features {
		for q := range f.IQ {
			if q.To != server.ToAccount {
				continue
			}
			inner := payloads[q.Space]
			if inner == nil {
				inner = []string{"", "<x/>"}
			}
			for _, in := range inner {
				for _, node := range []string{"", " node='hers'", " node='none'"} {
					for _, by := range []*testrig.Client{romeo, nurse} {
						var answers [2]string
						for i, name := range []string{"juliet", "nobody"} {
							asked++
							n := fmt.Sprint("q", asked)
							e := do(t, by, fmt.Sprintf("<iq type='%s' id='%s' to='%s@example.org'>"+
								"<%s xmlns='%s'%s>%s</%[4]s></iq>", q.Type, n, name, q.Local, q.Space, node, in), n)
							answers[i] = id.ReplaceAllString(e.String(), "")
						}
						if answers[0] != answers[1] {
							t.Errorf("%s %s %s%s %s from %s:\n%s\nand for nobody\n%s",
								q.Type, q.Space, q.Local, node, in, by.Host(), answers[0], answers[1])
						}
					}
				}
			}
		}
	}
	if asked < 200 {
		t.Errorf("only %d questions", asked)
	}
}

// TestGroupsCannotBeTold: every page and every operation with a group or a theme in its path gives people who may not
// know of it the same answer as for one that does not exist.
func TestGroupsCannotBeTold(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet", "!friar")
	ctx, o := t.Context(), r.Node.Org
	plan := newGroup("Secretplan", "romeo")
	plan.Kind = org.Private
	secret, err := o.CreateGroup(ctx, acts.System, testrig.Host, plan)
	if err != nil {
		t.Fatal(err)
	}
	open, err := o.CreateGroup(ctx, acts.System, testrig.Host, newGroup("Verona", "romeo", "juliet"))
	if err != nil {
		t.Fatal(err)
	}
	romeo := jid.MustParse("romeo@" + testrig.Host)
	closed, err := o.CreateTheme(ctx, acts.System, testrig.Host, open.ID,
		org.NewTheme{Name: "Plot", Restricted: true, Creator: romeo})
	if err != nil {
		t.Fatal(err)
	}
	juliet := r.Browser(t)
	juliet.SignIn("juliet")
	token := newToken(t, juliet, "people:read", "people:write", "groups:read", "groups:write",
		"messages:read", "messages:write")
	type ask func(path string) (int, string)
	routes := make(map[string]ask)
	for _, route := range r.Node.WebRoutes() {
		method, path, _ := strings.Cut(route, " ")
		if !strings.Contains(path, "{slug}") || strings.HasPrefix(path, "/api/") {
			continue
		}
		routes[route] = func(at string) (int, string) {
			var form url.Values
			if method == "POST" {
				form = url.Values{}
			}
			p := juliet.Do(method, at, form, nil)
			return p.Status, p.To + p.Text
		}
	}
	api := apiClient{t, r.Browser(t), token}
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if status := api.do("GET", "/openapi.json", "", &doc); status != 200 {
		t.Fatal(status)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			if !strings.Contains(path, "{slug}") {
				continue
			}
			method := strings.ToUpper(method)
			routes[method+" "+path] = func(at string) (int, string) {
				body := ""
				if method != "GET" && method != "DELETE" {
					body = "{}"
				}
				var answer any
				status := api.do(method, strings.TrimPrefix(at, "/api"), body, &answer)
				return status, fmt.Sprint(answer)
			}
		}
	}
	if len(routes) < 40 {
		t.Fatalf("only %d routes have a group", len(routes))
	}
	rest := regexp.MustCompile(`\{[^}]*\}`)
	compare := func(route string, get ask, there, none string) {
		t.Helper()
		a, b := strings.NewReplacer(there, "X", url.PathEscape(there), "X"), strings.NewReplacer(none, "X")
		path := rest.ReplaceAllString(strings.TrimPrefix(route, strings.SplitN(route, " ", 2)[0]+" "), "1")
		s1, t1 := get(strings.ReplaceAll(path, "SLOT", there))
		s2, t2 := get(strings.ReplaceAll(path, "SLOT", none))
		if s1 != s2 || a.Replace(t1) != b.Replace(t2) {
			t.Errorf("%s: %s gives %d, %s gives %d\n%s\n%s", route, there, s1, none, s2, t1, t2)
		}
	}
	for route, get := range routes {
		compare(strings.NewReplacer("{slug}", "SLOT", "{key}", closed.Key, "{theme}", closed.Key).Replace(route), get,
			secret.Slug, "nosuchplan")
		if strings.Contains(route, "{key}") || strings.Contains(route, "{theme}") {
			compare(strings.NewReplacer("{slug}", open.Slug, "{key}", "SLOT", "{theme}", "SLOT").Replace(route), get,
				closed.Key, closed.Key[1:]+"z")
		}
	}
}
