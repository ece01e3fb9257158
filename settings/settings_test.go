package settings_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/changes"
	"parley/settings"
	"parley/store"
	"parley/store/sqlstore"
)

const day = 24 * time.Hour

func open(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "s.db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func defaults() map[string]settings.Defaults {
	v := settings.Values{
		Title:       "Example",
		SessionIdle: 14 * day,
		InviteBy:    store.RoleSupervisor,
		InviteApps:  "admins",
		InviteTime:  7 * day,
		Reusable:    true,
		MaxUses:     500,
		MaxInvites:  2000,
		Uploads:     90 * day,
	}
	return map[string]settings.Defaults{
		"a.example": {Values: v, Configured: []string{"organization.title"}},
		"b.example": {Values: v},
	}
}

func node(t *testing.T, st store.Store) *settings.Settings {
	t.Helper()
	s := settings.New(st, changes.New(), nil, slog.New(slog.DiscardHandler), defaults())
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func to(pairs ...string) map[string]*string {
	m := make(map[string]*string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &pairs[i+1]
	}
	return m
}

func state(t *testing.T, s *settings.Settings, name string) settings.State {
	t.Helper()
	all := s.All("a.example")
	i := slices.IndexFunc(all, func(st settings.State) bool { return st.Name == name })
	if i < 0 {
		t.Fatalf("no setting %s", name)
	}
	return all[i]
}

// TestSettings checks that a setting takes precedence over the configuration, on this host only and on every node,
// until it is reset.
func TestSettings(t *testing.T) {
	st := open(t)
	one, two := node(t, st), node(t, st)
	if s := state(t, one, "organization.title"); s.Source != settings.Configuration || s.Value != "Example" {
		t.Errorf("%+v", s)
	}
	if s := state(t, one, "signin.session_idle"); s.Source != settings.BuiltIn || s.Value != "14d" {
		t.Errorf("%+v", s)
	}
	changed, err := one.Change(t.Context(), "a.example", "alice", to("organization.title", "  Big   Co ",
		"signin.two_factor", "owner,admin", "organization.role_member", "Agent", "retention.archive", "30d",
		"invitations.validity", "7d"))
	if err != nil {
		t.Fatal(err)
	}
	want := []settings.Changed{
		{"organization.title", "Example", "Big Co"},
		{"organization.role_member", "", "Agent"},
		{"signin.two_factor", "", "admin,owner"},
		{"retention.archive", "0d", "30d"},
	}
	if !reflect.DeepEqual(changed, want) {
		t.Errorf("changed %v, want %v", changed, want)
	}
	for name, s := range map[string]*settings.Settings{"one": one, "two": two} {
		if err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		v := s.Of("a.example")
		if v.Title != "Big Co" || v.Roles["member"] != "Agent" || v.Archive != 30*day || !v.NeedsTwoFactor("owner") ||
			!v.NeedsTwoFactor("admin") || v.NeedsTwoFactor("member") {
			t.Errorf("%s: %+v", name, v)
		}
		if other := s.Of("b.example"); !reflect.DeepEqual(other, withRoles(defaults()["b.example"].Values)) {
			t.Errorf("%s: b.example has %+v", name, other)
		}
	}
	if s := state(t, two, "organization.title"); s.Source != settings.Set || s.By != "alice" || s.Since.IsZero() ||
		s.Default != "Example" || s.From != settings.Configuration {
		t.Errorf("%+v", s)
	}
	if s := state(t, two, "invitations.validity"); s.Source != settings.BuiltIn {
		t.Errorf("what was not changed counts as set: %+v", s)
	}
	if changed, err := two.Change(t.Context(), "a.example", "bob",
		map[string]*string{"organization.title": nil, "signin.session_idle": nil}); err != nil ||
		!reflect.DeepEqual(changed, []settings.Changed{{"organization.title", "Big Co", "Example"}}) {
		t.Error(changed, err)
	}
	if err := one.Load(t.Context()); err != nil || one.Of("a.example").Title != "Example" ||
		one.Of("a.example").Archive != 30*day {
		t.Errorf("%v, %+v", err, one.Of("a.example"))
	}
}

func withRoles(v settings.Values) settings.Values {
	v.Roles = map[string]string{}
	return v
}

// All mistakes are reported at once, and then nothing is saved.
func TestMistakes(t *testing.T) {
	s := node(t, open(t))
	long := strings.Repeat("x", 101)
	_, err := s.Change(t.Context(), "a.example", "alice", to("organization.title", long, "organization.lang", "de",
		"organization.role_admin", "a\x07b", "signin.two_factor", "owner,god", "signin.session_idle", "3s",
		"invitations.by", "member", "invitations.max_uses", "1", "invitations.reusable", "perhaps", "retention.archive",
		"1h", "retention.uploads", "0d", "invitations.validity", "for ever", "invitations.max_open", "many", "no.such",
		"1", "invitations.apps", "anyone"))
	var ms settings.Mistakes
	if !errors.As(err, &ms) {
		t.Fatal(err)
	}
	var names []string
	for _, m := range ms {
		names = append(names, m.Field)
	}
	want := []string{
		"no.such", "organization.title", "organization.lang", "organization.role_admin", "signin.two_factor",
		"signin.session_idle", "invitations.by", "invitations.validity", "invitations.reusable", "invitations.max_uses",
		"invitations.max_open", "retention.archive", "retention.uploads",
	}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("mistakes in %v\nwant %v", names, want)
	}
	if strings.Contains(err.Error(), "{{") {
		t.Errorf("not filled in: %v", err)
	}
	if v := s.Of("a.example"); v.InviteApps != "admins" {
		t.Errorf("%+v", v)
	}
	if _, err := s.Change(t.Context(), "c.example", "alice", nil); err == nil {
		t.Error("a host that is not hosted")
	}
}

