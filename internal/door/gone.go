package door

import (
	"context"
	"errors"
	"log/slog"
)

// Gone says whether who sent a request has gone away: net/http cancels its context when the connection ends, also when
// the answer can no longer be written.
func Gone(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// Failed logs that something failed while a request was answered, whose context is ctx. It is an error of ours unless
// who sent the request has gone away: then the failure says no more than that.
func Failed(ctx context.Context, log *slog.Logger, what string, args ...any) {
	level := slog.LevelError
	if Gone(ctx) {
		level = slog.LevelDebug
	}
	log.Log(context.WithoutCancel(ctx), level, what, args...)
}
