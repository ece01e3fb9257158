package store

import (
	"context"
	"time"
)

// Place is a network that an account has signed in from, as a sum that nobody reads the network from.
type Place struct {
	Host, Owner string
	Network     string
	Used        time.Time
}

// Places are where accounts have signed in: what others guess from there does not shut them out.
type Places interface {
	// PutPlaces keeps them or notes their later use, all or none. Each account keeps the max that were used last; one that
	// is no more keeps nothing.
	PutPlaces(ctx context.Context, ps []Place, max int) error
	// Places gives those of a host in order of owner and network, at most limit, beginning after one.
	Places(ctx context.Context, host string, after Place, limit int) ([]Place, error)
	// DeletePlaces removes those that were last used before a time.
	DeletePlaces(ctx context.Context, before time.Time) error
}
