package upload_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/feature/upload"
	"parley/server"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire"
	"parley/wire/jid"
)

const ns = "urn:xmpp:http:upload:0"

type rig struct {
	t    *testing.T
	host *server.Host
	dir  string      // where files are kept
	s3   *fakeBucket // the object store that keeps them; nil: none
	st   *sqlstore.Store
	svc  *upload.Service
	web  *httptest.Server
	out  *asker
	r    *server.Router
}

// asker is the socket of the asking client: it collects what the client gets.
type asker struct{ got chan *wire.Stanza }

func (a *asker) Send(st *wire.Stanza, _ jid.JID) error { a.got <- st; return nil }
func (a *asker) Close(*wire.StreamError)               {}

func newRig(t *testing.T, change func(*upload.Config)) *rig {
	ctx := context.Background()
	st, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{t: t, st: st, r: server.NewRouter(), out: &asker{make(chan *wire.Stanza, 10)}}
	h, err := server.NewHost(server.HostConfig{
		Domain:   "example.org",
		Store:    st,
		IDs:      new(store.IDs),
		Router:   r.r,
		Log:      slog.New(slog.DiscardHandler),
		Metrics:  server.NewMetrics(prometheus.NewRegistry()),
		Features: func(*server.Host) []*server.Feature { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.CreateUser(ctx, store.User{Host: "example.org", Name: "romeo", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Bind(ctx, "romeo", "x", server.Replace, r.out, server.SessionInfo{}); err != nil {
		t.Fatal(err)
	}
	c := upload.Config{
		Domain:  "upload.example.org",
		Host:    h,
		Store:   st,
		Dir:     t.TempDir(),
		Secret:  []byte("s"),
		MaxSize: 1000,
		Quota:   2500,
	}
	c.URL = func() string { return r.web.URL + "/f" }
	if change != nil {
		change(&c)
	}
	r.dir, r.host = c.Dir, h
	if r.svc, err = upload.New(ctx, c); err != nil {
		t.Fatal(err)
	}
	r.web = httptest.NewServer(http.StripPrefix("/f", r.svc))
	t.Cleanup(r.web.Close)
	return r
}

// ask sends a request of romeo's client and gives the answer.
func (r *rig) ask(payload string) *wire.Stanza {
	r.t.Helper()
	st, err := wire.ParseStanza(
		[]byte(`<iq xmlns='jabber:client' type='get' id='1' from='romeo@example.org/x' to='upload.example.org'>`+
			payload+`</iq>`), wire.Limits{})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.r.Route(r.t.Context(), st); err != nil {
		r.r.Reply(r.t.Context(), st, err)
	}
	return <-r.out.got
}

func request(name, size, more string) string {
	return `<request xmlns='` + ns + `' filename='` + name + `' size='` + size + `'` + more + `/>`
}

func (r *rig) slot(payload string) (put, get, auth string) {
	r.t.Helper()
	e := r.ask(payload).Element(ns, "slot")
	if e == nil {
		r.t.Fatal("no slot")
	}
	p := e.Child(ns, "put")
	return p.Attr("url"), e.Child(ns, "get").Attr("url"), p.ChildText(ns, "header")
}

func (r *rig) do(method, url, auth string, body []byte, headers ...string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, string(b)
}

func (r *rig) status(want int, method, url, auth string, body []byte, headers ...string) *http.Response {
	r.t.Helper()
	resp, text := r.do(method, url, auth, body, headers...)
	if resp.StatusCode != want {
		r.t.Fatalf("%s %s: %d %s, want %d", method, url, resp.StatusCode, text, want)
	}
	return resp
}

func TestUpload(t *testing.T) { everywhere(t, nil, testUpload) }

func testUpload(t *testing.T, r *rig) {
	put, get, auth := r.slot(request("tr&#xe8;s cool.jpg", "5", " content-type='image/jpeg'"))
	r.status(404, "GET", get, "", nil)
	r.status(401, "PUT", put, "", []byte("hello"))
	r.status(401, "PUT", put, auth+"x", []byte("hello"))
	r.status(413, "PUT", put, auth, []byte("hello!"))
	r.status(415, "PUT", put, auth, []byte("hello"), "Content-Type", "text/html")
	r.status(404, "GET", get, "", nil)
	r.status(201, "PUT", put, auth, []byte("hello"), "Content-Type", "image/jpeg")
	r.status(409, "PUT", put, auth, []byte("hello"), "Content-Type", "image/jpeg")
	resp, body := r.do("GET", get, "", nil)
	if body != "hello" || resp.Header.Get("Content-Type") != "image/jpeg" ||
		!strings.HasPrefix(resp.Header.Get("Content-Disposition"), "inline") {
		t.Errorf("got %q %v", body, resp.Header)
	}
	resp, body = r.do("GET", get, "", nil, "Range", "bytes=1-2")
	if resp.StatusCode != 206 || body != "el" {
		t.Errorf("a part: %d %q", resp.StatusCode, body)
	}
	if resp, body = r.do("GET", get, "", nil, "Range", "bytes=0-0,2-2"); resp.StatusCode != 200 || body != "hello" {
		t.Errorf("many parts: %d %q", resp.StatusCode, body)
	}
	r.status(405, "POST", put, auth, nil)
	r.status(404, "GET", get+"x", "", nil)
	r.status(404, "GET", r.web.URL+"/f/../../etc/passwd", "", nil)
	if resp := r.status(204, "OPTIONS", put, "", nil); resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("browsers may not upload")
	}
}

// TestNothingRuns checks that what a browser could run is only ever saved.
func TestNothingRuns(t *testing.T) {
	r := newRig(t, nil)
	for _, typ := range []string{"text/html", "image/svg+xml", "application/xhtml+xml", "", "text/javascript"} {
		put, get, auth := r.slot(request("a.html", "1", " content-type='"+typ+"'"))
		r.status(201, "PUT", put, auth, []byte("x"), "Content-Type", typ)
		resp := r.status(200, "GET", get, "", nil)
		if resp.Header.Get("Content-Type") != "application/octet-stream" ||
			!strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(resp.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%q: %v", typ, resp.Header)
		}
	}
}

func TestRefused(t *testing.T) {
	r := newRig(t, nil)
	for _, c := range []struct{ payload, condition string }{
		{request("a", "1001", ""), "not-acceptable"},
		{request("a", "0", ""), "bad-request"},
		{request("a", "-1", ""), "bad-request"},
		{request("a", "many", ""), "bad-request"},
		{request("", "1", ""), "bad-request"},
		{request("../a", "1", ""), "bad-request"},
		{request("a", "1", " content-type='nothing at all'"), "bad-request"},
		{request(strings.Repeat("a", 256), "1", ""), "bad-request"},
		{`<request xmlns='` + ns +
			`' filename='a' size='1'><ephemeral xmlns='urn:xmpp:http:upload:purpose:0'/></request>`, "bad-request"},
		{`<query xmlns='jabber:iq:roster'/>`, "service-unavailable"},
	} {
		e := r.ask(c.payload).Element(wire.NSClient, "error")
		if e.Child(wire.NSStanzas, c.condition) == nil {
			t.Errorf("%s: %s", c.payload, e.AppendXML(nil, ""))
		}
		if tooLarge := e.Child(ns, "file-too-large"); c.condition == "not-acceptable" &&
			tooLarge.ChildText(ns, "max-file-size") != "1000" {
			t.Error("the largest size is not said")
		}
	}
	for range 2 {
		r.slot(request("a", "1000", ""))
	}
	e := r.ask(request("a", "1000", "")).Element(wire.NSClient, "error")
	if e.Child(wire.NSStanzas, "resource-constraint") == nil || e.Child(ns, "retry").Attr("stamp") == "" {
		t.Errorf("over the quota: %s", e.AppendXML(nil, ""))
	}
	r.slot(request("a", "500", ""))
}

func TestExpiry(t *testing.T) {
	everywhere(t, func(c *upload.Config) { c.Expiry = func() time.Duration { return time.Hour } }, testExpiry)
}

func testExpiry(t *testing.T, r *rig) {
	put, get, auth := r.slot(request("a", "1", ""))
	r.status(201, "PUT", put, auth, []byte("x"))
	keptPut, kept, keptAuth := r.slot(`<request xmlns='` + ns +
		`' filename='me.png' size='1'><profile xmlns='urn:xmpp:http:upload:purpose:0'/></request>`)
	r.status(201, "PUT", keptPut, keptAuth, []byte("x"))
	_, never, _ := r.slot(request("a", "1", "")) // a slot that stays unused
	if err := r.svc.Sweep(t.Context(), time.Now().Add(61*time.Minute)); err != nil {
		t.Fatal(err)
	}
	r.status(404, "GET", get, "", nil)
	r.status(404, "GET", never, "", nil)
	if n := len(r.kept()); n != 1 {
		t.Errorf("%d files are kept", n)
	}
	r.status(200, "GET", kept, "", nil)
	us, err := r.st.UploadsOf(t.Context(), "example.org", "romeo")
	if err != nil || len(us) != 1 {
		t.Errorf("%v %v", us, err)
	}
	if err := r.st.DeleteUser(t.Context(), "example.org", "romeo"); err != nil {
		t.Fatal(err)
	}
	r.status(404, "GET", kept, "", nil)
	if err := r.svc.Sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if left := r.kept(); len(left) > 0 {
		t.Errorf("of a deleted account there is %v", left)
	}
}
