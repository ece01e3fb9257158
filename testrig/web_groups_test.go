package testrig_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/testrig"
)

// verona is a rig with a private group; its owner romeo is signed in on pages.
func verona(t *testing.T, people ...string) (*testrig.Rig, *testrig.Browser, store.Group) {
	t.Helper()
	r := testrig.Start(t, web)
	r.Account(append([]string{"!romeo"}, people...)...)
	romeo := r.Browser(t)
	romeo.SignIn("romeo")
	if p := romeo.Post("/groups/new", "name", "Verona", "kind", "private", "themes_by", "members"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	return r, romeo, g
}

// rolesIn returns the roles of a group's people, by localpart.
func rolesIn(t *testing.T, r *testrig.Rig, g store.Group) map[string]string {
	t.Helper()
	ms, err := r.Node.Org.Members(t.Context(), testrig.Host, g.ID)
	if err != nil {
		t.Fatal(err)
	}
	roles := make(map[string]string)
	for _, m := range ms {
		roles[strings.TrimSuffix(m.JID, "@"+testrig.Host)] = m.Role
	}
	return roles
}

// form reads the hidden fields of a page's form to an action.
func form(t *testing.T, page, action string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<form method="post" action="`+action+`"`)
	if !ok {
		t.Fatalf("no form to %s in %s", action, page)
	}
	rest, _, _ = strings.Cut(rest, "</form>")
	var fields []string
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).
		FindAllStringSubmatch(rest, -1) {
		fields = append(fields, m[1], strings.ReplaceAll(m[2], "&amp;", "&"))
	}
	return fields
}

// Saving says what will happen, does that when it is confirmed, and can be undone.
func TestMembersOnPages(t *testing.T) {
	var people []string
	for i := range 30 {
		people = append(people, "guest"+strconv.Itoa(i))
	}
	r, romeo, g := verona(t, append(people, "juliet", "tybalt")...)
	role(t, r, "tybalt", store.RoleMember, "Guard")
	p := romeo.Get("/g/verona/members/add?q=guest")
	if p.Status != 200 || !strings.Contains(p.Text, "guest1@") || strings.Contains(p.Text, "juliet@") ||
		!strings.Contains(p.Text, `name="all"`) {
		t.Fatalf("people to add: %d", p.Status)
	}
	// All that the search finds, also those on the next page.
	p = romeo.Post("/g/verona/members", "step", "look", "from", "outside", "all", "1", "q", "guest", "role", "member")
	if p.Status != 200 || !strings.Contains(p.Text, "30 people will be added") ||
		!strings.Contains(p.Text, "Nobody is removed") || !strings.Contains(p.Text, "and 18 more") {
		t.Fatalf("the plan: %d %s", p.Status, p.Text)
	}
	if n := len(rolesIn(t, r, g)); n != 1 {
		t.Fatalf("looking has added: %d", n)
	}
	if p := romeo.Post("/g/verona/members", form(t, p.Text, "/g/verona/members")...); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	if n := len(rolesIn(t, r, g)); n != 31 {
		t.Fatalf("%d members", n)
	}
	// One, by a filter of department; the toast takes it back.
	p = romeo.Post("/g/verona/members", "step", "look", "from", "outside", "all", "1",
		"department", "Guard", "role", "member")
	if !strings.Contains(p.Text, "1 person will be added") {
		t.Errorf("the plan: %s", p.Text)
	}
	romeo.Post("/g/verona/members", form(t, p.Text, "/g/verona/members")...)
	page := romeo.Get("/g/verona/members?q=tybalt").Text
	if rolesIn(t, r, g)["tybalt"] != store.RoleMember || !strings.Contains(page, "Undo") {
		t.Error("tybalt was not added, or it cannot be undone")
	}
	_, toast, _ := strings.Cut(page, `id="toasts"`)
	romeo.Post("/g/verona/members", form(t, toast, "/g/verona/members")...)
	if rolesIn(t, r, g)["tybalt"] != "" {
		t.Error("undone, and still in it")
	}
	// Moderators, and what cannot be.
	if p := romeo.Post("/g/verona/members", "step", "look", "member", "guest1", "member", "guest2",
		"role", "moderator"); !strings.Contains(p.Text, "The role of 2 people becomes: Moderators") {
		t.Errorf("the plan: %s", p.Text)
	}
	romeo.Post("/g/verona/members", "member", "guest1", "member", "guest2", "role", "moderator")
	if p := romeo.Get("/g/verona/members?as=moderator"); !strings.Contains(p.Text, "guest1@") ||
		strings.Contains(p.Text, "guest3@") {
		t.Error("the list of moderators")
	}
	for _, c := range [][3]string{
		{"romeo", "remove", "last owner"},
		{"nobody", "member", "no account"},
		{"x@elsewhere.example", "member", "other server"},
		{"@", "member", "not the address of a person"},
		{"guest1", "moderator", "Nothing to change"},
	} {
		if p := romeo.Post("/g/verona/members", "step", "look", "member", c[0], "role", c[1]); p.Status != 303 ||
			!strings.Contains(romeo.Get("/g/verona/members").Text, c[2]) {
			t.Errorf("%v: %d", c, p.Status)
		}
	}
	// "all" removes everybody but the asker.
	p = romeo.Post("/g/verona/members", "step", "look", "all", "1", "role", "remove")
	if !strings.Contains(p.Text, "30 people will be removed") || !strings.Contains(p.Text, "Nobody is added") {
		t.Errorf("the plan: %s", p.Text)
	}
	romeo.Post("/g/verona/members", form(t, p.Text, "/g/verona/members")...)
	if got := rolesIn(t, r, g); len(got) != 1 || got["romeo"] != store.RoleOwner {
		t.Errorf("left: %v", got)
	}
	// A member sees the members of a group, and no means to change them; a stranger sees nothing.
	romeo.Post("/g/verona/members", "member", "juliet", "role", "member")
	juliet, guest := r.Browser(t), r.Browser(t)
	juliet.SignIn("juliet")
	guest.SignIn("guest1")
	if p := juliet.Get("/g/verona/members"); p.Status != 200 || !strings.Contains(p.Text, "romeo@") ||
		strings.Contains(p.Text, "checkbox\" name=\"member") {
		t.Errorf("for a member: %d", p.Status)
	}
	for path, status := range map[string]int{
		"/g/verona/members/add":       403,
		"/g/verona/settings":          403,
		"/g/verona/members?as=banned": 404,
	} {
		if p := juliet.Get(path); p.Status != status {
			t.Errorf("%s for a member: %d", path, p.Status)
		}
	}
	for _, path := range []string{"/g/verona/members", "/g/verona/settings", "/g/verona/themes/new"} {
		if p := guest.Get(path); p.Status != 404 {
			t.Errorf("%s for a stranger: %d", path, p.Status)
		}
	}
}

func TestSettingsOnPages(t *testing.T) {
	r, romeo, g := verona(t, "juliet", "tybalt")
	romeo.Post("/g/verona/members", "member", "juliet", "role", "member")
	// Words are saved at once.
	if p := romeo.Post("/g/verona/settings", "step", "look", "name", "Verona", "description", "Two households",
		"kind", "private", "themes_by", "members", "mention_by", "members", "boxes", "1"); p.Status != 303 {
		t.Errorf("%d %s", p.Status, p.Text)
	}
	p := romeo.Post("/g/verona/settings", "step", "look", "name", "Fair Verona", "emoji", "🎭", "kind", "announcement",
		"themes_by", "moderators", "mention_by", "nobody", "boxes", "1", "since_join", "on")
	for _, want := range []string{
		"Its new name is Fair Verona", "Everyone in the organization can find it", "People who join become members",
		"Only one person can write", "Only owners and moderators can start themes", "Nobody can notify everyone",
		"Members can read only messages sent after", "Nobody is added or removed",
	} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("the plan does not say %q", want)
		}
	}
	get := func() store.Group {
		g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	if now := get(); now.Name != "Verona" || now.Description != "Two households" {
		t.Errorf("looking has changed it: %+v", now)
	}
	romeo.Post("/g/verona/settings", form(t, p.Text, "/g/verona/settings")...)
	if now := get(); now.Name != "Fair Verona" || now.Kind != org.Announcement || now.MentionBy != "nobody" ||
		!now.SinceJoin || now.Emoji != "🎭" {
		t.Errorf("%+v", now)
	}
	if p := romeo.Post("/g/verona/settings", "step", "look", "name", "", "emoji", "abc",
		"kind", "private"); p.Status != 422 {
		t.Errorf("without a name: %d", p.Status)
	}
	p = romeo.Post("/g/verona/settings", "name", "Verona", "emoji", "abc", "mention_by", "members", "kind", "private")
	for _, want := range []string{
		`<input id="name" name="name" value="Verona" required maxlength="100">`,
		`<input id="emoji" name="emoji" value="abc" maxlength="64" aria-invalid="true" aria-describedby="emoji-hint">`,
		`<textarea id="description" name="description" maxlength="2000">Two households</textarea>`,
		`<option value="members" selected>Every member</option>`,
		`<input type="checkbox" name="since_join" checked>`,
		`<input type="checkbox" name="hidden">`,
	} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	// A rule without words of its own is described by its label, and is on the page and in the log without further
	// code.
	p = romeo.Post("/g/verona/settings", "step", "look", "react_by", "moderators")
	if want := "Who can react with emoji: Moderators"; !strings.Contains(p.Text, want) {
		t.Errorf("the plan does not say %q", want)
	}
	romeo.Post("/g/verona/settings", form(t, p.Text, "/g/verona/settings")...)
	if now := get(); now.ReactBy != "moderators" {
		t.Errorf("%+v", now)
	}
	if p := romeo.Get("/g/verona/settings"); !strings.Contains(p.Text,
		`<label for="react_by">Who can react with emoji</label>`) {
		t.Error("the page lacks who may react")
	}
	// A team in it, and everybody.
	if _, err := r.Node.Org.CreateTeam(t.Context(), acts.System, testrig.Host,
		org.NewTeam{Name: "Guard", People: []string{"tybalt"}}); err != nil {
		t.Fatal(err)
	}
	p = romeo.Post("/g/verona/teams", "step", "look", "team", "guard", "role", "moderator")
	if !strings.Contains(p.Text, "1 person will be added") {
		t.Errorf("the plan: %s", p.Text)
	}
	romeo.Post("/g/verona/teams", form(t, p.Text, "/g/verona/teams")...)
	if got := rolesIn(t, r, g)["tybalt"]; got != store.RoleModerator {
		t.Errorf("by the team: %q", got)
	}
	if !strings.Contains(romeo.Get("/g/verona/settings").Text, "Guard") {
		t.Error("the team is not on the page")
	}
	p = romeo.Post("/g/verona/mandatory", "step", "look", "whom", "guard")
	if !strings.Contains(p.Text, "0 people will be added") && !strings.Contains(p.Text, "Guard") {
		t.Errorf("the plan: %s", p.Text)
	}
	if p := romeo.Post("/g/verona/mandatory", "whom", "guard"); p.Status != 303 || get().Mandatory == "" {
		t.Errorf("%d, %+v", p.Status, get())
	}
	r.Account("paris", "nurse")
	p = romeo.Post("/g/verona/mandatory", "step", "look", "whom", "everyone")
	if !strings.Contains(p.Text, "2 people will be added") {
		t.Errorf("the plan: %s", p.Text)
	}
	romeo.Post("/g/verona/mandatory", form(t, p.Text, "/g/verona/mandatory")...)
	part := func() string {
		return romeo.Do("GET", "/g/verona/progress",
			nil, func(q *http.Request) { q.Header.Set("HX-Request", "true") }).Text
	}
	for strings.Contains(part(), "<progress") { // the page while people are being added
		if !strings.Contains(part(), "Adding people") && !strings.Contains(part(), "Everyone is in the group") {
			t.Fatal(part())
		}
	}
	if got := rolesIn(t, r, g); got["paris"] != store.RoleMember || got["nurse"] != store.RoleMember {
		t.Errorf("everybody: %v", got)
	}
	for _, whom := range []string{"nobody", "x y"} {
		if p := romeo.Post("/g/verona/mandatory", "step", "look", "whom", whom); p.Status != 303 ||
			!strings.Contains(romeo.Get("/g/verona/settings").Text, "no team") {
			t.Errorf("mandatory for %q: %d", whom, p.Status)
		}
	}
	// Deleted by typing the name, brought back by the toast.
	romeo.Post("/g/verona/delete", "confirm", "Verona")
	if get().Name == "" {
		t.Fatal("deleted by a wrong name")
	}
	if p := romeo.Post("/g/verona/delete", "confirm", "Fair Verona"); p.Status != 303 ||
		romeo.Get("/g/verona").Status != 404 {
		t.Errorf("deleted: %d", p.Status)
	}
	list := romeo.Get("/groups?of=deleted").Text
	if !strings.Contains(list, "for 30 more days") {
		t.Error("the list does not say how long it can be restored")
	}
	romeo.Post("/groups/restore", form(t, list, "/groups/restore")...)
	if romeo.Post("/groups/restore", "slug", "verona"); romeo.Get("/g/verona").Status != 200 {
		t.Error("not restored")
	}
}

// A photo becomes a small picture; apps read it from the room, the browser from the page, strangers not at all.
func TestPhotoOnPages(t *testing.T) {
	r, romeo, _ := verona(t, "juliet", "tybalt")
	romeo.Post("/g/verona/members", "member", "juliet", "role", "member")
	m := image.NewNRGBA(image.Rect(0, 0, 900, 700))
	for i := range m.Pix {
		m.Pix[i] = byte(i%251) | byte(255*(i%4/3)) // opaque
	}
	m.Set(0, 0, color.Black)
	var big bytes.Buffer
	if err := png.Encode(&big, m); err != nil {
		t.Fatal(err)
	}
	upload := func(b *testrig.Browser, data []byte) testrig.Page {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		f, err := w.CreateFormFile("photo", "me.png")
		if err == nil {
			_, err = f.Write(data)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Do("POST", "/g/verona/photo", url.Values{}, func(q *http.Request) {
			q.Header.Set("Content-Type", w.FormDataContentType())
			q.Body, q.ContentLength = readCloser{strings.NewReader(body.String())}, int64(body.Len())
		})
	}
	if p := upload(romeo, big.Bytes()); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	src := regexp.MustCompile(`/g/verona/photo/[0-9a-f]{40}`).FindString(romeo.Get("/g/verona").Text)
	if src == "" {
		t.Fatal("the photo is not on the page")
	}
	p := romeo.Get(src)
	c, format, err := image.DecodeConfig(strings.NewReader(p.Text))
	if err != nil || c.Width != 512 || c.Height != 512 || len(p.Text) > 64<<10 ||
		"image/"+format != p.Header.Get("Content-Type") {
		t.Fatalf("%d bytes of %s, %dx%d, %v", len(p.Text), p.Header.Get("Content-Type"), c.Width, c.Height, err)
	}
	juliet, tybalt := r.Browser(t), r.Browser(t)
	juliet.SignIn("juliet")
	tybalt.SignIn("tybalt")
	if a, b := juliet.Get(src).Status, tybalt.Get(src).Status; a != 200 || b != 404 {
		t.Errorf("for a member %d, for a stranger %d", a, b)
	}
	if p := juliet.Get("/g/verona/photo/" + strings.Repeat("0", 40)); p.Status != 404 {
		t.Errorf("another hash: %d", p.Status)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	x := signIn(t, r, "juliet")
	card := do(t, x, "<iq type='get' id='card' to='"+g.Room+"@groups."+testrig.Host+
		"'><vCard xmlns='vcard-temp'/></iq>", "BINVAL")
	if got, err := base64.StdEncoding.DecodeString(card.Find("BINVAL").Text); err != nil || string(got) != p.Text {
		t.Errorf("the room's vCard has other bytes than the page: %v", err)
	}
	for name, c := range map[string]struct {
		b    *testrig.Browser
		data []byte
		want string
	}{
		"a script": {romeo, []byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
			"not a PNG, JPEG, GIF or WebP picture"},
		"nothing":  {romeo, nil, "Choose a picture first"},
		"a member": {juliet, big.Bytes(), ""},
	} {
		p := upload(c.b, c.data)
		now, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
		if err != nil || c.want != "" &&
			(p.Status != 303 || !strings.Contains(c.b.Get("/g/verona/settings").Text, c.want)) ||
			c.b == juliet && p.Status != 403 {
			t.Errorf("%s: %d, %v", name, p.Status, err)
		}
		if now.PhotoHash == "" {
			t.Errorf("%s took the photo away", name)
		}
	}
	if p := upload(romeo, make([]byte, 10<<20)); p.Status != 422 {
		t.Errorf("too large: %d", p.Status)
	}
	romeo.Post("/g/verona/photo", "do", "remove")
	if p := romeo.Get(src); p.Status != 404 {
		t.Errorf("taken away: %d", p.Status)
	}
}

// A theme for some, made and changed on pages: nobody else learns of it.
func TestRestrictedThemeOnPages(t *testing.T) {
	r, romeo, _ := verona(t, "juliet", "tybalt", "paris")
	for _, n := range []string{"juliet", "tybalt", "paris"} {
		romeo.Post("/g/verona/members", "member", n, "role", "member")
	}
	juliet, tybalt := r.Browser(t), r.Browser(t)
	juliet.SignIn("juliet")
	tybalt.SignIn("tybalt")
	if p := juliet.Get("/g/verona/themes/new"); p.Status != 200 || !strings.Contains(p.Text,
		`value="tybalt@example.org"`) || strings.Contains(p.Text, `value="romeo@example.org"`) {
		t.Fatalf("the form: %d", p.Status)
	}
	p := juliet.Post("/g/verona/themes", "name", "Elopement", "restricted", "1", "person", "paris@example.org")
	if p.Status != 303 || !strings.HasPrefix(p.To, "/g/verona/t/") {
		t.Fatal(p.Status, p.Text)
	}
	at := p.To
	sees := func(b *testrig.Browser) bool {
		list, page := strings.Contains(b.Get("/g/verona").Text, "Elopement"), b.Get(at).Status == 200
		if list != page {
			t.Errorf("in the list %v, the page %v", list, page)
		}
		return page
	}
	paris := r.Browser(t)
	paris.SignIn("paris")
	if !sees(juliet) || !sees(paris) || !sees(romeo) || sees(tybalt) {
		t.Error("who sees it")
	}
	// The creator may rename it; only moderators may change its people.
	if p := juliet.Post(at+"/settings", "name", "Elopement", "state", "open"); p.Status != 303 {
		t.Errorf("renamed: %d", p.Status)
	}
	if p := juliet.Post(at+"/people", "person", "tybalt@example.org", "role", "member"); p.Status != 403 {
		t.Errorf("people by a member: %d", p.Status)
	}
	if p := tybalt.Get(at + "/settings"); p.Status != 404 {
		t.Errorf("settings for who may not know: %d", p.Status)
	}
	if p := paris.Get(at + "/settings"); p.Status != 403 {
		t.Errorf("settings for who has not made it: %d", p.Status)
	}
	romeo.Post(at+"/people", "person", "tybalt@example.org", "role", "member")
	romeo.Post(at+"/people", "person", "paris@example.org", "role", "remove")
	if !sees(tybalt) || sees(paris) {
		t.Error("after romeo has changed who is in it")
	}
	page := romeo.Get(at + "/settings").Text
	_, toast, _ := strings.Cut(page, `id="toasts"`)
	romeo.Post(at+"/people", form(t, toast, at+"/people")...)
	if !sees(paris) {
		t.Error("undone, and still not in it")
	}
	romeo.Post(at+"/people", "person", "nobody", "role", "member")
	if text := romeo.Get(at + "/settings").Text; !strings.Contains(text, "not in the group") {
		t.Error("somebody of outside got no reason")
	}
	for _, f := range [][]string{{"name", ""}, {"name", "Elopement", "state", "gone"}} {
		if p := romeo.Post(at+"/settings", f...); p.Status != 422 {
			t.Errorf("%v: %d", f, p.Status)
		}
	}
	romeo.Post(at+"/settings", "name", "Wedding", "state", "closed")
	if p := juliet.Post(at, "text", "too late"); p.Status != 422 || !strings.Contains(juliet.Get(at).Text, "Wedding") {
		t.Errorf("said in a closed theme: %d", p.Status)
	}
	if p := juliet.Post("/g/verona/themes", "name", "  "); p.Status != 422 {
		t.Errorf("a theme without a name: %d", p.Status)
	}
}
