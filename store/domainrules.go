package store

import (
	"context"
	"time"
)

// DomainBlock and the others are what a rule says about another server's domain.
const (
	DomainBlock       = "block"       // no connection to it or from it
	DomainAllow       = "allow"       // connections are allowed even if a blocklist names the domain
	DomainCertificate = "certificate" // as allow, and only a valid certificate authenticates it
	// as allow, and dialback authenticates it even if certificates are required of others
	DomainDialback = "dialback"
)

// DomainRule is a rule about a remote domain or, if Domain begins with "*.", about all domains below one. It holds for
// all hosts of the server.
type DomainRule struct {
	Domain string // canonical
	Action string
	Note   string // the reason, for administrators
	Since  time.Time
}

// DomainRules keeps the rules about remote domains. There are few of them, so they are read as a whole.
type DomainRules interface {
	// DomainRules gives all rules in order of domain.
	DomainRules(ctx context.Context) ([]DomainRule, error)
	// SetDomainRules adds rules or replaces those of the same domain; ErrLimit if there would be more than max.
	SetDomainRules(ctx context.Context, max int, rs ...DomainRule) error
	// DeleteDomainRule removes the rule of a domain; ErrNotFound if there is none.
	DeleteDomainRule(ctx context.Context, domain string) error
}
