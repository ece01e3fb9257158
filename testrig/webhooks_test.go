package testrig_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/acts"
	"parley/admin/api"
	"parley/config"
	"parley/feature/webhooks"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// hooked is a rig with a group of romeo's and juliet's, and the control socket.
type hooked struct {
	*testrig.Rig
	t     *testing.T
	ctl   *testrig.Line
	group string // slug
	id    string
	room  string
	http  *http.Client
	addr  string
}

func startHooked(t *testing.T, change func(*config.Config)) *hooked {
	t.Helper()
	h := &hooked{t: t}
	h.Rig = testrig.Start(t, func(c *config.Config) {
		c.Webhooks.Retry = time.Millisecond
		if change != nil {
			change(c)
		}
	})
	h.Account("romeo", "juliet")
	g, err := h.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, org.NewGroup{
		Name:    "Verona",
		Kind:    org.Private,
		Owner:   jid.MustParse("romeo@example.org"),
		Members: []jid.JID{jid.MustParse("juliet@example.org")},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.group, h.id, h.room = g.Slug, g.ID, g.Room+"@groups.example.org"
	h.ctl = h.Line(t)
	h.addr = h.Node.Addr("websocket").String()
	h.http = &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.Roots, ServerName: testrig.Host}},
	}
	return h
}

func (h *hooked) create(w api.NewWebhook) (made api.Webhook) {
	h.t.Helper()
	if err := h.make(w, &made); err != nil {
		h.t.Fatal(err)
	}
	return made
}

func (h *hooked) make(w api.NewWebhook, made *api.Webhook) error {
	w.Group = h.group
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if made == nil {
		made = new(api.Webhook)
	}
	return h.ctl.Do("POST", "/webhooks", string(b), made)
}

