package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/admin"
	"parley/org"
	"parley/people"
)

// apiFederation is what is known of other servers, and what is said of them, for who runs the organization.
func (s *Server) apiFederation(a huma.API) {
	type Named struct {
		Domain string `path:"domain" maxLength:"1023"`
	}
	runs := people.Actor.Runs
	// rule changes one: they are the whole deployment's.
	rule := func(ctx context.Context, c caller, domain, do string, change func() error) error {
		if !c.p.Operates(c.actor) {
			return forbidden
		}
		err := change()
		if err == nil {
			c.p.Audit(ctx, c.actor, "system.federation", domain, map[string]any{"do": do})
		}
		return err
	}
	route(s, a, operation("list-domains", http.MethodGet, "/federation/domains", "system:read", "Domains elsewhere that there was something with"), runs, func(ctx context.Context, c caller, _ *none) ([]admin.Domain, error) {
		ds, err := s.Ops.Domains(ctx)
		if !c.p.Operates(c.actor) {
			ds = ownDomains(ds, c.me.Host)
		}
		return some(ds, err)
	})
	route(s, a, operation("test-domain", http.MethodPost, "/federation/domains/{domain}/test", "system:write", "Try to reach a domain, step by step"), runs, func(ctx context.Context, c caller, in *Named) ([]admin.ProbeStep, error) {
		return some(s.Ops.TestDomain(ctx, c.me.Host, in.Domain))
	})
	route(s, a, operation("list-domain-rules", http.MethodGet, "/federation/rules", "system:read", "What was said of domains"), runs, func(ctx context.Context, _ caller, _ *none) (admin.DomainRules, error) {
		rs, err := s.Ops.DomainRules(ctx)
		rs.Rules, err = some(rs.Rules, err)
		return rs, err
	})
	type SetRule struct {
		Named
		Body struct {
			Action string `json:"action" enum:"block,allow,certificate,dialback"`
			Note   string `json:"note,omitempty" maxLength:"500"`
		}
	}
	act(s, a, operation("set-domain-rule", http.MethodPut, "/federation/rules/{domain}", "system:write", "Say something of a domain; with *. before it of all below it"), runs, func(ctx context.Context, c caller, in *SetRule) error {
		return rule(ctx, c, in.Domain, in.Body.Action, func() error { return s.Ops.SetDomainRules(ctx, adminRules(in.Domain, in.Body.Action, in.Body.Note)) })
	})
	act(s, a, operation("delete-domain-rule", http.MethodDelete, "/federation/rules/{domain}", "system:write", "Say nothing of a domain any more"), runs, func(ctx context.Context, c caller, in *Named) error {
		return rule(ctx, c, in.Domain, "remove", func() error { return s.Ops.DeleteDomainRule(ctx, in.Domain) })
	})
	type SetOnly struct {
		Body struct {
			OnlyListed bool `json:"only_listed"`
		}
	}
	act(s, a, operation("set-only-listed", http.MethodPut, "/federation/only-listed", "system:write", "Speak only with domains that a rule or the configuration allows, or with all"), runs, func(ctx context.Context, c caller, in *SetOnly) error {
		do := map[bool]string{true: "only", false: "all"}[in.Body.OnlyListed]
		return rule(ctx, c, "", do, func() error { return s.Ops.SetOnlyListed(ctx, in.Body.OnlyListed) })
	})
}

// apiHealth is how the server is.
type apiHealth struct {
	OK           bool             `json:"ok" doc:"all checks are well"`
	Checks       []apiCheck       `json:"checks"`
	Version      string           `json:"version"`
	Store        string           `json:"store"`
	Started      time.Time        `json:"started"`
	Sessions     int              `json:"sessions"`
	Certificates []apiCertificate `json:"certificates"`
	Mail         string           `json:"mail,omitempty" doc:"where mail goes"`
	Mails        map[string]int   `json:"mails" doc:"in the outbox, by state"`
}

type apiCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

type apiCertificate struct {
	Names   []string  `json:"names"`
	Issuer  string    `json:"issuer"`
	Expires time.Time `json:"expires"`
}

