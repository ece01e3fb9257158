package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/admin/api"
)

// Sharing with a team follows the same rules as membership of it.
func TestTeamShares(t *testing.T) {
	d := startDev(t)
	d.ok(pw+"\n", "user", "add", "alice")
	d.ok("", "team", "create", "sales", "--name", "Sales", "--member", "alice")
	if out := d.ok("", "team", "snippets", "list", "sales"); !strings.Contains(out, "no saved replies") {
		t.Errorf("got %s", out)
	}
	d.ok("", "team", "snippets", "set", "sales", "Offer", "--text", "Thank you.\nHere is our offer.")
	d.ok("Delivery within\na week.\n", "team", "snippets", "set", "sales", "Terms, new")
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("From a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.ok("", "team", "snippets", "set", "sales", "Offer", "--file", file)
	xs := decode[[]api.Share](t, d.ok("", "--json", "team", "snippets", "list", "sales"))
	if len(xs) != 2 || xs[0].Name != "Offer" || xs[0].Text != "From a file" ||
		xs[1].Text != "Delivery within\na week." || xs[0].Updated.IsZero() || xs[0].Creator != "" {
		t.Errorf("got %+v", xs)
	}
	if out := d.ok("", "team", "snippets", "list", "sales"); !strings.Contains(out, "Delivery within …") {
		t.Errorf("got %s", out)
	}
	d.fails(exitFailed, "text: is missing", "", "team", "snippets", "set", "sales", "Empty", "--text", " ")
	d.fails(exitFailed, "longer than 4000", strings.Repeat("x", 5000), "team", "snippets", "set", "sales", "Long")
	d.fails(exitFailed, "name: is missing", "", "team", "snippets", "set", "sales", " ", "--text", "x")
	d.fails(exitFailed, "characters that cannot be sent", "a\x01b", "team", "snippets", "set", "sales", "Bell")
	d.fails(exitUsage, "not both", "", "team", "snippets", "set", "sales", "Two", "--text", "x", "--file", file)
	d.fails(exitFailed, "no such file", "", "team", "snippets", "set", "sales", "None", "--file", file+"?")
	d.fails(exitFailed, "no team", "", "team", "snippets", "list", "nosuch")
	if code, _, errs := d.cli("", "team", "snippets", "remove", "sales",
		"Terms, new", "Nothing"); code != exitPartial || !strings.Contains(errs, "no snippet Nothing") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	if xs = decode[[]api.Share](t, d.ok("", "--json", "team", "snippets", "list", "sales")); len(xs) != 1 {
		t.Errorf("got %+v", xs)
	}

	d.ok("", "team", "contacts", "add", "sales", "Escalus@Partner.example/desk", "--name", "Prince Escalus")
	d.fails(exitFailed, "contact: is not the address of a person", "", "team", "contacts", "add",
		"sales", "partner.example")
	d.fails(exitFailed, "is not the address", "", "team", "contacts", "add", "sales", "a@b@c")
	if xs = decode[[]api.Share](t, d.ok("", "--json", "team", "contacts", "list", "sales")); len(xs) != 1 ||
		xs[0].Name != "escalus@partner.example" || xs[0].Text != "Prince Escalus" {
		t.Errorf("got %+v", xs)
	}
	d.ok("", "team", "contacts", "remove", "sales", "ESCALUS@partner.example")
	d.fails(exitFailed, "no contact escalus@partner.example", "", "team", "contacts", "remove", "sales",
		"escalus@partner.example")
	if out := d.ok("", "team", "contacts", "list", "sales"); !strings.Contains(out, "shares no contacts") {
		t.Errorf("got %s", out)
	}
}
