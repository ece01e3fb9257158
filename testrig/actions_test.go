package testrig_test

import (
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
	"parley/webchat"
)

// program is a program of actions. Each request is answered by the function that is set.
type program struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter)
	last   *http.Request
	body   string
	asked  int
}

func newProgram(t *testing.T) *program {
	p := &program{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		p.mu.Lock()
		p.last, p.body = q, string(b)
		p.asked++
		answer := p.answer
		p.mu.Unlock()
		answer(w)
	}))
	t.Cleanup(p.Close)
	p.says(`{}`)
	return p
}

func (p *program) does(answer func(w http.ResponseWriter)) {
	p.mu.Lock()
	p.answer = answer
	p.mu.Unlock()
}

// says has the program answer with a text.
func (p *program) says(text string) {
	p.does(func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) })
}

// got gives the last request with its body, and how many there were.
func (p *program) got() (*http.Request, string, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, p.body, p.asked
}

// askingPrograms lets programs on this machine be asked.
func askingPrograms(c *config.Config) {
	web(c)
	c.Webhooks.Allow, c.Webhooks.Timeout = []string{"127.0.0.0/8"}, 2*time.Second
}

// acting is a rig with a group of romeo, who runs the organization, juliet and benvolio, and with a program.
type acting struct {
	*testrig.Rig
	t     *testing.T
	admin apiClient
	group store.Group
	room  string
	p     *program
}

func startActing(t *testing.T, config func(*config.Config)) *acting {
	t.Helper()
	a := &acting{t: t, Rig: testrig.Start(t, config), p: newProgram(t)}
	a.Account("!romeo", "juliet", "benvolio", "paris")
	role(t, a.Rig, "romeo", store.RoleOwner, "")
	var err error
	if a.group, err = a.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host,
		newGroup("Verona", "romeo", "juliet", "benvolio")); err != nil {
		t.Fatal(err)
	}
	a.room = a.group.Room + "@groups." + testrig.Host
	a.admin = apiOfAll(t, a.Rig, "romeo")[0]
	return a
}

// define defines an action of the program.
func (a *acting) define(more string) (made api.Action) {
	a.t.Helper()
	a.admin.want(201, "POST", "/v1/actions",
		`{"name":"Create a ticket","name_fr":"Créer une demande","url":"`+a.p.URL+`/new"`+more+`}`, &made)
	return made
}

// on gives the path of an action on a message.
func on(id, message, action string) string { return in(id, "/messages/"+message+"/actions/"+action) }

