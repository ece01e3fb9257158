package store

import (
	"context"
	"time"
)

// Place is a network from which an account has signed in, kept as a hash.
type Place struct {
	Host, Owner string
	Network     string
	Used        time.Time
}

// Places keeps the networks from which accounts have signed in: wrong guesses from elsewhere do not lock the owner out
// there.
type Places interface {
	// PutPlaces keeps places or notes their later use, all or none. Each account keeps the max that were used last;
	// places of accounts that do not exist are not kept.
	PutPlaces(ctx context.Context, ps []Place, max int) error
	// Places gives the places of a host in order of owner and network, at most limit, beginning behind after.
	Places(ctx context.Context, host string, after Place, limit int) ([]Place, error)
	// DeletePlaces removes places that were last used before a time.
	DeletePlaces(ctx context.Context, before time.Time) error
}
