package testrig_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/acts"
	"parley/feature/webpush"
	"parley/node"
	"parley/org"
	"parley/testrig"
	"parley/wire/jid"
)

// pusher is a push service of a browser's maker, with the browsers' side of the keys.
type pusher struct {
	t      *testing.T
	rig    *testrig.Rig
	srv    *httptest.Server
	key    *ecdh.PrivateKey // of every browser here
	auth   []byte
	got    chan pushed
	status atomic.Int32 // of the answers
	juliet *testrig.Client
	room   string
}

// pushed is a message that the service got.
type pushed struct {
	path   string
	header http.Header
	webpush.Content
}

// loopback is where the push service of these tests is, which servers reach by their configuration in tests alone.
var loopback = netip.MustParsePrefix("127.0.0.0/8")

// startPusher starts a node that may reach some private networks. romeo, juliet and tybalt are in a group.
func startPusher(t *testing.T, allow ...netip.Prefix) *pusher {
	t.Helper()
	p := &pusher{t: t, got: make(chan pushed, 100), auth: make([]byte, 16)}
	p.status.Store(http.StatusCreated)
	rand.Read(p.auth)
	var err error
	p.key, err = ecdh.P256().GenerateKey(rand.Reader)
	p.check(err)
	p.srv = httptest.NewTLSServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.srv.Close)
	settings := p.srv.Client().Transport.(*http.Transport).TLSClientConfig
	p.rig = testrig.Start(t, web, node.WithPushServices(allow, settings, 20*time.Millisecond))
	p.rig.Account("romeo", "juliet", "tybalt")
	g, err := p.rig.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, org.NewGroup{
		Slug:    "verona",
		Name:    "Verona",
		Kind:    org.Private,
		Owner:   jid.MustParse("juliet@" + testrig.Host),
		Members: []jid.JID{jid.MustParse("romeo@" + testrig.Host), jid.MustParse("tybalt@" + testrig.Host)},
	})
	p.check(err)
	p.room = p.rig.Node.Org.RoomJID(testrig.Host, g.Room).String()
	p.juliet = signIn(t, p.rig, "juliet")
	joinRoom(t, p.juliet, p.room, "Juliet")
	return p
}

func (p *pusher) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pusher) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = p.signed(r)
	}
	text, bad := p.open(body)
	if err = errors.Join(err, bad); err != nil {
		p.t.Error(err)
	}
	got := pushed{path: r.URL.Path, header: r.Header}
	if err := json.Unmarshal(text, &got.Content); err != nil {
		p.t.Errorf("%s: %v", text, err)
	}
	status := int(p.status.Load()) // the test changes it once it knows of this message
	p.got <- got
	if status == http.StatusFound {
		w.Header().Set("Location", p.srv.URL+"/elsewhere")
	}
	w.WriteHeader(status)
}

// open decrypts a message (RFC 8188, RFC 8291).
func (p *pusher) open(body []byte) ([]byte, error) {
	if len(body) < 86 || body[20] != 65 {
		return nil, errors.New("the message has no header")
	}
	salt, size := body[:16], binary.BigEndian.Uint32(body[16:20])
	if size > 4096 || len(body)-86 > int(size) {
		return nil, errors.New("the record is too long")
	}
	server, err := ecdh.P256().NewPublicKey(body[21:86])
	if err != nil {
		return nil, err
	}
	shared, err := p.key.ECDH(server)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(p.key.PublicKey().Bytes()) + string(body[21:86])
	ikm, err := hkdf.Key(sha256.New, shared, p.auth, info, 32)
	if err != nil {
		return nil, err
	}
	cek, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	text, err := gcm.Open(nil, nonce, body[86:], nil)
	if err != nil {
		return nil, err
	}
	padded := strings.TrimRight(string(text), "\x00")
	if !strings.HasSuffix(padded, "\x02") {
		return nil, errors.New("the record is not the last")
	}
	return []byte(strings.TrimSuffix(padded, "\x02")), nil
}