// A person uses an action: the program gets what it is to be told, signed, and its answer is a message of the action
// for everybody in the room, by whichever client, and in the archive.
func TestActionOnMessage(t *testing.T) {
	t.Parallel()
	a := startActing(t, askingPrograms)
	made := a.define(`,"comment":true,"icon":"ticket"`)
	if made.Secret == "" || !made.All || len(made.Tells) != 4 || made.Place != 1 {
		t.Fatalf("%+v", made)
	}
	c := signIn(t, a.Rig, "romeo")
	joinRoom(t, c, a.room, "Romeo")
	juliet, benvolio := newChatter(t, a.Rig, "juliet"), newChatter(t, a.Rig, "benvolio")
	said := benvolio.say(a.room, "The ladder is broken")
	a.p.says(`{"text":"Ticket #7\r\nwas <made>\u0001","link":"https://tickets.example/7","visible":"conversation"}`)
	var got webchat.ActionAnswer
	juliet.must("POST", on(a.room, said.ID, made.ID), webchat.ActionUse{Comment: " please hurry\n"}, &got)
	if got.Visible != "conversation" || got.Message == "" || got.Link != "https://tickets.example/7" || got.Note != "" {
		t.Errorf("answered %+v", got)
	}
	q, body, _ := a.p.got()
	sig := "v1=" + webhooks.Sign(made.Secret, q.Header.Get("Parley-Timestamp"), []byte(body))
	if q.URL.Path != "/new" || q.Header.Get("Parley-Signature") != sig || q.Header.Get("Parley-Event") != "action" {
		t.Errorf("%s %v", q.URL, q.Header)
	}
	var told struct {
		Event, Lang, Comment string
		By                   struct{ Name, Address string }
		Action               struct{ ID, Name string }
		Conversation         struct{ ID, Kind, Name, Group string }
		Message              struct{ ID, Text, Link string }
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil {
		t.Fatal(err)
	}
	if told.Event != "action" || told.Lang != "en" || told.Comment != "please hurry" ||
		told.By.Address != "juliet@"+testrig.Host || told.Action.ID != made.ID || told.Conversation.ID != a.room ||
		told.Conversation.Group != a.group.Slug || told.Message.ID != said.ID ||
		told.Message.Text != "The ladder is broken" || !strings.HasSuffix(told.Message.Link, "/"+said.ID) ||
		!strings.Contains(body, `"author":{"name":"benvolio","address":"benvolio@`+testrig.Host+`"}`) {
		t.Errorf("told %s", body)
	}

	const text = "Ticket #7\nwas <made>\nhttps://tickets.example/7\nAsked by juliet"
	e := wantMessage(t, c, func(e *testrig.Element) bool { return strings.HasSuffix(content(e, "body"), text) })
	if e.Attr("from") != a.room+"/Create a ticket" || e.Find("reply") == nil ||
		e.Find("reply").Attr("id") != said.ID || !strings.HasPrefix(content(e, "body"), "> benvolio:") ||
		!strings.Contains(e.String(), "/hats/bot") {
		t.Errorf("the client got %s", e)
	}
	m := benvolio.fresh(a.room, text)
	if m.ID != got.Message || m.By == nil || m.By.Name != "Create a ticket" || m.Reply == nil || m.Reply.ID != said.ID {
		t.Errorf("the browser got %+v", m)
	}
	var hits webchat.Hits
	if juliet.must("GET", "/find?q=ticket", nil, &hits); len(hits.Hits) != 1 || hits.Hits[0].Message.ID != got.Message {
		t.Errorf("found: %+v", hits)
	}
	page := juliet.history(a.room)
	if last := page.Messages[len(page.Messages)-1]; last.ID != got.Message || last.Text != text {
		t.Errorf("kept: %+v", last)
	}
}

// An answer for one person is shown to that person alone, and between two people an answer is said by who has asked.
func TestActionAnswers(t *testing.T) {
	t.Parallel()
	a := startActing(t, askingPrograms)
	made := a.define("")
	juliet, benvolio := newChatter(t, a.Rig, "juliet"), newChatter(t, a.Rig, "benvolio")
	said := benvolio.say(a.room, "The ladder is broken")
	use := func(id, message string) (got webchat.ActionAnswer) {
		t.Helper()
		juliet.must("POST", on(id, message, made.ID), webchat.ActionUse{}, &got)
		return got
	}
	for answer, want := range map[string]webchat.ActionAnswer{
		"": {Visible: "only-me"},
		`{"text":"You have 3 tickets","visible":"only-me"}`: {Visible: "only-me", Text: "You have 3 tickets"},
		`{"text":"Done", "more": [1]}`:                      {Visible: "only-me", Text: "Done"},
		`{"visible":"conversation"}`:                        {Visible: "only-me"},
		`{"link":"http://t.example/"}`:                      {Visible: "only-me", Link: "http://t.example/"},
	} {
		a.p.says(answer)
		if got := use(a.room, said.ID); got != want {
			t.Errorf("%s: %+v", answer, got)
		}
	}
	if p := juliet.history(a.room); p.Messages[len(p.Messages)-1].ID != said.ID {
		t.Errorf("said: %+v", p.Messages)
	}

	// Between two people.
	him, her := "benvolio@"+testrig.Host, "juliet@"+testrig.Host
	benvolio.say(her, "And the rope")
	rope := juliet.fresh(him, "And the rope")
	a.p.says(`{"text":"Ticket #8","visible":"conversation"}`)
	if got := use(him, rope.ID); got.Visible != "conversation" || got.Message == "" {
		t.Errorf("%+v", got)
	}
	if m := benvolio.fresh(her, "Create a ticket: Ticket #8"); m.By.Address != her || m.Reply == nil {
		t.Errorf("%+v", m)
	}

	// In the language of the organization.
	a.admin.want(200, "PATCH", "/v1/settings", `{"organization.lang":"fr"}`, nil)
	use(a.room, said.ID)
	if m := benvolio.fresh(a.room, "Ticket #8\nDemandé par juliet"); m.By.Name != "Créer une demande" {
		t.Errorf("%+v", m.By)
	}
	// Who may not write is told alone.
	theme, err := a.Node.Org.CreateTheme(t.Context(), acts.System, testrig.Host, a.group.ID, org.NewTheme{Name: "Old"})
	if err != nil {
		t.Fatal(err)
	}
	room := theme.Room + "@groups." + testrig.Host
	old := benvolio.say(room, "Long ago")
	if err := a.Node.Org.SetThemeState(t.Context(), acts.System, testrig.Host, theme.Key, org.ThemeClosed); err != nil {
		t.Fatal(err)
	}
	if got := use(room, old.ID); got.Visible != "only-me" || got.Note == "" || got.Text != "Ticket #8" {
		t.Errorf("closed: %+v", got)
	}
}

// An action is for some people, in some groups, and on messages that somebody has said.
func TestWhoMayUseActions(t *testing.T) {
	t.Parallel()
	a := startActing(t, askingPrograms)
	if _, err := a.Node.Org.CreateTeam(t.Context(), acts.System, testrig.Host,
		org.NewTeam{Slug: "desk", Name: "Desk", People: []string{"juliet"}}); err != nil {
		t.Fatal(err)
	}
	mantua, err := a.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host,
		newGroup("Mantua", "romeo", "juliet"))
	if err != nil {
		t.Fatal(err)
	}
	all, desk := a.define(""), a.define(`,"teams":["desk"],"groups":["mantua"]`)
	as := apiOfAll(t, a.Rig, "juliet", "benvolio", "paris")
	juliet, benvolio, paris := as[0], as[1], as[2]
	var own []api.OwnAction
	juliet.want(200, "GET", "/v1/me/actions", "", &own)
	if len(own) != 2 || !own[0].All || own[1].All || strings.Join(own[1].Groups, " ") != "mantua" {
		t.Errorf("%+v", own)
	}
	benvolio.want(200, "GET", "/v1/me/actions", "", &own)
	if len(own) != 1 || own[0].ID != all.ID {
		t.Errorf("%+v", own)
	}
	say := func(c apiClient, room string) string {
		var m webchat.Message
		c.want(201, "POST", "/v1"+in(room, "/messages"), `{"text":"Hello"}`, &m)
		return m.ID
	}
	here, there := say(juliet, a.room), say(juliet, mantua.Room+"@groups."+testrig.Host)
	in2 := mantua.Room + "@groups." + testrig.Host
	for _, x := range []struct {
		who    apiClient
		at     string
		body   string
		status int
	}{
		{juliet, on(in2, there, desk.ID), `{}`, 200},
		{juliet, on(a.room, here, desk.ID), `{}`, 403},
		{benvolio, on(a.room, here, desk.ID), `{}`, 404},
		{benvolio, on(a.room, here, all.ID), `{}`, 200},
		{benvolio, on(a.room, here, all.ID), `{"comment":"It takes none"}`, 422},
		{benvolio, on(a.room, here, "nothing"), `{}`, 404},
		{benvolio, on(a.room, there, all.ID), `{}`, 404},
		{benvolio, on(in2, there, all.ID), `{}`, 403},
		{paris, on(a.room, here, all.ID), `{}`, 403},
	} {
		x.who.want(x.status, "POST", "/v1"+x.at, x.body, nil)
	}
	juliet.want(204, "DELETE", "/v1"+in(a.room, "/messages/"+here), "", nil)
	juliet.want(403, "POST", "/v1"+on(a.room, here, all.ID), `{}`, nil)

	// The group is gone: the action is not for all.
	if err := a.Node.Org.DeleteGroup(t.Context(), acts.System, testrig.Host, mantua.ID); err != nil {
		t.Fatal(err)
	}
	own = nil
	juliet.want(200, "GET", "/v1/me/actions", "", &own)
	if len(own) != 2 || own[1].All || len(own[1].Groups) != 0 {
		t.Errorf("%+v", own)
	}
	for range 20 {
		benvolio.do("POST", "/v1"+on(a.room, say(benvolio, a.room), all.ID), `{}`, nil)
	}
	if _, _, n := a.p.got(); n > 20 {
		t.Errorf("%d requests in a moment", n)
	}
	for _, path := range []string{"/v1/actions", "/v1/actions/" + all.ID + "/secret"} {
		juliet.want(403, "POST", path, `{"name":"Mine","url":"https://x.example/"}`, nil)
	}
}

