package door

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestFailed checks that a failure is an error unless who asked has gone away; that something took too long is one.
func TestFailed(t *testing.T) {
	gone, goes := context.WithCancel(t.Context())
	goes()
	late, end := context.WithDeadline(t.Context(), time.Time{})
	defer end()
	for _, c := range []struct {
		ctx  context.Context
		want string
	}{{t.Context(), "level=ERROR"}, {gone, "level=DEBUG"}, {late, "level=ERROR"}} {
		var b bytes.Buffer
		log := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))
		Failed(c.ctx, log, "page", "part", "foot")
		if got := b.String(); !strings.Contains(got, c.want) || !strings.Contains(got, "part=foot") {
			t.Errorf("got %q, want %s", got, c.want)
		}
	}
}
