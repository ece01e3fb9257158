package pages

import (
	"testing"

	"parley/testrig"
	"parley/wire/jid"
)

// groupPages are those of the demo's group and of its theme.
func groupPages(t *testing.T, r *testrig.Rig) []string {
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "engineering")
	if err != nil {
		t.Fatal(err)
	}
	ts, err := r.Node.Org.Themes(t.Context(), testrig.Host, g.ID, jid.JID{})
	if err != nil || len(ts) == 0 {
		t.Fatal(ts, err)
	}
	theme := "/g/engineering/t/" + ts[0].Key
	return []string{"/g/engineering/members", "/g/engineering/members?q=nobody+like+that", "/g/engineering/members/add", "/g/engineering/themes/new", theme, theme + "/settings"}
}