// What programs do wrong is told to who waits, in words, and nothing is said in the conversation.
func TestActionsThatFail(t *testing.T) {
	t.Parallel()
	a := startActing(t, func(c *config.Config) {
		askingPrograms(c)
		c.Webhooks.Timeout = 300 * time.Millisecond
	})
	made := a.define("")
	juliet := apiOfAll(t, a.Rig, "juliet")[0]
	var m webchat.Message
	juliet.want(201, "POST", "/v1"+in(a.room, "/messages"), `{"text":"Hello"}`, &m)
	elsewhere := newProgram(t)
	leave := make(chan struct{})
	defer close(leave)
	say := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) }
	}
	for what, x := range map[string]struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		"slow": {func(w http.ResponseWriter) { <-leave }, "did not answer in time"},
		"slow body": {func(w http.ResponseWriter) {
			w.(http.Flusher).Flush()
			<-leave
		}, "did not answer in time"},
		"an error": {func(w http.ResponseWriter) { w.WriteHeader(500) }, "answered with an error (500)"},
		"a redirect": {func(w http.ResponseWriter) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(307)
		}, "answered with an error (307)"},
		"huge":        {say(`{"text":"` + strings.Repeat("x", 70<<10) + `"}`), "too large"},
		"long":        {say(`{"text":"` + strings.Repeat("x", 5000) + `"}`), "too large"},
		"no JSON":     {say("<html>"), "cannot be read"},
		"a list":      {say("[1]"), "cannot be read"},
		"nobody":      {say(`{"text":"x","visible":"everybody"}`), "cannot be read"},
		"a bad link":  {say(`{"text":"x","link":"javascript:alert(1)","visible":"conversation"}`), "no address of a page"},
		"a long link": {say(`{"link":"https://x.example/` + strings.Repeat("x", 3000) + `"}`), "no address of a page"},
	} {
		a.p.does(x.answer)
		var p struct{ Detail string }
		if status := juliet.do("POST", "/v1"+on(a.room, m.ID, made.ID), `{}`, &p); status != 503 ||
			!strings.Contains(p.Detail, x.want) {
			t.Errorf("%s: %d %q", what, status, p.Detail)
		}
	}
	if _, _, n := elsewhere.got(); n > 0 {
		t.Error("a redirect is followed")
	}
	a.admin.want(200, "PATCH", "/v1/actions/"+made.ID, `{"url":"http://127.0.0.1:1/"}`, nil)
	var p struct{ Detail string }
	if juliet.do("POST", "/v1"+on(a.room, m.ID, made.ID), `{}`, &p); !strings.Contains(p.Detail, "cannot be reached") {
		t.Errorf("%q", p.Detail)
	}
	var page webchat.Page
	juliet.want(200, "GET", "/v1"+in(a.room, "/messages"), "", &page)
	if n := len(page.Messages); page.Messages[n-1].ID != m.ID {
		t.Errorf("said: %+v", page.Messages[n-1])
	}
}