// TestStrangeRows checks that rows of a newer parley and damaged rows are ignored, and the rest applies.
func TestStrangeRows(t *testing.T) {
	st := open(t)
	if err := st.SetSettings(t.Context(), "a.example", []store.Setting{
		{Name: "future.thing", Value: "1"},
		{Name: "retention.archive", Value: "soon"},
		{Name: "organization.title", Value: "Kept"},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if v := node(t, st).Of("a.example"); v.Title != "Kept" || v.Archive != 0 {
		t.Errorf("%+v", v)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0":   0,
		"0d":  0,
		"1d":  day,
		"36h": 36 * time.Hour,
		"90m": 90 * time.Minute,
		"5s":  5 * time.Second,
	} {
		if got, ok := settings.ParseDuration(text); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
		if back, ok := settings.ParseDuration(settings.FormatDuration(want)); !ok || back != want {
			t.Errorf("%s: %v does not come back", text, want)
		}
	}
	for _, text := range []string{"", "d", "1", "-1d", "1.5d", "99999999999d", "4294967295d", "1w", "1d1h"} {
		if d, ok := settings.ParseDuration(text); ok {
			t.Errorf("%q gives %v", text, d)
		}
	}
}

// TestQuietSettings checks that quiet hours are written as people write them.
func TestQuietSettings(t *testing.T) {
	s := node(t, open(t))
	change := func(pairs ...string) error {
		_, err := s.Change(t.Context(), "a.example", "romeo", to(pairs...))
		return err
	}
	if err := change("phones.quiet", "true", "phones.quiet_from", "21:30", "phones.quiet_to", "6:15",
		"phones.quiet_days", "sun,fri", "organization.time_zone", " Europe/Rome "); err != nil {
		t.Fatal(err)
	}
	want := store.QuietHours{
		On:   true,
		From: 21*60 + 30,
		To:   6*60 + 15,
		Days: 1<<time.Sunday | 1<<time.Friday,
		Zone: "Europe/Rome",
	}
	if got := s.Of("a.example").Quiet; got != want {
		t.Errorf("%+v", got)
	}
	if v := state(t, s, "phones.quiet_days").Value + " " + state(t, s, "phones.quiet_to").Value; v != "fri,sun 06:15" {
		t.Error(v)
	}
	for _, bad := range [][]string{
		{"phones.quiet_from", "24:00"},
		{"phones.quiet_to", "7 pm"},
		{"phones.quiet_days", "someday"},
		{"organization.time_zone", "Local"},
		{"organization.time_zone", "../etc"},
	} {
		var wrong settings.Mistakes
		if err := change(bad...); !errors.As(err, &wrong) || wrong[0].Field != bad[0] {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if got := s.Of("a.example").Quiet; got != want {
		t.Errorf("after what was refused: %+v", got)
	}
}
