package testrig_test

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// kindOfThing is what an id in a path, or in a query, names: an id that exists and one that does not.
type kindOfThing struct{ at, there, none string }

// kinds are things that a member of the group, or a supervisor of other people, has nothing to do with.
func (x things) kinds() []kindOfThing {
	other := func(id string) string { // of the same form
		last := "0"
		if strings.HasSuffix(id, "0") {
			last = "1"
		}
		return id[:len(id)-1] + last
	}
	k := func(at, id string) kindOfThing { return kindOfThing{at, id, other(id)} }
	return []kindOfThing{
		k("/teams/{team}", x.at["team"]), k("/people/{name}", "paris"), k("/people/{name}", "valentine"),
		k("/invitations/{id}", x.at["invitation"]), k("/webhooks/{id}", x.at["webhook"]),
		k("/reports/{id}", x.at["report"]), k("/mail/{id}", x.at["mail"]), k("/tokens/{id}", x.at["key of a program"]),
		k("owner={owner}", "escalus"), k("owner={owner}", "paris"), k("/messages/{id}", x.at["reply"]),
		k("/m/{id}", x.at["reply"]), k("/members/{address}", "paris"), k("/requests/{address}", "paris"),
		k("/people/{address}", "paris"), k("theme={theme}", x.at["key"]), k("/t/{key}", x.at["key"]),
		k("/themes/{theme}", x.at["key"]), k("/profile-fields/{key}", x.at["field"]),
		k("/people/fields/{key}", x.at["field"]), k("/links/{link}", x.at["link"]),
		k("/tasks/{task}", x.at["task"]), k("/scheduled/{scheduled}", x.at["scheduled"]),
		k("/settings/actions/{action}", x.at["action"]), k("/v1/actions/{action}", x.at["action"]),
		{"/conversations/{id}", x.at["secretroom"], "nothing@groups." + x.host},
		{"/chat/c/{id}", x.at["secretroom"], "nothing@groups." + x.host},
	}
}

// others are ids in paths that name nothing secret: random secrets, and things that everybody knows.
var others = regexp.MustCompile(`\{(token|hash|version|section|domain|kind|view|name\.\.\.|\$)\}`)

