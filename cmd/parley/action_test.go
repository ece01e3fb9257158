package main

import (
	"strings"
	"testing"

	"parley/admin/api"
)

func TestActionCommands(t *testing.T) {
	d := startDev(t)
	d.ok(pw+"\n", "user", "add", "alice")
	d.ok("", "group", "create", "desk", "--owner", "alice")
	d.fails(exitFailed, "address like", "", "action", "create", "Create a ticket")
	d.fails(exitFailed, "There is no group nowhere", "", "action", "create", "X", "--url", "https://x.example/",
		"--groups", "nowhere")
	made := decode[api.Action](t, d.ok("", "--json", "action", "create", "Create a ticket", "--url",
		"https://tickets.example/new", "--icon", "ticket", "--comment", "--groups", "desk", "--tells", "text,link"))
	if made.Secret == "" || strings.Join(made.Groups, " ") != "desk" || strings.Join(made.Tells, " ") != "text link" ||
		!made.Comment || made.All {
		t.Errorf("got %+v", made)
	}
	if out := d.ok("", "action", "list"); !strings.Contains(out, "Create a ticket") ||
		strings.Contains(out, made.Secret) {
		t.Errorf("got %s", out)
	}
	d.fails(exitUsage, "nothing to change", "", "action", "set", made.ID)
	x := decode[api.Action](t, d.ok("", "--json", "action", "set", made.ID, "--groups", "", "--name", "Ticket",
		"--comment=false"))
	if !x.All || x.Name != "Ticket" || x.Comment || x.Secret != "" {
		t.Errorf("got %+v", x)
	}
	if out := d.ok("", "action", "renew", made.ID); strings.Contains(out, made.Secret) || len(out) < 40 {
		t.Errorf("got %s", out)
	}
	d.ok("", "action", "delete", made.ID)
	d.fails(exitFailed, "no such action", "", "action", "renew", made.ID)
}
