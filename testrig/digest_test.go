package testrig_test

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/config"
	"parley/org"
	"parley/store"
	"parley/testrig"
	"parley/wire/jid"
)

// digests is the set-up for tests of mails about missed activity: romeo writes, the others miss it.
type digests struct {
	*testing.T
	r      *testrig.Rig
	sink   *relay
	themes map[string]string // keys, by name
}

// due makes a person's next mail due now.
func (d *digests) due(name, every string) {
	d.Helper()
	if err := d.r.Node.Store.SetDigest(d.Context(), testrig.Host,
		store.Digest{Owner: name, Every: every, Due: time.Now().Add(-time.Second)}); err != nil {
		d.Fatal(err)
	}
}

// until waits until something is as it has to be.
func (d *digests) until(what string, is func() bool) {
	d.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.Fatal(what)
		}
	}
}

func (d *digests) digest(name string) store.Digest {
	d.Helper()
	x, err := d.r.Node.Store.Digest(d.Context(), testrig.Host, name)
	if err != nil {
		d.Fatal(err)
	}
	return x
}

// mails gives those of the outbox to an address, the newest first.
func (d *digests) mails(to string) (out []store.Mail) {
	d.Helper()
	ms, err := d.r.Node.Store.Mails(d.Context(), testrig.Host, 0, 100)
	if err != nil {
		d.Fatal(err)
	}
	for _, m := range ms {
		if m.To == to {
			out = append(out, m)
		}
	}
	return out
}

// letter is a mail that has arrived.
type letter struct {
	mail.Header
	subject, text, html string
}

