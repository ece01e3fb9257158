package testrig_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
)

// documented gives the indented block of docs/operations.md below the line that begins with this.
func documented(t *testing.T, begins string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, below, ok := strings.Cut(string(text), "\n"+begins)
	if ok {
		_, below, ok = strings.Cut(below, "\n\n    ")
	}
	block, _, ends := strings.Cut("    "+below, "\n\n")
	if !ok || !ends {
		t.Fatalf("docs/operations.md has no block below %q", begins)
	}
	return strings.ReplaceAll(block+"\n", "\n    ", "\n")[4:]
}

// instead puts what this machine has in the place of what the block names.
func instead(t *testing.T, block string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(block, pairs[i]) {
			t.Fatalf("the block has no %q:\n%s", pairs[i], block)
		}
		block = strings.ReplaceAll(block, pairs[i], pairs[i+1])
	}
	return block
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// setup is a proxy as the docs describe it.
type setup struct {
	program string
	begins  string // the line above its block; "": it is none of theirs
	// configure makes the whole configuration of the block: web and xmpp are where it listens.
	configure func(t *testing.T, block, dir, web, xmpp string, r *testrig.Rig) string
	arguments []string // FILE is the configuration
	xmpp      bool     // it is for the XMPP ports, too
}

var setups = []setup{
	{"nginx", "nginx (a file in", func(t *testing.T, block, dir, web, _ string, r *testrig.Rig) string {
		block = instead(t, block, "listen 443 ssl", "listen "+web+" ssl", "/etc/ssl/chat.pem", dir+"/cert.pem",
			"/etc/ssl/chat.key", dir+"/key.pem", "127.0.0.1:5280", r.Node.Addr("websocket_plain").String())
		paths := ""
		for _, p := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			paths += fmt.Sprintf("%s_temp_path %s/%s;\n", p, dir, p)
		}
		return fmt.Sprintf("daemon off;\npid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n",
			dir, paths, block)
	}, []string{"-e", "stderr", "-c", "FILE"}, false},
	{"caddy", "Caddy, which", func(t *testing.T, block, dir, web, _ string, r *testrig.Rig) string {
		block = instead(t, block, "chat.example.org {",
			"https://example.org:"+web[strings.LastIndexByte(web, ':')+1:]+" {\nbind 127.0.0.1\ntls "+dir+"/cert.pem "+
				dir+"/key.pem", "127.0.0.1:5280", r.Node.Addr("websocket_plain").String())
		return "{\nadmin off\nauto_https disable_redirects\nskip_install_trust\nstorage file_system " +
			dir + "/caddy\n}\n" + block
	}, []string{"run", "--adapter", "caddyfile", "--config", "FILE"}, false},
	{"haproxy", "haproxy, for the web", func(t *testing.T, block, dir, web, xmpp string, r *testrig.Rig) string {
		block = instead(t, block, "bind :443", "bind "+web, "bind :5222", "bind "+xmpp, "/etc/haproxy/chat.pem",
			dir+"/both.pem", "127.0.0.1:5280", r.Node.Addr("websocket_plain").String(), "10.0.0.5:5222",
			r.Node.Addr("c2s").String())
		// As Debian's package has them.
		return "defaults\n  mode http\n  timeout connect 5000\n  timeout client 50000\n  timeout server 50000\n" + block
	}, []string{"-db", "-f", "FILE"}, true},
}

// begin runs the proxy and waits until it listens.
func (s *setup) begin(t *testing.T, r *testrig.Rig, files [2]string) (web, xmpp string) {
	t.Helper()
	dir := t.TempDir()
	var both []byte
	for i, name := range []string{"cert.pem", "key.pem"} {
		b, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "both.pem"), both, 0o600); err != nil {
		t.Fatal(err)
	}
	file, block := filepath.Join(dir, "conf"), ""
	if s.begins != "" {
		block = documented(t, s.begins)
	}
	for try := 0; ; try++ {
		web, xmpp = freePort(t), freePort(t)
		if err := os.WriteFile(file, []byte(s.configure(t, block, dir, web, xmpp, r)), 0o600); err != nil {
			t.Fatal(err)
		}
		var args []string
		for _, a := range s.arguments {
			args = append(args, strings.ReplaceAll(a, "FILE", file))
		}
		c := exec.Command(s.program, args...)
		c.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		var log bytes.Buffer
		c.Stdout, c.Stderr = &log, &log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		if err := listens(web, ended); err == nil {
			t.Cleanup(func() {
				c.Process.Signal(os.Interrupt)
				select {
				case <-ended:
				case <-time.After(20 * time.Second): // connections that are open do not keep it
					c.Process.Kill()
					<-ended
				}
			})
			return web, xmpp
		} else if try == 4 || !strings.Contains(log.String(), "ddress already in use") {
			c.Process.Kill()
			t.Fatalf("%s: %v\n%s", s.program, err, log.String())
		}
	}
}

