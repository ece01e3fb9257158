package store

import (
	"context"
	"time"
)

// Setting is a value that an organization has set instead of the configuration's. Package settings says which names and
// values there are.
type Setting struct {
	Name, Value string
	Since       time.Time
	By          string // localpart; "" is the command line
}

// Settings keeps settings. There are few of them, so they are read as a whole.
type Settings interface {
	// Settings gives all settings of a host in order of name.
	Settings(ctx context.Context, host string) ([]Setting, error)
	// SetSettings keeps some settings and removes others by name, all or nothing.
	SetSettings(ctx context.Context, host string, keep []Setting, forget []string) error
}
