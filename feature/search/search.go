// Package search keeps the full-text index of archives up to date. Searches (XEP-0431) work without it, but slowly.
package search

import (
	"context"
	"time"

	"parley/server"
	"parley/wire"
)

// Config of the index; zero values mean the defaults.
type Config struct {
	Rooms string        // the domain of the host's rooms; "": it has none
	Every time.Duration // default 5 minutes
}

// settled is how old a message must be to be indexed: older than any commit under way and than the differences between
// nodes' clocks.
const settled = 10 * time.Minute

// New makes the feature.
func New(h *server.Host, st Store, c Config) *server.Feature {
	if c.Every <= 0 {
		c.Every = 5 * time.Minute
	}
	return &server.Feature{
		Name: "search",
		XEP: []server.XEP{{
			Number:  431,
			Title:   "Full Text Search in MAM",
			Version: "0.2.0",
			Notes: "all words, phrases in quotes, beginnings of words; of accounts and rooms; also under " +
				"the older name withtext",
		}},
		Disco:   []string{wire.NSFullText},
		Account: []string{wire.NSFullText},
		Run: func(ctx context.Context) error {
			t := time.NewTicker(c.Every)
			defer t.Stop()
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-t.C:
				}
				for _, host := range []string{h.Domain, c.Rooms} {
					if host == "" {
						continue
					}
					before := h.Clock.Now().Add(-settled)
					if _, err := st.IndexArchives(ctx, host, before); err != nil && ctx.Err() == nil {
						h.Log.Error("cannot index messages", "of", host, "err", err)
					}
				}
			}
		},
	}
}
