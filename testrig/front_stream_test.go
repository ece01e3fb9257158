package testrig_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
)

// plain are proxies as somebody sets them up who has read nothing: an address, and their own defaults. held does not
// give anything on before the answer ends.
var plain = []struct {
	name  string
	held  bool
	setup setup
}{
	{"nginx", false, setup{program: "nginx", arguments: []string{"-e", "stderr", "-c", "FILE"},
		configure: bareNginx("")}},
	{"nginx that holds", true, setup{program: "nginx", arguments: []string{"-e", "stderr", "-c", "FILE"},
		configure: bareNginx("proxy_ignore_headers X-Accel-Buffering;\n")}},
	{"haproxy", false, setup{program: "haproxy", arguments: []string{"-db", "-f", "FILE"},
		configure: func(_ *testing.T, _, dir, web, _ string, r *testrig.Rig) string {
			return "defaults\n  mode http\n  timeout connect 5000\n  timeout client 50000\n  timeout server 50000\n" +
				"frontend f\n  bind " + web + " ssl crt " + dir + "/both.pem\n  default_backend b\n" +
				"backend b\n  server s " + r.Node.Addr("websocket_plain").String() + "\n"
		}}},
}

func bareNginx(more string) func(*testing.T, string, string, string, string, *testrig.Rig) string {
	return func(_ *testing.T, _, dir, web, _ string, r *testrig.Rig) string {
		paths := ""
		for _, p := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			paths += fmt.Sprintf("%s_temp_path %s/%s;\n", p, dir, p)
		}
		return fmt.Sprintf("daemon off;\npid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n%s"+
			"server {\nlisten %s ssl;\nssl_certificate %s/cert.pem;\nssl_certificate_key %s/key.pem;\n"+
			"location / {\n%sproxy_pass http://%s;\nproxy_set_header Host $host;\n}\n}\n}\n",
			dir, paths, web, dir, dir, more, r.Node.Addr("websocket_plain"))
	}
}

// The stream of events comes through proxies in their own settings as it is written. What holds answers back gives
// those that end after the first events, one after the other.
func TestEventsThroughPlainProxies(t *testing.T) {
	t.Parallel()
	for _, p := range plain {
		t.Run(p.name, func(t *testing.T) {
			if _, err := exec.LookPath(p.setup.program); err != nil {
				if os.Getenv("PARLEY_TEST_REQUIRE_SERVERS") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			t.Parallel()
			var files [2]string
			r := testrig.Start(t, func(c *config.Config) {
				web(c)
				files = [2]string{c.TLS.Certificate, c.TLS.Key}
			})
			r.Account("!romeo", "juliet")
			romeo := newChatter(t, r, "romeo")
			proxy, _ := p.setup.begin(t, r, files)
			b := r.Browser(t)
			b.Client().Transport.(*http.Transport).DialContext = func(ctx context.Context,
				network, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, network, proxy)
			}
			b.SignIn("juliet")
			events := &follower{t: t, b: b, poll: p.held}
			events.until("hello")
			for _, text := range []string{"one", "two"} {
				romeo.say("juliet@"+testrig.Host, text)
				events.until(`"text":"` + text + `"`)
			}
		})
	}
}

// follower reads the events of a browser: as a stream, or in answers that end.
type follower struct {
	t     *testing.T
	b     *testrig.Browser
	poll  bool
	last  string
	lines *bufio.Scanner
}

// until reads until a line has a text.
func (f *follower) until(text string) {
	f.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if f.lines == nil {
			f.open()
		}
		for f.lines.Scan() {
			if id, ok := strings.CutPrefix(f.lines.Text(), "id: "); ok {
				f.last = id
			}
			if strings.Contains(f.lines.Text(), text) {
				if f.poll { // the rest of the answer, so that nothing is asked for twice
					for f.lines.Scan() {
						if id, ok := strings.CutPrefix(f.lines.Text(), "id: "); ok {
							f.last = id
						}
					}
					f.lines = nil
				}
				return
			}
		}
		if !f.poll || time.Now().After(deadline) {
			f.t.Fatalf("the stream ends before %s: %v", text, f.lines.Err())
		}
		f.lines = nil
	}
}

func (f *follower) open() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	f.t.Cleanup(cancel)
	query := ""
	if f.poll {
		query = "?poll=true"
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, f.b.Base+"/api/v1/events"+query, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	if f.last != "" {
		q.Header.Set("Last-Event-ID", f.last)
	}
	res, err := f.b.Client().Do(q)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		f.t.Fatalf("events: %d", res.StatusCode)
	}
	f.lines = bufio.NewScanner(res.Body)
	f.lines.Buffer(nil, 2<<20)
}
