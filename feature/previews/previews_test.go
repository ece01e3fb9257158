package previews

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/fault"
	"parley/messages"
)

// site is a website at an address of the loopback network, which counts its requests.
type site struct {
	*httptest.Server
	asked atomic.Int32
}

func newSite(t *testing.T, address string, answer http.HandlerFunc) *site {
	t.Helper()
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Skip("this machine has no " + address)
	}
	s := new(site)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		answer(w, r)
	}))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func page(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}
}

// service may fetch from 127.0.0.2, and from no other private address.
func service(c Config) *Service {
	c.Allow = append(c.Allow, netip.MustParsePrefix("127.0.0.2/32"))
	return New(c)
}

func TestPreview(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		want messages.Preview
	}{
		"title": {"<title> The\n  rose &amp; the <b>thorn </title>",
			messages.Preview{Title: "The rose & the <b>thorn"}},
		"no head": {"<p>Hello", messages.Preview{}},
		"open graph": {`<title>no</title><meta property="og:title" content="Rose"><meta name=description content="d">` +
			`<meta property="og:description" content="It smells"><meta property="og:site_name" content="Verona">` +
			`<meta property="og:image" content="http://127.0.0.1/x.png">`,
			messages.Preview{Title: "Rose", Description: "It smells", Site: "Verona"}},
		"scripts": {`<script>document.title = "<title>evil</title>"</script><!-- <title>c</title> --><title>good</title>` +
			`<style><title>s</title></style>`, messages.Preview{Title: "good"}},
		"in the body": {"</head><body><title>late</title>", messages.Preview{}},
		"bidi":        {"<title>a\u202eb\u2066c\u200e\x00\x1b[31m</title>", messages.Preview{Title: "abc[31m"}},
		"long": {"<title>" + strings.Repeat("ü", 500) + "</title>",
			messages.Preview{Title: strings.Repeat("ü", 299) + "…"}},
		"twice": {`<title>x</title><meta name=description content=" x ">`, messages.Preview{Title: "x"}},
		"entities": {`<meta property="og:title" content="&lt;img src=x onerror=alert(1)&gt; &#x202e;">`,
			messages.Preview{Title: "<img src=x onerror=alert(1)>"}},
	} {
		w := newSite(t, "127.0.0.2", page("<!doctype html><html><head>"+c.head))
		got, err := service(Config{}).Of(t.Context(), "romeo", w.URL+"/a?b=c#d")
		if c.want.Title == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %+v %v", name, got, err)
			}
			continue
		}
		c.want.Address = w.URL + "/a?b=c#d"
		if err != nil || got != c.want {
			t.Errorf("%s: %+v %v, want %+v", name, got, err, c.want)
		}
	}
}

// Pages are read in their own charset.
func TestCharset(t *testing.T) {
	for kind, text := range map[string]string{
		"text/html; charset=iso-8859-1": "<title>Caf\xe9</title>",
		"text/html; charset=UTF-16LE":   "\xff\xfe<\x00t\x00i\x00t\x00l\x00e\x00>\x00C\x00a\x00f\x00\xe9\x00<\x00/\x00",
		"text/html":                     "<meta charset=windows-1252><title>Caf\xe9</title>",
		"text/html;charset=nonsense":    "<title>Café</title><meta charset=utf-8>",
	} {
		w := newSite(t, "127.0.0.2", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(text))
		})
		got, err := service(Config{}).Of(t.Context(), "romeo", w.URL)
		if err != nil || !strings.HasPrefix(got.Title, "Café") {
			t.Errorf("%s: %+v %v", kind, got, err)
		}
	}
}

// The server connects to nothing private: not by its address, not by a name, not by a redirect.
func TestPrivate(t *testing.T) {
	secret := newSite(t, "127.0.0.1", page("<title>secret</title>"))
	port := secret.URL[strings.LastIndex(secret.URL, ":"):]
	door := newSite(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secret.URL, http.StatusFound)
	})
	s := service(Config{})
	for _, address := range []string{
		secret.URL, "http://localhost" + port, "http://[::ffff:127.0.0.1]" + port, "http://2130706433" + port,
		"http://0x7f.1" + port, door.URL, "http://[::1]" + port, "http://0.0.0.0" + port,
		"ftp://127.0.0.2/", "file:///etc/passwd", "http://user:pass@127.0.0.2/", "http:127.0.0.2",
		"javascript:alert(1)",
		"http://", "", "http://127.0.0.2/" + strings.Repeat("x", maxAddress),
	} {
		if p, err := s.Of(t.Context(), "romeo", address); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.60s: %+v %v", address, p, err)
		}
	}
	if n := secret.asked.Load(); n != 0 {
		t.Errorf("the private site was asked %d times", n)
	}
	if door.asked.Load() != 1 {
		t.Error("the redirect was not tried")
	}
	if err := New(Config{}).reachable("9.9.9.9:443"); err != nil {
		t.Error(err)
	}
	for _, at := range []string{"9.9.9.9:22", "10.0.0.1:443", "[fd00::1]:80", "169.254.169.254:80", "nonsense"} {
		if New(Config{}).reachable(at) == nil {
			t.Errorf("%s is reached", at)
		}
	}
}

