package background

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Failed work begins again until it is done, and each failure is logged.
func TestKeep(t *testing.T) {
	var log bytes.Buffer
	runs := 0
	keep(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), "counting", func(context.Context) error {
		if runs++; runs < 3 {
			return errors.New("the disk is full")
		}
		return nil
	}, time.Millisecond)
	if runs != 3 {
		t.Errorf("it ran %d times", runs)
	}
	if n := strings.Count(log.String(), "work=counting"); n != 2 {
		t.Errorf("%d lines in the log:\n%s", n, log.String())
	}
}

// The end of the server is not a failure, and ends a pause.
func TestKeepEnds(t *testing.T) {
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	keep(ctx, slog.New(slog.NewTextHandler(&log, nil)), "waiting", func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	}, time.Hour)
	if log.Len() > 0 {
		t.Errorf("the log says %s", log.String())
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	keep(ctx, slog.New(slog.NewTextHandler(&log, nil)), "failing",
		func(context.Context) error { return errors.New("no") }, time.Hour)
}
