package org_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
)

// TestLimitsOfTeams checks that new and changed teams have the same limits, counted in characters.
func TestLimitsOfTeams(t *testing.T) {
	ctx := context.Background()
	o := org.New(open(t, "romeo"), org.Config{})
	team, err := o.CreateTeam(ctx, acts.System, host, org.NewTeam{Name: "Guard"})
	if err != nil || team.MentionBy != org.Everyone {
		t.Fatalf("by default: %+v, %v", team, err)
	}
	long := strings.Repeat("é", 2000)
	for i, c := range []struct {
		n     org.NewTeam
		field string
	}{
		{org.NewTeam{Description: long}, ""},
		{org.NewTeam{Description: long + "e"}, "description"},
		{org.NewTeam{MentionBy: "nobody"}, ""},
		{org.NewTeam{MentionBy: "moderators"}, "mention_by"},
		{org.NewTeam{Emoji: "🎭"}, ""},
		{org.NewTeam{Emoji: "abc"}, "emoji"},
		{org.NewTeam{Name: strings.Repeat("é", 101)}, "name"},
	} {
		field := func(err error) string {
			if fault.Is(err, fault.Invalid) {
				return fault.Of(err).Field
			} else if err != nil {
				return err.Error()
			}
			return ""
		}
		ch := org.TeamChange{}
		for to, v := range map[**string]string{
			&ch.Name:        c.n.Name,
			&ch.Emoji:       c.n.Emoji,
			&ch.Description: c.n.Description,
			&ch.MentionBy:   c.n.MentionBy,
		} {
			if v != "" {
				*to = &v
			}
		}
		if _, err := o.UpdateTeam(ctx, acts.System, host, team.ID, ch); field(err) != c.field {
			t.Errorf("changed: %v, want %q", err, c.field)
		}
		if c.n.Name == "" {
			c.n.Name = fmt.Sprintf("Watch %d", i)
		}
		if _, err := o.CreateTeam(ctx, acts.System, host, c.n); field(err) != c.field {
			t.Errorf("made: %v, want %q", err, c.field)
		}
	}
	name, none := " Night  guard ", ""
	is, err := o.UpdateTeam(ctx, acts.System, host, team.ID,
		org.TeamChange{TeamFields: org.TeamFields{Name: &name, Emoji: &none, MentionBy: &none}})
	if err != nil || is.Name != "Night guard" || is.Emoji != "" ||
		is.MentionBy != org.Everyone || is.Description != long {
		t.Errorf("changed: %+v, %v", is, err)
	}
}
