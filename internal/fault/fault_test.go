package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/fault"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Exists, "name", "{{.Name}} is taken", "Name", "alice"), "alice is taken"},
		{fault.New(fault.Limit, "", "{{.Have}} of {{.Max}}, which are {{.Max}}",
			"Have", 3, "Max", 4), "3 of 4, which are 4"},
		{fault.New(fault.Invalid, "", "{{.Name}} is missing"), "{{.Name}} is missing"},
		{fault.At(fault.Invalid, "name", "is missing"), "name: is missing"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestOf(t *testing.T) {
	err := fmt.Errorf("rename: %w", fault.At(fault.NotFound, "group", "is gone"))
	if e := fault.Of(err); e == nil || e.Field != "group" {
		t.Errorf("got %+v", e)
	}
	if !fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		t.Error("it has another kind")
	}
	if other := errors.New("the disk has gone"); fault.Of(other) != nil || fault.Of(nil) != nil || fault.Is(other, 0) {
		t.Error("what refuses nothing is a fault")
	}
}
