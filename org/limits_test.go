package org_test

import (
	"context"
	"testing"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
	"parley/store"
)

// TestLoweredLimits checks that a lowered limit stops growth, but lets people leave and change.
func TestLoweredLimits(t *testing.T) {
	ctx := context.Background()
	st := open(t, "romeo", "juliet", "tybalt", "paris", "nurse", "benvolio")
	o := org.New(st, org.Config{})
	g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{
		Name:    "Verona",
		Kind:    org.Private,
		Owner:   person("romeo"),
		Members: people("juliet", "tybalt", "paris"),
	})
	if err != nil {
		t.Fatal(err)
	}
	team, err := o.CreateTeam(ctx, acts.System, host,
		org.NewTeam{Name: "Kin", People: []string{"juliet", "paris", "tybalt"}})
	if err != nil {
		t.Fatal(err)
	}
	o = org.New(st, org.Config{MaxGroup: 2, MaxTeam: 2})
	refused := func(what string, err error) {
		t.Helper()
		if !fault.Is(err, fault.Limit) {
			t.Errorf("%s: %v, want Limit", what, err)
		}
	}
	done := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("one more in the group", o.SetMember(ctx, acts.System, host, g.ID, person("nurse"), store.RoleMember))
	done("another role", o.SetMember(ctx, acts.System, host, g.ID, person("juliet"), store.RoleModerator))
	done("a team of people who are in it", o.SetGroupTeam(ctx, acts.System, host, g.ID, team.ID, store.RoleMember))
	done("the team taken out", o.SetGroupTeam(ctx, acts.System, host, g.ID, team.ID, ""))
	done("one goes, another comes", o.SetMembers(ctx, acts.System, host, g.ID,
		[]store.Member{{JID: person("juliet").String()}, {JID: person("nurse").String(), Role: store.RoleMember}}))
	refused("a stranger and one more", o.SetMembers(ctx, acts.System, host, g.ID, []store.Member{
		{JID: person("tybalt").String()},
		{JID: person("benvolio").String(), Role: store.RoleMember},
		{JID: person("juliet").String(), Role: store.RoleMember},
	}))
	done("banned", o.SetMember(ctx, acts.System, host, g.ID, person("paris"), store.RoleBanned))
	done("banned who was not in it", o.SetMember(ctx, acts.System, host, g.ID, person("benvolio"), store.RoleBanned))
	refused("more kept out than there may be",
		o.SetMember(ctx, acts.System, host, g.ID, person("juliet"), store.RoleBanned))
	refused("let in again where it is full",
		o.SetMember(ctx, acts.System, host, g.ID, person("paris"), store.RoleMember))
	name := "Verona by night"
	_, err = o.Update(ctx, acts.System, host, g.ID, org.GroupChange{Name: &name})
	done("another name", err)

	refused("one more in the team", o.SetTeamPeople(ctx, acts.System, host, team.ID, []string{"nurse"}, nil))
	done("one for another in the team",
		o.SetTeamPeople(ctx, acts.System, host, team.ID, []string{"nurse"}, []string{"paris"}))
	done("one less in the team", o.SetTeamPeople(ctx, acts.System, host, team.ID, nil, []string{"nurse"}))
	refused("a team above the limit", func() error {
		_, err := o.CreateTeam(ctx, acts.System, host,
			org.NewTeam{Name: "Foes", People: []string{"juliet", "paris", "tybalt"}})
		return err
	}())
	_, err = o.UpdateTeam(ctx, acts.System, host, team.ID, org.TeamChange{TeamFields: org.TeamFields{Name: &name}})
	done("a team's name", err)
}
