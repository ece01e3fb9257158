package testrig_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"parley/config"
	"parley/store"
	"parley/testrig"
)

const (
	oldCard = "<vCard xmlns='vcard-temp'/>"
	newCard = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:vcard4'/></pubsub>"
)

// cards asks for somebody's card in both forms.
func cards(t *testing.T, c *testrig.Client, whose string) (old, now *testrig.Element) {
	t.Helper()
	old = do(t, c, "<iq type='get' id='c0' to='"+whose+"'>"+oldCard+"</iq>", "c0")
	return old, do(t, c, "<iq type='get' id='c4' to='"+whose+"'>"+newCard+"</iq>", "c4")
}

func profileOf(t *testing.T, r *testrig.Rig, name string) store.Person {
	t.Helper()
	p, err := r.Node.Store.Person(t.Context(), testrig.Host, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Both forms of the vCard hold the organization's profile fields. A client's change goes into the profile if the person
// may change the field, and other properties stay in the card.
func TestCardAndProfile(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	admin, own := r.Browser(t), r.Browser(t)
	admin.SignIn("romeo")
	own.SignIn("juliet")
	if p := admin.Post("/admin/people/juliet", "full_name", "Juliet Capulet", "email", "juliet@work.example",
		"phone", "+39 045 1", "title", "Heiress", "department", "Balcony"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	romeo, juliet := signIn(t, r, "romeo"), signIn(t, r, "juliet")
	old, now := cards(t, romeo, "juliet@example.org")
	for _, want := range []string{
		"<FN>Juliet Capulet<", "<USERID>juliet@work.example<", "<NUMBER>+39 045 1<",
		"<TITLE>Heiress<", "<ORGUNIT>Balcony<",
	} {
		if !strings.Contains(old.String(), want) {
			t.Errorf("the card lacks %s: %s", want, old)
		}
	}
	for _, want := range []string{
		"<fn><text>Juliet Capulet<", "<text>juliet@work.example<", "<uri>tel:+39-045-1<",
		"<title><text>Heiress<", "<text>Balcony<",
	} {
		if !strings.Contains(now.String(), want) {
			t.Errorf("the card in its new form lacks %s: %s", want, now)
		}
	}

	// A client publishes another name, mobile and title, which she may change; another e-mail address and department,
	// which she may not; and other properties, which only the card holds.
	do(t, juliet, "<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>Juliet Montague</FN><N>"+
		"<FAMILY>Montague</FAMILY></N><NICKNAME>Jule</NICKNAME><TITLE>Wife</TITLE><TEL><CELL/><VOICE/>"+
		"<NUMBER>+39 045 2</NUMBER></TEL>"+
		"<TEL><HOME/><NUMBER>ask the nurse</NUMBER></TEL><EMAIL><WORK/><USERID>boss@work.example</USERID></EMAIL>"+
		"<EMAIL><HOME/><USERID>j@home.example</USERID></EMAIL><ORG><ORGNAME>Montague</ORGNAME>"+
		"<ORGUNIT>Board</ORGUNIT></ORG><X-CAT>yes</X-CAT></vCard></iq>", "1")
	p := profileOf(t, r, "juliet")
	if p.FullName != "Juliet Montague" || p.Phone != "+39 045 2" || p.Title != "Wife" ||
		p.Email != "juliet@work.example" || p.Department != "Balcony" {
		t.Errorf("the profile: %+v", p)
	}
	for _, who := range []*testrig.Client{romeo, juliet} {
		old, now = cards(t, who, "juliet@example.org")
		for _, e := range []*testrig.Element{old, now} {
			text := e.String()
			for _, want := range []string{
				"Juliet Montague", "Jule", "Wife", "ask the nurse", "j@home.example", "juliet@work.example", "Balcony",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in %s", want, text)
				}
			}
			for _, never := range []string{"boss@", "Board", "Heiress", "045 1", "045-1"} {
				if strings.Contains(text, never) {
					t.Errorf("%s is in %s", never, text)
				}
			}
		}
		if !strings.Contains(old.String(), "<X-CAT>yes<") || !strings.Contains(old.String(), "<VOICE/>") {
			t.Errorf("what only the client knows is lost: %s", old)
		}
	}

	// The other form, the same rules.
	do(t, juliet, "<iq type='set' id='2'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
		"<publish node='urn:xmpp:vcard4'><item id='current'><vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn>"+
		"<text>J. Montague</text></fn><gender><sex>F</sex></gender>"+
		"<tel><parameters><type><text>cell</text></type></parameters><uri>tel:+39-045-3</uri></tel><email>"+
		"<parameters><type><text>work</text></type></parameters><text>ceo@work.example</text></email></vcard></item>"+
		"</publish></pubsub></iq>", "2")
	if p = profileOf(t, r, "juliet"); p.FullName != "J. Montague" || p.Phone != "+39-045-3" || p.Title != "" ||
		p.Email != "juliet@work.example" {
		t.Errorf("the profile: %+v", p)
	}
	old, now = cards(t, romeo, "juliet@example.org")
	for _, e := range []*testrig.Element{old, now} {
		if text := e.String(); strings.Contains(text, "ceo@") || !strings.Contains(text, "juliet@work.example") ||
			!strings.Contains(text, "J. Montague") {
			t.Errorf("after the new form: %s", text)
		}
	}
	if !strings.Contains(now.String(), "<sex>F<") || !strings.Contains(old.String(), "<X-CAT>yes<") {
		t.Errorf("what one form alone can say is lost: %s %s", old, now)
	}

	// A change on the page is in the card.
	if p := own.Post("/me", "full_name", "Juliet", "phone", "+39 045 4", "title", "Widow"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if old, now = cards(t, romeo, "juliet@example.org"); !strings.Contains(old.String(), "<NUMBER>+39 045 4<") ||
		!strings.Contains(old.String(), "<FN>Juliet<") || !strings.Contains(now.String(), "tel:+39-045-4") ||
		strings.Contains(old.String(), "<FAMILY>") {
		t.Errorf("after the page: %s %s", old, now)
	}
	// Clients, too, cannot set values that the rules refuse; none of them is kept.
	if e := do(t, juliet, "<iq type='set' id='3'><vCard xmlns='vcard-temp'><FN>"+strings.Repeat("x", 300)+
		"</FN></vCard></iq>", "3"); e.Find("not-acceptable") == nil {
		t.Errorf("a name without end: %s", e)
	}
	// A picture alone changes nothing of the person.
	do(t, juliet, "<iq type='set' id='4'><vCard xmlns='vcard-temp'><PHOTO><TYPE>image/gif</TYPE>"+
		"<BINVAL>R0lGODlhAQABAAAAACw=</BINVAL></PHOTO></vCard></iq>", "4")
	if p = profileOf(t, r, "juliet"); p.FullName != "Juliet" || p.Phone != "+39 045 4" || p.Title != "Widow" {
		t.Errorf("after a picture: %+v", p)
	}
	// The lock is in every door: her own form, the API.
	for _, field := range [][2]string{{"email", "x@work.example"}, {"department", "Board"}, {"role", "owner"}} {
		if p := own.Post("/me", field[0], field[1]); p.Status != 422 && p.Status != 403 {
			t.Errorf("%s on the page: %d", field[0], p.Status)
		}
		api := apiClient{t, r.Browser(t), newToken(t, own, "people:read", "people:write")}
		if status := api.do("PATCH", "/v1/people/juliet", `{"`+field[0]+`":"`+field[1]+`"}`, nil); status != 403 {
			t.Errorf("%s by the API: %d", field[0], status)
		}
	}
	// Administrators change theirs where it needs a proof, not here.
	if p := admin.Post("/me", "email", "stolen@work.example"); p.Status != 422 || profileOf(t, r, "romeo").Email != "" {
		t.Errorf("an administrator's own, on the profile: %d", p.Status)
	}
	if p = profileOf(t, r, "juliet"); p.Email != "juliet@work.example" || p.Department != "Balcony" ||
		p.Role != store.RoleMember {
		t.Errorf("the profile: %+v", p)
	}
}

// The organization's name is in the cards that colleagues get, in the place of what a client says; others get neither.
func TestCompanyInCards(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) { c.Hosts[0].Title = "Verona & Sons" })
	r.Account("romeo", "juliet", "tybalt@second.example")
	juliet := signIn(t, r, "juliet")
	do(t, juliet, "<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>Juliet</FN><ORG><ORGNAME>Capulet</ORGNAME>"+
		"</ORG></vCard></iq>", "1")
	old, now := cards(t, signIn(t, r, "romeo"), "juliet@example.org")
	for _, e := range []*testrig.Element{old, now} {
		if text := e.String(); !strings.Contains(text, "Verona &amp; Sons") || strings.Contains(text, "Capulet") {
			t.Errorf("a colleague gets %s", text)
		}
	}
	tybalt, err := r.Connect("tls", testrig.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tybalt.Close)
	for _, err := range []error{tybalt.SignIn("tybalt", testrig.Password), tybalt.Bind("x")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	old, now = cards(t, tybalt, "juliet@example.org")
	for _, e := range []*testrig.Element{old, now} {
		if text := e.String(); !strings.Contains(text, "Juliet") || strings.Contains(text, "Verona") ||
			strings.Contains(text, "Capulet") {
			t.Errorf("a stranger gets %s", text)
		}
	}
}

// Each field is shown to the people that its owner, or an administrator, has chosen, in every place that could show it.
func TestWhoSeesWhat(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "nurse", "paris", "tybalt@second.example")
	role(t, r, "nurse", store.RoleMember, "Balcony")
	role(t, r, "paris", store.RoleMember, "Palace")
	admin, own, mate, other := r.Browser(t), r.Browser(t), r.Browser(t), r.Browser(t)
	for b, name := range map[*testrig.Browser]string{admin: "romeo", own: "juliet", mate: "nurse", other: "paris"} {
		b.SignIn(name)
	}
	if p := admin.Post("/admin/people/juliet", "full_name", "Juliet Capulet", "email", "jules@work.example",
		"phone", "+39 045 1", "title", "Heiress", "department", "Balcony"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if p := own.Post("/me", "show_email", "team", "show_phone", "admins", "show_title", "everybody"); p.Status != 422 {
		t.Errorf("shown to whom there is not: %d", p.Status)
	}
	if p := own.Post("/me", "show_email", "team", "show_phone", "admins", "show_title", "team",
		"show_department", "team"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if p := other.Post("/admin/people/juliet", "show_email", "organization"); p.Status != 403 {
		t.Errorf("by somebody else: %d", p.Status)
	}
	secrets := []string{"jules@work.example", "045 1", "Heiress", "Balcony"}
	see := func(text string) (got string) {
		text = strings.ReplaceAll(text, "045-1", "045 1")
		for i, s := range secrets {
			if strings.Contains(text, s) {
				got += "eptd"[i : i+1]
			}
		}
		return got
	}
	clients := map[string]*testrig.Client{
		"romeo":  signIn(t, r, "romeo"),
		"juliet": signIn(t, r, "juliet"),
		"nurse":  signIn(t, r, "nurse"),
		"paris":  signIn(t, r, "paris"),
	}
	stranger, err := r.Connect("tls", testrig.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stranger.Close)
	for _, err := range []error{stranger.SignIn("tybalt", testrig.Password), stranger.Bind("x")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(name string, c *testrig.Client) (old, now string) {
		o, n := cards(t, c, "juliet@example.org")
		return see(o.String()), see(n.String())
	}
	for name, want := range map[string]string{"romeo": "eptd", "juliet": "eptd", "nurse": "etd", "paris": ""} {
		if old, now := look(name, clients[name]); old != want || now != want {
			t.Errorf("%s sees %q and %q in cards, want %q", name, old, now, want)
		}
	}
	if old, now := cards(t, stranger, "juliet@example.org"); see(old.String()+now.String()) != "" ||
		strings.Contains(now.String(), "Juliet Capulet") {
		t.Errorf("a stranger sees %s %s", old, now)
	}
	// Also once she has a card of her own; strangers get it without the organization's fields.
	do(t, clients["juliet"], "<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>Juliet Capulet</FN>"+
		"<NICKNAME>Jule</NICKNAME><TITLE>Heiress</TITLE><TEL><CELL/><NUMBER>+39 045 1</NUMBER></TEL><EMAIL><WORK/>"+
		"<USERID>jules@work.example</USERID></EMAIL></vCard></iq>", "1")
	if old, now := cards(t, stranger, "juliet@example.org"); see(old.String()+now.String()) != "" ||
		!strings.Contains(old.String(), "Jule") || !strings.Contains(now.String(), "Jule") {
		t.Errorf("a stranger sees %s %s", old, now)
	}
	for name, want := range map[string]string{"romeo": "eptd", "nurse": "etd", "paris": ""} {
		if old, now := look(name, clients[name]); old != want || now != want {
			t.Errorf("with a card of her own, %s sees %q and %q, want %q", name, old, now, want)
		}
	}
	// People who are notified of a change learn only what is shown to them.
	for name, want := range map[string]string{"nurse": "etd", "paris": ""} {
		c := clients[name]
		do(t, c, "<iq type='set' id='s' to='juliet@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
			"<subscribe node='urn:xmpp:vcard4' jid='"+name+"@example.org'/></pubsub></iq>", "s")
		if err := c.Write("<presence/>"); err != nil {
			t.Fatal(err)
		}
		do(t, c, "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>", "p")
		if p := own.Post("/me", "full_name", "Juliet for "+name); p.Status != 303 {
			t.Fatal(p.Status)
		}
		if e := do(t, c, "", "vcard"); see(e.String()) != want || !strings.Contains(e.String(), "Juliet for "+name) {
			t.Errorf("%s is told %s", name, e)
		}
	}
	// Pages: the fields shown, and the values that a search finds.
	for who, c := range map[*testrig.Browser]string{mate: "etd", other: ""} {
		if got := see(between(who.Get("/people?q=juliet").Text, `id="list"`)); got != c {
			t.Errorf("in the list of colleagues: %q, want %q", got, c)
		}
		if got := see(between(who.Get("/search?q=juliet").Text, `<div class="stack">`)); got != "" {
			t.Errorf("in a search: %q", got)
		}
		for _, q := range []string{"jules", "heiress", "balcony"} {
			for _, path := range []string{"/people?q=", "/search?q="} {
				if strings.Contains(who.Get(path+q).Text, "Juliet for") {
					t.Errorf("%s%s finds her", path, q)
				}
			}
		}
		if got := see(who.Get("/groups/new").Text); strings.Contains(got, "e") ||
			strings.Contains(got, "p") || c == "" && got != "" {
			t.Errorf("in the form of a group: %q", got)
		}
	}
	if got := see(between(admin.Get("/people?q=jules").Text, `id="list"`)); got != "eptd" {
		t.Errorf("an administrator: %q", got)
	}
	api := apiClient{t, r.Browser(t), newToken(t, other, "people:read")}
	for _, path := range []string{"/v1/people/juliet", "/v1/people?q=juliet"} {
		if status := api.do("GET", path, "", nil); status != 403 {
			t.Errorf("%s as somebody else: %d", path, status)
		}
	}
	// The directory of clients.
	for name, want := range map[string]string{"nurse": "e", "paris": "", "romeo": "e"} {
		e := do(t, clients[name], "<iq type='set' id='d' to='users.example.org'><query xmlns='jabber:iq:search'>"+
			"<nick>juliet</nick></query></iq>", "d")
		if got := see(e.String()); got != want || e.Find("item") == nil {
			t.Errorf("%s finds %s", name, e)
		}
		if e := do(t, clients[name],
			"<iq type='set' id='e' to='users.example.org'><query xmlns='jabber:iq:search'><nick>jules</nick>"+
				"</query></iq>", "e"); e.Find("item") != nil {
			t.Errorf("%s finds by what is not a name: %s", name, e)
		}
	}
	// A team makes colleagues of one team of them.
	if p := admin.Post("/admin/teams", "name", "Verona"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if p := admin.Post("/admin/teams/verona/people", "member", "juliet", "member", "paris"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if old, now := look("paris", clients["paris"]); old != "etd" || now != "etd" {
		t.Errorf("of one team, paris sees %q and %q", old, now)
	}
}

// between is a text from a mark on.
func between(text, mark string) string {
	_, after, _ := strings.Cut(text, mark)
	return after
}

// uploaded sends a form with a file.
func uploaded(b *testrig.Browser, path, field string, file []byte, values ...string) testrig.Page {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(values); i += 2 {
		_ = w.WriteField(values[i], values[i+1])
	}
	if f, err := w.CreateFormFile(field, "me.png"); err == nil {
		_, _ = f.Write(file)
	}
	_ = w.Close()
	return b.Do("POST", path, nil, func(q *http.Request) {
		q.Header.Set("Content-Type", w.FormDataContentType())
		q.Body, q.ContentLength = readCloser{strings.NewReader(body.String())}, int64(body.Len())
	})
}

func pngOf(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	m.SetNRGBA(w/2, h/2, color.NRGBA{200, 10, 10, 255})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A photo set on a page is in all places where clients look, square and drawn anew; a photo published by a client is on
// pages, if it is a picture.
func TestPictures(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "paris")
	own, other, admin := r.Browser(t), r.Browser(t), r.Browser(t)
	own.SignIn("juliet")
	other.SignIn("paris")
	admin.SignIn("romeo")
	img := regexp.MustCompile(`<img src="(/people/juliet/photo\?v=[0-9a-f]{12})"`)
	if img.MatchString(other.Get("/people?q=juliet").Text) {
		t.Error("a picture where there is none")
	}
	if p := other.Get("/people/juliet/photo"); p.Status != 404 {
		t.Errorf("none: %d", p.Status)
	}
	paris := signIn(t, r, "paris")
	if p := uploaded(own, "/me/photo", "photo", pngOf(t, 900, 600)); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	card := do(t, paris, "<iq type='get' id='1' to='juliet@example.org'>"+oldCard+"</iq>", "1")
	if card.Find("BINVAL") == nil {
		t.Fatalf("no picture in the card: %s", card)
	}
	data, err := base64.StdEncoding.DecodeString(card.Find("BINVAL").Text)
	if err != nil {
		t.Fatal(err)
	}
	if c, kind, err := image.DecodeConfig(bytes.NewReader(data)); err != nil || c.Width != 512 || c.Height != 512 ||
		"image/"+kind != card.Find("TYPE").Text {
		t.Errorf("%v %s %v", c, kind, err)
	}
	meta := do(t, paris, "<iq type='get' id='2' to='juliet@example.org'>"+
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/></pubsub></iq>", "2")
	if i := meta.Find("info"); i == nil || i.Attr("width") != "512" {
		t.Errorf("the avatar's node: %s", meta)
	}
	m := img.FindStringSubmatch(other.Get("/people?q=juliet").Text)
	if m == nil {
		t.Fatal("no picture in the list")
	}
	p := other.Get(m[1])
	if c, kind, err := image.DecodeConfig(strings.NewReader(p.Text)); p.Status != 200 || err != nil || c.Width != 192 ||
		p.Header.Get("Content-Type") != "image/"+kind || !strings.Contains(p.Header.Get("Cache-Control"), "private") {
		t.Errorf("%d %v %s %v %v", p.Status, c, kind, err, p.Header)
	}
	if again := other.Do("GET", m[1],
		nil, func(q *http.Request) { q.Header.Set("If-None-Match", p.Header.Get("ETag")) }); again.Status != 304 ||
		p.Header.Get("ETag") == "" {
		t.Errorf("asked again: %d", again.Status)
	}
	if p := r.Browser(t).Get(m[1]); p.Status != 303 || !strings.HasPrefix(p.To, "/login") {
		t.Errorf("signed out: %d", p.Status)
	}
	for name, file := range map[string][]byte{
		"text":    []byte("The quick brown fox"),
		"SVG":     []byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
		"a dot":   pngOf(t, 2, 2),
		"nothing": nil,
	} {
		uploaded(own, "/me/photo", "photo", file)
		if now := img.FindStringSubmatch(other.Get("/people?q=juliet").Text); now == nil || now[1] != m[1] {
			t.Errorf("%s has changed the picture", name)
		}
	}
	if p := uploaded(own, "/me/photo", "photo", make([]byte, 9<<20)); p.Status < 400 &&
		img.FindStringSubmatch(other.Get("/people?q=juliet").Text)[1] != m[1] {
		t.Errorf("9 MB: %d", p.Status)
	}
	// Somebody else's is an administrator's to change, nobody's else.
	if p := uploaded(other, "/admin/people/juliet/photo", "photo", pngOf(t, 64, 64)); p.Status != 403 {
		t.Errorf("by a colleague: %d", p.Status)
	}
	if p := uploaded(admin, "/admin/people/juliet/photo", "photo", nil, "do", "remove"); p.Status != 303 ||
		img.MatchString(other.Get("/people?q=juliet").Text) {
		t.Errorf("removed: %d", p.Status)
	}
	if e := do(t, paris, "<iq type='get' id='3' to='juliet@example.org'>"+
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/></pubsub></iq>",
		"3"); e.Find("info") != nil {
		t.Errorf("still in the node: %s", e)
	}
	// A photo published by a client is shown if it is a picture, and drawn anew; anything else is not served.
	juliet := signIn(t, r, "juliet")
	publish := func(id string, data []byte) testrig.Page {
		do(t, juliet, "<iq type='set' id='"+id+"'><vCard xmlns='vcard-temp'><PHOTO><TYPE>image/svg+xml</TYPE><BINVAL>"+
			base64.StdEncoding.EncodeToString(data)+"</BINVAL></PHOTO></vCard></iq>", id)
		return other.Get("/people/juliet/photo")
	}
	if p := publish("4", pngOf(t, 100, 50)); p.Status != 200 || p.Header.Get("Content-Type") != "image/png" {
		t.Errorf("by a client: %d %s", p.Status, p.Header.Get("Content-Type"))
	}
	if p := publish("5", []byte("<svg xmlns='http://www.w3.org/2000/svg'>"+
		"<script>alert(1)</script></svg>")); p.Status != 404 {
		t.Errorf("a script by a client: %d %s", p.Status, p.Text)
	}
}
