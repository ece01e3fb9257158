package acts

import (
	"context"

	"parley/store"
)

// Store is what a Log asks of the store.
type Store interface {
	AddAudit(ctx context.Context, host string, e store.AuditEntry) error
	Atomic(ctx context.Context, f func(ctx context.Context) error) error
}
