package store

import (
	"context"
	"time"
)

// What an administrator may have said about another server's domain.
const (
	DomainBlock       = "block"       // not spoken with
	DomainAllow       = "allow"       // spoken with, whatever is listed
	DomainCertificate = "certificate" // allow, and nothing but a valid certificate proves it
	DomainDialback    = "dialback"    // allow, and dialback proves it though certificates are required of others
)

// DomainRule is about a domain elsewhere, or with "*." before it about all below one. It holds for the whole deployment.
type DomainRule struct {
	Domain string // canonical
	Action string
	Note   string // why, for administrators
	Since  time.Time
}

// DomainRules are few: they are read as a whole.
type DomainRules interface {
	DomainRules(ctx context.Context) ([]DomainRule, error) // in order of domain
	// SetDomainRules adds or replaces; ErrLimit if there would be more than max.
	SetDomainRules(ctx context.Context, max int, rs ...DomainRule) error
	DeleteDomainRule(ctx context.Context, domain string) error // ErrNotFound
}
