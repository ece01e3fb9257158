package api

import (
	"context"
	"net/http"
	"time"

	"parley/federation"
	"parley/store"
)

// Domain is another server's domain with its traffic since this server started.
type Domain struct {
	Domain      string      `json:"domain"`
	LastOut     time.Time   `json:"last_out,omitzero"`
	LastIn      time.Time   `json:"last_in,omitzero"`
	Error       string      `json:"error,omitempty" doc:"in plain words; missing if a later connection worked"`
	Detail      string      `json:"detail,omitempty"`
	ErrorAt     time.Time   `json:"error_at,omitzero"`
	RetryAt     time.Time   `json:"retry_at,omitzero"`
	Certificate DomainProof `json:"certificate"`
	Streams     []Stream    `json:"streams"`
	Rule        string      `json:"rule,omitempty" doc:"the rule for the domain, or for a domain above it"`
}

// DomainProof is the last certificate that a domain's server has shown.
type DomainProof struct {
	Subject  string    `json:"subject,omitempty"`
	Issuer   string    `json:"issuer,omitempty"`
	NotAfter time.Time `json:"not_after,omitzero"`
	Problem  string    `json:"problem,omitempty"`
}

// Stream is a stream with another server.
type Stream struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	Incoming bool      `json:"incoming"`
	Since    time.Time `json:"since"`
	Proof    string    `json:"proof,omitempty" doc:"external, dialback or bidi; missing while the connection is being made"`
	Queued   int       `json:"queued"`
}

// ProbeStep is one step on the way to another domain, in order.
type ProbeStep struct {
	Name   string        `json:"name"`
	OK     bool          `json:"ok"`
	Text   string        `json:"text"`
	Detail string        `json:"detail,omitempty"`
	Took   time.Duration `json:"took" doc:"nanoseconds"`
}

// DomainRule is a rule for a domain, or with "*." for all domains below it.
type DomainRule struct {
	Domain string    `json:"domain" maxLength:"1023"`
	Action string    `json:"action" enum:"block,allow,certificate,dialback"`
	Note   string    `json:"note,omitempty" maxLength:"500"`
	Since  time.Time `json:"since,omitzero"`
}

// DomainRules are all rules for domains.
type DomainRules struct {
	OnlyListed bool         `json:"only_listed"`
	Rules      []DomainRule `json:"rules"`
}

// InDomain is the domain in a path.
type InDomain struct {
	Domain string `path:"domain" maxLength:"1023"`
}

// SetDomainRuleInput sets the rule for a domain.
type SetDomainRuleInput struct {
	InDomain
	Body struct {
		Action string `json:"action" enum:"block,allow,certificate,dialback"`
		Note   string `json:"note,omitempty" maxLength:"500"`
	}
}

// NewDomainRules are rules that are set at once.
type NewDomainRules struct {
	Rules []DomainRule `json:"rules" minItems:"1" maxItems:"1000"`
}

// OnlyListed says whether the server talks only to domains that a rule allows.
type OnlyListed struct {
	OnlyListed bool `json:"only_listed"`
}

// Operations on other servers.
var (
	ListDomains = everywhere(op[Part, []Domain](
		"list-domains", http.MethodGet, "/federation/domains", "system:read",
		"Other domains with traffic",
	))
	TestDomain = op[InDomain, []ProbeStep](
		"test-domain", http.MethodPost, "/federation/domains/{domain}/test", "system:write",
		"Test the connection to a domain, step by step",
	)
	ListDomainRules = everywhere(op[None, DomainRules](
		"list-domain-rules", http.MethodGet, "/federation/rules", "system:read",
		"The rules for domains",
	))
	SetDomainRules = everywhere(op[Body[NewDomainRules], None](
		"set-domain-rules", http.MethodPost, "/federation/rules", "system:write",
		"Set rules for many domains: all of them or none",
	))
	SetDomainRule = everywhere(op[SetDomainRuleInput, None](
		"set-domain-rule", http.MethodPut, "/federation/rules/{domain}", "system:write",
		"Set the rule for a domain; *.example.org means all domains below example.org",
	))
	DeleteDomainRule = everywhere(op[InDomain, None](
		"delete-domain-rule", http.MethodDelete, "/federation/rules/{domain}", "system:write",
		"Remove the rule for a domain",
	))
	SetOnlyListed = everywhere(op[Body[OnlyListed], None](
		"set-only-listed", http.MethodPut, "/federation/only-listed", "system:write",
		"Talk only to domains that a rule or the configuration allows, or to all",
	))
)

// others registers the operations on other servers, for people who run the organization.
func (s *Server) others(d *doors) {
	listAll(s, d, ListDomains, runsIt, func(_ context.Context, c caller, _ *Part) (out []Domain, err error) {
		ds, err := s.Federation.Domains()
		if !c.actor.Machine() && !c.p.Operates(c.actor) {
			ds = federation.Of(ds, c.host())
		}
		for _, d := range ds {
			out = append(out, showDomain(d))
		}
		return out, err
	})
	serve(s, d, TestDomain, runsIt, func(ctx context.Context, c caller, in *InDomain) ([]ProbeStep, error) {
		steps, err := s.Federation.Test(ctx, s.Hosts[c.host()], in.Domain)
		out := []ProbeStep{}
		for _, st := range steps {
			out = append(out, ProbeStep(st))
		}
		return out, err
	})
	serve(s, d, ListDomainRules, runsIt, func(ctx context.Context, _ caller, _ *None) (DomainRules, error) {
		rs, only, err := s.Federation.Rules(ctx)
		out := DomainRules{OnlyListed: only, Rules: []DomainRule{}}
		for _, r := range rs {
			out.Rules = append(out.Rules, DomainRule(r))
		}
		return out, err
	})
	act(s, d, SetDomainRules, operates, func(ctx context.Context, c caller, in *Body[NewDomainRules]) error {
		var rs []store.DomainRule
		for _, r := range in.Body.Rules {
			rs = append(rs, store.DomainRule{Domain: r.Domain, Action: r.Action, Note: r.Note})
		}
		return s.Federation.SetRules(ctx, c.actor, rs...)
	})
	act(s, d, SetDomainRule, operates, func(ctx context.Context, c caller, in *SetDomainRuleInput) error {
		return s.Federation.SetRules(ctx, c.actor, store.DomainRule{
			Domain: in.Domain,
			Action: in.Body.Action,
			Note:   in.Body.Note,
		})
	})
	act(s, d, DeleteDomainRule, operates, func(ctx context.Context, c caller, in *InDomain) error {
		return s.Federation.DeleteRule(ctx, c.actor, in.Domain)
	})
	act(s, d, SetOnlyListed, operates, func(ctx context.Context, c caller, in *Body[OnlyListed]) error {
		return s.Federation.SetOnlyListed(ctx, c.actor, in.Body.OnlyListed)
	})
}

func showDomain(d federation.Domain) Domain {
	out := Domain{
		Domain:      d.Domain,
		LastOut:     d.LastOut,
		LastIn:      d.LastIn,
		Error:       d.Error,
		Detail:      d.Detail,
		ErrorAt:     d.ErrorAt,
		RetryAt:     d.RetryAt,
		Certificate: DomainProof(d.Certificate),
		Streams:     []Stream{},
		Rule:        d.Rule,
	}
	for _, st := range d.Streams {
		out.Streams = append(out.Streams, Stream{
			From:     st.From,
			To:       st.To,
			Incoming: st.Incoming,
			Since:    st.Since,
			Proof:    st.How,
			Queued:   st.Queued,
		})
	}
	return out
}
