package admin

import (
	"context"
	"io"
	"testing"
)

func (r *recorder) Doctor(context.Context) ([]Finding, error) {
	r.note("doctor")
	return []Finding{{Area: "clock", State: OK}}, r.err
}
func (r *recorder) Records(_ context.Context, h string, look bool) ([]DNSRecord, error) {
	r.note("records", h, look)
	return []DNSRecord{{Type: "A"}}, r.err
}

func TestDoctorOverSocket(t *testing.T) {
	r := new(recorder)
	c := NewClient(serve(t, r, io.Discard))
	defer c.Close()
	if fs, err := c.Doctor(t.Context()); err != nil || len(fs) != 1 || fs[0].Area != "clock" {
		t.Errorf("%v %v", fs, err)
	}
	for _, tc := range []struct {
		host string
		look bool
		want string
	}{{"", false, `records["" %!q(bool=false)]`}, {"", true, `records["" %!q(bool=true)]`}, {"a.example", true, `records["a.example" %!q(bool=true)]`}} {
		if rs, err := c.Records(t.Context(), tc.host, tc.look); err != nil || len(rs) != 1 || r.asked != tc.want {
			t.Errorf("%v %v, asked %s", rs, err, r.asked)
		}
	}
}
