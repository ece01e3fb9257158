package admin

import (
	"context"
	"net/http"
)

type onlyListed struct {
	OnlyListed bool `json:"only_listed"`
}

func (c *control) federation(op Federation) {
	c.handle("GET /v1/federation/domains", func(r *http.Request) (any, error) { return op.Domains(r.Context()) })
	c.handle("POST /v1/federation/domains/{domain}/test", func(r *http.Request) (any, error) {
		return op.TestDomain(r.Context(), r.FormValue("host"), r.PathValue("domain"))
	})
	c.handle("GET /v1/federation/rules", func(r *http.Request) (any, error) { return op.DomainRules(r.Context()) })
	c.handle("POST /v1/federation/rules", func(r *http.Request) (any, error) {
		rs, err := read[[]DomainRule](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetDomainRules(r.Context(), rs)
	})
	c.handle("DELETE /v1/federation/rules/{domain}", func(r *http.Request) (any, error) {
		return nil, op.DeleteDomainRule(r.Context(), r.PathValue("domain"))
	})
	c.handle("PUT /v1/federation/only-listed", func(r *http.Request) (any, error) {
		o, err := read[onlyListed](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetOnlyListed(r.Context(), o.OnlyListed)
	})
}

func (c *Client) Domains(ctx context.Context) (v []Domain, err error) {
	return v, c.do(ctx, "GET", []string{"federation", "domains"}, nil, nil, &v)
}

func (c *Client) TestDomain(ctx context.Context, h, domain string) (v []ProbeStep, err error) {
	return v, c.do(ctx, "POST", []string{"federation", "domains", domain, "test"}, host(h), nil, &v)
}

func (c *Client) DomainRules(ctx context.Context) (v DomainRules, err error) {
	return v, c.do(ctx, "GET", []string{"federation", "rules"}, nil, nil, &v)
}

func (c *Client) SetDomainRules(ctx context.Context, rs []DomainRule) error {
	return c.do(ctx, "POST", []string{"federation", "rules"}, nil, rs, nil)
}

func (c *Client) DeleteDomainRule(ctx context.Context, domain string) error {
	return c.do(ctx, "DELETE", []string{"federation", "rules", domain}, nil, nil, nil)
}

func (c *Client) SetOnlyListed(ctx context.Context, only bool) error {
	return c.do(ctx, "PUT", []string{"federation", "only-listed"}, nil, onlyListed{only}, nil)
}
