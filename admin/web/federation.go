package web

import (
	"net/http"

	"parley/federation"
	"parley/internal/fault"
	"parley/store"
)

func (s *Server) federation() {
	s.handle("GET /admin/federation", runs, (*request).federationPage)
	s.handle("POST /admin/federation/test", runs, (*request).testDomain)
	s.handle("POST /admin/federation/rules", runs, (*request).domainRule)
}

// domainRules are the rules that administrators have set for domains.
type domainRules struct {
	Rules      []store.DomainRule
	OnlyListed bool
}

func (c *request) federationData() (map[string]any, error) {
	rs, only, err := c.s.Federation.Rules(c.r.Context())
	if err != nil {
		return nil, err
	}
	d := map[string]any{
		"Actions":  []string{"block", "allow", "certificate", "dialback"},
		"Operates": c.P.Operates(c.Actor),
		"Rules":    domainRules{rs, only},
	}
	ds, err := c.s.Federation.Domains()
	if text, _, ok := c.explain(err); ok {
		d["Off"] = text
		return d, nil
	}
	if !c.P.Operates(c.Actor) {
		ds = federation.Of(ds, c.host())
	}
	d["Domains"] = ds
	return d, err
}

func (c *request) federationPage() error {
	d, err := c.federationData()
	if err != nil {
		return err
	}
	return c.show("federation", c.T("Federation"), d)
}

// testDomain tests the connection to a domain, step by step.
func (c *request) testDomain() error {
	d, err := c.federationData()
	if err != nil {
		return err
	}
	d["Tested"] = c.form("domain")
	steps, err := c.s.Federation.Test(c.r.Context(), c.s.Hosts[c.host()], c.form("domain"))
	if err != nil {
		text, _, ok := c.explain(err)
		if !ok {
			return err
		}
		d["Error"] = text
		return c.page(http.StatusUnprocessableEntity, "federation", c.T("Federation"), d)
	}
	d["Steps"] = steps
	return c.show("federation", c.T("Federation"), d)
}

func (c *request) domainRule() error {
	const page = "/admin/federation"
	ctx, domain := c.r.Context(), c.form("domain")
	var err error
	switch do := c.form("do"); do {
	case "remove":
		err = c.s.Federation.DeleteRule(ctx, c.Actor, domain)
	case "only", "all":
		err = c.s.Federation.SetOnlyListed(ctx, c.Actor, do == "only")
	default:
		err = c.s.Federation.SetRules(ctx, c.Actor, store.DomainRule{Domain: domain, Action: do, Note: c.form("note")})
	}
	if fault.Is(err, fault.Forbidden) {
		return err
	}
	if err != nil {
		return c.oops(page, err)
	}
	return c.done(page, "Saved")
}
