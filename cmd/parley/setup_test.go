package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/admin"
	"parley/config"
)

type setupAnswer struct {
	Files    []string
	Records  []admin.DNSRecord
	Findings []admin.Finding
	Next     []string
}

func setupHere(t *testing.T) string {
	t.Helper()
	dir := shortDir(t)
	t.Chdir(dir)
	t.Setenv("PARLEY_SOCKET", "")
	t.Setenv("PARLEY_CONFIG", "")
	return dir
}

// Setup writes a configuration that the server accepts and a unit that starts it, and says what is not ready.
func TestSetup(t *testing.T) {
	dir := setupHere(t)
	ns := zone(t, "chat.example.org. 60 IN A 192.0.2.1",
		"_xmpp-client._tcp.example.org. 60 IN SRV 0 5 5222 chat.example.org.")
	args := []string{
		"--json", "setup", "EXAMPLE.org", "--dir", "conf", "--data-dir", "data", "--title", `Verona "Ltd": #1`,
		"--machine", "chat.example.org", "--acme-email", "admin@example.org", "--accept-terms", "--resolver", ns,
	}
	code, out, errs := cli(t, "", args...)
	if code != exitPartial { // the records for other servers are missing
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	var d setupAnswer
	if err := json.Unmarshal([]byte(out), &d); err != nil || len(d.Files) != 2 || len(d.Next) == 0 {
		t.Fatalf("%v %s", err, out)
	}
	cfg, err := config.Load(filepath.Join(dir, "conf", "parley.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Hosts[0].Domain != "example.org" || cfg.Hosts[0].Title != `Verona "Ltd": #1` ||
		cfg.DataDir != filepath.Join(dir, "data") || !cfg.TLS.ACME.Enabled ||
		cfg.Web.URL != "https://chat.example.org:5443" {
		t.Errorf("%+v", cfg)
	}
	unit, err := os.ReadFile(filepath.Join(dir, "conf", "parley.service"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nUser=parley\n", " serve --config " + dir + "/conf/parley.yaml\n", "\nReadWritePaths=" + dir + "/data\n",
	} {
		if !strings.Contains(string(unit), want) {
			t.Errorf("the unit lacks %q:\n%s", want, unit)
		}
	}
	state := make(map[string]string)
	for _, r := range d.Records {
		state[r.Type+" "+r.Name] = r.State
	}
	if state["A chat.example.org."] != admin.OK || state["SRV _xmpp-client._tcp.example.org."] != admin.OK ||
		state["SRV _xmpp-server._tcp.example.org."] != admin.Failed {
		t.Errorf("%+v", state)
	}
	for _, area := range []string{"ports", "clock", "certificates", "storage"} {
		if f := finding(d.Findings, area, ""); f.State == "none" {
			t.Errorf("nothing was said of %s", area)
		}
	}
	if code, _, errs := cli(t, "", args...); code != exitFailed || !strings.Contains(errs, "exists already") {
		t.Errorf("written over: exit %d: %s", code, errs)
	}
	if code, out, errs := cli(t, "", append(args[1:len(args):len(args)], "--force")...); code != exitPartial ||
		!strings.Contains(out, "_xmpp-server._tcp.groups.example.org.") || !strings.Contains(out, "next:") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("data_dir was made")
	}
}

// Impossible values are refused before anything is written.
func TestSetupRefuses(t *testing.T) {
	dir := setupHere(t)
	for want, args := range map[string][]string{
		"say where certificates come from": {},
		"belong together":                  {"--certificate", "a.crt"},
		"--accept-terms":                   {"--acme-email", "a@b.example"},
		"give --certificate or":            {"--acme-email", "a@b.example", "--certificate", "a", "--key", "b"},
		"systemd unit":                     {"--certificate", "a", "--key", "b", "--user", "par ley"},
	} {
		if code, _, errs := cli(t, "", append([]string{"setup", "example.org", "--dir", "conf"},
			args...)...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
	if code, _, errs := cli(t, "", "setup", "not a domain", "--dir", "conf", "--certificate",
		"a", "--key", "b"); code != exitFailed || !strings.Contains(errs, "hosts[0].domain") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, _ := cli(t, "", "setup"); code != exitUsage {
		t.Errorf("exit %d", code)
	}
	if es, err := os.ReadDir(dir); err != nil || len(es) > 0 {
		t.Errorf("left %v %v", es, err)
	}
}
