package front_test

import (
	"slices"
	"testing"
)

// TestHeldEvents checks that events are asked for in answers that end, one after the other, where the first stream is
// held back on its way.
func TestHeldEvents(t *testing.T) {
	var got struct{ Asked, Got []string }
	runScript(t, "testdata/events.ts", nil, &got)
	asked := []string{" after nothing", "?poll=true after nothing", "?poll=true after a-0", "?poll=true after a-1"}
	if !slices.Equal(got.Asked, asked) {
		t.Errorf("asked for %q", got.Asked)
	}
	if want := []string{"reset", "hello", "hello", "read"}; !slices.Equal(got.Got, want) {
		t.Errorf("got %q, want %q", got.Got, want)
	}
}
