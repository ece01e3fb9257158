package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	mjid "mellium.im/xmpp/jid"

	"parley/admin/api"
	"parley/node/demo"
)

// dev is a server started by `parley dev`, on ports of its own.
type dev struct {
	t       *testing.T
	dir     string
	welcome map[string]string
	out     *json.Decoder // the program's standard output
	log     *lockedBuffer
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var anyPort = []string{
	"--set", "listeners.c2s.addresses=127.0.0.1:0", "--set", "listeners.c2s_tls.addresses=127.0.0.1:0",
	"--set", "listeners.websocket.addresses=127.0.0.1:0", "--set", "listeners.websocket.plain_addresses=127.0.0.1:0",
	"--set", "listeners.metrics.addresses=127.0.0.1:0", "--set", "auth.scram_iterations=4096",
}

// shortDir is a temporary directory whose path leaves room for a Unix socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func startDev(t *testing.T, args ...string) *dev {
	t.Helper()
	d := &dev{t: t, dir: shortDir(t), log: new(lockedBuffer)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append(append([]string{"--json", "dev", "--data-dir", d.dir}, anyPort...), args...),
			stdio{strings.NewReader(""), in, d.log})
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		go io.Copy(io.Discard, out)
		if code := <-done; code != exitOK {
			t.Errorf("parley dev ended with %d\n%s", code, d.log)
		}
		if _, err := os.Lstat(d.welcome["socket"]); err == nil {
			t.Error("the control socket is still there")
		}
	})
	d.out = json.NewDecoder(out)
	if err := d.out.Decode(&d.welcome); err != nil {
		t.Fatalf("%v\n%s", err, d.log)
	}
	return d
}

// cli runs a command against the server.
func (d *dev) cli(stdin string, args ...string) (code int, out, errs string) {
	d.t.Helper()
	d.t.Setenv("PARLEY_SOCKET", d.welcome["socket"])
	return cli(d.t, stdin, args...)
}

func cli(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, stdio{strings.NewReader(stdin), &o, &e})
	return code, o.String(), e.String()
}