// post gives status, body and headers.
func (h *hooked) post(hook, kind, body string, headers ...string) (int, string, http.Header) {
	h.t.Helper()
	_, path, _ := strings.Cut(strings.TrimPrefix(hook, "https://"), "/")
	req, err := http.NewRequestWithContext(h.t.Context(), "POST", "https://"+h.addr+"/"+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := h.http.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

// TestWebhookIn: a program's post appears in the room, once for each key, within its rate.
func TestWebhookIn(t *testing.T) {
	t.Parallel()
	h := startHooked(t, func(c *config.Config) { c.Webhooks.Burst = 12 })
	theme, err := h.Node.Org.CreateTheme(t.Context(), acts.System, testrig.Host, h.id, org.NewTheme{Name: "Builds"})
	if err != nil {
		t.Fatal(err)
	}
	w := h.create(api.NewWebhook{Name: "CI"})
	if !strings.Contains(w.URL, "/hooks/") || w.Direction != "in" {
		t.Fatalf("%+v", w)
	}
	h.Run(t, `
romeo signs in
romeo sends: <presence to='`+h.room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+h.room)
	said := func(id string) (body string) {
		es, _, _, err := h.Node.Store.ReadRoom(t.Context(), "groups.example.org",
			strings.TrimSuffix(h.room, "@groups.example.org"),
			store.Page{IDs: []store.ID{must(store.ParseID(id))}, Max: 1})
		if err != nil || len(es) != 1 {
			t.Fatalf("%v %v", es, err)
		}
		return string(es[0].Stanza)
	}
	status, body, _ := h.post(w.URL, "application/json",
		`{"title":"Build 7","text":"failed <b> & so","link":"https://ci.example.org/7"}`, "Idempotency-Key", "k1")
	var a struct{ ID, Room string }
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 || a.Room != h.room {
		t.Fatalf("%d %s", status, body)
	}
	st := said(a.ID)
	for _, part := range []string{
		h.room + "/CI", "*Build 7*\nfailed &lt;b&gt; &amp; so\nhttps://ci.example.org/7",
		"https://example.org/hats/bot", "urn:xmpp:occupant-id:0",
	} {
		if !strings.Contains(st, part) {
			t.Errorf("no %s in %s", part, st)
		}
	}
	if status, again, _ := h.post(w.URL, "application/json", `{"text":"another"}`,
		"Idempotency-Key", "k1"); status != 200 || again != body {
		t.Errorf("%d %s, first %s", status, again, body)
	}
	if status, body, _ := h.post(w.URL, "application/x-www-form-urlencoded",
		"text=by+form&file=https%3A%2F%2Ffiles.example.org%2Fa.png"); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if status, body, _ := h.post(w.URL, "application/json",
		`{"text":"in a theme","theme":"`+theme.Key+`"}`); status != 200 || !strings.Contains(body, theme.Room) {
		t.Errorf("%d %s", status, body)
	}
	for _, tc := range []struct {
		url, body string
		status    int
	}{
		{w.URL + "x", `{"text":"x"}`, 404},
		{w.URL, `{`, 400},
		{w.URL, `{}`, 400},
		{w.URL, `{"link":"javascript:alert(1)"}`, 400},
		{w.URL, `{"text":"x","theme":"nosuch"}`, 404},
		{w.URL, `{"text":"` + strings.Repeat("x", 70<<10) + `"}`, 413},
	} {
		if status, body, _ := h.post(tc.url, "application/json", tc.body); status != tc.status {
			t.Errorf("%.60s: %d %s", tc.body, status, body)
		}
	}
	if err := h.Node.Org.SetThemeState(t.Context(), acts.System, testrig.Host, theme.Key, org.ThemeClosed); err != nil {
		t.Fatal(err)
	}
	if status, body, _ := h.post(w.URL, "application/json", `{"text":"x","theme":"`+theme.Key+`"}`); status != 409 {
		t.Errorf("closed: %d %s", status, body)
	}
	limited := false
	for range 20 {
		status, _, head := h.post(w.URL, "application/json", `{"text":"x"}`)
		if limited = status == 429 && head.Get("Retry-After") != ""; limited {
			break
		}
	}
	if !limited {
		t.Error("no limit")
	}
	if err := h.ctl.Do("PATCH", "/webhooks/"+w.ID, `{"disabled": true}`, nil); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := h.post(w.URL, "application/json", `{"text":"x"}`); status != 404 {
		t.Errorf("disabled: %d", status)
	}
	if res, err := h.http.Get("https://" + h.addr + "/hooks/nothing"); err != nil || res.StatusCode != 404 {
		t.Errorf("%v %v", res, err)
	} else {
		res.Body.Close()
	}
}

// receiver is a program that gets events.
type receiver struct {
	mu     sync.Mutex
	status func(n int) int // status of the answer to the nth request
	n      int
	came   chan *http.Request // with its body in Header "Body"
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	b, _ := io.ReadAll(q.Body)
	q.Header.Set("Body", string(b))
	r.mu.Lock()
	r.n++
	status := r.status(r.n)
	r.mu.Unlock()
	w.WriteHeader(status)
	r.came <- q
}

func (r *receiver) next(t *testing.T) *http.Request {
	t.Helper()
	select {
	case q := <-r.came:
		return q
	case <-time.After(time.Minute):
		t.Fatal("nothing is posted")
		return nil
	}
}

// TestWebhookOut: messages are posted in order, signed, again until they are taken; a given-up one is kept,
// and sent when asked for.
func TestWebhookOut(t *testing.T) {
	t.Parallel()
	r := &receiver{came: make(chan *http.Request, 100), status: func(n int) int {
		if n <= 2 {
			return 500
		}
		return 204
	}}
	srv := httptest.NewServer(r)
	defer srv.Close()
	h := startHooked(t, func(c *config.Config) { c.Webhooks.Allow, c.Webhooks.Attempts = []string{"127.0.0.0/8"}, 3 })
	w := h.create(api.NewWebhook{Name: "Log", URL: srv.URL + "/in", Events: []string{"message", "theme", "member"}})
	if w.Secret == "" {
		t.Fatalf("%+v", w)
	}
	h.Run(t, `
romeo signs in
romeo sends: <presence to='`+h.room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+h.room+`
romeo sends: <message type='groupchat' to='`+h.room+`'><body>one</body></message>
romeo sends: <message type='groupchat' to='`+h.room+`'><subject>no event</subject></message>
romeo sends: <message type='groupchat' to='`+h.room+`'><body>two</body></message>
romeo forgets from `+h.room)
	for i, want := range []string{"one", "one", "one", "two"} {
		q := r.next(t)
		var e struct {
			Event, Group, Room string
			Data               struct{ Text, From, Nick, ID string }
		}
		body := q.Header.Get("Body")
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event != "message" || e.Group != h.group || e.Room != h.room || e.Data.Text != want ||
			e.Data.From != "romeo@example.org" || e.Data.Nick != "Romeo" || e.Data.ID == "" {
			t.Errorf("%d: %s", i, body)
		}
		if got := q.Header.Get("Parley-Signature"); got != "v1="+
			webhooks.Sign(w.Secret, q.Header.Get("Parley-Timestamp"), []byte(body)) {
			t.Errorf("signature %s", got)
		}
	}
	if err := h.Node.Org.SetMember(t.Context(), acts.System, testrig.Host, h.id,
		jid.MustParse("juliet@example.org"), ""); err != nil {
		t.Fatal(err)
	}
	if q := r.next(t); q.Header.Get("Parley-Event") != "member" ||
		!strings.Contains(q.Header.Get("Body"), `{"address":"juliet@example.org","role":""}`) {
		t.Errorf("%v", q.Header)
	}
	if _, err := h.Node.Org.CreateTheme(t.Context(), acts.System, testrig.Host, h.id,
		org.NewTheme{Name: "Secret", Restricted: true, Creator: jid.MustParse("romeo@example.org")}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Node.Org.CreateTheme(t.Context(), acts.System, testrig.Host, h.id,
		org.NewTheme{Name: "Open", Creator: jid.MustParse("romeo@example.org")}); err != nil {
		t.Fatal(err)
	}
	sawTheme, sawLine := false, false
	for !sawTheme || !sawLine {
		q := r.next(t)
		if strings.Contains(q.Header.Get("Body"), "Secret") && q.Header.Get("Parley-Event") == "theme" {
			t.Errorf("a restricted theme is told: %v", q.Header)
		}
		sawTheme = sawTheme || strings.Contains(q.Header.Get("Body"), `"name":"Open"`)
		sawLine = sawLine || strings.Contains(q.Header.Get("Body"), `"text":"New theme: Open`)
	}
	// Given up after three attempts, and tried again when that is asked for.
	r.mu.Lock()
	r.status = func(int) int { return 503 }
	r.mu.Unlock()
	h.Run(t, `
romeo signs in as romeo/two
romeo sends: <presence to='`+h.room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+h.room+`
romeo sends: <message type='groupchat' to='`+h.room+`'><body>three</body></message>
romeo forgets from `+h.room)
	for n := 0; n < 3; {
		if strings.Contains(r.next(t).Header.Get("Body"), `"text":"three"`) {
			n++
		}
	}
	var dead []api.Delivery
	for len(dead) == 0 { // the delivery is noted once the answer is in
		if err := h.ctl.Do("GET", "/webhooks/"+w.ID+"/deliveries?state=dead", "", &dead); err != nil {
			t.Fatal(err)
		}
	}
	if dead[0].Attempts != 3 || dead[0].Status != 503 || !strings.Contains(dead[0].Error, "503") {
		t.Errorf("%+v", dead)
	}
	r.mu.Lock()
	r.status = func(int) int { return 200 }
	r.mu.Unlock()
	var again api.Redelivered
	if err := h.ctl.Do("POST", "/webhooks/"+w.ID+"/redeliver", "", &again); err != nil || again.Count != 1 {
		t.Fatalf("%+v %v", again, err)
	}
	for !strings.Contains(r.next(t).Header.Get("Body"), `"text":"three"`) {
	}
}

// TestWebhookGuard: no webhook reaches addresses of our own network unless that is allowed.
func TestWebhookGuard(t *testing.T) {
	t.Parallel()
	r := &receiver{came: make(chan *http.Request, 1), status: func(int) int { return 200 }}
	srv := httptest.NewTLSServer(r)
	defer srv.Close()
	h := startHooked(t, nil)
	if err := h.make(api.NewWebhook{Name: "x", URL: "http://example.com/"}, nil); err == nil {
		t.Error("http is taken")
	}
	if err := h.make(api.NewWebhook{Name: "x", URL: "https://example.com/", Events: []string{"weather"}},
		nil); err == nil {
		t.Error("weather is taken")
	}
	w := h.create(api.NewWebhook{Name: "Log", URL: srv.URL})
	h.Run(t, `
romeo signs in
romeo sends: <presence to='`+h.room+`/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>
romeo forgets from `+h.room+`
romeo sends: <message type='groupchat' to='`+h.room+`'><body>one</body></message>
romeo forgets from `+h.room)
	var dead []api.Delivery
	for len(dead) == 0 {
		if err := h.ctl.Do("GET", "/webhooks/"+w.ID+"/deliveries?state=dead", "", &dead); err != nil {
			t.Fatal(err)
		}
	}
	if dead[0].Attempts != 1 || !strings.Contains(dead[0].Error, "not one of the public internet") {
		t.Errorf("%+v", dead)
	}
	if r.n != 0 {
		t.Error("it was reached")
	}
}