func TestRedirects(t *testing.T) {
	var w *site
	w = newSite(t, "127.0.0.2", func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("it says %v", r.Header)
		}
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		if n == 0 {
			page("<title>end</title>")(rw, r)
			return
		}
		http.SetCookie(rw, &http.Cookie{Name: "a", Value: "b"})
		http.Redirect(rw, r, fmt.Sprintf("%s/%d", w.URL, n-1), http.StatusFound)
	})
	if p, err := service(Config{}).Of(t.Context(), "romeo", w.URL+"/3"); err != nil || p.Title != "end" {
		t.Errorf("three redirects: %+v %v", p, err)
	}
	if _, err := service(Config{}).Of(t.Context(), "romeo", w.URL+"/4"); !fault.Is(err, fault.Invalid) {
		t.Errorf("four redirects: %v", err)
	}
}

// What is huge, slow or of another kind has no preview, and does not take the server's memory or time.
func TestBounds(t *testing.T) {
	ended := make(chan struct{})
	for name, answer := range map[string]http.HandlerFunc{
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			block := []byte(strings.Repeat("<meta name=a content=b>", 1000))
			for range 10_000 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		},
		"one token": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<meta content='" + strings.Repeat("x", 2*maxBody) + "'><title>late</title>"))
		},
		"slow": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for {
				if _, err := w.Write([]byte("<!-- -->")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-ended:
					return
				case <-time.After(time.Millisecond):
				}
			}
		},
		"silent": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-ended:
			}
		},
		"picture": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = w.Write([]byte("<svg><title>no</title></svg>"))
		},
		"no type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = w.Write([]byte("<title>no</title>"))
		},
		"error": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<title>Forbidden</title>"))
		},
	} {
		w := newSite(t, "127.0.0.2", answer)
		s := service(Config{Timeout: 500 * time.Millisecond})
		if p, err := s.Of(t.Context(), "romeo", w.URL); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	close(ended)
}

// A page is fetched once for all, each person has a pace, and an organization may want none.
func TestPaceAndSwitch(t *testing.T) {
	w := newSite(t, "127.0.0.2", page("<title>rose</title>"))
	on := true
	s := service(Config{PerMinute: 2, On: func() bool { return on }})
	ask := func(who, path string) error {
		_, err := s.Of(t.Context(), who, w.URL+path)
		return err
	}
	for range 5 {
		if err := ask("romeo", "/a"); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.asked.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	if err := ask("romeo", "/b"); err != nil {
		t.Error(err)
	}
	if err := ask("romeo", "/c"); !fault.Is(err, fault.Limit) {
		t.Errorf("too many: %v", err)
	}
	if err := ask("juliet", "/c"); err != nil {
		t.Error(err)
	}
	on = false
	if err := ask("juliet", "/a"); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("switched off: %v", err)
	}
	for i := range 2 * maxKept {
		s.remember(fmt.Sprint(i), entry{until: time.Now().Add(time.Hour)})
	}
	if len(s.known) > maxKept {
		t.Errorf("%d are remembered", len(s.known))
	}
}

func FuzzHead(f *testing.F) {
	f.Add("<title>x</title>", "text/html")
	f.Add("<meta property=og:title content=x>", "text/html; charset=utf-16")
	f.Add("<meta", "")
	f.Fuzz(func(t *testing.T, text, kind string) {
		h, err := readHead(strings.NewReader(text), kind)
		if err != nil {
			return
		}
		p, ok := messages.NewPreview("https://example.org/", h.title(), h.description(), h.site)
		if ok && (p.Title == "" || len([]rune(p.Title)) > 300 || strings.ContainsAny(p.Title, "\n\u202e")) {
			t.Errorf("%q", p.Title)
		}
	})
}