// ok runs a command that must succeed.
func (d *dev) ok(stdin string, args ...string) string {
	d.t.Helper()
	code, out, errs := d.cli(stdin, args...)
	if code != exitOK || errs != "" {
		d.t.Fatalf("parley %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// fails runs a command that must fail; its error output must contain want, on one line.
func (d *dev) fails(exit int, want, stdin string, args ...string) {
	d.t.Helper()
	code, out, errs := d.cli(stdin, args...)
	if code != exit || !strings.Contains(errs, want) {
		d.t.Errorf("parley %s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), code, exit, want, out, errs)
	}
	if strings.Count(errs, "\n") != 1 {
		d.t.Errorf("parley %s: not one line:\n%s", strings.Join(args, " "), errs)
	}
}

const pw = "Correct-Horse-7"

func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// trusting is the TLS of a client that trusts the CA of `parley dev` and nothing else.
func (d *dev) trusting() *tls.Config {
	d.t.Helper()
	pem, err := os.ReadFile(d.welcome["ca"])
	if err != nil {
		d.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		d.t.Fatal("no certificate in the CA file")
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"xmpp-client"}}
}

// signIn is a client of another make, mellium's, that is signed in.
func (d *dev) signIn(name, password string) (*xmpp.Session, error) {
	conn, err := net.Dial("tcp", d.welcome["c2s"])
	if err != nil {
		return nil, err
	}
	d.t.Cleanup(func() { conn.Close() })
	tc := d.trusting()
	tc.NextProtos = nil
	return xmpp.NewClientSession(d.t.Context(), mjid.MustParse(name+"@localhost"), conn,
		xmpp.StartTLS(tc), xmpp.SASL("", password, sasl.ScramSha256Plus), xmpp.BindResource())
}

func TestDevServes(t *testing.T) {
	d := startDev(t)
	c, err := tls.Dial("tcp", d.welcome["c2s_tls"], d.trusting())
	if err != nil {
		t.Fatalf("a client that trusts the CA: %v", err)
	}
	c.Close()
	for path, want := range map[string]string{"/healthz": `"ok"`, "/metrics": "parley_c2s_connections"} {
		res, err := http.Get("http://" + d.welcome["metrics"] + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d\n%s", path, res.StatusCode, b)
		}
	}
	for _, name := range []string{"", "parley.db", "parley.sock", "tls/server.key"} {
		i, err := os.Stat(filepath.Join(d.dir, name))
		if err != nil || name != "parley.db" && i.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q: %v, %v", name, i, err)
		}
	}
}

func TestUserCommands(t *testing.T) {
	d := startDev(t)
	if out := d.ok("", "user", "list"); !strings.Contains(out, "no accounts yet") {
		t.Errorf("got %s", out)
	}
	if out := d.ok(pw+"\n", "user", "add", "alice@localhost", "--name",
		"Alice Martin", "--admin"); out != "alice@localhost: added\n" {
		t.Errorf("got %q", out)
	}
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte(pw), 0o600); err != nil {
		t.Fatal(err)
	}
	bob := decode[userRecord](t, d.ok("", "--json", "user", "add", "Bob", "--password-file", file))
	if bob.Address != "bob@localhost" || bob.Admin || !bob.Password || bob.Created.IsZero() {
		t.Errorf("got %+v", bob)
	}
	d.ok(pw+"\n", "user", "add", "carol", "--password-file", "-")

	d.fails(exitFailed, "exists already", pw+"\n", "user", "add", "alice")
	d.fails(exitFailed, "password", "short\n", "user", "add", "dave")
	d.fails(exitFailed, "no password", "", "user", "add", "dave")
	d.fails(exitFailed, "is not hosted here", pw+"\n", "user", "add", "dave@example.org")
	d.fails(exitFailed, "no name for an account", pw+"\n", "user", "add", "da ve")
	d.fails(exitFailed, "there is no account dave@localhost", "", "user", "show", "dave")
	d.fails(exitFailed, "there is no account", "", "user", "disable", "dave")
	d.fails(exitUsage, "user add ADDRESS", "", "user", "add")
	d.fails(exitUsage, "on nor off", "", "user", "admin", "alice", "maybe")
	d.fails(exitUsage, "--yes", "", "user", "delete", "alice")
	if out := d.ok("", "user",
		"retention", "bob", "90d"); out != "bob@localhost: messages are kept for 90d, set by an administrator\n" {
		t.Error(out)
	}
	if out := d.ok("", "user", "show", "bob"); !strings.Contains(out,
		"messages   kept for 90d, set by an administrator\n") {
		t.Error(out)
	}
	if out := d.ok("", "user", "retention", "bob", "host"); out != "bob@localhost: messages are kept forever\n" {
		t.Error(out)
	}
	d.fails(exitFailed, "like 90d, or forever", "", "user", "retention", "bob", "long")
	d.fails(exitFailed, "is not between 1h and", "", "user", "retention", "bob", "1m")

	users := decode[[]userRecord](t, d.ok("", "--json", "user", "list"))
	if len(users) != 3 || users[0].Address != "alice@localhost" || users[0].Name != "Alice Martin" || !users[0].Admin {
		t.Errorf("got %+v", users)
	}
	d.ok("", "user", "disable", "bob")
	if u := decode[userRecord](t, d.ok("", "--json", "user", "show", "bob")); !u.Disabled {
		t.Error("bob is not disabled")
	}
	d.ok("", "user", "enable", "bob", "carol")
	d.ok("", "user", "admin", "alice", "off")
	d.ok("Another-Horse-8\n", "user", "passwd", "alice")
	d.fails(exitFailed, "password", "alice-alice-Alice-1\n", "user", "passwd", "alice")

	phone := d.ok("", "user", "app-password", "add", "alice", "her telephone")
	if ps := decode[[]api.AppPassword](t, d.ok("", "--json", "user", "app-password", "list", "alice")); len(ps) != 1 ||
		ps[0].Name != "her telephone" || len(phone) != 25 || ps[0].Password != "" {
		t.Errorf("got %+v, %q", ps, phone)
	} else {
		d.ok("", "user", "app-password", "revoke", "alice", ps[0].ID)
		d.fails(exitFailed, "no such app password", "", "user", "app-password", "revoke", "alice", ps[0].ID)
	}
	d.fails(exitFailed, "Enter the program's name", "", "user", "app-password", "add", "alice", " ")
	d.ok("", "user", "factor-off", "alice")

	code, out, errs := d.cli("", "user", "delete", "--yes", "carol", "nobody")
	if code != exitPartial || out != "carol: deleted\n" || !strings.Contains(errs, "nobody: there is no account") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	code, out, _ = d.cli("", "--json", "user", "delete", "--yes", "carol", "nobody")
	if all := decode[[]outcome](t, out); code != exitFailed || len(all) != 2 || all[0].OK || all[1].Error == "" {
		t.Errorf("exit %d, %+v", code, all)
	}
	if u := decode[[]userRecord](t, d.ok("", "--json", "user", "list")); len(u) != 2 {
		t.Errorf("got %+v", u)
	}
	if strings.Contains(d.log.String(), pw) {
		t.Error("a password is in the log")
	}
}

// A list that is longer than one page is whole.
func TestLongList(t *testing.T) {
	n := 0
	all, err := pages(func(after string, limit int) ([]string, error) {
		page := []string{}
		for len(page) < limit && n < 1234 {
			page = append(page, string(rune('a'+n%26)))
			n++
		}
		return page, nil
	}, func(s string) string { return s })
	if err != nil || len(all) != 1234 {
		t.Errorf("got %d, %v", len(all), err)
	}
}

func TestGroupCommands(t *testing.T) {
	d := startDev(t)
	for _, name := range []string{"alice", "bob", "carol"} {
		d.ok(pw+"\n", "user", "add", name)
	}
	g := decode[api.Group](t, d.ok("", "--json", "group", "create", "engineering", "--name", "Engineering", "--owner",
		"alice@localhost", "--member", "bob"))
	if g.Slug != "engineering" || g.Host != "localhost" || !strings.HasSuffix(g.Room, "@groups.localhost") {
		t.Errorf("got %+v", g)
	}
	said := decode[api.Group](t,
		d.ok("", "--json", "group", "create", "hall", "--owner", "alice", "--react-by", "moderators", "--kind", ""))
	if *said.Name != "hall" || *said.Kind != "public" || *said.ReactBy != "moderators" {
		t.Errorf("got %s %s %s", *said.Name, *said.Kind, *said.ReactBy)
	}
	d.fails(exitFailed, "react_by", "", "group", "create", "court", "--owner", "alice", "--react-by", "nobody")
	d.ok("", "group", "delete", "--yes", "hall")
	d.fails(exitFailed, "slug: a group or room of this name exists", "", "group", "create",
		"engineering", "--owner", "alice")
	d.fails(exitFailed, "there is no account", "", "group", "create", "sales", "--owner", "zoe")
	d.fails(exitUsage, "owner", "", "group", "create", "sales")
	d.fails(exitFailed, "no group", "", "group", "show", "sales")
	d.fails(exitFailed, "role", "", "group", "add", "engineering", "carol", "--role", "queen")
	if code, _, errs := d.cli("", "group", "add", "engineering", "carol", "zoe"); code != exitPartial ||
		!strings.Contains(errs, "zoe") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	g = decode[api.Group](t, d.ok("", "--json", "group", "show", "engineering"))
	roles := map[string]string{}
	for _, m := range g.Members {
		roles[m.Address] = m.Role
	}
	if len(roles) != 3 || roles["alice@localhost"] != "owner" || roles["bob@localhost"] != "member" ||
		roles["carol@localhost"] != "member" {
		t.Errorf("got %v", roles)
	}
	th := decode[api.Theme](t, d.ok("", "--json", "theme", "create", "engineering", "Q4 launch", "--creator", "bob"))
	if th.Name != "Q4 launch" || th.Creator != "bob@localhost" || th.Room != "engineering."+th.Key+"@groups.localhost" {
		t.Errorf("got %+v", th)
	}
	d.fails(exitFailed, "only members", "", "theme", "create", "engineering", "Other", "--creator", "zoe")
	d.fails(exitFailed, "there is a theme of this name", "", "theme", "create", "engineering", "Q4 launch")
	d.ok("", "theme", "close", "engineering", th.Key)
	ths := decode[[]api.Theme](t, d.ok("", "--json", "theme", "list", "engineering"))
	if len(ths) != 1 || ths[0].Closed.IsZero() {
		t.Errorf("got %+v", ths)
	}
	d.fails(exitFailed, "no theme", "", "theme", "close", "engineering", "nosuch")

	d.ok("", "group", "remove", "engineering", "carol")
	d.fails(exitFailed, "owner", "", "group", "remove", "engineering", "alice") // the last one
	if out := d.ok("", "group", "list"); !strings.Contains(out, "engineering") {
		t.Errorf("got %s", out)
	}
	d.ok("", "group", "delete", "--yes", "engineering")
	if gs := decode[[]api.Group](t, d.ok("", "--json", "group", "list")); len(gs) != 0 {
		t.Errorf("got %+v", gs)
	}
}

func TestStatusAndSessions(t *testing.T) {
	d := startDev(t)
	d.ok(pw+"\n", "user", "add", "alice")
	i := decode[api.ServerInfo](t, d.ok("", "--json", "status"))
	if i.Store != "sqlite" || len(i.Hosts) != 1 || i.Hosts[0].Users != 1 || i.Started.IsZero() {
		t.Errorf("got %+v", i)
	}
	if out := d.ok("", "session", "list"); out != "Nobody is signed in.\n" {
		t.Errorf("got %s", out)
	}
	d.fails(exitFailed, "no such session", "", "session", "kick", "alice")
	d.fails(exitFailed, "there is no account", "", "session", "list", "nobody")

	list := func() []api.Session {
		return decode[[]api.Session](t, d.ok("", "--json", "session", "list", "alice"))
	}
	gone := func(s *xmpp.Session) { // its stream is ended by the server
		t.Helper()
		for {
			if _, err := s.TokenReader().Token(); err != nil {
				return
			}
		}
	}
	desk, err := d.signIn("alice", pw)
	if err != nil {
		t.Fatal(err)
	}
	phone, err := d.signIn("alice", pw)
	if err != nil {
		t.Fatal(err)
	}
	if l := list(); len(l) != 2 ||
		!slices.ContainsFunc(l, func(s api.Session) bool { return s.Address == desk.LocalAddr().String() }) ||
		l[0].Mechanism != "SCRAM-SHA-256-PLUS" || l[0].Available || l[0].Since.IsZero() {
		t.Errorf("got %+v", l)
	}
	d.ok("", "session", "kick", desk.LocalAddr().String())
	gone(desk)
	d.ok("", "user", "disable", "alice")
	gone(phone)
	if _, err := d.signIn("alice", pw); err == nil {
		t.Error("a disabled account signs in")
	}
	d.ok("", "user", "enable", "alice")
	d.ok("New-Password-1\n", "user", "passwd", "alice")
	if _, err := d.signIn("alice", pw); err == nil {
		t.Error("the old password still works")
	}
	if phone, err = d.signIn("alice", "New-Password-1"); err != nil {
		t.Fatal(err)
	}
	d.ok("", "user", "delete", "--yes", "alice")
	gone(phone)
	if _, err := d.signIn("alice", "New-Password-1"); err == nil {
		t.Error("a deleted account signs in")
	}
}

// The demo accounts can be used with the passwords that are printed, once, and there is something to see.
func TestSeedDemo(t *testing.T) {
	d := startDev(t, "--seed", "demo")
	var seeded struct {
		Seeded   bool
		Accounts []demo.Account
	}
	if err := d.out.Decode(&seeded); err != nil {
		t.Fatalf("%v\n%s", err, d.log)
	}
	if !seeded.Seeded || len(seeded.Accounts) != 3 {
		t.Fatalf("got %+v", seeded)
	}
	g := decode[api.Group](t, d.ok("", "--json", "group", "show", "engineering"))
	if len(g.Members) != 3 || len(g.Themes) != 1 {
		t.Errorf("got %+v", g)
	}
	for _, a := range seeded.Accounts {
		if strings.Contains(d.log.String(), a.Password) {
			t.Error("a password is in the log")
		}
	}
	bob := seeded.Accounts[1]
	s, err := d.signIn("bob", bob.Password)
	if err != nil {
		t.Fatal(err)
	}
	in := s.TokenReader()
	defer in.Close()
	for room, want := range map[string]string{g.Room: "Good morning.", g.Themes[0].Room: "On it."} {
		if _, err := fmt.Fprintf(s.Conn(),
			`<presence to="%s/Bob"><x xmlns="http://jabber.org/protocol/muc"/></presence>`, room); err != nil {
			t.Fatal(err)
		}
		for {
			tok, err := in.Token()
			if err != nil {
				t.Fatalf("no %q in the history of %s: %v", want, room, err)
			}
			if text, ok := tok.(xml.CharData); ok && string(text) == want {
				break
			}
		}
	}
}

func TestNoServer(t *testing.T) {
	dir := shortDir(t)
	t.Chdir(dir)
	t.Setenv("PARLEY_SOCKET", "")
	t.Setenv("PARLEY_CONFIG", "")
	code, _, errs := cli(t, "", "user", "list", "--socket", dir+"/none")
	if code != exitFailed || errs != "parley: no server is listening on "+dir+
		"/none: start it with `parley serve`, or name the socket with --socket\n" {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, _, errs = cli(t, "", "serve")
	if code != exitFailed || !strings.Contains(errs, "parley config sample") {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, _, errs = cli(t, "", "--json", "nonsense")
	if e := decode[complaint](t, errs); code != exitUsage || !strings.Contains(e.Text, "nonsense") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// The nearest socket wins, so that a command in a directory means the server of that directory.
func TestWhichSocket(t *testing.T) {
	dir := shortDir(t)
	t.Chdir(dir)
	t.Setenv("PARLEY_SOCKET", "")
	t.Setenv("PARLEY_CONFIG", "")
	says := func(want string, args ...string) {
		t.Helper()
		if _, _, errs := cli(t, "", append([]string{"status"}, args...)...); !strings.Contains(errs, " on "+want+":") {
			t.Errorf("want %s, got %s", want, errs)
		}
	}
	says("/var/lib/parley/parley.sock")
	if err := os.Mkdir("parley-data", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(devSocket, nil, 0o600); err != nil { // the command finds a plain file like a socket
		t.Fatal(err)
	}
	if _, _, errs := cli(t, "", "status"); !strings.Contains(errs, devSocket) {
		t.Errorf("got %s", errs)
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("parley.yaml", "data_dir: here\nhosts: [") // broken further down
	if code, _, _ := cli(t, "", "status"); code != exitFailed {
		t.Error("a broken file is taken")
	}
	write("parley.yaml", "data_dir: here\n")
	says("here/parley.sock")
	write("other.yaml", "listeners: {control: {path: there.sock}}\n")
	says("there.sock", "--config", "other.yaml")
	says("that.sock", "--config", "other.yaml", "--socket", "that.sock")
}

func TestConfigCommands(t *testing.T) {
	t.Setenv("PARLEY_CONFIG", filepath.Join(t.TempDir(), "p.yaml"))
	_, sample, _ := cli(t, "", "config", "sample")
	cert, key := writeCert(t, t.TempDir(), "c", time.Now().Add(time.Hour), "example.org", "*.example.org")
	if err := os.WriteFile(os.Getenv("PARLEY_CONFIG"), []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := cli(t, "", "config", "check"); code != exitFailed ||
		!strings.Contains(errs, "has no certificate") {
		t.Errorf("exit %d: %s", code, errs)
	}
	set := []string{"--set", "tls.certificate=" + cert, "--set", "tls.key=" + key}
	if code, _, errs := cli(t, "", append([]string{"config", "check"}, set...)...); code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, out, errs := cli(t, "",
		append([]string{"config", "show", "--set", "store.dsn=postgres://u:hunter2@h/d"}, set...)...)
	if code != exitOK || !strings.Contains(out, "\nlimits.stanza_size: 256KiB\n") || strings.Contains(out, "hunter2") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestMigrateCommands(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PARLEY_CONFIG", "")
	t.Setenv("PARLEY_HOSTS", "a.example")
	t.Setenv("PARLEY_TLS_CERTIFICATE", "c")
	t.Setenv("PARLEY_TLS_KEY", "k")
	t.Setenv("PARLEY_DATA_DIR", dir)
	status := func() schema {
		t.Helper()
		code, out, errs := cli(t, "", "--json", "migrate", "status")
		if code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
		return decode[schema](t, out)
	}
	if s := status(); s.Current != 0 || s.Newest < 1 {
		t.Errorf("got %+v", s)
	}
	for range 2 {
		if code, _, errs := cli(t, "", "migrate", "up"); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
		if s := status(); s.Current != s.Newest {
			t.Errorf("got %+v", s)
		}
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[31mb\nc é"); got != "a�[31mb�c é" {
		t.Errorf("got %q", got)
	}
}
