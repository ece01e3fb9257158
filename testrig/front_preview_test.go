package testrig_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parley/config"
	"parley/testrig"
	"parley/webchat"
)

// The server describes a link for who writes it; clients get the description by XEP-0511, and browsers show that of
// clients. The text is never hidden, pictures are left out, and a description of something else is no preview.
func TestFrontPreviews(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<title>x</title><meta property="og:title" content="The balcony ` + r.URL.Path + `">` +
			`<meta property="og:description" content="It is the east"><meta property="og:image" content="/sun.png">`))
	}))
	t.Cleanup(page.Close)
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Previews.Allow = []string{"127.0.0.1/32"}
	})
	r.Account("!romeo", "juliet")
	juliet := newChatter(t, r, "juliet")
	c := signIn(t, r, "romeo")
	sends(t, c, "<presence/>")
	romeo := "romeo@" + testrig.Host

	link := page.URL + "/a"
	var p webchat.Preview
	juliet.must("GET", "/preview?address="+url.QueryEscape(link), nil, &p)
	if p.Address != link || p.Title != "The balcony /a" || p.Description != "It is the east" {
		t.Errorf("%+v", p)
	}
	var said webchat.Message
	juliet.must("POST", in(romeo, "/messages"), webchat.Outgoing{Text: "see " + link + ".", Preview: link}, &said)
	if said.Preview == nil || *said.Preview != p || said.Text != "see "+link+"." {
		t.Errorf("%+v %+v", said, said.Preview)
	}
	got := wantMessage(t, c, func(e *testrig.Element) bool { return strings.HasPrefix(content(e, "body"), "see ") })
	text := got.String()
	if !strings.Contains(text, "http://www.w3.org/1999/02/22-rdf-syntax-ns#") || content(got, "title") != p.Title ||
		!strings.Contains(text, "about") || strings.Contains(text, "sun.png") {
		t.Errorf("the client got %s", text)
	}
	// An edit keeps the preview with its link, and loses it without.
	for i, text := range []string{"look: " + link, "look"} {
		want := i == 0
		var now webchat.Message
		juliet.must("PUT", in(romeo, "/messages/", said.ID), map[string]any{"text": text}, &now)
		if (now.Preview != nil) != want {
			t.Errorf("%q has the preview %+v", text, now.Preview)
		}
	}
	// What is not in the text is not described, and what cannot be fetched is sent without.
	for text, address := range map[string]string{
		"no link": link, "longer " + link + "bc": link, "see ftp://x/": "ftp://x/",
		"see http://[::1]:1/": "http://[::1]:1/",
	} {
		var m webchat.Message
		juliet.must("POST", in(romeo, "/messages"), webchat.Outgoing{Text: text, Preview: address}, &m)
		if m.Preview != nil {
			t.Errorf("%q has the preview %+v", text, m.Preview)
		}
	}
	describes := func(about, title string) string {
		return `<Description xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#' ` +
			`xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' r:about='` + about + `'><title xmlns='https://ogp.me/ns#'>` +
			title + `</title><image xmlns='https://ogp.me/ns#'>https://evil.example/x.png</image></Description>`
	}
	for text, c2 := range map[string]struct{ with, title string }{
		"1 https://a.example/x": {describes("https://a.example/x", "A\u202eB"), "AB"},
		"2 https://a.example/x": {describes("https://bank.example/", "Bank"), ""},
		"3 https://a.example/x": {describes("javascript:alert(1)", "x") + describes("https://a.example/x", "second"),
			"second"},
		"4 https://a.example/x": {describes("https://a.example/x", strings.Repeat("x", 999)),
			strings.Repeat("x", 299) + "…"},
		"5 https://a.example/x": {describes("https://a.example/x", ""), ""},
	} {
		sends(t, c, "<message type='chat' to='juliet@"+testrig.Host+"'><body>"+text+"</body>"+c2.with+"</message>")
		m := juliet.fresh(romeo, text)
		title := ""
		if m.Preview != nil {
			title = m.Preview.Title
		}
		if title != c2.title {
			t.Errorf("%s: %q", text, title)
		}
	}
	if status := juliet.do("GET", "/preview?address="+url.QueryEscape("http://127.0.0.2/"), nil, nil); status != 422 {
		t.Errorf("a private address: %d", status)
	}
	// The organization switches previews off.
	off := "false"
	if _, err := r.Node.Settings().Change(t.Context(), testrig.Host, "",
		map[string]*string{"chat.previews": &off}); err != nil {
		t.Fatal(err)
	}
	if status := juliet.do("GET", "/preview?address="+url.QueryEscape(link), nil, nil); status < 400 {
		t.Errorf("switched off: %d", status)
	}
	said = webchat.Message{}
	juliet.must("POST", in(romeo, "/messages"), webchat.Outgoing{Text: link, Preview: link}, &said)
	if said.Preview != nil {
		t.Errorf("switched off: %+v", said.Preview)
	}
}
