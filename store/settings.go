package store

import (
	"context"
	"time"
)

// Setting is what an organization has decided of itself, in place of what the configuration says. What names and values
// there are is said in package settings.
type Setting struct {
	Name, Value string
	Since       time.Time
	By          string // localpart; "" is the command line
}

// Settings are few: they are read as a whole.
type Settings interface {
	Settings(ctx context.Context, host string) ([]Setting, error) // in order of name
	// SetSettings keeps some and forgets others by their names, all or nothing.
	SetSettings(ctx context.Context, host string, keep []Setting, forget []string) error
}
