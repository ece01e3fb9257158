package target

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// stop ends what the process has started too, even if the process itself goes
// at once.
func TestStopEndsWholeGroup(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// The child holds the fifo open for writing until it ends.
	p, err := command{
		name: "sh",
		args: []string{"-c", "sh -c 'echo $$; exec sleep 1000' >fifo & wait"},
		dir:  dir,
	}.start("sh")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var pid [32]byte
	if _, err := f.Read(pid[:]); err != nil {
		t.Fatal(err)
	}
	in := &Instance{}
	in.add(p)
	if got, err := in.Tree.CPU(); err != nil || got < 0 {
		t.Fatalf("CPU %v, %v", got, err)
	}
	in.Stop()
	// End of file: no writer is left.
	if rest, err := io.ReadAll(f); err != nil || len(rest) > 0 {
		t.Fatalf("read %q, %v", rest, err)
	}
	if _, err := in.Tree.CPU(); err == nil {
		t.Fatal("the process is still there")
	}
}

func TestCommandReportsError(t *testing.T) {
	_, err := command{
		name: "sh",
		args: []string{"-c", "echo because >&2; exit 3"},
		dir:  t.TempDir(),
	}.run(context.Background(), nil)
	if err == nil || !strings.Contains(err.Error(), "because") {
		t.Fatalf("got %v", err)
	}
	out, err := command{name: "cat", dir: t.TempDir()}.run(context.Background(), []byte("in"))
	if err != nil || string(out) != "in" {
		t.Fatalf("got %q, %v", out, err)
	}
}

// Clients accept the certificate for the benchmark's domain.
func TestCertificate(t *testing.T) {
	c, cfg, err := newCertificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	shaken := make(chan error, 1)
	go func() { shaken <- tls.Server(b, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake() }()
	client := tls.Client(a, cfg)
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, client) // The server's session tickets.
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	if st := client.ConnectionState(); st.CurveID != tls.X25519 || st.Version != tls.VersionTLS13 {
		t.Errorf("agreed on %v, %x", st.CurveID, st.Version)
	}
}

func TestProsodyFiles(t *testing.T) {
	dir := t.TempDir()
	if err := prosodyAccounts(dir, 2); err != nil {
		t.Fatal(err)
	}
	if err := prosodyArchive(dir, 3); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"accounts/u0.dat": 1, "accounts/u1.dat": 1, "archive/u0.list": 3} {
		b, err := os.ReadFile(filepath.Join(dir, "data", "bench%2eexample", name))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n != want {
			t.Errorf("%s has %d lines, want %s", name, n, strconv.Itoa(want))
		}
	}
}