// signed checks who sends (RFC 8292): a token for this service, signed with the key that browsers subscribe with.
func (p *pusher) signed(r *http.Request) error {
	token, key, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "vapid t="), ", k=")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 {
		return errors.New("there is no token: " + r.Header.Get("Authorization"))
	}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return errors.New("this is no key: " + key)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		return fmt.Errorf("this is no key: %s: %w", key, err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return errors.New("this is no signature: " + parts[2])
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errors.New("the signature is wrong")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return err
	}
	left := time.Until(time.Unix(claims.Exp, 0))
	if claims.Aud != p.srv.URL || claims.Sub != "https://"+testrig.Host || left <= 0 || left > 24*time.Hour {
		return errors.New("the token claims " + string(text))
	}
	return nil
}

// subscription is what a browser says, with a path of the service.
func (p *pusher) subscription(path string) map[string]any {
	return map[string]any{
		"endpoint": p.srv.URL + path,
		"keys": map[string]string{
			"p256dh": base64.RawURLEncoding.EncodeToString(p.key.PublicKey().Bytes()),
			"auth":   base64.RawURLEncoding.EncodeToString(p.auth),
		},
	}
}

// browser signs somebody in with a browser that is woken, and in which nobody looks at the chat.
func (p *pusher) browser(name, path string) *chatter {
	p.t.Helper()
	c := &chatter{t: p.t, b: p.rig.Browser(p.t), events: make(chan happened, 1000)}
	c.b.SignIn(name)
	c.must("PUT", "/me/push", p.subscription(path), nil)
	return c
}

// next waits for a message that the service gets.
func (p *pusher) next() pushed {
	p.t.Helper()
	select {
	case got := <-p.got:
		return got
	case <-time.After(30 * time.Second):
		p.t.Fatal("nobody is woken")
	}
	return pushed{}
}

// says has juliet write to romeo, and speaks has her speak in the room.
func (p *pusher) says(text string) {
	p.t.Helper()
	sends(p.t, p.juliet, "<message type='chat' to='romeo@"+testrig.Host+"'><body>"+text+"</body></message>")
}

func (p *pusher) speaks(text string) {
	p.t.Helper()
	id := fresh()
	do(p.t, p.juliet, "<message type='groupchat' id='"+id+"' to='"+p.room+"'><body>"+text+"</body></message>", id)
}

// counted gives how many messages had an outcome.
func (p *pusher) counted(outcome string) float64 {
	p.t.Helper()
	all, err := p.rig.Node.Registry.Gather()
	p.check(err)
	for _, f := range all {
		if f.GetName() != "parley_webpush_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == outcome {
				return m.GetCounter().GetValue()
			}
		}
	}
	p.t.Fatalf("%s is not counted", outcome)
	return 0
}

// ends waits until what do does has an outcome, and checks that nobody is woken by it.
func (p *pusher) ends(why, outcome string, do func()) {
	p.t.Helper()
	before := p.counted(outcome)
	do()
	tick, late := time.NewTicker(time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for p.counted(outcome) == before {
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("%s: nothing is %s", why, outcome)
		}
	}
	select {
	case got := <-p.got:
		p.t.Errorf("%s: %s is woken for %+v", why, got.path, got.Content)
	default:
	}
}

// heard has juliet speak in the room, where tybalt wants to hear everything, and checks whether romeo is woken. He is
// asked before tybalt.
func (p *pusher) heard(why, text string, woken bool) {
	p.t.Helper()
	p.speaks(text)
	for romeo, tybalt := !woken, false; !romeo || !tybalt; {
		switch got := p.next(); {
		case got.Text != text:
			p.t.Fatalf("%s: got %+v", why, got)
		case got.path == "/tybalt":
			tybalt = true
		case romeo:
			p.t.Fatalf("%s: romeo is woken", why)
		default:
			romeo = true
		}
	}
}

