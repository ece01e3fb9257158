package federation

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/config"
	"parley/node/devcert"
	"parley/testrig"
)

// The network of the tests with other servers: a namespace of its own, where each has its address.
const (
	ourAddr   = "10.99.0.1"
	theirAddr = "10.99.0.2"
	dnsAddr   = "10.99.0.3"
	ours      = "p.lan"
	theirs    = "x.lan"
	inside    = "PARLEY_TEST_NAMESPACE"
)

// namespaced runs the test again in a network namespace of its own, with a resolv.conf that names the test's dnsmasq.
// It says whether this is that run.
func namespaced(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		return true
	}
	missing := func(format string, args ...any) {
		t.Helper()
		if os.Getenv("PARLEY_TEST_REQUIRE_SERVERS") != "" {
			t.Fatalf(format, args...)
		}
		t.Skipf(format, args...)
	}
	for _, p := range []string{"prosody", "dnsmasq", "ip", "unshare"} {
		if _, err := exec.LookPath(p); err != nil {
			missing("%s is not installed", p)
		}
	}
	if out, err := exec.Command("unshare", "-n", "-m", "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		missing("no network namespace can be made here: %v %s", err, out)
	}
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(resolv, []byte("nameserver "+dnsAddr+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	script := `set -e
ip link set lo up
for a in ` + ourAddr + " " + theirAddr + " " + dnsAddr + `; do ip addr add $a/24 dev lo; done
mount --bind ` + resolv + ` /etc/resolv.conf
exec "$@"`
	// A namespace of processes too: with the test everything ends that it has started.
	c := exec.Command("unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "--propagation", "private",
		"sh", "-c", script, "sh", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "6m")
	c.Env = append(os.Environ(), inside+"=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("inside the namespace: %v\n%s", err, out)
	} else if testing.Verbose() {
		t.Logf("%s", out)
	}
	return false
}

// process starts a program that is killed when the test ends, and shows its output if the test has failed.
func process(t *testing.T, name string, args ...string) (stop func()) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	t.Cleanup(func() {
		stop()
		if b, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s:\n%s", name, b)
		}
		log.Close()
	})
	return stop
}

