package server

import (
	"strings"
	"testing"
)

// Two features with the same specification share one line with the notes of both.
func TestMatrix(t *testing.T) {
	got := string(Matrix([]XEP{
		{Number: 50, Title: "B", Version: "1", Notes: "in rooms"},
		{Title: "RFC 1"},
		{Number: 50, Title: "B", Version: "1"},
		{Number: 50, Title: "B", Version: "1", Notes: "no y", Partial: true},
		{Number: 50, Title: "B", Version: "1", Notes: "in rooms"},
	}))
	for _, want := range []string{"| RFC 1 |  | complete |  |\n", ": B | 1 | partial | in rooms; no y |\n"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "XEP-0050"); n != 1 {
		t.Errorf("%d lines", n)
	}
}