// TestWebPush: a browser that nobody looks at is woken, by a message that only it can read; a newer one replaces an
// older one of the same conversation.
func TestWebPush(t *testing.T) {
	p := startPusher(t, loopback)
	romeo := p.browser("romeo", "/romeo")
	var state struct {
		Key string
		On  bool
	}
	romeo.must("GET", "/me/push", nil, &state)
	if raw, err := base64.RawURLEncoding.DecodeString(state.Key); err != nil || len(raw) != 65 || !state.On {
		t.Errorf("got %+v", state)
	}

	p.says("Good night")
	direct := p.next()
	if c := direct.Content; c.Conversation != "juliet@"+testrig.Host || c.Name != "juliet" || c.By != "" ||
		c.Text != "Good night" || c.ID == "" {
		t.Errorf("got %+v", c)
	}
	h := direct.header
	if h.Get("TTL") != "86400" || h.Get("Urgency") != "high" || h.Get("Content-Encoding") != "aes128gcm" ||
		len(h.Get("Topic")) != 32 || !strings.Contains(h.Get("Authorization"), "k="+state.Key) {
		t.Errorf("got %v", h)
	}
	p.says("Parting")
	if again := p.next(); again.header.Get("Topic") != h.Get("Topic") {
		t.Error("the topic of a conversation changes")
	}

	p.speaks("Hear, all")
	said := p.next()
	if c := said.Content; c.Conversation != p.room || c.Name != "Verona" || c.By != "juliet" || c.Text != "Hear, all" ||
		said.header.Get("Urgency") != "normal" || said.header.Get("Topic") == h.Get("Topic") {
		t.Errorf("got %+v %v", c, said.header)
	}
	p.speaks("@romeo hear")
	if got := p.next(); got.Text != "@romeo hear" || got.header.Get("Urgency") != "high" {
		t.Errorf("got %+v %v", got.Content, got.header)
	}

	// One browser, one person: who signs in with it next is woken, and nobody else.
	p.browser("tybalt", "/romeo")
	p.ends("the browser is tybalt's", "nobody", func() { p.says("Where is he?") })
}

