package admin

import (
	"context"
	"time"
)

// Federation is what is known of other servers, and what administrators say of them. Where federation is off, all of it
// but the rules is an error.
type Federation interface {
	// Domains gives the domains elsewhere that there was something with since the server runs.
	Domains(ctx context.Context) ([]Domain, error)
	// TestDomain tries to reach a domain in the name of a host, step by step.
	TestDomain(ctx context.Context, host, domain string) ([]ProbeStep, error)
	DomainRules(ctx context.Context) (DomainRules, error)
	// SetDomainRules adds rules, or replaces those of the same domains. It takes all or none.
	SetDomainRules(ctx context.Context, rs []DomainRule) error
	DeleteDomainRule(ctx context.Context, domain string) error
	// SetOnlyListed says whether only those are spoken with that a rule or the configuration allows.
	SetOnlyListed(ctx context.Context, only bool) error
}

// Domain is one of another server's.
type Domain struct {
	Domain      string      `json:"domain"`
	LastOut     time.Time   `json:"last_out,omitzero"`
	LastIn      time.Time   `json:"last_in,omitzero"`
	Error       string      `json:"error,omitempty"` // in plain words; "" if it has worked since
	Detail      string      `json:"detail,omitempty"`
	ErrorAt     time.Time   `json:"error_at,omitzero"`
	RetryAt     time.Time   `json:"retry_at,omitzero"`
	Certificate Certificate `json:"certificate"`
	Streams     []Stream    `json:"streams"`
	Rule        string      `json:"rule,omitempty"` // what was said of it, or of domains it is below
}

// Certificate is the one that the domain's server has shown last.
type Certificate struct {
	Subject  string    `json:"subject,omitempty"`
	Issuer   string    `json:"issuer,omitempty"`
	NotAfter time.Time `json:"not_after,omitzero"`
	Problem  string    `json:"problem,omitempty"`
}

// Stream is one with another server.
type Stream struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	Incoming bool      `json:"incoming"`
	Since    time.Time `json:"since"`
	Proof    string    `json:"proof,omitempty"` // "external", "dialback", "bidi"; "" while it is being made
	Queued   int       `json:"queued"`
}

// ProbeStep is one of what has to work, in order.
type ProbeStep struct {
	Name   string        `json:"name"`
	OK     bool          `json:"ok"`
	Text   string        `json:"text"`
	Detail string        `json:"detail,omitempty"`
	Took   time.Duration `json:"took"` // nanoseconds
}

// DomainRules is all that was said.
type DomainRules struct {
	OnlyListed bool         `json:"only_listed"`
	Rules      []DomainRule `json:"rules"`
}

// DomainRule is about a domain, or with "*." before it about all below one.
type DomainRule struct {
	Domain string    `json:"domain"`
	Action string    `json:"action"` // block, allow, certificate, dialback
	Note   string    `json:"note,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}