// answers waits until something listens.
func answers(t *testing.T, addr string) {
	t.Helper()
	until := time.Now().Add(time.Minute)
	for {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			nc.Close()
			return
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// startDNSMasq serves records for both servers.
func startDNSMasq(t *testing.T, direct bool) {
	t.Helper()
	args := []string{
		"--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--local=/lan/",
		"--user=root", "--pid-file=", "--listen-address=" + dnsAddr, "--bind-interfaces",
		"--host-record=host." + ours + "," + ourAddr, "--host-record=host." + theirs + "," + theirAddr,
	}
	for _, d := range []string{ours, "groups." + ours} {
		args = append(args, fmt.Sprintf("--srv-host=_xmpp-server._tcp.%s,host.%s,5269,10", d, ours))
		if direct {
			args = append(args, fmt.Sprintf("--srv-host=_xmpps-server._tcp.%s,host.%s,5270,5", d, ours))
		}
	}
	for _, d := range []string{theirs, "conference." + theirs} {
		args = append(args, fmt.Sprintf("--srv-host=_xmpp-server._tcp.%s,host.%s,5269,10", d, theirs))
		if direct {
			args = append(args, fmt.Sprintf("--srv-host=_xmpps-server._tcp.%s,host.%s,5270,5", d, theirs))
		}
	}
	process(t, "dnsmasq", args...)
	answers(t, dnsAddr+":53")
}

// prosody is a running Prosody server.
type prosody struct {
	log     string
	stop    func()
	clients *testrig.Rig
}

func prosodyConfig(dir, ca, cert, key string, secure, bidi bool) string {
	more := ""
	if bidi {
		more = `"s2s_bidi";`
	}
	return fmt.Sprintf(`
run_as_root = true
daemonize = false
pidfile = %[1]q .. "/pid"
data_path = %[1]q
log = { debug = %[1]q .. "/prosody.log" }
interfaces = { %[2]q }
s2s_direct_tls_ports = { 5270 }
modules_enabled = { "roster", "saslauth", "tls", "dialback", "disco", "ping", "posix", "smacks", %[3]s }
authentication = "internal_plain"
s2s_require_encryption = true
s2s_secure_auth = %[4]v
ssl = { cafile = %[5]q, certificate = %[6]q, key = %[7]q }
s2s_direct_tls_ssl = { cafile = %[5]q, certificate = %[6]q, key = %[7]q }
VirtualHost %[8]q
Component "conference.%[8]s" "muc"
`, dir, theirAddr, more, secure, ca, cert, key, theirs)
}

// startProsody starts it with an account juliet. trusted are the authorities it knows (a file).
func startProsody(t *testing.T, secure, bidi bool, files devcert.Files, trusted func(own string) string) *prosody {
	t.Helper()
	dir := t.TempDir()
	p := &prosody{log: filepath.Join(dir, "prosody.log")}
	conf := filepath.Join(dir, "prosody.cfg.lua")
	accounts := filepath.Join(dir, "x%2elan", "accounts")
	if err := os.MkdirAll(accounts, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		conf: prosodyConfig(dir, trusted(files.CA), files.Cert,
			files.Key, secure, bidi),
		filepath.Join(accounts, "juliet.dat"): `return { ["password"] = "` + testrig.Password + `" };`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.stop = process(t, "prosody", "--config", conf, "-F")
	t.Cleanup(func() {
		if b, _ := os.ReadFile(p.log); t.Failed() {
			t.Logf("prosody.log:\n%s", tail(b, 12000))
		}
	})
	answers(t, theirAddr+":5222")
	answers(t, theirAddr+":5269")
	p.clients = testrig.Attach(t, map[string]string{"c2s": theirAddr + ":5222"}, roots(t, files.CA))
	return p
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// has says whether Prosody has logged something.
func (p *prosody) has(text string) bool {
	b, _ := os.ReadFile(p.log)
	return strings.Contains(string(b), text)
}

func bundle(t *testing.T, files ...string) string {
	t.Helper()
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	name := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(name, all, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// withProsody runs the same conversation with certificates that count, or with dialback.
func withProsody(t *testing.T, external, direct, bidi bool) {
	if !namespaced(t) {
		return
	}
	startDNSMasq(t, direct)
	fo, ft := certificates(t, ours, "groups"), certificates(t, theirs, "conference")
	p := startProsody(t, external, bidi, ft, func(own string) string {
		if external {
			return bundle(t, own, fo.CA)
		}
		return own
	})
	h := newHouse(t, ours, dnsAddr+":53", fo, func(c *config.Config) {
		c.Federation.Addresses, c.Federation.TLSAddresses = []string{ourAddr + ":5269"}, []string{ourAddr + ":5270"}
		if external {
			c.TLS.CAFiles = []string{fo.CA, ft.CA}
			c.Federation.RequireCertificate, c.Federation.AllowDialback = true, false
		}
	})
	across(t, h.party(t, "romeo"), join(t, p.clients, "juliet@"+theirs, testrig.Password, "conference."+theirs))
	if got := p.has("Next target to try is " + ourAddr + ":5270"); got != direct {
		t.Errorf("Prosody has come over direct TLS: %v", got)
	}
	if got := p.has("Accepting SASL EXTERNAL identity from " + ours); got != external {
		t.Errorf("Prosody has accepted EXTERNAL: %v", got)
	}
	if got := p.has("db:verify") || p.has("dialback key for"); got == external {
		t.Errorf("Prosody has spoken dialback: %v", got)
	}
}

func TestProsodyExternal(t *testing.T)  { withProsody(t, true, false, false) }
func TestProsodyDialback(t *testing.T)  { withProsody(t, false, false, false) }
func TestProsodyDirectTLS(t *testing.T) { withProsody(t, true, true, false) }
func TestProsodyBidi(t *testing.T)      { withProsody(t, true, false, true) }

// fails sends a message and expects it back with an error.
func (p *party) fails(to, id, condition string) {
	p.t.Helper()
	p.sends("<message type='chat' to='%s' id='%s'><body>?</body></message>", to, id)
	if e := p.gets("an error", func(e *testrig.Element) bool {
		return e.Attr("id") == id
	}); e.Attr("type") != "error" || condition != "" && e.Find(condition) == nil {
		p.t.Errorf("got %s", e)
	}
}

// TestProsodyBadCertificate: neither side speaks with the other where a certificate is wanted and that of Prosody is
// for another host, or ours is not trusted there.
func TestProsodyBadCertificate(t *testing.T) {
	if !namespaced(t) {
		return
	}
	startDNSMasq(t, false)
	fo, ft := certificates(t, ours, "groups"), certificates(t, theirs)
	p := startProsody(t, true, false, ft, func(own string) string { return own })
	h := newHouse(t, ours, dnsAddr+":53", fo, func(c *config.Config) {
		c.Federation.Addresses = []string{ourAddr + ":5269"}
		c.Federation.RequireCertificate = true
		c.TLS.CAFiles = []string{ft.CA}
	})
	romeo, juliet := h.party(t, "romeo"), join(t, p.clients, "juliet@"+theirs, testrig.Password, "")
	romeo.fails(juliet.bare, "untrusted", "remote-server-timeout")       // Prosody does not know our authority
	romeo.fails("x@conference."+theirs, "host", "remote-server-timeout") // its certificate does not name this
	juliet.fails(romeo.bare, "back", "")
}

// TestProsodyDies: a message to a server that is not there any more comes back, and its people leave our rooms.
func TestProsodyDies(t *testing.T) {
	if !namespaced(t) {
		return
	}
	startDNSMasq(t, false)
	fo, ft := certificates(t, ours, "groups"), certificates(t, theirs, "conference")
	p := startProsody(t, false, false, ft, func(own string) string { return own })
	h := newHouse(t, ours, dnsAddr+":53",
		fo, func(c *config.Config) { c.Federation.Addresses = []string{ourAddr + ":5269"} })
	romeo, juliet := h.party(t, "romeo"), join(t, p.clients, "juliet@"+theirs, testrig.Password, "")
	const room = "hall@groups." + ours
	romeo.opens(room, "romeo")
	juliet.sends("<presence to='%s/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room)
	romeo.getsPresence("", room+"/juliet")
	juliet.getsPresence("", room+"/juliet")
	romeo.sends("<message type='chat' to='%s'><body>alive?</body></message>", juliet.bare)
	juliet.getsMessage("chat", romeo.c.Address, "alive?")
	p.stop()
	defer romeo.keepsSending("<message type='chat' id='dead' to='" + juliet.bare + "'><body>alive?</body></message>")()
	romeo.gets("an error", func(e *testrig.Element) bool {
		return e.Attr("id") == "dead" && e.Attr("type") == "error" && e.Find("remote-server-timeout") != nil
	})
	romeo.sends("<message type='groupchat' to='%s'><body>still there?</body></message>", room)
	romeo.getsPresence("unavailable", room+"/juliet")
}

// TestProsodyExpired: where a certificate is required, an expired one counts as none.
func TestProsodyExpired(t *testing.T) {
	if !namespaced(t) {
		return
	}
	startDNSMasq(t, false)
	fo := certificates(t, ours, "groups")
	ft, err := devcert.Ensure(filepath.Join(t.TempDir(), theirs), []string{theirs, "conference." + theirs},
		time.Now().AddDate(-2, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	startProsody(t, false, false, ft, func(own string) string { return own })
	h := newHouse(t, ours, dnsAddr+":53", fo, func(c *config.Config) {
		c.Federation.Addresses = []string{ourAddr + ":5269"}
		c.Federation.RequireCertificate = true
		c.TLS.CAFiles = []string{ft.CA}
	})
	romeo := h.party(t, "romeo")
	romeo.fails("juliet@"+theirs, "expired", "remote-server-timeout")
	h.saysExpired(t, theirs)
}