// TestWebPushWishes: nothing is sent while somebody looks at a browser, to people who are not to be disturbed, and of
// rooms of which they do not want to hear.
func TestWebPushWishes(t *testing.T) {
	p := startPusher(t, loopback)
	p.browser("tybalt", "/tybalt")
	romeo := p.browser("romeo", "/romeo")
	notify := func(level string) { romeo.must("PUT", in(p.room, "/notify"), map[string]string{"notify": level}, nil) }
	woken := func(text string) {
		t.Helper()
		p.says(text)
		if got := p.next(); got.path != "/romeo" || got.Text != text {
			t.Errorf("got %+v", got)
		}
	}

	end := romeo.listen("")
	last := romeo.want("hello", func(string) bool { return true }).id
	p.ends("he looks", "awake", func() { p.says("seen") })
	p.heard("he looks", "seen", false)
	p.heard("he looks", "@romeo seen", false)
	romeo.must("POST", "/events/confirm", map[string]any{"last": last, "hidden": true}, nil)
	woken("behind other windows")
	romeo.must("POST", "/events/confirm", map[string]any{"last": last}, nil)
	p.ends("he looks again", "awake", func() { p.says("seen") })
	romeo.must("POST", "/events/confirm", map[string]any{"last": last, "hidden": true}, nil)
	end()

	p.heard("he wants all", "plain", true)
	notify("mentions")
	p.heard("he wants mentions", "plain", false)
	p.heard("he wants mentions", "@romeo called", true)
	notify("none")
	p.heard("he wants nothing", "plain", false)
	p.heard("he wants nothing", "@romeo called", false)

	api := apiClient{t, romeo.b, newToken(t, romeo.b, "people:read", "people:write")}
	quiet := func(until string) {
		t.Helper()
		body := `{"paused_until": "` + until + `"}`
		if status := api.do("PATCH", "/v1/me/quiet-hours", body, nil); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	quiet(time.Now().UTC().Add(time.Hour).Format(time.RFC3339))
	p.ends("his quiet hours", "silent", func() { p.says("hush") })
	quiet("")
	desk := signIn(t, p.rig, "romeo")
	show := func(presence string) {
		t.Helper()
		sends(t, desk, presence)
		ask(t, desk, testrig.Host, "get", "<ping xmlns='urn:xmpp:ping'/>")
	}
	show("<presence><show>dnd</show></presence>")
	p.ends("do not disturb", "silent", func() { p.says("hush") })
	show("<presence/>")
	woken("awake")

	romeo.must("DELETE", "/me/push", nil, nil)
	p.ends("it is off", "nobody", func() { p.says("gone") })
	romeo.must("PUT", "/me/push", p.subscription("/romeo"), nil)
	woken("back")
	romeo.b.Post("/logout")
	p.ends("he has signed out", "nobody", func() { p.says("signed out") })
}

// TestWebPushAnswers: a subscription that is gone is removed; a service that is not there is tried again; it is not
// followed elsewhere.
func TestWebPushAnswers(t *testing.T) {
	p := startPusher(t, loopback)
	romeo := p.browser("romeo", "/romeo")
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		p.status.Store(int32(status))
		p.says("again")
		p.next()
		p.status.Store(http.StatusCreated)
		if got := p.next(); got.Text != "again" || got.path != "/romeo" {
			t.Errorf("%d: got %+v", status, got)
		}
	}
	answered := func(status int) {
		p.status.Store(int32(status))
		p.says("once")
		if got := p.next(); got.path != "/romeo" {
			t.Errorf("%d: got %+v", status, got)
		}
	}
	for _, status := range []int{http.StatusFound, http.StatusBadRequest} {
		p.ends(http.StatusText(status), "refused", func() { answered(status) })
	}
	for _, status := range []int{http.StatusGone, http.StatusNotFound} {
		romeo.must("PUT", "/me/push", p.subscription("/romeo"), nil)
		p.ends(http.StatusText(status), "gone", func() { answered(status) })
		p.ends("nobody is subscribed", "nobody", func() { p.says("nobody") })
		var state struct{ On bool }
		if romeo.must("GET", "/me/push", nil, &state); state.On {
			t.Errorf("%d: the subscription is still there", status)
		}
	}
}

// TestWebPushEndpoints: what is no push service on the public internet is refused; so are programs.
func TestWebPushEndpoints(t *testing.T) {
	p := startPusher(t)
	romeo := &chatter{t: t, b: p.rig.Browser(t)}
	romeo.b.SignIn("romeo")
	for _, endpoint := range []string{
		"http://push.example/x", "https://10.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/latest",
		"https:///x",
		"https://romeo@push.example/x", "push.example", "https://push.example/" + strings.Repeat("x", 1024), p.srv.URL,
	} {
		s := p.subscription("/x")
		s["endpoint"] = endpoint
		if status := romeo.do("PUT", "/me/push", s, nil); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", endpoint, status)
		}
	}
	s := p.subscription("/x")
	s["endpoint"], s["keys"] = "https://push.example/x", map[string]string{"p256dh": "AAAA", "auth": "AAAA"}
	if status := romeo.do("PUT", "/me/push", s, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("other keys: %d", status)
	}
	api := apiClient{t, romeo.b, newToken(t, romeo.b, "messages:read")}
	if status := api.do("GET", "/v1/me/push", "", nil); status != http.StatusForbidden {
		t.Errorf("a program: %d", status)
	}

	// A name that resolves to an address of the server's own network.
	s = p.subscription("/x")
	s["endpoint"] = strings.Replace(p.srv.URL, "127.0.0.1", "localhost", 1)
	romeo.must("PUT", "/me/push", s, nil)
	p.ends("a private address", "refused", func() { p.says("knock") })
}