// TestThingsCannotBeTold: every page and operation with an id in it (people, teams, invitations, webhooks, tokens,
// reports, mails, themes, messages) gives people who may not know of the thing the same answer as for an id that does
// not exist.
func TestThingsCannotBeTold(t *testing.T) {
	r := testrig.Start(t, web)
	x := makeThings(t, r, testrig.Host)
	ctx := t.Context()
	g, err := r.Node.Org.Group(ctx, testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"member", "supervisor"} { // in the group, and not in its theme
		if err := r.Node.Org.SetMember(ctx, acts.System, testrig.Host, g.ID,
			jid.MustParse(name+"@"+testrig.Host), store.RoleMember); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := r.Node.Org.CreateTheme(ctx, acts.System, testrig.Host, g.ID,
		org.NewTheme{Name: "Plot", Restricted: true, Creator: jid.MustParse("nurse@" + testrig.Host)})
	if err != nil {
		t.Fatal(err)
	}
	x.at["key"], x.at["secretroom"] = secret.Key, secret.Room+"@groups."+testrig.Host
	nurse := &chatter{t: t, b: r.Browser(t)}
	nurse.b.SignIn("nurse")
	var task struct{ ID string }
	nurse.must("POST", in(x.at["secretroom"], "/tasks"), map[string]any{"what": "Hush"}, &task)
	x.at["task"] = task.ID
	if _, _, err := r.Node.Store.UpdateOwner(ctx, testrig.Host,
		"supervisor", func(p *store.Person) error { p.Department = "Kitchen"; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"member", "supervisor"} {
		b := r.Browser(t)
		b.SignIn(who)
		token := newToken(t, b, people.Scopes...)
		bodies := described(t, b)
		asked, walked := 0, make(map[string]bool)
		for _, door := range append(slices.Sorted(maps.Keys(bodies)), pagesOf(r)...) {
			sort, rest, _ := strings.Cut(door, " ")
			method, path, _ := strings.Cut(rest, " ")
			if sort == "api" && strings.Contains(door, "/tokens/{id}") {
				path += "?owner={owner}"
			}
			if sort == "api" && regexp.MustCompile(`groups/\{slug\}/(messages|kick)`).MatchString(path) {
				path += "?theme={theme}"
			}
			get := func(at string) testrig.Page {
				if sort == "page" {
					var form url.Values
					if method == "POST" {
						form = url.Values{}
					}
					return b.Do(method, at, form, nil)
				}
				return askAPI(b, token, method, at, bodyFor(t, door, bodies[door]))
			}
			for _, k := range x.kinds() {
				if !strings.Contains(path, k.at) || last(door) > 0 && strings.HasSuffix(door, "{slug}/leave") {
					continue
				}
				walked[door] = true
				for _, act := range []string{
					"disable", "signout", "invite", "reset", "delete", "resend", "revoke", "extend",
				} {
					at := strings.NewReplacer("{act}", act, "{kind}", "snippets").Replace(path)
					at = strings.Replace(at, k.at, braces.ReplaceAllString(k.at, "SLOT"), 1)
					at = strings.NewReplacer("{owner}", "escalus", "?theme={theme}", "", "/themes/{theme}",
						"/themes/"+secret.Key, "/tokens/{id}", "/tokens/"+x.at["key of a program"]).Replace(at)
					at = x.fill(at)
					one, two := get(strings.ReplaceAll(at, "SLOT", k.there)),
						get(strings.ReplaceAll(at, "SLOT", k.none))
					asked++
					same := func(p testrig.Page, id string) string { return strings.ReplaceAll(p.To+p.Text, id, "X") }
					if one.Status != two.Status || same(one, k.there) != same(two, k.none) {
						t.Errorf("%s, %s: %s gives %d, %s gives %d\n%s\n%s",
							who, door, k.there, one.Status, k.none, two.Status, cutShort(one), cutShort(two))
					}
					if at == path || !strings.Contains(path, "{act}") {
						break
					}
				}
			}
			if left := braces.FindString(others.ReplaceAllString(path, "")); left != "" &&
				left != "{slug}" && !walked[door] {
				t.Errorf("%s: say in kinds, or in others, what %s is", door, left)
			}
		}
		if asked < 100 {
			t.Errorf("only %d were asked", asked)
		}
	}
}

func pagesOf(r *testrig.Rig) (doors []string) {
	for _, route := range r.Node.WebRoutes() {
		if strings.Contains(route, "{") && !strings.HasPrefix(strings.SplitN(route, " ", 2)[1], "/api/") {
			doors = append(doors, "page "+route)
		}
	}
	slices.Sort(doors)
	return doors
}

func cutShort(p testrig.Page) string {
	text := p.To + " " + p.Text
	if i := strings.Index(text, "<main"); i >= 0 {
		text = text[i:]
	}
	return text[:min(len(text), 400)]
}

// TestRightComesBeforeInput: a member of a group without the right to an act gets the same refusal whatever they send;
// so does a user of the console for things outside their reach.
func TestRightComesBeforeInput(t *testing.T) {
	r := testrig.Start(t, web)
	x := makeThings(t, r, testrig.Host)
	ctx := t.Context()
	moderators, kind := "moderators", org.Announcement
	g, err := r.Node.Org.Group(ctx, testrig.Host, "verona")
	if err == nil {
		_, err = r.Node.Org.Update(ctx, acts.System, testrig.Host, g.ID,
			org.GroupChange{Kind: &kind, ThemesBy: &moderators})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"member", "supervisor"} {
		if err := r.Node.Org.SetMember(ctx, acts.System, testrig.Host, g.ID,
			jid.MustParse(name+"@"+testrig.Host), store.RoleMember); err != nil {
			t.Fatal(err)
		}
		b := r.Browser(t)
		b.SignIn(name)
		token := newToken(t, b, people.Scopes...)
		bodies := described(t, b)
		refused := 0
		for _, door := range inOrder(slices.Sorted(maps.Keys(bodies))) {
			method, path, _ := strings.Cut(strings.TrimPrefix(door, "api "), " ")
			if !strings.Contains(path, "{") || strings.HasSuffix(path, "/leave") {
				continue
			}
			body := bodyFor(t, door, bodies[door])
			if p := askAPI(b, token, method, x.fill(path), body); p.Status == 403 || p.Status == 404 &&
				name == "member" && !strings.Contains(path, "photo") && !strings.Contains(path, "/messages/{id}") {
				refused++
				sameWhateverIsSent(t, b, token, door, x.fill(path), p)
			}
		}
		if refused < 30 {
			t.Errorf("%s: only %d were refused", name, refused)
		}
	}
}
