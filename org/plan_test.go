package org_test

import (
	"context"
	"testing"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

func people(names ...string) (js []jid.JID) {
	for _, n := range names {
		js = append(js, person(n))
	}
	return js
}

func by(who jid.JID) acts.Actor { return acts.Person(who, host, acts.Client) }

func as(role string, who []jid.JID) (ms []store.Member) {
	for _, j := range who {
		ms = append(ms, store.Member{JID: j.String(), Role: role})
	}
	return ms
}

// TestPlanIsWhatHappens checks that a plan says what the change then does, and is refused for the same reasons.
func TestPlanIsWhatHappens(t *testing.T) {
	ctx := context.Background()
	o := org.New(open(t, "romeo", "juliet", "tybalt", "paris", "nurse"),
		org.Config{MaxGroup: 4, MaxFollow: 50, MaxThemes: 9})
	g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{
		Name:    "Verona",
		Kind:    org.Private,
		Owner:   person("romeo"),
		Members: people("juliet", "tybalt"),
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func(p org.Plan) [4]int { return [4]int{len(p.Added), len(p.Removed), len(p.Changed), len(p.Freed)} }
	roles := func() map[string]string {
		ms, err := o.Members(ctx, host, g.ID)
		if err != nil {
			t.Fatal(err)
		}
		m := make(map[string]string)
		for _, x := range ms {
			m[x.JID] = x.Role
		}
		return m
	}
	for _, c := range []struct {
		who  []jid.JID
		role string
		want [4]int
	}{
		{people("juliet", "paris"), store.RoleMember, [4]int{1, 0, 0, 0}},
		{people("juliet"), store.RoleModerator, [4]int{0, 0, 1, 0}},
		{people("paris", "tybalt"), "", [4]int{0, 2, 0, 0}},
		{people("nurse"), store.RoleBanned, [4]int{0, 1, 0, 0}},
		{people("nurse"), "", [4]int{0, 0, 0, 1}},
		{people("nurse"), "", [4]int{}},
	} {
		before := roles()
		p, err := o.PlanMembers(ctx, by(person("romeo")), host, g.ID, as(c.role, c.who))
		if err != nil || count(p) != c.want || p.None() != (c.want == [4]int{}) {
			t.Fatalf("%v as %q: %v, %v", c.who, c.role, count(p), err)
		}
		if after := roles(); len(after) != len(before) {
			t.Fatal("a plan has changed something")
		}
		if err := o.SetMembers(ctx, by(person("romeo")), host, g.ID, as(c.role, c.who)); err != nil {
			t.Fatal(err)
		}
		for _, m := range append(append(p.Added, p.Changed...), p.Removed...) {
			if got := roles()[m.JID]; got != m.Role {
				t.Errorf("%s was to be %q and is %q", m.JID, m.Role, got)
			}
		}
	}
	for _, c := range []struct {
		by   jid.JID
		who  []jid.JID
		role string
		kind fault.Kind
	}{
		// the last owner
		{person("romeo"), people("romeo"), "", fault.NotAllowed},
		// by a moderator
		{person("juliet"), people("nurse"), store.RoleOwner, fault.Forbidden},
		// by a stranger
		{person("paris"), people("nurse"), store.RoleMember, fault.NotFound},
		// no account
		{person("romeo"), people("nobody"), store.RoleMember, fault.NotFound},
		{person("romeo"), people("tybalt", "paris", "nurse"), store.RoleMember, fault.Limit}, // full
		// not federated
		{person("romeo"), []jid.JID{jid.MustParse("x@elsewhere.example")}, store.RoleMember, fault.NotAllowed},
		{person("romeo"), people("nurse"), "king", fault.Invalid},
	} {
		_, plan := o.PlanMembers(ctx, by(c.by), host, g.ID, as(c.role, c.who))
		do := o.SetMembers(ctx, by(c.by), host, g.ID, as(c.role, c.who))
		if !fault.Is(plan, c.kind) || do == nil || plan.Error() != do.Error() {
			t.Errorf("%v as %q by %s: planned %v, done %v", c.who, c.role, c.by, plan, do)
		}
	}
	kind, name := org.Public, ""
	was, is, err := o.PlanUpdate(ctx, host, g.ID, org.GroupChange{Kind: &kind})
	if now, gerr := o.Group(ctx, host, g.Slug); err != nil || gerr != nil || was.Kind != org.Private ||
		is.Kind != org.Public || is.Private || now.Kind != org.Private {
		t.Errorf("%+v, %+v, %v", was, is, err)
	}
	if _, _, err := o.PlanUpdate(ctx, host, g.ID, org.GroupChange{Name: &name}); err == nil {
		t.Error("a group without a name is planned")
	}
	if n, err := o.PlanMandatory(ctx, host, g.ID); err != nil || n != 3 {
		t.Errorf("%d would be added, %v", n, err)
	}
}