// Programs in networks of one's own are out of reach unless the configuration names them.
func TestActionsStayOutside(t *testing.T) {
	t.Parallel()
	a := startActing(t, web)
	a.admin.want(422, "POST", "/v1/actions", `{"name":"Create a ticket","url":"`+a.p.URL+`"}`, nil)
	a.p.URL = strings.Replace(a.p.URL, "http:", "https:", 1)
	made := a.define("")
	juliet := apiOfAll(t, a.Rig, "juliet")[0]
	var m webchat.Message
	juliet.want(201, "POST", "/v1"+in(a.room, "/messages"), `{"text":"Hello"}`, &m)
	var p struct{ Detail string }
	if status := juliet.do("POST", "/v1"+on(a.room, m.ID, made.ID), `{}`, &p); status != 503 ||
		!strings.Contains(p.Detail, "webhooks.allow") {
		t.Errorf("%d %q", status, p.Detail)
	}
	if _, _, n := a.p.got(); n > 0 {
		t.Error("the program was asked")
	}
}

// Where people do not see each other's addresses, neither does a program, except for that of who asks.
func TestActionWhereAddressesAreHidden(t *testing.T) {
	t.Parallel()
	a := startActing(t, askingPrograms)
	news := newGroup("News", "romeo", "juliet", "benvolio")
	news.Kind = org.Federated
	g, err := a.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host, news)
	if err != nil {
		t.Fatal(err)
	}
	room := g.Room + "@groups." + testrig.Host
	made := a.define("")
	juliet, benvolio := newChatter(t, a.Rig, "juliet"), newChatter(t, a.Rig, "benvolio")
	said := benvolio.say(room, "The ladder is broken")
	a.p.says(`{"text":"Ticket #9","visible":"conversation"}`)
	var got webchat.ActionAnswer
	juliet.must("POST", on(room, said.ID, made.ID), webchat.ActionUse{}, &got)
	_, body, _ := a.p.got()
	if strings.Contains(body, "benvolio@") || !strings.Contains(body, `"author":{"name":"benvolio"}`) ||
		!strings.Contains(body, "juliet@"+testrig.Host) {
		t.Errorf("told %s", body)
	}
	if m := benvolio.fresh(room, "Ticket #9\nAsked by juliet"); m.By.Address != "" || m.By.Name != "Create a ticket" {
		t.Errorf("%+v", m.By)
	}
}
