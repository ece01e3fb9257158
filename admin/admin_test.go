package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := ListenSocket(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	if i, err := os.Lstat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", i.Mode(), err)
	}
	if _, err := ListenSocket(path, 0o600); err == nil || !strings.Contains(err.Error(), "running") {
		t.Errorf("a second server on the same socket: %v", err)
	}
	dial := func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }
	c := &http.Client{Transport: &http.Transport{DialContext: dial}}
	if res, err := c.Get("http://parley/"); err != nil || res.StatusCode != http.StatusTeapot {
		t.Errorf("the second one has harmed the first: %v", err)
	}
	c.CloseIdleConnections()
	s.Close()
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is still there")
	}
}

func TestSocketLeftBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // like a server that was killed
	l.Close()
	if l, err = ListenSocket(path, 0o660); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Lstat(path); err != nil || i.Mode().Perm() != 0o660 {
		t.Errorf("got %v, %v", i.Mode(), err)
	}
	l.Close()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenSocket(file, 0o600); err == nil {
		t.Error("a file was taken for a socket")
	}
	if b, _ := os.ReadFile(file); string(b) != "dear diary" {
		t.Error("the file is gone")
	}
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestHealth(t *testing.T) {
	well := Check{Name: "store", Do: func(context.Context) error { return nil }}
	ill := Check{Name: "disk", Do: func(context.Context) error { return errors.New("full") }}
	odd := Check{Name: "clock", Do: func(context.Context) error { return errors.New("behind") }, Warning: true}
	if w := get(Monitor(prometheus.NewRegistry(), well), "/healthz"); w.Code != 200 ||
		!strings.Contains(w.Body.String(), `"status": "ok"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w := get(Monitor(prometheus.NewRegistry(), well, ill, odd), "/healthz")
	if w := get(Monitor(prometheus.NewRegistry(), well, odd), "/healthz"); w.Code != 200 ||
		!strings.Contains(w.Body.String(), `"status": "warning"`) || !strings.Contains(w.Body.String(), "behind") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	var h Health
	if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil {
		t.Fatal(err)
	}
	if want := (Health{"failing",
		map[string]string{"store": "ok", "disk": "full", "clock": "behind"}}); w.Code != 503 ||
		!reflect.DeepEqual(h, want) {
		t.Errorf("got %d %+v", w.Code, h)
	}
}

// A check that hangs is reported as such within the time limit, together with the other checks.
func TestHealthOfWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		start := time.Now()
		h := look(t.Context(), []Check{
			{Name: "stuck", Do: func(context.Context) error { <-release; return nil }},
			{Name: "store", Do: func(context.Context) error { return nil }},
		})
		if want := (Health{"failing", map[string]string{"stuck": "no answer", "store": "ok"}}); !reflect.DeepEqual(h,
			want) {
			t.Errorf("got %+v", h)
		}
		if d := time.Since(start); d != checkTimeout {
			t.Errorf("it took %v", d)
		}
		close(release)
		synctest.Wait()
	})
}

func TestMetrics(t *testing.T) {
	for range 2 { // two nodes in one process share nothing
		r := prometheus.NewRegistry()
		if err := RegisterProcess(r); err != nil {
			t.Fatal(err)
		}
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_test_total", Help: "x"})
		r.MustRegister(c)
		c.Inc()
		w := get(Monitor(r), "/metrics")
		for _, want := range []string{"\nparley_test_total 1\n", "\ngo_goroutines ", "\nprocess_cpu_seconds_total "} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("no %q", strings.TrimSpace(want))
			}
		}
	}
	if w := get(Monitor(prometheus.NewRegistry()), "/debug/pprof/"); w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
}
