package testrig

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Browser asks for pages of a rig as a browser would that runs no scripts: it keeps cookies, and
// says where a form is from.
type Browser struct {
	t    testing.TB
	http *http.Client
	Base string
}

// Browser returns a browser that nobody has signed in with. It does not follow redirections by itself.
func (r *Rig) Browser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	to := r.addr("websocket")
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: r.Roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, to)
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &Browser{t: t, Base: "https://" + Host, http: &http.Client{Transport: tr, Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Page is an answer.
type Page struct {
	Status int
	Header http.Header
	Text   string
	To     string // target of a redirection
}

// Do makes a request; change may alter it.
func (b *Browser) Do(method, path string, form url.Values, change func(*http.Request)) Page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	if !strings.HasPrefix(path, "https://") {
		path = b.Base + path
	}
	q, err := http.NewRequest(method, path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	q.Header.Set("Accept-Language", "en")
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(q)
	}
	res, err := b.http.Do(q)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return Page{res.StatusCode, res.Header, string(text), res.Header.Get("Location")}
}

func (b *Browser) Get(path string) Page {
	b.t.Helper()
	return b.Do("GET", path, nil, nil)
}

// Post sends a form of names and values in turn.
func (b *Browser) Post(path string, fields ...string) Page {
	b.t.Helper()
	form := make(url.Values)
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.Do("POST", path, form, nil)
}

// SignIn signs in an account that the rig has made.
func (b *Browser) SignIn(user string) {
	b.t.Helper()
	if p := b.Post("/login", "user", user, "password", Password); p.Status != http.StatusSeeOther {
		b.t.Fatalf("sign in %s: %d %s", user, p.Status, p.Text)
	}
}

// Client is what the browser speaks HTTP with.
func (b *Browser) Client() *http.Client { return b.http }
