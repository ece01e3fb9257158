package store

import "context"

// Report is what somebody has said of whom they block (XEP-0377).
type Report struct {
	Host     string
	ID       ID     // also when it was
	Reporter string // localpart
	Who      string // address
	Reason   string // "spam", "abuse"
	Text     string
	Messages []ID // in the reporter's archive
}

type Reports interface {
	// AddReport keeps one; ErrLimit if there would be more than max of its reporter.
	AddReport(ctx context.Context, r Report, max int) error
	// Reports gives the newest, at most limit; those before an id, if that is not 0.
	Reports(ctx context.Context, host string, before ID, limit int) ([]Report, error)
	DeleteReport(ctx context.Context, host string, id ID) error // ErrNotFound
}
