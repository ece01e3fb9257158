package org_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire/jid"
)

const host = "example.org"

func open(t *testing.T, names ...string) *sqlstore.Store {
	t.Helper()
	st, err := sqlstore.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "db"),
		sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	for _, n := range names {
		if err := st.CreateUser(context.Background(),
			store.User{Host: host, Name: n, Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func person(name string) jid.JID { return jid.MustParse(name + "@" + host) }

// TestEveryone checks that existing accounts become members of a mandatory group in the background, some of them after
// a restart, that banned people stay out, and that each new member is announced once.
func TestEveryone(t *testing.T) {
	ctx := context.Background()
	names := make([]string, 250)
	for i := range names {
		names[i] = fmt.Sprintf("p%03d", i)
	}
	st := open(t, names...)
	o := org.New(st, org.Config{})
	var mu sync.Mutex
	joined := make(map[string]int)
	note := func(e org.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == org.MembersChanged {
			for _, name := range e.Joined {
				joined[name]++
			}
		}
	}
	o.Subscribe(note)
	g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{Name: "All", Owner: person("p000")})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.SetMember(ctx, acts.System, host, g.ID, person("p007"), store.RoleBanned); err != nil {
		t.Fatal(err)
	}
	if err := o.SetMandatory(ctx, acts.System, host, g.ID, org.Everyone); err != nil {
		t.Fatal(err)
	}
	// The first Org does not run: the second finds the work to be done.
	if n, err := st.CountOutside(ctx, host, g.ID); err != nil || n != 248 {
		t.Fatalf("%d are outside, %v", n, err)
	}
	o = org.New(st, org.Config{})
	o.Subscribe(note)
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- o.Run(run, []string{host}, func(err error) { t.Error(err) })
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		done, total := o.Progress(host, g.ID)
		if done > total {
			t.Fatalf("%d of %d", done, total)
		}
		n, err := st.CountOutside(ctx, host, g.ID)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 && total == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d are outside still; %d of %d", n, done, total)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(joined) != 248 || joined["p007"] != 0 {
		t.Errorf("%d have joined, of them p007 %d times", len(joined), joined["p007"])
	}
	for name, n := range joined {
		if n != 1 {
			t.Errorf("%s has joined %d times", name, n)
		}
	}
	if bs, err := st.Bookmarks(ctx, host, "p123"); err != nil || len(bs) != 1 || !bs[0].Autojoin {
		t.Errorf("bookmarks of p123: %+v, %v", bs, err)
	}
	if role, err := o.RoleOf(ctx, host, g.ID, person("p007")); err != nil || role != store.RoleBanned {
		t.Errorf("p007 is %q, %v", role, err)
	}
}

// TestLargeTeam checks that the people of a large team become members of a mandatory group in the background in
// batches, some of them after a restart. Existing members are not told again, and banned people stay out.
func TestLargeTeam(t *testing.T) {
	ctx := context.Background()
	names := make([]string, 250)
	for i := range names {
		names[i] = fmt.Sprintf("p%03d", i)
	}
	st := open(t, append(names, "boss", "late")...)
	o := org.New(st, org.Config{})
	var mu sync.Mutex
	joined, most := make(map[string]int), 0
	note := func(e org.Event) {
		mu.Lock()
		defer mu.Unlock()
		for _, name := range e.Joined {
			joined[name]++
		}
		most = max(most, len(e.Joined))
	}
	g, err := o.CreateGroup(ctx, acts.System, host,
		org.NewGroup{Name: "All", Owner: person("boss"), Members: []jid.JID{person("p001")}})
	if err != nil {
		t.Fatal(err)
	}
	team, err := o.CreateTeam(ctx, acts.System, host, org.NewTeam{Name: "Crew", People: names})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.SetMember(ctx, acts.System, host, g.ID, person("p007"), store.RoleBanned); err != nil {
		t.Fatal(err)
	}
	o.Subscribe(note)
	if err := o.SetMandatory(ctx, acts.System, host, g.ID, team.ID); err != nil {
		t.Fatal(err)
	}
	// The first Org does not run. Meanwhile one person leaves the team, and one joins it.
	if ms, err := o.Members(ctx, host, g.ID); err != nil || len(ms) != 3 {
		t.Fatalf("%d are in it, %v", len(ms), err)
	}
	if err := o.SetTeamPeople(ctx, acts.System, host, team.ID, []string{"late"}, []string{"p100"}); err != nil {
		t.Fatal(err)
	}
	o = org.New(st, org.Config{})
	o.Subscribe(note)
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- o.Run(run, []string{host}, func(err error) { t.Error(err) })
	}()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if groups, err := st.ToFill(ctx, host); err != nil {
			t.Fatal(err)
		} else if done, total := o.Progress(host, g.ID); len(groups) == 0 && total == 0 && done == 0 {
			break
		} else if done > total || total > 250 {
			t.Fatalf("%d of %d", done, total)
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not end")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if len(joined) != 248 || joined["p007"]+joined["p100"]+joined["p001"] != 0 || joined["late"] != 1 || most > 100 {
		t.Errorf("%d have joined, at most %d at once; late %d, banned %d, gone %d, a member before %d times",
			len(joined), most, joined["late"], joined["p007"], joined["p100"], joined["p001"])
	}
	for name, n := range joined {
		if n != 1 {
			t.Errorf("%s has joined %d times", name, n)
		}
	}
	mu.Unlock()
	for _, fresh := range []*org.Org{o, org.New(st, org.Config{})} {
		for name, want := range map[string]string{
			"p001": store.RoleMember,
			"p007": store.RoleBanned,
			"p100": "",
			"p249": store.RoleMember,
			"late": store.RoleMember,
		} {
			if role, err := fresh.RoleOf(ctx, host, g.ID, person(name)); err != nil || role != want {
				t.Errorf("%s is %q, %v", name, role, err)
			}
		}
	}
	if err := o.SetMember(ctx, acts.System, host, g.ID, person("p249"), ""); err == nil {
		t.Error("who is in it by the team is taken out")
	}
	// When the group is no longer mandatory, people who were members only by it leave, and earlier members stay.
	if err := o.SetMandatory(ctx, acts.System, host, g.ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := o.SetGroupTeam(ctx, acts.System, host, g.ID, team.ID, ""); err != nil {
		t.Fatal(err)
	}
	if ms, err := o.Members(ctx, host, g.ID); err != nil || len(ms) != 3 {
		t.Errorf("%d are in it, %v", len(ms), err)
	}
}

// TestTeamInGroup checks the roles that a team gives people in a group, the roles they have without it, and the roles
// left when the team leaves.
func TestTeamInGroup(t *testing.T) {
	ctx := context.Background()
	st := open(t, "owner", "a", "b", "c")
	o := org.New(st, org.Config{})
	g, err := o.CreateGroup(ctx, acts.System, host,
		org.NewGroup{Name: "G", Owner: person("owner"), Members: []jid.JID{person("b")}})
	if err != nil {
		t.Fatal(err)
	}
	two := make([]store.Team, 2)
	for i, people := range [][]string{{"a", "b"}, {"a", "c"}} {
		if two[i], err = o.CreateTeam(ctx, acts.System, host,
			org.NewTeam{Name: fmt.Sprintf("T%d", i), People: people}); err != nil {
			t.Fatal(err)
		}
	}
	is := func(what string, a, b, c string) {
		t.Helper()
		for _, fresh := range []*org.Org{o, org.New(st, org.Config{})} { // from the cache, and from the store
			for name, want := range map[string]string{"a": a, "b": b, "c": c, "owner": store.RoleOwner} {
				if role, err := fresh.RoleOf(ctx, host, g.ID, person(name)); err != nil || role != want {
					t.Errorf("%s: %s is %q, not %q; %v", what, name, role, want, err)
				}
			}
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	is("without teams", "", "member", "")
	do(o.SetGroupTeam(ctx, acts.System, host, g.ID, two[0].ID, store.RoleMember))
	is("one team", "member", "member", "")
	do(o.SetGroupTeam(ctx, acts.System, host, g.ID, two[1].ID, store.RoleModerator))
	is("a second, of moderators", "moderator", "member", "moderator")
	do(o.SetMember(ctx, acts.System, host, g.ID, person("c"), store.RoleBanned))
	is("banned", "moderator", "member", "banned")
	if err := o.SetMember(ctx, acts.System, host, g.ID, person("a"), ""); err == nil {
		t.Error("who is in it by a team is taken out")
	}
	do(o.SetMember(ctx, acts.System, host, g.ID, person("c"), ""))
	is("banned no more", "moderator", "member", "moderator")
	do(o.SetTeamPeople(ctx, acts.System, host, two[1].ID, nil, []string{"a"}))
	is("out of one of two teams", "member", "member", "moderator")
	do(o.DeleteTeam(ctx, acts.System, host, two[1].ID))
	is("a team that is gone", "member", "member", "")
	do(o.SetMember(ctx, acts.System, host, g.ID, person("a"), store.RoleModerator))
	do(o.SetGroupTeam(ctx, acts.System, host, g.ID, two[0].ID, ""))
	is("no team any more", "moderator", "member", "")
	// Default groups: new people of the team become members, and stay.
	slugs := []string{g.Slug}
	if _, err := o.UpdateTeam(ctx, acts.System, host, two[0].ID, org.TeamChange{Defaults: &slugs}); err != nil {
		t.Fatal(err)
	}
	do(o.SetTeamPeople(ctx, acts.System, host, two[0].ID, []string{"c"}, nil))
	is("a default group", "moderator", "member", "member")
	do(o.DeleteTeam(ctx, acts.System, host, two[0].ID))
	is("its team is gone", "moderator", "member", "member")
	if err := o.SetMember(ctx, acts.System, host, g.ID, person("owner"), store.RoleMember); err == nil {
		t.Error("the last owner is none any more")
	}
}
