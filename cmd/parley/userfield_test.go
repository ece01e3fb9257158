package main

import (
	"slices"
	"strings"
	"testing"

	"parley/admin/api"
)

// Profile fields are defined, changed and deleted on the command line, and people's values of them are set there.
func TestProfileFieldCommands(t *testing.T) {
	d := startDev(t)
	d.ok(pw+"\n", "user", "add", "alice@localhost", "--name", "Alice Martin")
	if out := d.ok("", "user", "field", "list"); !strings.Contains(out, "parley user field add NAME") {
		t.Errorf("got %q", out)
	}
	out := d.ok("", "user", "field", "add", "Extension", "--kind", "number", "--name-fr", "Poste",
		"--searched", "--listed")
	if out != "extension: added\n" {
		t.Errorf("got %q", out)
	}
	site := decode[api.ProfileField](t, d.ok("", "--json", "user", "field", "add", "Office", "--key",
		"site", "--kind", "choice", "--choices", "Verona, Mantua", "--changed-by", "admins", "--place", "1"))
	if site.Key != "site" || site.Place != 1 || site.ChangedBy != "admins" ||
		!slices.Equal(site.Choices, []string{"Verona", "Mantua"}) {
		t.Errorf("got %+v", site)
	}
	d.fails(exitFailed, "already", "", "user", "field", "add", "Extension")
	d.fails(exitFailed, "already", "", "user", "field", "add", "Mail", "--key", "email")
	d.fails(exitUsage, "user field add NAME", "", "user", "field", "add")
	d.fails(exitUsage, "nothing to change", "", "user", "field", "set", "site")
	d.fails(exitUsage, "true or false", "", "user", "field", "set", "site", "--searched=maybe")
	d.fails(exitFailed, "choose from", "", "user", "field", "set", "site", "--choices", "")
	d.fails(exitFailed, "kind", "", "user", "field", "set", "site", "--kind", "text")
	d.fails(exitFailed, "no field none", "", "user", "field", "set", "none", "--name", "None")
	if out := d.ok("", "user", "field", "set", "extension", "--name", "Ext.", "--seen-by", "team",
		"--listed=false", "--place", "1"); out !=
		"extension: changed\n" {
		t.Errorf("got %q", out)
	}
	fs := decode[[]api.ProfileField](t, d.ok("", "--json", "user", "field", "list"))
	if len(fs) != 2 || fs[0].Name != "Ext." || fs[0].SeenBy != "team" || fs[0].Listed ||
		!fs[0].Searched || fs[1].Key != "site" {
		t.Errorf("got %+v", fs)
	}
	if out := d.ok("", "user", "field", "list"); !strings.Contains(out, "extension") ||
		!strings.Contains(out, "searched") {
		t.Errorf("got %q", out)
	}

	if out := d.ok("", "user", "set", "alice", "--field", "extension=0042",
		"--field", "site=verona"); out != "alice@localhost: changed\n" {
		t.Errorf("got %q", out)
	}
	u := decode[api.Person](t, d.ok("", "--json", "user", "show", "alice"))
	if u.Fields["extension"] != "0042" || u.Fields["site"] != "Verona" {
		t.Errorf("got %v", u.Fields)
	}
	if out := d.ok("", "user", "show", "alice"); !strings.Contains(out, "0042") {
		t.Errorf("got %q", out)
	}
	d.fails(exitFailed, "Ext. is a number", "", "user", "set", "alice", "--field", "extension=ten")
	d.fails(exitFailed, "Office is one of: Verona, Mantua", "", "user", "set", "alice", "--field", "site=Rome")
	d.fails(exitFailed, "no field none", "", "user", "set", "alice", "--field", "none=1")
	d.fails(exitUsage, "key=value", "", "user", "set", "alice", "--field", "extension")
	d.fails(exitUsage, "nothing to change", "", "user", "set", "alice")
	d.ok("", "user", "set", "alice", "--field", "extension=")

	d.fails(exitUsage, "--yes", "", "user", "field", "delete", "site")
	if out := d.ok("", "user", "field", "delete", "--yes", "site"); out != "site: deleted\n" {
		t.Errorf("got %q", out)
	}
	d.fails(exitFailed, "no field site", "", "user", "field", "delete", "--yes", "site")
	if u := decode[api.Person](t, d.ok("", "--json", "user", "show", "alice")); len(u.Fields) != 0 {
		t.Errorf("got %v", u.Fields)
	}
}