func listens(addr string, ended chan error) error {
	for deadline := time.Now().Add(time.Minute); ; {
		select {
		case err := <-ended:
			return fmt.Errorf("it has ended: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		if nc, err := net.Dial("tcp", addr); err == nil {
			nc.Close()
			return nil
		} else if time.Now().After(deadline) {
			return err
		}
	}
}

// TestDocumentedProxies runs the proxies that docs/operations.md sets up with the very blocks that stand there: pages,
// WebSocket and BOSH come through each, and XMPP through haproxy; clients keep their addresses; streams outlive the
// time-outs that the proxies come with.
func TestDocumentedProxies(t *testing.T) {
	t.Parallel()               // it waits most of the time
	const client = "127.0.0.2" // not the address of the proxy
	for _, s := range setups {
		t.Run(s.program, func(t *testing.T) {
			if _, err := exec.LookPath(s.program); err != nil {
				if os.Getenv("PARLEY_TEST_REQUIRE_SERVERS") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			t.Parallel()
			var files [2]string
			r := testrig.Start(t, func(c *config.Config) {
				files = [2]string{c.TLS.Certificate, c.TLS.Key}
				c.Listeners.C2S.TrustedProxies = []string{"127.0.0.1"}
			})
			r.Account("romeo", "juliet", "nurse")
			web, xmpp := s.begin(t, r, files)
			through := testrig.Attach(t, map[string]string{"wss": web, "c2s": xmpp}, r.Roots)
			through.Dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(client)}

			b := newBrowser(t, r)
			b.http.Transport.(*http.Transport).DialContext = func(ctx context.Context,
				network, _ string) (net.Conn, error) {
				return through.Dialer.DialContext(ctx, network, web)
			}
			b.http.Timeout = 0
			site := "https://" + testrig.Host
			pageHas(t, b.http, site+"/login", "<form")
			pageHas(t, b.http, site+"/.well-known/host-meta", "xmpp-websocket")
			b.url = site + "/http-bind"
			b.beginAndSignIn("nurse", 300)
			sockets := map[string]*testrig.Client{}
			come := func(door, account string) {
				c, err := through.Connect(door, testrig.Host)
				if err == nil {
					err = c.SignIn(account, testrig.Password)
				}
				if err == nil {
					err = c.Bind("r")
				}
				if err != nil {
					t.Fatalf("%s: %v", door, err)
				}
				t.Cleanup(c.Close)
				sockets[account] = c
			}
			come("wss", "romeo")
			if s.xmpp {
				come("tcp", "juliet")
			}
			for account := range sockets {
				if got := seen(t, r, account); got != client {
					t.Errorf("%s is shown at %q", account, got)
				}
			}
			if got := seen(t, r, "nurse"); got != client {
				t.Errorf("over BOSH one is shown at %q", got)
			}
			if testing.Short() {
				return
			}
			// Nobody says a word for longer than nginx (60 s) and haproxy (50 s) wait.
			for begun := time.Now(); time.Since(begun) < 65*time.Second; {
				if out, err := b.post(b.request("", "")); err != nil || out.Type != "" {
					t.Fatalf("BOSH ends after %s: %+v %v", time.Since(begun).Round(time.Second), out, err)
				}
			}
			for account, c := range sockets {
				if err := c.Write("<iq xmlns='jabber:client' type='get' id='late'>" +
					"<ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
					t.Fatalf("%s: %v", account, err)
				}
				for {
					e, err := c.Next()
					if err != nil {
						t.Fatalf("%s has lost the stream: %v", account, err)
					}
					if strings.Contains(e.String(), "late") {
						break
					}
				}
			}
		})
	}
}

func pageHas(t *testing.T, c *http.Client, url, want string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
		t.Errorf("%s: %s %v %.500s", url, resp.Status, err, text)
	}
}
