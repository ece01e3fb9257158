package admin

import (
	"context"
	"net/http"
)

// States of findings and records.
const (
	OK      = "ok"
	Warning = "warning"
	Failed  = "failed"
)

// Finding is one thing that was looked at.
type Finding struct {
	Area  string `json:"area"` // configuration, certificates, dns, ports, storage, clock, e-mail
	What  string `json:"what"`
	State string `json:"state"`
	Text  string `json:"text,omitempty"` // what was found
	Todo  string `json:"todo,omitempty"` // what to do about it
}

// DNSRecord is one to have.
type DNSRecord struct {
	Type  string `json:"type"` // SRV, A, CNAME
	Name  string `json:"name"`
	Value string `json:"value"`
	Why   string `json:"why"`
	Must  bool   `json:"must"` // something does not work without it
	// What was found: ok, warning (there is another one), failed (there is none, or it leads nowhere); "" if it was not looked for.
	State string `json:"state,omitempty"`
	Found string `json:"found,omitempty"`
}

// Doctor looks after the server.
type Doctor interface {
	// Doctor looks at all that has to be well; that may take some seconds.
	Doctor(ctx context.Context) ([]Finding, error)
	// Records gives the DNS records that a host needs; with look what is published.
	Records(ctx context.Context, host string, look bool) ([]DNSRecord, error)
}

func (c *control) doctor(op Doctor) {
	c.handle("GET /v1/doctor", func(r *http.Request) (any, error) { return op.Doctor(r.Context()) })
	c.handle("GET /v1/dns", func(r *http.Request) (any, error) {
		return op.Records(r.Context(), r.FormValue("host"), r.FormValue("look") != "")
	})
}

func (c *Client) Doctor(ctx context.Context) (v []Finding, err error) {
	return v, c.do(ctx, "GET", []string{"doctor"}, nil, nil, &v)
}

func (c *Client) Records(ctx context.Context, h string, look bool) (v []DNSRecord, err error) {
	q := host(h)
	if look {
		if q == nil {
			q = make(map[string][]string)
		}
		q.Set("look", "1")
	}
	return v, c.do(ctx, "GET", []string{"dns"}, q, nil, &v)
}