func (d *digests) next() (l letter) {
	d.Helper()
	raw := ""
	select {
	case raw = <-d.sink.got:
	case <-time.After(30 * time.Second):
		d.Fatal("no mail has come")
	}
	msg, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		d.Fatal(err)
	}
	l.Header = msg.Header
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		d.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		d.Fatal(err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for _, to := range []*string{&l.text, &l.html} {
		p, err := parts.NextRawPart()
		if err != nil {
			d.Fatal(err)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			d.Fatal(err)
		}
		*to = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	return l
}

func startDigests(t *testing.T) *digests {
	sink, mailed := startRelay(t)
	r := testrig.Start(t, func(c *config.Config) {
		mailed(c)
		c.Web.URL = "https://chat.example.org"
	})
	d := &digests{t, r, sink, make(map[string]string)}
	d.r.Account("!romeo", "juliet", "nurse")
	ctx, o := t.Context(), d.r.Node.Org
	for name, email := range map[string]string{"juliet": "juliet@work.example", "nurse": "full@work.example"} {
		if _, _, err := d.r.Node.Store.UpdatePerson(ctx, testrig.Host, name, func(p *store.Person) error {
			p.Email, p.Lang = email, map[string]string{"juliet": "fr", "nurse": "en"}[name]
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	romeo := d.r.Browser(t)
	romeo.SignIn("romeo")
	for name, members := range map[string][]string{
		"Verona":  {"romeo", "juliet", "nurse"},
		"Capulet": {"romeo", "nurse"},
	} {
		g, err := o.CreateGroup(ctx, acts.System, testrig.Host, newGroup(name, members...))
		if err != nil {
			t.Fatal(err)
		}
		if p := romeo.Post("/g/"+g.Slug, "text", "Swords at noon"); p.Status != 303 {
			t.Fatalf("said: %d %s", p.Status, p.Text)
		}
		if name == "Verona" {
			th, err := o.CreateTheme(ctx, acts.System, testrig.Host, g.ID,
				org.NewTheme{Name: "Feast", Creator: jid.MustParse("romeo@" + testrig.Host)})
			if err != nil {
				t.Fatal(err)
			}
			d.themes[th.Name] = th.Key
			if p := romeo.Post("/g/verona/t/"+th.Key, "text", "Masks are needed"); p.Status != 303 {
				t.Fatalf("said: %d %s", p.Status, p.Text)
			}
		}
	}
	return d
}

// Somebody who has missed messages gets one mail in a period, in their language, which says where and not what; one
// click ends it.
func TestDigest(t *testing.T) {
	t.Parallel() // it waits most of the time
	d := startDigests(t)
	juliet := d.r.Browser(t)
	juliet.SignIn("juliet")
	if p := juliet.Get("/me/notifications"); p.Status != 200 ||
		!regexp.MustCompile(`value="off" checked`).MatchString(p.Text) {
		t.Fatalf("%d: who has not chosen gets none: %s", p.Status, p.Text)
	}
	if p := juliet.Post("/me/notifications", "digest", "hourly"); p.Status != 422 {
		t.Errorf("no such choice: %d", p.Status)
	}
	if p := juliet.Post("/me/notifications", "theme-"+d.themes["Feast"], "asleep"); p.Status != 422 {
		t.Errorf("no such state: %d", p.Status)
	}
	if p := juliet.Post("/me/notifications", "digest", "daily", "theme-"+d.themes["Feast"], "muted"); p.Status != 303 {
		t.Fatalf("%d %s", p.Status, p.Text)
	}
	if x := d.digest("juliet"); x.Every != "daily" || time.Until(x.Due) <= 0 || time.Until(x.Due) > 25*time.Hour {
		t.Errorf("%+v", x)
	}
	d.due("juliet", "daily")
	l := d.next()
	if l.subject != "Ce que vous avez manqué chez example.org" || l.Get("Auto-Submitted") != "auto-generated" ||
		l.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("%q, %v", l.subject, l.Header)
	}
	for _, text := range []string{l.text, l.html} {
		if !strings.Contains(text, "nouveau") || !strings.Contains(text, "/chat/c/verona@groups.example.org") ||
			!strings.Contains(text, "/digest/") || strings.Contains(text, "Swords") ||
			strings.Contains(text, "Feast") || strings.Contains(text, "Capulet") || strings.Contains(text, "<img") {
			t.Errorf("%s", text)
		}
	}
	d.until("it is put off", func() bool { return d.digest("juliet").Due.After(time.Now()) })
	d.until("it is sent", func() bool {
		ms := d.mails("juliet@work.example")
		return len(ms) == 1 && ms[0].State == store.MailSent
	})

	// Nothing new since: no second mail, though nothing was read.
	d.due("juliet", "daily")
	d.until("it is put off", func() bool { return d.digest("juliet").Due.After(time.Now()) })
	if ms := d.mails("juliet@work.example"); len(ms) != 1 {
		t.Errorf("%d mails about the same", len(ms))
	}

	// The one click of a mail program, which sends no cookie and comes from nowhere.
	link, ok := strings.CutPrefix(strings.TrimSuffix(l.Get("List-Unsubscribe"), ">"), "<")
	u, err := url.Parse(link)
	if err != nil || !ok || u.Scheme != "https" {
		t.Fatalf("%q: %v", link, err)
	}
	click := func(method, path string) int {
		return d.r.Browser(t).Do(method, path, url.Values{"List-Unsubscribe": {"One-Click"}},
			func(q *http.Request) { q.Header.Del("Sec-Fetch-Site") }).Status
	}
	if s := d.r.Browser(t).Get(u.Path).Status; s != 200 || d.digest("juliet").Every != "daily" {
		t.Errorf("looking at the link: %d, %+v", s, d.digest("juliet"))
	}
	if s := click("POST", u.Path+"A"); s != 404 {
		t.Errorf("another link: %d", s)
	}
	if s := click("POST", "/digest/AAAA"); s != 404 {
		t.Errorf("a short link: %d", s)
	}
	if s := click("POST", u.Path); s != 200 || d.digest("juliet").Every != "off" || !d.digest("juliet").Due.IsZero() {
		t.Errorf("one click: %d, %+v", s, d.digest("juliet"))
	}
	if s := click("POST", u.Path); s != 200 {
		t.Errorf("twice: %d", s)
	}
	if p := juliet.Get("/me/notifications"); !regexp.MustCompile(`value="off" checked`).MatchString(p.Text) ||
		!regexp.MustCompile(`value="muted" selected`).MatchString(p.Text) {
		t.Errorf("the page: %s", p.Text)
	}
}

// A mail that waits for the relay is written again before it is sent: it does not mention a group that its reader has
// lost.
func TestDigestOfWhatWasLost(t *testing.T) {
	t.Parallel() // it waits most of the time
	d := startDigests(t)
	d.due("nurse", "weekly")
	waits := func() (m store.Mail) {
		d.until("a mail waits", func() bool {
			ms := d.mails("full@work.example")
			if len(ms) > 0 {
				m = ms[0]
			}
			return len(ms) > 0 && m.State == store.MailWaiting && m.Error != ""
		})
		return m
	}
	again := func(m store.Mail) {
		m.Due = time.Now()
		if err := d.r.Node.Store.SetMail(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	m := waits()
	if !strings.Contains(m.Text, "Capulet") || !strings.Contains(m.Text, "Verona › Feast") {
		t.Errorf("%s", m.Text)
	}
	nurse := jid.MustParse("nurse@" + testrig.Host)
	leave := func(slug string) {
		g, err := d.r.Node.Org.Group(t.Context(), testrig.Host, slug)
		if err == nil {
			err = d.r.Node.Org.SetMember(t.Context(), acts.System, testrig.Host, g.ID, nurse, "")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	leave("capulet")
	again(m)
	if l := d.next(); strings.Contains(l.text+l.html, "Capulet") ||
		!strings.Contains(l.text, "Verona › Feast: 1 new message") || !strings.Contains(l.text, "once a week") {
		t.Errorf("%s", l.text)
	}

	// A digest whose messages have all been read is not sent.
	romeo := d.r.Browser(t)
	romeo.SignIn("romeo")
	romeo.Post("/g/verona", "text", "And again")
	d.sink.mu.Lock()
	delete(d.sink.seen, "full@work.example")
	d.sink.mu.Unlock()
	d.due("nurse", "weekly")
	m = waits()
	leave("verona")
	again(m)
	d.until("the mail is dropped", func() bool { return d.mails("full@work.example")[0].State == store.MailDropped })
}

// Where the organization has it so, everyone with an address gets one, until they choose otherwise.
func TestDigestByDefault(t *testing.T) {
	t.Parallel() // it waits most of the time
	sink, mailed := startRelay(t)
	r := testrig.Start(t, func(c *config.Config) {
		mailed(c)
		c.Mail.Digest, c.Web.URL = "weekly", "https://chat.example.org"
	})
	d := &digests{t, r, sink, nil}
	r.Account("romeo", "juliet")
	if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host,
		"romeo", func(p *store.Person) error { p.Email = "romeo@work.example"; return nil }); err != nil {
		t.Fatal(err)
	}
	b := r.Browser(t)
	b.SignIn("romeo")
	if p := b.Get("/me/notifications"); !regexp.MustCompile(`value="weekly" checked`).MatchString(p.Text) {
		t.Errorf("%s", p.Text)
	}
	d.due("romeo", "")
	d.until("it is due next Monday", func() bool {
		x := d.digest("romeo").Due
		return x.After(time.Now()) && x.Local().Weekday() == time.Monday
	})
	if len(d.mails("romeo@work.example")) != 0 {
		t.Error("a mail about nothing")
	}

	// A room of no group counts too, under the name that it is bookmarked by.
	const room = "garden@groups.example.org"
	if err := r.Node.Store.SetBookmarks(t.Context(), testrig.Host, "romeo", 0,
		store.Bookmark{Room: room, Name: "Garden party", Updated: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	juliet := signIn(t, r, "juliet")
	do(t, juliet, "<presence to='"+room+"/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>", "subject")
	do(t, juliet, "<iq type='set' id='c' to='"+room+"'><query xmlns='http://jabber.org/protocol/muc#owner'>"+
		"<x xmlns='jabber:x:data' type='submit'/></query></iq>", "c")
	do(t, juliet, "<message type='groupchat' id='m' to='"+room+"'><body>Roses</body></message>", "m")
	d.due("romeo", "")
	if l := d.next(); !strings.Contains(l.text, "Garden party: 1 new message\nhttps://") ||
		!strings.Contains(l.html, "/chat/c/"+room) || strings.Contains(l.text, "Roses") {
		t.Errorf("%s\n%s", l.text, l.html)
	}
	if p := b.Get("/"); !strings.Contains(p.Text, "Garden party") ||
		!strings.Contains(p.Text, "/chat/c/"+room) {
		t.Errorf("the page: %s", p.Text)
	}
}

// The same choices by a command of the host, in a client.
func TestNotificationsByCommand(t *testing.T) {
	d := startDigests(t)
	juliet, key := signIn(t, d.r, "juliet"), d.themes["Feast"]
	run := func(id, fields string) *testrig.Element {
		t.Helper()
		return do(t, juliet, "<iq type='set' id='"+id+
			"' to='example.org'><command xmlns='http://jabber.org/protocol/commands' "+
			"node='https://parley.im/commands#notifications'>"+fields+"</command></iq>", id)
	}
	submit := func(id, every string, muted ...string) *testrig.Element {
		t.Helper()
		vs := ""
		for _, m := range muted {
			vs += "<value>" + m + "</value>"
		}
		return run(id, "<x xmlns='jabber:x:data' type='submit'><field var='digest'><value>"+every+
			"</value></field><field var='muted'>"+vs+"</field></x>")
	}
	if e := run("1", "").String(); !strings.Contains(e, "Verona › Feast") || !strings.Contains(e, key) ||
		!strings.Contains(e, "weekly") || strings.Contains(e, "Capulet") {
		t.Errorf("%s", e)
	}
	state := func() string {
		t.Helper()
		s, _, err := d.r.Node.Store.Follow(t.Context(), testrig.Host, key, "juliet")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if e := submit("2", "weekly", key, "nonsense"); e.Find("note").Attr("type") != "info" ||
		d.digest("juliet").Every != store.DigestWeekly || state() != store.FollowMuted {
		t.Errorf("%s, %+v, %s", e, d.digest("juliet"), state())
	}
	if e := submit("3", "hourly"); e.Find("note").Attr("type") != "error" ||
		d.digest("juliet").Every != store.DigestWeekly {
		t.Errorf("no such choice: %s", e)
	}
	if e := submit("4", "off"); e.Find("note").Attr("type") != "info" || d.digest("juliet").Every != store.DigestOff ||
		state() != store.FollowAuto {
		t.Errorf("%s, %+v, %s", e, d.digest("juliet"), state())
	}
	quiet := func(id, zone string) *testrig.Element {
		t.Helper()
		return run(id, "<x xmlns='jabber:x:data' type='submit'><field var='quiet'><value>1</value></field>"+
			"<field var='from'><value>20:00</value></field><field var='days'><value>sat</value></field>"+
			"<field var='time_zone'><value>"+zone+"</value></field></x>")
	}
	if e := quiet("5", "Nowhere"); e.Find("note").Attr("type") != "error" {
		t.Errorf("no such time zone: %s", e)
	}
	if e := quiet("6", "Europe/Rome"); e.Find("note").Attr("type") != "info" {
		t.Errorf("%s", e)
	}
	if q, err := d.r.Node.Store.QuietHours(t.Context(), testrig.Host, "juliet"); err != nil || q != (store.QuietHours{
		On:   true,
		From: 20 * 60,
		To:   7 * 60,
		Days: 1 << time.Saturday,
		Zone: "Europe/Rome",
	}) {
		t.Errorf("%+v, %v", q, err)
	}
}
