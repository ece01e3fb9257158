package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"parley/admin"
)

// zone is a DNS server that knows only these records.
func zone(t *testing.T, records ...string) string {
	t.Helper()
	var all []dns.RR
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rr)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		known := false
		for _, rr := range all {
			if strings.EqualFold(rr.Header().Name, q.Question[0].Name) {
				known = true
				if rr.Header().Rrtype == q.Question[0].Qtype {
					m.Answer = append(m.Answer, rr)
				}
			}
		}
		if !known {
			m.Rcode = dns.RcodeNameError
		}
		w.WriteMsg(m)
	})}
	ready := make(chan struct{})
	s.NotifyStartedFunc = func() { close(ready) }
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		s.Shutdown()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return pc.LocalAddr().String()
}

func port(t *testing.T, addr string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func finding(fs []admin.Finding, area, what string) admin.Finding {
	for _, f := range fs {
		if f.Area == area && strings.Contains(f.What, what) {
			return f
		}
	}
	return admin.Finding{State: "none"}
}

// The running server says how it is.
func TestDoctorOfRunningServer(t *testing.T) {
	d := startDev(t)
	code, out, errs := d.cli("", "--json", "doctor")
	if code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	fs := decodeInto[[]admin.Finding](t, out)
	for area, what := range map[string]string{
		"configuration": "files",
		"certificates":  "localhost",
		"dns":           "localhost",
		"storage":       "database",
		"e-mail":        "relay",
		"clock":         "synchronisation",
	} {
		if f := finding(fs, area, what); f.State != admin.OK && area != "clock" || f.Text == "" {
			t.Errorf("%s, %s: %+v", area, what, f)
		}
	}
	if f := finding(fs, "storage", "database"); !strings.Contains(f.Text, "SQLite answers") {
		t.Errorf("%+v", f)
	}
	if out := d.ok("", "doctor"); !strings.Contains(out, "certificates\n  ok       localhost: by ") {
		t.Error(out)
	}
}

// Of a stopped server it says what would be in its way.
func TestDoctorOfStoppedServer(t *testing.T) {
	dir := shortDir(t)
	t.Chdir(dir)
	t.Setenv("PARLEY_SOCKET", "")
	t.Setenv("PARLEY_CONFIG", "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ns := zone(t, "example.org. 60 IN A 127.0.0.1")
	text := "hosts: [example.org]\ndata_dir: " + dir +
		"/data\ntls:\n  certificate: none.crt\n  key: none.key\ndns:\n  resolver: " + ns +
		"\nlisteners:\n  c2s:\n    addresses: [\"" + taken.Addr().String() +
		"\"]\n  c2s_tls:\n    addresses: [\"127.0.0.1:0\"]\n  websocket:\n    addresses: [\"127.0.0.1:0\"]\n" +
		"  metrics:\n    addresses: []\n" +
		"federation:\n  enabled: false\nmail:\n  host: 127.0.0.1\n  port: 1\n  tls: none\n  from: chat@example.org\n"
	if err := os.WriteFile(filepath.Join(dir, "parley.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := cli(t, "", "--json", "doctor")
	if code != exitFailed {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	fs := decodeInto[[]admin.Finding](t, out)
	for _, want := range []admin.Finding{
		{Area: "server", What: "control socket", State: admin.Warning, Text: "no server is listening"},
		{Area: "configuration", What: "files", State: admin.Failed, Text: "none.crt"},
		{Area: "certificates", What: "example.org", State: admin.Failed, Text: "none.crt"},
		{Area: "dns", What: "A example.org.", State: admin.Warning, Text: "nobody else comes there"},
		{Area: "dns", What: "SRV _xmpp-client._tcp.example.org.", State: admin.Failed, Text: "there is none"},
		{Area: "ports", What: taken.Addr().String(), State: admin.Failed, Text: "another program has it"},
		{Area: "e-mail", What: "127.0.0.1:1", State: admin.Failed, Text: "refused"},
		{Area: "storage", What: "database", State: admin.OK, Text: "is made when the server starts"},
	} {
		if f := finding(fs, want.Area, want.What); f.State != want.State || !strings.Contains(f.Text, want.Text) ||
			f.State == admin.Failed && f.Todo == "" {
			t.Errorf("got %+v, want %+v", f, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("looking has made data_dir")
	}
	if code, _, errs := cli(t, "", "check"); code != exitFailed || !strings.Contains(errs, "none.crt") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if err := os.WriteFile(filepath.Join(dir, "parley.yaml"),
		[]byte("hosts: [example.org]\nlimits:\n  stanza_sice: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := cli(t, "", "doctor"); code != exitFailed || !strings.Contains(out, "stanza_sice") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// The records of a domain, and what DNS has of them.
func TestDNS(t *testing.T) {
	var c2s string
	{ // a port that is known before the server has it
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c2s = port(t, l.Addr().String())
		l.Close()
	}
	dir := shortDir(t)
	t.Chdir(dir)
	t.Setenv("PARLEY_SOCKET", "")
	t.Setenv("PARLEY_CONFIG", "")
	ns := zone(t, "_xmpp-client._tcp.example.org. 60 IN SRV 0 5 "+c2s+" chat.example.org.",
		"_xmpps-client._tcp.example.org. 60 IN SRV 0 5 1 chat.example.org.", "chat.example.org. 60 IN A 192.0.2.1")
	text := "hosts: [example.org]\ndata_dir: " + dir +
		"/data\ntls:\n  certificate: none.crt\n  key: none.key\ndns:\n  resolver: " + ns +
		"\nlisteners:\n  c2s:\n    addresses: [\"127.0.0.1:" + c2s + "\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "parley.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := cli(t, "", "--json", "dns", "--machine", "chat.example.org")
	if code != exitFailed { // those for other servers are missing
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	rs := decodeInto[[]admin.DNSRecord](t, out)
	for _, want := range []admin.DNSRecord{
		{Type: "A", Name: "chat.example.org.", State: admin.OK, Found: "192.0.2.1", Must: true},
		{
			Type:  "SRV",
			Name:  "_xmpp-client._tcp.example.org.",
			Value: "0 5 " + c2s + " chat.example.org.",
			State: admin.OK,
			Must:  true,
		},
		{
			Type:  "SRV",
			Name:  "_xmpps-client._tcp.example.org.",
			Value: "0 5 5223 chat.example.org.",
			State: admin.Warning,
			Must:  true,
		},
		{
			Type:  "SRV",
			Name:  "_xmpp-server._tcp.example.org.",
			Value: "0 5 5269 chat.example.org.",
			State: admin.Failed,
			Found: "there is none",
			Must:  true,
		},
		{
			Type:  "SRV",
			Name:  "_xmpp-server._tcp.groups.example.org.",
			Value: "0 5 5269 chat.example.org.",
			State: admin.Failed,
			Must:  true,
		},
	} {
		found := false
		for _, r := range rs {
			if r.Name == want.Name && r.Type == want.Type {
				found = true
				if r.State != want.State || r.Must != want.Must || r.Value != want.Value ||
					!strings.Contains(r.Found, want.Found) {
					t.Errorf("got %+v, want %+v", r, want)
				}
			}
		}
		if !found {
			t.Errorf("no record %s %s", want.Type, want.Name)
		}
	}
	if code, out, _ := cli(t, "", "dns", "--no-lookup", "--set", "federation.enabled=false"); code != exitOK ||
		strings.Contains(out, "xmpp-server") || !strings.Contains(out, "_xmpp-client._tcp.example.org.") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errs := cli(t, "", "dns", "--host", "other.example"); code != exitFailed ||
		!strings.Contains(errs, "not in hosts") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
