package testrig_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// Colleagues are found by department and team, in pages, and nobody learns by that what is not shown to everybody.
func TestColleaguesByPart(t *testing.T) {
	r := testrig.Start(t, web)
	names := []string{"romeo"}
	for i := range 7 {
		names = append(names, "p"+strconv.Itoa(i))
	}
	r.Account(append(names, "!boss")...)
	ctx := t.Context()
	for i, name := range names {
		_, _, err := r.Node.Store.UpdatePerson(ctx, testrig.Host, name, func(p *store.Person) error {
			p.Department = []string{"Sales", "Support"}[i%2]
			if i == 1 {
				p.Shown.Department = store.ShownToAdmins
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for slug, by := range map[string]string{"red": "everyone", "secret": "members"} {
		n := org.NewTeam{Slug: slug, Name: slug, MentionBy: by, People: []string{"p0", "p1", "p2"}}
		if _, err := r.Node.Org.CreateTeam(ctx, acts.Operator, testrig.Host, n); err != nil {
			t.Fatal(err)
		}
	}
	romeo, boss := newChatter(t, r, "romeo"), newChatter(t, r, "boss")
	parts := func(c *chatter) string {
		var p webchat.Parts
		c.must("GET", "/colleagues/parts", nil, &p)
		return fmt.Sprint(p.Departments, p.Teams)
	}
	// romeo is in Sales with p1, p3 and p5; p0 does not show that it is in Support.
	if got := parts(romeo); got != "[{ Sales 3} { Support 3}] [{red red 3}]" {
		t.Errorf("romeo: %s", got)
	}
	if got := parts(boss); got != "[{ Sales 4} { Support 4}] [{red red 3} {secret secret 3}]" {
		t.Errorf("boss: %s", got)
	}
	find := func(c *chatter, query string) (found []string, total int) {
		var l webchat.Colleagues
		c.must("GET", "/colleagues?"+query, nil, &l)
		for _, p := range l.People {
			found = append(found, p.Name)
		}
		return found, l.Total
	}
	for query, want := range map[string][]string{
		"department=Support":                     {"p2", "p4", "p6"},
		"department=Sales&others=true":           {"p1", "p3", "p5"},
		"department=Sales":                       {"p1", "p3", "p5", "romeo"},
		"team=red":                               {"p0", "p1", "p2"},
		"team=red&department=Sales":              {"p1"},
		"department=Sales&others=true&q=p3":      {"p3"},
		"department=Sales&limit=2&offset=2":      {"p5", "romeo"},
		"department=Nowhere":                     nil,
		"department=Sales&limit=2&offset=100000": nil,
	} {
		if got, _ := find(romeo, query); !slices.Equal(got, want) {
			t.Errorf("%s: %v", query, got)
		}
	}
	if got, total := find(romeo, "department=Sales&limit=2"); len(got) != 2 || total != 4 {
		t.Errorf("%v of %d", got, total)
	}
	for _, team := range []string{"secret", "none"} {
		if status := romeo.do("GET", "/colleagues?team="+team, nil, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d", team, status)
		}
	}
	if got, _ := find(boss, "team=secret"); len(got) != 3 {
		t.Errorf("boss: %v", got)
	}
}
