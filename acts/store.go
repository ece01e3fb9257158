package acts

import (
	"context"

	"parley/store"
)

// Store is the part of the store that a Log uses.
type Store interface {
	// AddAudit adds an entry.
	AddAudit(ctx context.Context, host string, e store.AuditEntry) error
	// AuditKept says whether an entry is kept, once the transaction that adds it is over.
	AuditKept(ctx context.Context, host string, id store.ID) (bool, error)
	// Atomic runs f in one transaction of the highest isolation. Its error is store.ErrInDoubt if the transaction may
	// be committed all the same.
	Atomic(ctx context.Context, f func(ctx context.Context) error) error
}
