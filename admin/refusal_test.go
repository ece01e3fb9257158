package admin_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/admin"
	"parley/internal/fault"
	"parley/store"
)

func TestRefusalOfEveryKind(t *testing.T) {
	seen := make(map[fault.Kind]bool)
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{fault.New(fault.Invalid, "name", "x"), 422, "x"},
		{fault.New(fault.Exists, "", "x"), 409, "x"},
		{fault.New(fault.NotFound, "", "x"), 404, "x"},
		{fault.New(fault.Forbidden, "", "x"), 403, "x"},
		{fault.New(fault.NotAllowed, "", "x"), 403, "x"},
		{fault.New(fault.Limit, "", "{{.Max}} at most", "Max", 3), 403, "3 at most"},
		{fault.New(fault.Busy, "", "x"), 503, "x"},
		{fmt.Errorf("act: %w", fault.At(fault.Invalid, "name", "is missing")), 422, "name: is missing"},
		{fmt.Errorf("read: %w", store.ErrNotFound), 404, "there is no such thing"},
		{store.ErrExists, 409, "somebody else has changed this meanwhile: try again"},
		{store.ErrConflict, 409, "somebody else has changed this meanwhile: try again"},
		{store.ErrShare, 403, "the limit for these is reached"},
	} {
		if f := fault.Of(c.err); f != nil {
			seen[f.Kind] = true
		}
		if status, f := admin.Refusal(c.err); status != c.status || f == nil || f.Error() != c.text {
			t.Errorf("%v: got %d %v, want %d %q", c.err, status, f, c.status, c.text)
		}
	}
	for _, k := range fault.Kinds {
		if !seen[k] {
			t.Errorf("kind %d is not tried", k)
		}
	}
	for _, err := range []error{nil, errors.New("the disk has gone"), store.ErrLast} {
		if status, f := admin.Refusal(err); status != 0 || f != nil {
			t.Errorf("%v refuses something: %d %v", err, status, f)
		}
	}
}
