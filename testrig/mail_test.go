package testrig_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/pquerna/otp/totp"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

// relay is a mail relay that keeps what it takes. It refuses "full@" for now, once, and "gone@" for good.
type relay struct {
	mu   sync.Mutex
	seen map[string]int
	got  chan string
	last string // the last recipient that it was given
}

func (r *relay) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{r: r}, nil }

type delivery struct {
	r  *relay
	to string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Reset()                               {}
func (d *delivery) Logout() error                        { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.r.mu.Lock()
	defer d.r.mu.Unlock()
	d.r.seen[to]++
	d.to, d.r.last = to, to
	switch {
	case strings.HasPrefix(to, "gone@"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	case strings.HasPrefix(to, "full@") && d.r.seen[to] == 1:
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
	}
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err == nil {
		d.r.got <- string(b)
	}
	return err
}

// startRelay runs a relay, and says how a node sends by it.
func startRelay(t *testing.T, change ...func(*smtp.Server)) (*relay, func(c *config.Config)) {
	t.Helper()
	sink := &relay{seen: make(map[string]int), got: make(chan string, 10)}
	srv := smtp.NewServer(sink)
	srv.Domain = "relay.example"
	for _, f := range change {
		f(srv)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return sink, func(c *config.Config) {
		m := &c.Mail
		m.Host, m.Port, m.TLS, m.From, m.PerMinute = "127.0.0.1", l.Addr().(*net.TCPAddr).Port, "none",
			"Verona <chat@example.org>", 600
		m.Show = false
	}
}

func TestMailByRelay(t *testing.T) {
	t.Parallel() // it waits most of the time
	sink, mailed := startRelay(t)
	r := testrig.Start(t, mailed)
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	mails := func() map[string]store.Mail {
		ms, err := r.Node.Store.Mails(t.Context(), testrig.Host, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		out := make(map[string]store.Mail)
		for _, m := range ms {
			out[m.To] = m
		}
		return out
	}
	// until waits until a mail is as it has to be.
	until := func(to string, is func(store.Mail) bool) store.Mail {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			m := mails()[to]
			if is(m) {
				return m
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v", to, m)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	for _, name := range []string{"good", "full", "gone"} {
		if p := b.Post("/admin/people/new", "full_name", name, "email", name+"@work.example", "lang", "fr",
			"note", "À bientôt", "do", "invite"); p.Status != 303 {
			t.Fatalf("%s: %d %s", name, p.Status, p.Text)
		}
	}
	until("good@work.example", func(m store.Mail) bool { return m.State == store.MailSent && m.Attempts == 1 })
	msg, err := mail.ReadMessage(strings.NewReader(<-sink.got))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != "Vous êtes invité·e à rejoindre example.org\u202f!" ||
		msg.Header.Get("Auto-Submitted") != "auto-generated" || msg.Header.Get("User-Agent") != "" ||
		!strings.Contains(msg.Header.Get("From"), "chat@example.org") ||
		!strings.HasSuffix(msg.Header.Get("Message-Id"), "@example.org>") {
		t.Errorf("%v, %q: %v", err, subject, msg.Header)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil || !strings.HasPrefix(p.Header.Get("Content-Type"), want) ||
			!strings.Contains(string(text), "/i/") || !strings.Contains(string(text), "À bientôt") ||
			strings.Contains(string(text), "<img") {
			t.Errorf("%v, %s: %s", err, p.Header, text)
		}
	}

	// For now: it waits, and the next attempt is taken.
	m := until("full@work.example", func(m store.Mail) bool { return m.Error != "" })
	if m.State != store.MailWaiting || !strings.Contains(m.Error, "for now") || time.Until(m.Due) < 30*time.Second {
		t.Errorf("refused for now: %+v", m)
	}
	m.Due = time.Now()
	if err := r.Node.Store.SetMail(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	until("full@work.example", func(m store.Mail) bool {
		return m.State == store.MailSent && m.Attempts == 2 && m.Error == ""
	})

	// For good: no further attempt; the invitation knows, and the page says why.
	m = until("gone@work.example", func(m store.Mail) bool { return m.State == store.MailFailed })
	if m.Attempts != 1 || !strings.Contains(m.Error, "for good") || !strings.Contains(m.Error, "no such mailbox") {
		t.Errorf("refused for good: %+v", m)
	}
	var es []store.InvitationEvent
	for deadline := time.Now().Add(time.Minute); len(es) < 3 && time.Now().Before(deadline); {
		if es, err = r.Node.Store.InvitationEvents(t.Context(), testrig.Host, m.Invitation); err != nil {
			t.Fatal(err)
		}
	}
	if len(es) != 3 || es[2].Kind != "bounced" || !strings.Contains(es[2].Detail, "no such mailbox") {
		t.Errorf("history: %+v", es)
	}
	if p := b.Get("/admin/system"); !strings.Contains(p.Text, "no such mailbox") {
		t.Error("the page does not say why")
	}
	// The address is corrected, and the invitation sent once more: with a new link, the old one says so.
	b.Post("/admin/people/gone", "full_name", "Gone", "email", "found@work.example")
	if p := b.Post("/admin/invitations/" + m.Invitation + "/resend"); p.Status != 303 {
		t.Fatalf("%d", p.Status)
	}
	until("found@work.example", func(m store.Mail) bool { return m.State == store.MailSent })
	old := m.Text[strings.Index(m.Text, "/i/"):][:35]
	if p := r.Browser(t).Get(old); p.Status != 410 ||
		!strings.Contains(p.Text, "plus récent") && !strings.Contains(p.Text, "newer link") {
		t.Errorf("the old link: %d", p.Status)
	}
	if p := b.Get("/dev/outbox"); p.Status != 404 {
		t.Errorf("the outbox of dev: %d", p.Status)
	}
}

func TestSecondStep(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	b.Post("/me/factor", "do", "start")
	f, err := r.Node.Store.SecondFactor(t.Context(), testrig.Host, "romeo")
	if err != nil || f.Confirmed || len(f.Secret) != 32 {
		t.Fatal(f, err)
	}
	if p := b.Get("/me/factor.png"); p.Status != 200 || p.Header.Get("Content-Type") != "image/png" ||
		p.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the picture: %d", p.Status)
	}
	code := func(at time.Time) string {
		c, err := totp.GenerateCode(f.Secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if p := b.Post("/me/factor", "do", "confirm", "code", "000000"); p.Status != 422 {
		t.Errorf("a wrong code: %d", p.Status)
	}
	now := time.Now()
	p := b.Post("/me/factor", "do", "confirm", "code", code(now))
	recovery := strings.Split(p.Text, "<li>")
	var codes []string
	for _, s := range recovery {
		if c, _, ok := strings.Cut(s, "</li>"); ok && len(c) == 19 {
			codes = append(codes, c)
		}
	}
	if p.Status != 200 || len(codes) != 10 {
		t.Fatalf("%d, %d codes", p.Status, len(codes))
	}
	if f, err = r.Node.Store.SecondFactor(t.Context(), testrig.Host, "romeo"); err != nil || !f.Confirmed {
		t.Fatal(err)
	}
	for _, c := range codes {
		if strings.Contains(strings.Join(f.Recovery, " "), strings.ReplaceAll(c, "-", "")) {
			t.Error("a recovery code is kept as it is")
		}
	}
	step := func() *testrig.Browser {
		t.Helper()
		b := r.Browser(t)
		if p := b.Post("/login", "user", "romeo", "password", testrig.Password); p.Status != 303 ||
			!strings.HasPrefix(p.To, "/login/code") {
			t.Fatalf("%d to %q", p.Status, p.To)
		}
		if p := b.Get("/"); p.Status != 303 {
			t.Errorf("half signed in is signed in: %d", p.Status)
		}
		return b
	}
	if p := step().Post("/login/code", "code", code(now)); p.Status != 401 {
		t.Errorf("the code that turned it on is good again: %d", p.Status)
	}
	next := code(now.Add(30 * time.Second))
	one := step()
	if p := one.Post("/login/code", "code", next); p.Status != 303 || one.Get("/").Status != 200 {
		t.Errorf("the next code: %d", p.Status)
	}
	if p := step().Post("/login/code", "code", next); p.Status != 401 {
		t.Errorf("a code is good twice: %d", p.Status)
	}
	if p := step().Post("/login/code", "code", strings.ToUpper(codes[3])); p.Status != 303 {
		t.Errorf("a recovery code: %d", p.Status)
	}
	if p := step().Post("/login/code", "code", codes[3]); p.Status != 401 {
		t.Errorf("a recovery code is good twice: %d", p.Status)
	}
	if p := r.Browser(t).Post("/login/code", "code", codes[4]); p.Status != 303 || p.To != "/login" {
		t.Errorf("a code without a password: %d to %q", p.Status, p.To)
	}
}

// Domains are written in ASCII. An address that the relay cannot take is refused when it is typed; a relay that can
// take it gets it. The recipient's page says why a mail did not arrive.
func TestMailOutsideASCII(t *testing.T) {
	t.Parallel() // it waits most of the time
	for _, utf8 := range []bool{false, true} {
		sink, mailed := startRelay(t, func(s *smtp.Server) { s.EnableSMTPUTF8 = utf8 })
		r := testrig.Start(t, mailed)
		r.Account("!romeo")
		b := r.Browser(t)
		b.SignIn("romeo")
		invite := func(name, email string) testrig.Page {
			return b.Post("/admin/people/new", "full_name", name, "name", name, "email", email,
				"lang", "en", "do", "invite")
		}
		rcpt := func() string {
			t.Helper()
			select {
			case <-sink.got:
			case <-time.After(time.Minute):
				t.Fatal("no mail has come")
			}
			sink.mu.Lock()
			defer sink.mu.Unlock()
			return sink.last
		}
		if p := invite("anne", "anne@bücher.example"); p.Status != 303 {
			t.Fatal(p.Status, p.Text)
		}
		if to := rcpt(); to != "anne@xn--bcher-kva.example" {
			t.Errorf("the relay was told %q", to)
		}
		if p := b.Get("/admin/people/anne"); !strings.Contains(p.Text, "anne@bücher.example") {
			t.Error("the address is not kept as it was typed")
		}
		if p := invite("again", "ANNE@xn--bcher-kva.example"); p.Status != 422 ||
			!strings.Contains(p.Text, "belongs to") {
			t.Errorf("the same address in its other form: %d", p.Status)
		}
		p := invite("elodie", "élodie@work.example")
		switch {
		case !utf8 && (p.Status != 422 || !strings.Contains(p.Text, "only ASCII letters before the @")):
			t.Errorf("what the relay cannot take: %d", p.Status)
		case utf8 && p.Status != 303:
			t.Errorf("what it can take: %d", p.Status)
		case utf8:
			if to := rcpt(); to != "élodie@work.example" {
				t.Errorf("the relay was told %q", to)
			}
		}
		if p := invite("gone", "gone@work.example"); p.Status != 303 {
			t.Fatal(p.Status)
		}
		deadline := time.Now().Add(time.Minute)
		for page := ""; !strings.Contains(page, "The mail to gone@work.example could not be delivered: nobody has "+
			"this address there"); page = b.Get("/admin/people/gone").Text {
			if time.Now().After(deadline) {
				t.Fatal("it is not said on the page of the person")
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}
