package acts

import (
	"context"

	"parley/store"
)

// Store is the part of the store that a Log uses.
type Store interface {
	// AddAudit adds an entry.
	AddAudit(ctx context.Context, host string, e store.AuditEntry) error
	// Atomic runs f in one transaction of the highest isolation.
	Atomic(ctx context.Context, f func(ctx context.Context) error) error
}
