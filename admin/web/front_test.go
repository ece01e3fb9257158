package web

import (
	"net/http/httptest"
	"slices"
	"testing"
)

// TestFirstAsked checks the addresses that a browser loads beside the script: those that the script asks for, letter by
// letter.
func TestFirstAsked(t *testing.T) {
	for _, c := range []struct {
		id, message string
		want        []string
	}{
		{"", "", nil},
		{"balcony@groups.example.org", "", []string{
			"/api/v1/conversations/balcony%40groups.example.org",
			"/api/v1/conversations/balcony%40groups.example.org/messages?limit=50",
		}},
		{"o'brien (é)@a.example", "0rsvprne79yj6", []string{
			"/api/v1/conversations/o'brien%20(%C3%A9)%40a.example",
			"/api/v1/conversations/o'brien%20(%C3%A9)%40a.example/messages?around=0rsvprne79yj6&limit=50",
		}},
	} {
		r := httptest.NewRequest("GET", "/chat", nil)
		r.SetPathValue("id", c.id)
		r.SetPathValue("message", c.message)
		if got := firstAsked(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.id, got)
		}
	}
}
