package admin

import (
	"context"
	"io"
	"reflect"
	"testing"
)

func (r *recorder) AppPasswords(_ context.Context, a string) ([]AppPassword, error) {
	r.note("apps", a)
	return []AppPassword{{ID: "1", Name: "phone", Created: when, Used: when}}, r.err
}
func (r *recorder) AddAppPassword(_ context.Context, a, name string) (AppPassword, error) {
	r.note("app", a, name)
	return AppPassword{ID: "1", Name: name, Password: "p", Created: when}, r.err
}
func (r *recorder) RevokeAppPassword(_ context.Context, a, id string) error {
	r.note("revoke", a, id)
	return r.err
}
func (r *recorder) FactorOff(_ context.Context, a string) error {
	r.note("factor off", a)
	return r.err
}

func TestAppPasswordsOverTheSocket(t *testing.T) {
	r := new(recorder)
	c := NewClient(serve(t, r, io.Discard))
	defer c.Close()
	ctx := t.Context()
	for _, tc := range []struct {
		call  func() (any, error)
		asked string
		want  any
	}{
		{func() (any, error) { return c.AppPasswords(ctx, "a@b") }, `apps["a@b"]`, []AppPassword{{ID: "1", Name: "phone", Created: when, Used: when}}},
		{func() (any, error) { return c.AddAppPassword(ctx, "a@b", "my phone") }, `app["a@b" "my phone"]`, AppPassword{ID: "1", Name: "my phone", Password: "p", Created: when}},
		{func() (any, error) { return nil, c.RevokeAppPassword(ctx, "a@b", "1") }, `revoke["a@b" "1"]`, nil},
		{func() (any, error) { return nil, c.FactorOff(ctx, "a@b") }, `factor off["a@b"]`, nil},
	} {
		r.asked, r.err = "", nil
		got, err := tc.call()
		if err != nil || r.asked != tc.asked || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n asked %s\n got   %+v, %v", tc.asked, r.asked, got, err)
		}
		if r.err = NotFound("address", "no"); true {
			if _, err := tc.call(); err == nil {
				t.Errorf("%s: no error", tc.asked)
			}
		}
	}
}
