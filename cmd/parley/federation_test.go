package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/admin/api"
)

func TestFederationCommands(t *testing.T) {
	dir := shortDir(t)
	_, welcome, _ := startProcess(t, dir, "--set", "federation.enabled=true", "--set",
		"federation.addresses=127.0.0.1:0", "--set", "federation.tls_addresses=", "--set", "dns.resolver=127.0.0.1:1",
		"--set", "dns.timeout=1s")
	t.Setenv("PARLEY_SOCKET", welcome["socket"])
	run := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := cli(t, "", args...)
		if code != want {
			t.Fatalf("%v: exit %d: %s%s", args, code, out, errs)
		}
		return out + errs
	}
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list,
		[]byte("# known spammers\nSPAM.example, since 2024\n\n*.more.example # all of it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(exitOK, "federation", "import", list, "--note", "the list")
	run(exitOK, "federation", "certificate", "bank.example")
	run(exitOK, "federation", "only-listed", "on")
	var rs api.DomainRules
	if err := json.Unmarshal([]byte(run(exitOK, "--json", "federation", "rules")), &rs); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rs.Rules {
		got = append(got, r.Domain+" "+r.Action+" "+r.Note)
	}
	if want := "*.more.example block the list|bank.example certificate |spam.example " +
		"block the list"; strings.Join(got, "|") != want || !rs.OnlyListed {
		t.Errorf("got %q, only listed %v", got, rs.OnlyListed)
	}
	if out := run(exitFailed, "federation", "test", "other.example"); !strings.Contains(out, "policy") ||
		!strings.Contains(out, "FAILS") || !strings.Contains(out, "not on the list of allowed ones") {
		t.Errorf("got %s", out)
	}
	run(exitOK, "federation", "only-listed", "off")
	if out := run(exitFailed, "federation", "test", "other.example"); !strings.Contains(out, "DNS") {
		t.Errorf("got %s", out)
	}
	run(exitOK, "federation", "forget", "bank.example")
	run(exitFailed, "federation", "forget", "bank.example")
	if out := run(exitFailed, "federation", "block", "not a domain"); !strings.Contains(out, "is not a domain") {
		t.Errorf("got %s", out)
	}
	if out := run(exitFailed, "federation", "block", "localhost"); !strings.Contains(out, "served here") {
		t.Errorf("got %s", out)
	}
	if out := run(exitOK, "federation", "list"); !strings.Contains(out, "No traffic") {
		t.Errorf("got %s", out)
	}
}

// The test of a domain names the step that fails, and says what DNS has.
func TestFederationTestNamesTheStep(t *testing.T) {
	ns := zone(t, "_xmpp-server._tcp.dot.example. 60 IN SRV 0 0 0 .",
		"_xmpp-server._tcp.inside.example. 60 IN SRV 0 5 5269 inside.example.", "inside.example. 60 IN A 10.1.2.3",
		"_xmpp-server._tcp.lost.example. 60 IN SRV 0 5 5269 nothing.example.", "empty.example. 60 IN TXT hello")
	_, welcome, _ := startProcess(t, shortDir(t), "--set", "federation.enabled=true", "--set",
		"federation.addresses=127.0.0.1:0", "--set", "federation.tls_addresses=", "--set", "dns.resolver="+ns,
		"--set", "dns.timeout=30s")
	t.Setenv("PARLEY_SOCKET", welcome["socket"])
	for domain, want := range map[string]api.ProbeStep{
		"nosuch.example": {Name: "dns", Text: "DNS knows no such domain"},
		"dot.example":    {Name: "dns", Text: "says that it has no XMPP server"},
		"empty.example":  {Name: "address", Text: "there is no SRV record, and empty.example has no address"},
		"lost.example":   {Name: "address", Text: "DNS knows no name nothing.example"},
		"inside.example": {Name: "address", Text: "federation.allow_networks"},
	} {
		code, out, errs := cli(t, "", "--json", "federation", "test", domain)
		steps := decode[[]api.ProbeStep](t, out)
		if last := steps[len(steps)-1]; code != exitFailed || last.OK || last.Name != want.Name ||
			!strings.Contains(last.Text, want.Text) {
			t.Errorf("%s: exit %d: %+v %s", domain, code, last, errs)
		}
	}
}