// apiSystem is the server's health, who is signed in, what was reported, and the organization's settings.
func (s *Server) apiSystem(a huma.API) {
	runs := people.Actor.Runs
	route(s, a, operation("get-health", http.MethodGet, "/health", "system:read", "How the server is"), runs, func(ctx context.Context, c caller, _ *none) (apiHealth, error) {
		in := s.System.Info(ctx, c.me.Host)
		out := apiHealth{OK: true, Checks: []apiCheck{}, Version: in.Version, Store: in.Store, Started: in.Started, Sessions: in.Sessions, Certificates: []apiCertificate{}, Mail: in.Mail}
		for _, k := range s.System.Health(ctx) {
			out.OK = out.OK && k.OK
			out.Checks = append(out.Checks, apiCheck(k))
		}
		for _, k := range in.Certificates {
			out.Certificates = append(out.Certificates, apiCertificate{k.Names, k.Issuer, k.Expires})
		}
		var err error
		out.Mails, err = s.Store.CountMails(ctx, c.me.Host)
		return out, err
	})
	route(s, a, operation("list-findings", http.MethodGet, "/findings", "system:read", "All that has to be well, looked at now, which may take some seconds"), runs, func(ctx context.Context, _ caller, _ *none) ([]admin.Finding, error) {
		return some(s.Ops.Doctor(ctx))
	})
	type Looked struct {
		Look bool `query:"look" doc:"with what is published"`
	}
	route(s, a, operation("list-dns-records", http.MethodGet, "/dns", "system:read", "DNS records that the organization needs"), runs, func(ctx context.Context, c caller, in *Looked) ([]admin.DNSRecord, error) {
		return some(s.Ops.Records(ctx, c.me.Host, in.Look))
	})
	type OfAccount struct {
		Name string `query:"name" maxLength:"1023" doc:"of an account; none: all"`
	}
	route(s, a, operation("list-sessions", http.MethodGet, "/sessions", "system:read", "Clients that are signed in now"), runs, func(ctx context.Context, c caller, in *OfAccount) ([]admin.Session, error) {
		address := ""
		if in.Name != "" {
			address = in.Name + "@" + c.me.Host
		}
		return some(s.Ops.Sessions(ctx, c.me.Host, address))
	})
	type Paged struct {
		Before string `query:"before" maxLength:"13" doc:"the id of the last one of the page before"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	route(s, a, operation("list-reports", http.MethodGet, "/reports", "system:read", "What people have said of those they have blocked, the newest first"), runs, func(ctx context.Context, c caller, in *Paged) ([]admin.Report, error) {
		return some(s.Ops.Reports(ctx, c.me.Host, in.Before, in.Limit))
	})
	type Named struct {
		ID string `path:"id" maxLength:"13"`
	}
	act(s, a, operation("delete-report", http.MethodDelete, "/reports/{id}", "system:write", "Have done with a report"), runs, func(ctx context.Context, c caller, in *Named) error {
		err := s.Ops.DeleteReport(ctx, c.me.Host, in.ID)
		if err == nil {
			c.p.Audit(ctx, c.actor, "system.report", in.ID, nil)
		}
		return err
	})
	s.apiSettings(a)
}

// apiSettings are what the organization has decided about itself. How people sign in is said on the page, which asks for a
// proof that it is the person.
func (s *Server) apiSettings(a huma.API) {
	type OneSetting struct {
		Name    string    `json:"name"`
		Value   string    `json:"value"`
		Default string    `json:"default" doc:"what would hold if it were not set"`
		Source  string    `json:"source" enum:"set,configuration,built-in"`
		Since   time.Time `json:"since,omitzero"`
		By      string    `json:"by,omitempty"`
	}
	runs := people.Actor.Runs
	list := func(c caller) ([]OneSetting, error) {
		all, err := c.p.Settings(c.actor)
		out := []OneSetting{}
		for _, x := range all {
			out = append(out, OneSetting{x.Name, x.Value, x.Default, x.Source, x.Since, x.By})
		}
		return out, err
	}
	route(s, a, operation("list-settings", http.MethodGet, "/settings", "system:read", "Settings as they are in force"), runs, func(_ context.Context, c caller, _ *none) ([]OneSetting, error) { return list(c) })
	type ChangeSettings struct {
		Body map[string]*string `doc:"values by name; null: as the configuration says"`
	}
	route(s, a, operation("change-settings", http.MethodPatch, "/settings", "system:write", "Change settings; how people sign in is changed on the page only"), runs, func(ctx context.Context, c caller, in *ChangeSettings) ([]OneSetting, error) {
		for name := range in.Body {
			if strings.HasPrefix(name, "signin.") {
				return nil, &people.Error{Kind: org.Forbidden, Field: name, Text: "How people sign in is changed on the page of settings, which asks who you are"}
			}
		}
		if _, err := c.p.ChangeSettings(ctx, c.actor, in.Body); err != nil {
			if ms := people.Mistaken(err); ms != nil {
				return nil, &people.Error{Kind: org.Invalid, Text: "{{.Why}}", Args: []any{"Why", ms.Error()}}
			}
			return nil, err
		}
		return list(c)
	})
}
