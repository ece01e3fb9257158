package server

import (
	"context"
	"errors"
	"testing"
)

// A question outlives the stanza that caused it, and ends with the host's work, which waits for it.
func TestQuestions(t *testing.T) {
	var q questions
	stanza, done := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), error(nil)
	q.ask(stanza, func(ctx context.Context) {
		done()
		close(begun)
		q.ask(ctx, func(ctx context.Context) { <-ctx.Done() }) // the end of one question starts the next
		<-ctx.Done()
		ended = ctx.Err()
	})
	<-begun
	q.close()
	if !errors.Is(ended, context.Canceled) {
		t.Errorf("it ended with %v", ended)
	}
	q.ask(t.Context(), func(context.Context) { t.Error("asked after the end") })
	q.close()

	var one questions
	over := make(chan struct{})
	cancel := one.ask(t.Context(), func(ctx context.Context) {
		<-ctx.Done()
		close(over)
	})
	cancel()
	<-over
}
