package org_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// TestFindGroups checks that FindGroups finds exactly the groups that Access lets a person know of, for every kind of
// group and role, and that pages add up to the whole list.
func TestFindGroups(t *testing.T) {
	ctx := context.Background()
	st := open(t, "owner", "member", "banned", "stranger", "admin", "outadmin")
	for _, name := range []string{"admin", "outadmin"} {
		if _, _, err := st.UpdatePerson(ctx, host,
			name, func(p *store.Person) error { p.Role = store.RoleAdmin; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	far := jid.MustParse("far@elsewhere.example")
	for _, apart := range []bool{false, true} {
		o := org.New(st, org.Config{Apart: apart})
		if !apart {
			for _, kind := range org.Kinds {
				for _, hidden := range []bool{false, true} {
					g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{
						Name:        fmt.Sprintf("Group %s %v", kind, hidden),
						Description: "Über " + kind,
						Kind:        kind,
						Private:     hidden,
						Owner:       person("owner"),
					})
					if err != nil {
						t.Fatal(err)
					}
					for who, role := range map[string]string{
						"member":   store.RoleMember,
						"banned":   store.RoleBanned,
						"outadmin": store.RoleBanned,
					} {
						if err := o.SetMember(ctx, acts.System, host, g.ID, person(who), role); err != nil {
							t.Fatal(err)
						}
					}
					if kind == org.Federated {
						if err := o.SetMember(ctx, acts.System, host, g.ID, far, store.RoleMember); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
		all, err := o.Groups(ctx, host, "", 100)
		if err != nil || len(all) != 2*len(org.Kinds) {
			t.Fatal(len(all), err)
		}
		for _, who := range []jid.JID{
			person("owner"), person("member"), person("banned"), person("stranger"),
			person("admin"), person("outadmin"), far,
		} {
			var want, own []string
			for _, g := range all {
				if ok, err := o.Visible(ctx, host, g.ID, "", who); err != nil {
					t.Fatal(err)
				} else if ok {
					want = append(want, g.Slug)
				}
				if role, err := o.RoleOf(ctx, host, g.ID, who); err == nil && role != "" && role != store.RoleBanned {
					own = append(own, g.Slug)
				}
			}
			find := func(f store.GroupFilter) (out []string) {
				f.Limit = 5
				for {
					gs, total, err := o.FindGroups(ctx, host, who, f)
					if err != nil {
						t.Fatal(err)
					}
					for _, g := range gs {
						out = append(out, g.Slug)
					}
					if f.Offset += len(gs); len(gs) < f.Limit {
						if len(out) != total {
							t.Fatalf("%s: %d of %d", who, len(out), total)
						}
						return out
					}
				}
			}
			got := find(store.GroupFilter{})
			if !slices.Equal(got, want) {
				t.Errorf("%s, apart %v: knows of %v, finds %v", who, apart, want, got)
			}
			mine, others := find(store.GroupFilter{Whose: store.OwnGroups}),
				find(store.GroupFilter{Whose: store.OtherGroups})
			if !slices.Equal(mine, own) || len(mine)+len(others) != len(want) {
				t.Errorf("%s, apart %v: is in %v, finds %v and %v", who, apart, own, mine, others)
			}
			if n := len(find(store.GroupFilter{Words: []string{"ÜBER"}, Described: true})); n != len(want) {
				t.Errorf("%s: by the description %d of %d", who, n, len(want))
			}
			if n := len(find(store.GroupFilter{Words: []string{"über"}})); n != 0 {
				t.Errorf("%s: by the name %d", who, n)
			}
		}
	}
}
