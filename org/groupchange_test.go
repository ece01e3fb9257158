package org_test

import (
	"context"
	"strings"
	"testing"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
)

// TestLimitsOfGroups checks that new and changed groups have the same limits, counted in characters.
func TestLimitsOfGroups(t *testing.T) {
	ctx := context.Background()
	o := org.New(open(t, "romeo"), org.Config{})
	g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{Name: "Verona", Owner: person("romeo")})
	if err != nil {
		t.Fatal(err)
	}
	if g.Kind != org.Public || g.ThemesBy != "members" || g.MentionBy != "members" {
		t.Errorf("by default: %+v", g)
	}
	long := strings.Repeat("é", 2000)
	for _, c := range []struct {
		n     org.NewGroup
		field string
	}{
		{org.NewGroup{Description: long}, ""},
		{org.NewGroup{Description: long + "e"}, "description"},
		{org.NewGroup{ThemesBy: "nobody"}, "themes_by"},
		{org.NewGroup{MentionBy: "nobody"}, ""},
		{org.NewGroup{MentionBy: "everyone"}, "mention_by"},
		{org.NewGroup{Kind: "secret"}, "kind"},
		{org.NewGroup{Emoji: "abc"}, "emoji"},
		{org.NewGroup{Name: strings.Repeat("é", 101)}, "name"},
	} {
		field := func(err error) string {
			if fault.Is(err, fault.Invalid) {
				return fault.Of(err).Field
			} else if err != nil {
				return err.Error()
			}
			return ""
		}
		ch := org.GroupChange{}
		for to, v := range map[**string]string{
			&ch.Name:        c.n.Name,
			&ch.Description: c.n.Description,
			&ch.Kind:        c.n.Kind,
			&ch.ThemesBy:    c.n.ThemesBy,
			&ch.MentionBy:   c.n.MentionBy,
			&ch.Emoji:       c.n.Emoji,
		} {
			if v != "" {
				*to = &v
			}
		}
		if _, _, err := o.PlanUpdate(ctx, host, g.ID, ch); field(err) != c.field {
			t.Errorf("changed: %v, want %q", err, c.field)
		}
		c.n.Owner = person("romeo")
		if c.n.Name == "" {
			c.n.Name = "Mantua " + c.field + c.n.MentionBy
		}
		if _, err := o.CreateGroup(ctx, acts.System, host, c.n); field(err) != c.field {
			t.Errorf("made: %v, want %q", err, c.field)
		}
		said := org.NewGroup{Name: c.n.Name + " too", Settings: ch, Owner: c.n.Owner}
		if _, err := o.CreateGroup(ctx, acts.System, host, said); field(err) != c.field {
			t.Errorf("made of settings: %v, want %q", err, c.field)
		}
	}
	name, kind, moderators, yes := "Padua", org.Announcement, "moderators", true
	g, err = o.CreateGroup(ctx, acts.System, host, org.NewGroup{
		Slug:     "padua",
		Settings: org.GroupChange{Name: &name, Kind: &kind, ReactBy: &moderators, SinceJoin: &yes, Hidden: &yes},
		Kind:     org.Public,
		Owner:    person("romeo"),
	})
	if err != nil || g.Name != name || g.Kind != kind || g.ReactBy != moderators || !g.SinceJoin || !g.Private {
		t.Errorf("made of settings: %+v, %v", g, err)
	}
	none := ""
	if _, _, err := o.PlanUpdate(ctx, host, g.ID, org.GroupChange{Kind: &none}); err == nil {
		t.Error("a group of no kind")
	}
}
