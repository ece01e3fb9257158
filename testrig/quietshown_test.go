package testrig_test

import (
	"strings"
	"testing"
	"time"

	"parley/testrig"
	"parley/webchat"
)

// During quiet hours colleagues see "do not disturb" of who is at a browser, and afterwards what the person has chosen.
func TestQuietHoursAreShown(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	romeo, juliet := newChatter(t, r, "romeo"), newChatter(t, r, "juliet")
	atJuliet := "juliet@" + testrig.Host
	romeo.must("GET", in(atJuliet), nil, nil) // romeo's browser hears of juliet from now on
	shown := func(show string) {
		t.Helper()
		romeo.want("presence", func(data string) bool {
			return strings.Contains(data, atJuliet) && strings.Contains(data, `"show":"`+show+`"`)
		})
	}
	own := func(quiet bool) {
		t.Helper()
		juliet.want("me", func(data string) bool {
			return strings.Contains(data, `"show":"available"`) && strings.Contains(data, `"quiet":true`) == quiet
		})
	}
	now := time.Now().UTC()
	clock := func(d time.Duration) string { return now.Add(d).Format("15:04") }
	juliet.must("PATCH", "/me/quiet-hours", map[string]any{"on": true, "from": clock(-time.Hour),
		"to": clock(2 * time.Hour), "time_zone": "UTC",
		"days": []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}, nil)
	shown("dnd")
	own(true)
	var c webchat.Conversation
	romeo.must("GET", in(atJuliet), nil, &c)
	if c.Status == nil || c.Status.Show != "dnd" {
		t.Errorf("romeo sees %+v", c.Status)
	}
	// Another browser shows it from the beginning.
	other := newChatter(t, r, "juliet")
	var l webchat.List
	other.must("GET", "/conversations", nil, &l)
	if !l.Me.Quiet || l.Me.Status.Show != "available" {
		t.Errorf("oneself: %+v", l.Me)
	}
	juliet.must("PATCH", "/me/quiet-hours", map[string]any{"on": false}, nil)
	shown("available")
	own(false)
	// A pause until a time is shown as well.
	until := now.Add(time.Hour).Format(time.RFC3339)
	juliet.must("PATCH", "/me/quiet-hours", map[string]any{"paused_until": until}, nil)
	shown("dnd")
}
