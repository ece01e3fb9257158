// Package background runs work that goes on for as long as the server does.
package background

import (
	"context"
	"log/slog"
	"time"
)

// The pauses after failures. Each is twice as long as the one before, up to the longest.
const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// Keep runs f until f returns nil or ctx ends. An error of f never ends the server, since the cause may pass (a full
// disk, a database that restarts): Keep logs the error, pauses for a second or more, and runs f again. f must begin
// anew with each call.
func Keep(ctx context.Context, log *slog.Logger, name string, f func(context.Context) error) {
	keep(ctx, log, name, f, firstPause)
}

func keep(ctx context.Context, log *slog.Logger, name string, f func(context.Context) error, pause time.Duration) {
	for {
		began := time.Now()
		err := f(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if time.Since(began) > longestPause {
			pause = firstPause
		}
		log.Error("background work failed and will be restarted", "work", name, "pause", pause, "err", err)
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		pause = min(2*pause, longestPause)
	}
}
