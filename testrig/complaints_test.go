package testrig_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// A report of a message reaches the moderators of its group, or else the administrators, and the list of reports.
func TestReportMessage(t *testing.T) {
	r, _, g := verona(t, "juliet", "tybalt", "paris", "escalus")
	for _, name := range []string{"juliet", "tybalt"} {
		addTo(t, r, g, name)
	}
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host, "escalus", func(p *store.Person) error {
		p.Role = store.RoleAdmin
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	room := g.Room + "@groups." + testrig.Host
	romeo, juliet, tybalt := newChatter(t, r, "romeo"), newChatter(t, r, "juliet"), newChatter(t, r, "tybalt")
	escalus, paris := newChatter(t, r, "escalus"), newChatter(t, r, "paris")
	bad := tybalt.say(room, "Thou art a villain")
	report := func(by *chatter, where, message string) int {
		return by.do("POST", in(where, "/messages/", message, "/report"),
			webchat.Complaint{Reason: "abuse", Text: "He bites his thumb"}, nil)
	}
	if status := report(juliet, room, bad.ID); status != http.StatusNoContent {
		t.Fatalf("in the group: %d", status)
	}
	romeo.message("notify@"+testrig.Host, func(m webchat.Message, fresh bool) bool {
		return fresh && strings.HasPrefix(m.Text, "juliet reports a message of tybalt in "+g.Name+"\nReason: abuse\n"+
			"He bites his thumb\n> Thou art a villain\nhttp") && strings.HasSuffix(m.Text, "/"+bad.ID)
	})

	// Of the only moderator, and between two people: the administrators.
	own := romeo.say(room, "No sir")
	if status := report(juliet, room, own.ID); status != http.StatusNoContent {
		t.Errorf("about the moderator: %d", status)
	}
	escalus.message("notify@"+testrig.Host, func(m webchat.Message, _ bool) bool {
		return strings.Contains(m.Text, "message of romeo in "+g.Name)
	})
	tybalt.say("juliet@"+testrig.Host, "Boy!")
	at := "tybalt@" + testrig.Host
	if status := report(juliet, at, juliet.fresh(at, "Boy!").ID); status != http.StatusNoContent {
		t.Errorf("between two: %d", status)
	}
	escalus.message("notify@"+testrig.Host, func(m webchat.Message, _ bool) bool {
		return strings.Contains(m.Text, "in a direct conversation") && strings.HasSuffix(m.Text, "> Boy!")
	})

	for what, status := range map[string]int{
		"one's own": report(romeo, room, own.ID),
		"not there": report(juliet, room, "0000000000001"),
		"no right":  report(paris, room, bad.ID),
		"no reason": juliet.do("POST", in(room, "/messages/", bad.ID, "/report"), webchat.Complaint{Reason: "x"}, nil),
	} {
		if status < 400 {
			t.Errorf("%s: %d", what, status)
		}
	}
	b := r.Browser(t)
	b.SignIn("escalus")
	var list []struct {
		By, Whom, Room string
		Messages       []string
	}
	if status := (apiClient{t, b, newToken(t, b, "system:read")}).do("GET", "/v1/reports", "", &list); status != 200 {
		t.Fatal(status)
	}
	if len(list) != 3 || list[2].Room != room || list[2].Whom != at || len(list[2].Messages) != 1 ||
		!strings.HasSuffix(list[2].Messages[0], "Thou art a villain") || list[0].Room != "" {
		t.Errorf("reports: %+v", list)
	}
}
