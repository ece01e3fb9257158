package admin

import (
	"context"
	"encoding/json"
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
	} {
		r.asked = ""
		if got, err := tc.call(); err != nil || r.asked != tc.asked || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n asked %s\n got   %+v, %v\n want  %+v", tc.asked, r.asked, got, err, tc.want)
		}
	}
}
