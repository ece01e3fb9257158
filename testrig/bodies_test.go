package testrig_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/testrig"
)

// slowPost begins a request with a body of so many bytes, and sends some of it, for a client of a proxy.
func slowPost(t *testing.T, r *testrig.Rig, from, path string, length, sent int) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", r.Node.Addr("websocket_plain").String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_, err = fmt.Fprintf(nc, "POST %s HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		path, testrig.Host, from, length, strings.Repeat("a", sent))
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

func answer(t *testing.T, nc net.Conn) *http.Response {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// The server does not read a body that no door wants, and answers without waiting for it; from people who are not
// signed in it reads no more than a form holds.
func TestUnwantedBodies(t *testing.T) {
	r := testrig.Start(t, web)
	for path, want := range map[string]int{
		"/no/such/page":           404,
		"/upload/example.org/x/y": 404,
		"/hooks/nobody":           404,
		"/api/v1/people":          401,
		"/me":                     303,
		"/admin/people":           303,
		"/assets/1/x":             404,
	} {
		if res := answer(t, slowPost(t, r, "203.0.113.9", path, 250_000, 10)); res.StatusCode != want {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if res := answer(t, slowPost(t, r, "203.0.113.9",
		"/login", 250_000, 100_000)); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a large form: %d", res.StatusCode)
	}
	// With a length and chunks at once, nothing after the request is read as another.
	nc, err := net.Dial("tcp", r.Node.Addr("websocket_plain").String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "POST /login HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"+
		"\r\nGET /login HTTP/1.1\r\nHost: %s\r\n\r\n", testrig.Host, testrig.Host)
	_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
	all, err := io.ReadAll(nc)
	if errors.Is(err, os.ErrDeadlineExceeded) || strings.Count(string(all), "HTTP/1.1 ") != 1 ||
		!strings.Contains(string(all), "Connection: close") {
		t.Errorf("%v, %q", err, all)
	}
}

// Many slow posts hold little memory, are over soon, and keep out nobody at other addresses.
func TestSlowPosts(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := testrig.Start(t, web)
	r.Account("romeo")
	before := heap()
	var open []net.Conn
	for i := range 300 {
		open = append(open, slowPost(t, r, fmt.Sprintf("203.0.113.%d", i%20), "/login", 60_000, 50_000))
	}
	for range 40 { // one address may have 32
		open = append(open, slowPost(t, r, "198.51.100.1", "/login", 60_000, 50_000))
	}
	if more := heap() - before; more > 100<<20 {
		t.Errorf("they hold %d MiB", more>>20)
	}
	r.Browser(t).SignIn("romeo")
	var wg sync.WaitGroup
	var refused atomic.Int64
	for _, nc := range open {
		wg.Go(func() {
			_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
			all, err := io.ReadAll(nc)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("one is never over")
			}
			if strings.HasPrefix(string(all), "HTTP/1.1 503") {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if n := refused.Load(); n != 8 {
		t.Errorf("%d were refused", n)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// People who are signed in may send more, and slowly; so may files be sent.
func TestWantedBodies(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	form := url.Values{"text": {strings.Repeat("x", 100_000)}}
	if p := b.Do("POST", "/me", form, nil); p.Status == http.StatusRequestEntityTooLarge || p.Status >= 500 {
		t.Errorf("a form of who has signed in: %d", p.Status)
	}
	for path, want := range map[string]string{"/admin/": "/admin", "/login/?back=%2Fme": "/login?back=%2Fme"} {
		if p := b.Do("GET", path, nil, nil); p.Status != http.StatusMovedPermanently || p.To != want {
			t.Errorf("%s: %d to %q", path, p.Status, p.To)
		}
	}
	for _, path := range []string{"/nothing/", "//evil.example/", "/%2fevil.example/"} {
		if p := b.Do("GET", path, nil, nil); strings.Contains(p.To, "//") {
			t.Errorf("%s leads to %q", path, p.To)
		}
	}
}

// A BOSH stream that has not signed in may send as much as a stanza may hold before sign-in; after it, more.
func TestLargeBOSH(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo")
	b := newBrowser(t, r)
	big := "<message xmlns='jabber:client' to='romeo@" + testrig.Host + "'><body>" +
		strings.Repeat("x", 100_000) + "</body></message>"
	// The server answers without reading all of it; where that is faster than the client writes, the client may not see
	// the answer.
	if out, err := b.post(b.request("", big)); err == nil && out.Type != "terminate" ||
		err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("of nobody: %+v, %v", out, err)
	}
	b.signIn("romeo")
	if out, err := b.post(b.request("", big)); err != nil || out.Type == "terminate" {
		t.Errorf("of romeo: %+v, %v", out, err)
	}
}
