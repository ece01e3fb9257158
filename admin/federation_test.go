package admin

import (
	"context"
	"io"
	"reflect"
	"testing"
)

func (r *recorder) Domains(context.Context) ([]Domain, error) {
	r.note("domains")
	return []Domain{{Domain: "a.example", LastIn: when, Streams: []Stream{{From: "a.example", Since: when}}}}, r.err
}
func (r *recorder) TestDomain(_ context.Context, h, d string) ([]ProbeStep, error) {
	r.note("test", h, d)
	return []ProbeStep{{Name: "dns", OK: true}}, r.err
}
func (r *recorder) DomainRules(context.Context) (DomainRules, error) {
	r.note("rules")
	return DomainRules{OnlyListed: true, Rules: []DomainRule{{Domain: "*.a.example", Action: "block", Since: when}}}, r.err
}
func (r *recorder) SetDomainRules(_ context.Context, rs []DomainRule) error {
	for _, d := range rs {
		r.note("rule", d.Domain, d.Action, d.Note)
	}
	return r.err
}
func (r *recorder) DeleteDomainRule(_ context.Context, d string) error {
	r.note("forget", d)
	return r.err
}
func (r *recorder) SetOnlyListed(_ context.Context, only bool) error {
	r.note("only", only)
	return r.err
}

func TestFederationOverTheSocket(t *testing.T) {
	r := new(recorder)
	c := NewClient(serve(t, r, io.Discard))
	defer c.Close()
	ctx := t.Context()
	for _, tc := range []struct {
		call  func() (any, error)
		asked string
		want  any
	}{
		{func() (any, error) { return c.Domains(ctx) }, `domains[]`, []Domain{{Domain: "a.example", LastIn: when, Streams: []Stream{{From: "a.example", Since: when}}}}},
		{func() (any, error) { return c.TestDomain(ctx, "h", "a.example") }, `test["h" "a.example"]`, []ProbeStep{{Name: "dns", OK: true}}},
		{func() (any, error) { return c.DomainRules(ctx) }, `rules[]`, DomainRules{OnlyListed: true, Rules: []DomainRule{{Domain: "*.a.example", Action: "block", Since: when}}}},
		{func() (any, error) {
			return nil, c.SetDomainRules(ctx, []DomainRule{{Domain: "*.a.example", Action: "block", Note: "n"}})
		}, `rule["*.a.example" "block" "n"]`, nil},
		{func() (any, error) { return nil, c.DeleteDomainRule(ctx, "*.a.example") }, `forget["*.a.example"]`, nil},
		{func() (any, error) { return nil, c.SetOnlyListed(ctx, true) }, `only[%!q(bool=true)]`, nil},
	} {
		r.asked, r.err = "", nil
		got, err := tc.call()
		if err != nil || r.asked != tc.asked || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n asked %s\n got   %+v, %v", tc.asked, r.asked, got, err)
		}
		if r.err = NotFound("domain", "no"); true {
			if _, err := tc.call(); err == nil {
				t.Errorf("%s: no error", tc.asked)
			}
		}
	}
}
