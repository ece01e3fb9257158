package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
)

func (r *recorder) ChangeGroup(_ context.Context, h, s string, c GroupChange) (Group, error) {
	b, _ := json.Marshal(c)
	r.note("changegroup", h, s, string(b))
	return Group{Slug: s, Created: when}, r.err
}
func (r *recorder) DeletedGroups(_ context.Context, h string) ([]Group, error) {
	r.note("deleted", h)
	return []Group{{Slug: "s", Deleted: when}}, r.err
}
func (r *recorder) RestoreGroup(_ context.Context, h, s string) (Group, error) {
	r.note("restore", h, s)
	return Group{Slug: s}, r.err
}
func (r *recorder) SetPhoto(_ context.Context, h, s string, image []byte) error {
	r.note("photo", h, s, string(image))
	return r.err
}

func (r *recorder) SetMandatory(_ context.Context, h, s, w string) error {
	r.note("mandatory", h, s, w)
	return r.err
}
func (r *recorder) SetGroupTeam(_ context.Context, h, s, t, role string) error {
	r.note("groupteam", h, s, t, role)
	return r.err
}
func (r *recorder) Requests(_ context.Context, h, s string) ([]Request, error) {
	r.note("requests", h, s)
	return []Request{{Address: "x@a.example", Since: when}}, r.err
}
func (r *recorder) AnswerRequest(_ context.Context, h, s, a string, yes bool) error {
	r.note("answer", h, s, a, fmt.Sprint(yes))
	return r.err
}
func (r *recorder) ChangeTheme(_ context.Context, h, s, t string, c ThemeChange) (Theme, error) {
	r.note("changetheme", h, s, t, *c.State)
	return Theme{Key: t, Created: when}, r.err
}
func (r *recorder) SetThemePerson(_ context.Context, h, s, t, a, role string) error {
	r.note("person", h, s, t, a, role)
	return r.err
}
func (r *recorder) CreateTeam(_ context.Context, t NewTeam) (Team, error) {
	r.note("team", t.Host, t.Slug, t.People[0])
	return Team{Slug: t.Slug, Created: when}, r.err
}
func (r *recorder) Teams(_ context.Context, h string) ([]Team, error) {
	r.note("teams", h)
	return []Team{{Slug: "s", Created: when}}, r.err
}
func (r *recorder) Team(_ context.Context, h, s string) (Team, error) {
	r.note("showteam", h, s)
	return Team{Slug: s, Created: when, People: []TeamPerson{{Address: "x", Since: when}}}, r.err
}
func (r *recorder) ChangeTeam(_ context.Context, h, s string, c TeamChange) (Team, error) {
	r.note("changeteam", h, s, (*c.Defaults)[0])
	return Team{Slug: s, Created: when}, r.err
}
func (r *recorder) SetTeamPeople(_ context.Context, h, s string, in, out []string) error {
	r.note("people", h, s, in[0], out[0])
	return r.err
}
func (r *recorder) DeleteTeam(_ context.Context, h, s string) error {
	r.note("deleteteam", h, s)
	return r.err
}

func (r *recorder) TeamShares(_ context.Context, h, s, kind string) ([]Share, error) {
	r.note("shares", h, s, kind)
	return []Share{{Name: "n", Text: "t", Updated: when}}, r.err
}
func (r *recorder) SetTeamShare(_ context.Context, h, s, kind string, x Share) error {
	r.note("share", h, s, kind, x.Name, x.Text)
	return r.err
}
func (r *recorder) DeleteTeamShare(_ context.Context, h, s, kind, name string) error {
	r.note("unshare", h, s, kind, name)
	return r.err
}

// Each method for groups arrives as the same method with the same arguments, and its answer comes back.
func TestClientIsGroups(t *testing.T) {
	r := new(recorder)
	c := NewClient(serve(t, r, t.Output()))
	defer c.Close()
	ctx := t.Context()
	for _, tc := range []struct {
		call  func() (any, error)
		asked string
		want  any
	}{
		{func() (any, error) { return c.ChangeGroup(ctx, "h", "s", GroupChange{Guests: yes()}) }, `changegroup["h" "s" "{\"guests\":true}"]`, Group{Slug: "s", Created: when}},
		{func() (any, error) { return c.DeletedGroups(ctx, "h") }, `deleted["h"]`, []Group{{Slug: "s", Deleted: when}}},
		{func() (any, error) { return c.RestoreGroup(ctx, "h", "s") }, `restore["h" "s"]`, Group{Slug: "s"}},
		{func() (any, error) { return nil, c.SetPhoto(ctx, "h", "s", []byte("GIF")) }, `photo["h" "s" "GIF"]`, nil},
		{func() (any, error) { return nil, c.SetMandatory(ctx, "h", "s", "everyone") }, `mandatory["h" "s" "everyone"]`, nil},
		{func() (any, error) { return nil, c.SetGroupTeam(ctx, "h", "s", "t", "member") }, `groupteam["h" "s" "t" "member"]`, nil},
		{func() (any, error) { return c.Requests(ctx, "h", "s") }, `requests["h" "s"]`, []Request{{Address: "x@a.example", Since: when}}},
		{func() (any, error) { return nil, c.AnswerRequest(ctx, "h", "s", "x@a/b", true) }, `answer["h" "s" "x@a/b" "true"]`, nil},
		{func() (any, error) { s := "open"; return c.ChangeTheme(ctx, "h", "s", "t", ThemeChange{State: &s}) }, `changetheme["h" "s" "t" "open"]`, Theme{Key: "t", Created: when}},
		{func() (any, error) { return nil, c.SetThemePerson(ctx, "h", "s", "t", "x", "") }, `person["h" "s" "t" "x" ""]`, nil},
		{func() (any, error) { return c.CreateTeam(ctx, NewTeam{Host: "h", Slug: "s", People: []string{"x"}}) }, `team["h" "s" "x"]`, Team{Slug: "s", Created: when}},
		{func() (any, error) { return c.Teams(ctx, "h") }, `teams["h"]`, []Team{{Slug: "s", Created: when}}},
		{func() (any, error) { return c.Team(ctx, "h", "s") }, `showteam["h" "s"]`, Team{Slug: "s", Created: when, People: []TeamPerson{{Address: "x", Since: when}}}},
		{func() (any, error) { return c.ChangeTeam(ctx, "h", "s", TeamChange{Defaults: &[]string{"g"}}) }, `changeteam["h" "s" "g"]`, Team{Slug: "s", Created: when}},
		{func() (any, error) { return nil, c.SetTeamPeople(ctx, "h", "s", []string{"x"}, []string{"y"}) }, `people["h" "s" "x" "y"]`, nil},
		{func() (any, error) { return nil, c.DeleteTeam(ctx, "h", "s") }, `deleteteam["h" "s"]`, nil},
		{func() (any, error) { return c.TeamShares(ctx, "h", "s", Snippets) }, `shares["h" "s" "snippets"]`, []Share{{Name: "n", Text: "t", Updated: when}}},
		{func() (any, error) {
			return nil, c.SetTeamShare(ctx, "h", "s", Contacts, Share{Name: "a@b", Text: "A"})
		}, `share["h" "s" "contacts" "a@b" "A"]`, nil},
		{func() (any, error) { return nil, c.DeleteTeamShare(ctx, "h", "s", Snippets, "a/b c") }, `unshare["h" "s" "snippets" "a/b c"]`, nil},
	} {
		r.asked = ""
		if got, err := tc.call(); err != nil || r.asked != tc.asked || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n asked %s\n got   %+v, %v\n want  %+v", tc.asked, r.asked, got, err, tc.want)
		}
	}
}
