package testrig_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
	"parley/webchat"
)

// A moderator removes a message and warns its author, who reads why; the audit log has it.
func TestRemoveAndWarn(t *testing.T) {
	r, _, g := verona(t, "juliet", "tybalt")
	for _, name := range []string{"juliet", "tybalt"} {
		addTo(t, r, g, name)
	}
	room := g.Room + "@groups." + testrig.Host
	romeo, juliet, tybalt := newChatter(t, r, "romeo"), newChatter(t, r, "juliet"), newChatter(t, r, "tybalt")
	bad := tybalt.say(room, "Villain!")
	at := in(room, "/messages/", bad.ID, "?warn=true&reason="+url.QueryEscape("Be kind"))
	if status := juliet.do("DELETE", at, nil, nil); status != http.StatusForbidden {
		t.Errorf("by a member: %d", status)
	}
	romeo.must("DELETE", at, nil, nil)
	tybalt.message("notify@"+testrig.Host, func(m webchat.Message, fresh bool) bool {
		return fresh && strings.HasPrefix(m.Text, "romeo has removed a message of yours in "+g.Name+
			", and warns you\nReason: Be kind\n> Villain!\nhttp")
	})
	f := store.AuditFilter{Action: "message.retract", Limit: 1}
	es, err := r.Node.Store.AuditEntries(t.Context(), testrig.Host, f)
	if err != nil || len(es) != 1 || !strings.Contains(es[0].Detail, `"warned":true`) {
		t.Errorf("audit: %+v %v", es, err)
	}
}
