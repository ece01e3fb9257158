package testrig_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/acts"
	"parley/server"
	"parley/store"
	"parley/testrig"
	"parley/transfer"
	"parley/webchat"
)

// taskEvent waits for an event of a task.
func (c *chatter) taskEvent(is func(conversation string, t *webchat.Task, gone string) bool) {
	c.t.Helper()
	c.want("task", func(data string) bool {
		var e struct {
			Conversation, Gone string
			Task               *webchat.Task
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			c.t.Fatal(err)
		}
		return is(e.Conversation, e.Task, e.Gone)
	})
}

// tasks gives the texts of a list of tasks.
func (c *chatter) tasks(path string) string {
	c.t.Helper()
	var l webchat.TaskList
	c.must("GET", path, nil, &l)
	var all []string
	for _, t := range l.Tasks {
		all = append(all, t.What)
	}
	return strings.Join(all, ", ")
}

func ptr[T any](v T) *T { return &v }

// A task of a group is made of a message, told to clients as text, shown as a card, ticked off, and deleted. Who is not
// in the group does not know of it, and who leaves does not any more.
func TestTasksInGroup(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio", "paris")
	addTo(t, r, g, "juliet")
	addTo(t, r, g, "benvolio")
	room := g.Room + "@groups." + testrig.Host
	juliet, benvolio, paris := newChatter(t, r, "juliet"), newChatter(t, r, "benvolio"), newChatter(t, r, "paris")
	c := signIn(t, r, "romeo")
	joinRoom(t, c, room, "Romeo")
	said := juliet.say(room, "We need a ladder")

	due := time.Date(2036, 12, 3, 17, 0, 0, 0, time.UTC)
	var task webchat.Task
	juliet.must("POST", in(room, "/tasks"), webchat.NewTask{
		What:    "Buy a ladder",
		For:     "benvolio@" + testrig.Host,
		Due:     &due,
		Link:    "https://tickets.example/7",
		Message: said.ID,
	}, &task)
	if task.For == nil || task.For.Name != "benvolio" || !task.Due.Equal(due) || task.Message != said.ID ||
		task.By.Address != "juliet@"+testrig.Host || task.Conversation != room || task.Where != g.Name {
		t.Errorf("made %+v", task)
	}
	const text = "Task: Buy a ladder — for benvolio, until 3 Dec 2036, 17:00 (UTC) — https://tickets.example/7\n"
	got := wantMessage(t, c, func(e *testrig.Element) bool { return strings.Contains(content(e, "body"), text) })
	if x := got.Find("task"); x == nil || x.Attr("id") != task.ID || got.Find("reply") == nil ||
		!strings.Contains(got.String(), "xmpp:benvolio@"+testrig.Host) ||
		!strings.Contains(got.String(), "/chat/tasks/"+task.ID) {
		t.Errorf("the client got %s", got)
	}
	benvolio.message(room, func(m webchat.Message, fresh bool) bool {
		return fresh && m.Kind == "task" && m.Task != nil && m.Task.What == "Buy a ladder" && m.Reply.ID == said.ID
	})
	benvolio.taskEvent(func(id string, x *webchat.Task, _ string) bool { return id == room && x.ID == task.ID })

	// The lists.
	for path, want := range map[string]string{
		"/tasks":                         "Buy a ladder",
		"/tasks?which=done":              "",
		"/tasks?which=made":              "",
		in(room, "/tasks"):               "Buy a ladder",
		in(room, "/tasks", "?done=true"): "",
	} {
		if l := benvolio.tasks(path); l != want {
			t.Errorf("%s: %q", path, l)
		}
	}
	if l := juliet.tasks("/tasks?which=made"); l != "Buy a ladder" {
		t.Errorf("made: %q", l)
	}

	// Who is not there.
	for _, status := range []int{
		paris.do("GET", "/tasks/"+task.ID, nil, nil),
		paris.do("PATCH", "/tasks/"+task.ID, webchat.TaskChange{Done: ptr(true)}, nil),
		paris.do("DELETE", "/tasks/"+task.ID, nil, nil),
		paris.do("GET", in(room, "/tasks"), nil, nil),
		paris.do("POST", in(room, "/tasks"), webchat.NewTask{What: "Duel"}, nil),
	} {
		if status != http.StatusNotFound && status != http.StatusForbidden {
			t.Errorf("paris: %d", status)
		}
	}
	for what, n := range map[string]webchat.NewTask{
		"a stranger": {What: "x", For: "paris@" + testrig.Host},
		"nobody":     {What: "x", For: "ghost@" + testrig.Host},
		"no text":    {What: " "},
		"a script":   {What: "x", Link: "javascript:alert(1)"},
		"a lie":      {What: "x", Message: "0000000000001"},
	} {
		if status := juliet.do("POST", in(room, "/tasks"), n, nil); status != 422 && status != 404 {
			t.Errorf("%s: %d", what, status)
		}
	}

	// Ticked off, once.
	var done webchat.Task
	benvolio.must("PATCH", "/tasks/"+task.ID, webchat.TaskChange{Done: ptr(true)}, &done)
	if done.Done == nil || done.DoneBy == nil || done.DoneBy.Name != "benvolio" {
		t.Errorf("done: %+v", done)
	}
	wantMessage(t, c, func(e *testrig.Element) bool {
		return strings.HasPrefix(content(e, "body"), "Done: Buy a ladder") && e.Find("task").Attr("done") == "true"
	})
	juliet.taskEvent(func(_ string, x *webchat.Task, _ string) bool { return x.Done != nil })
	if p := juliet.history(room); p.Messages[len(p.Messages)-1].Kind != "task-done" ||
		p.Messages[len(p.Messages)-2].Task.Done == nil {
		t.Errorf("history: %+v", p.Messages)
	}
	// Another deadline, another person, and open again.
	var changed webchat.Task
	benvolio.must("PATCH", "/tasks/"+task.ID, webchat.TaskChange{Done: ptr(false), Due: ptr(""), Link: ptr(""),
		What: ptr("Buy a long ladder"), For: ptr("romeo@" + testrig.Host)}, &changed)
	if changed.Done != nil || changed.Due != nil || changed.Link != "" ||
		changed.For.Address != "romeo@"+testrig.Host {
		t.Errorf("changed: %+v", changed)
	}
	wantMessage(t, c, func(e *testrig.Element) bool {
		return strings.HasPrefix(content(e, "body"), "Task: Buy a long ladder — for ") && e.Find("task") != nil
	})

	// The plain page shows the same card.
	page := juliet.b.Get("/g/" + g.Slug).Text
	if !strings.Contains(page, `<a href="/chat/tasks/`+task.ID+`">Buy a long ladder</a>`) ||
		strings.Contains(page, "Task: Buy") {
		t.Errorf("the group's page: %s", page)
	}

	// A card shows only tasks of its conversation.
	var note webchat.Task
	benvolio.must("POST", in("benvolio@"+testrig.Host, "/tasks"), webchat.NewTask{What: "Secret"}, &note)
	saysIn(t, c, room, "forged", "<body>look</body><task xmlns='https://parley.im/task' id='"+note.ID+"'/>")
	if m := benvolio.fresh(room, "look"); m.Task != nil || m.Kind != "" {
		t.Errorf("forged: %+v", m)
	}

	// Only its maker and moderators delete it.
	if status := benvolio.do("DELETE", "/tasks/"+task.ID, nil, nil); status != http.StatusForbidden {
		t.Errorf("deleted by another: %d", status)
	}
	if l := benvolio.tasks("/tasks?which=made"); l != "Secret" {
		t.Errorf("made by benvolio: %q", l)
	}
	m := []store.Member{{JID: "benvolio@" + testrig.Host}}
	if err := r.Node.Org.SetMembers(t.Context(), acts.Operator, testrig.Host, g.ID, m); err != nil {
		t.Fatal(err)
	}
	if status := benvolio.do("GET", "/tasks/"+task.ID, nil, nil); status != http.StatusNotFound {
		t.Errorf("after leaving: %d", status)
	}
	juliet.must("DELETE", "/tasks/"+task.ID, nil, nil)
	juliet.taskEvent(func(_ string, _ *webchat.Task, gone string) bool { return gone == task.ID })
	p := juliet.history(room)
	for _, m := range p.Messages {
		if m.Task != nil {
			t.Errorf("the deleted task is shown: %+v", m)
		}
	}
}

// Two people have tasks together, and who is to do one is reminded once, by a message, when it is due.
func TestTasksOfTwo(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet", "paris")
	romeo, juliet, paris := newChatter(t, r, "romeo"), newChatter(t, r, "juliet"), newChatter(t, r, "paris")
	atRomeo, atJuliet := "romeo@"+testrig.Host, "juliet@"+testrig.Host
	var task webchat.Task
	due := time.Now().Add(2 * time.Second)
	romeo.must("POST", in(atJuliet, "/tasks"), webchat.NewTask{What: "Come down", For: atJuliet, Due: &due}, &task)
	juliet.message(atRomeo, func(m webchat.Message, fresh bool) bool {
		return fresh && m.Task != nil && m.Task.Conversation == atRomeo && m.Task.For.Address == atJuliet
	})
	if l := juliet.tasks(in(atRomeo, "/tasks")); l != "Come down" {
		t.Errorf("juliet has %q", l)
	}
	if status := romeo.do("POST", in(atJuliet, "/tasks"), webchat.NewTask{What: "x", For: "paris@" + testrig.Host},
		nil); status != 422 {
		t.Errorf("for somebody else: %d", status)
	}
	if status := paris.do("GET", "/tasks/"+task.ID, nil, nil); status != http.StatusNotFound {
		t.Errorf("paris: %d", status)
	}
	juliet.message("notify@"+testrig.Host, func(m webchat.Message, fresh bool) bool {
		return fresh && strings.HasPrefix(m.Text, "Due now: Come down\nromeo\n") &&
			strings.HasSuffix(m.Text, "/chat/tasks/"+task.ID)
	})
	kept, err := r.Node.Store.DueTasks(t.Context(), testrig.Host, 10)
	if err != nil || len(kept) != 0 {
		t.Errorf("still to be reminded of: %v %v", kept, err)
	}
	juliet.must("PATCH", "/tasks/"+task.ID, webchat.TaskChange{Done: ptr(true)}, nil)
	romeo.taskEvent(func(id string, x *webchat.Task, _ string) bool { return id == atJuliet && x.Done != nil })
	if l := juliet.tasks("/tasks?which=done"); l != "Come down" {
		t.Errorf("done: %q", l)
	}
}

// In a group that hides addresses a task names nobody by an address, and members give tasks to themselves alone. A
// person's file has the person's tasks.
func TestTasksWithoutAddresses(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet", "benvolio")
	b := r.Browser(t)
	b.SignIn("romeo")
	if p := b.Post("/groups/new", "name", "Verona", "kind", "federated"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	addTo(t, r, g, "juliet")
	addTo(t, r, g, "benvolio")
	room := g.Room + "@groups." + testrig.Host
	juliet, benvolio := newChatter(t, r, "juliet"), newChatter(t, r, "benvolio")
	if status := juliet.do("POST", in(room, "/tasks"), webchat.NewTask{What: "x", For: "benvolio@" + testrig.Host},
		nil); status != 422 {
		t.Errorf("for somebody by address: %d", status)
	}
	var task webchat.Task
	c, _ := juliet.conversation(room)
	var me webchat.Conversation
	juliet.must("GET", in(room), nil, &me)
	juliet.must("POST", in(room, "/tasks"), webchat.NewTask{What: "Write", For: me.Me}, &task)
	if c.ID != room || task.For == nil || task.For.ID != me.Me || task.For.Address != "" {
		t.Errorf("made %+v for %+v", task, task.For)
	}
	e := benvolio.want("task", func(data string) bool { return strings.Contains(data, task.ID) })
	if strings.Contains(e.data, "juliet@") || !strings.Contains(e.data, `"name":"juliet"`) {
		t.Errorf("benvolio is told %s", e.data)
	}
	var seen json.RawMessage
	benvolio.must("GET", "/tasks/"+task.ID, nil, &seen)
	if strings.Contains(string(seen), "juliet@") {
		t.Errorf("benvolio sees %s", seen)
	}
	if l := juliet.tasks("/tasks"); l != "Write" {
		t.Errorf("juliet's: %q", l)
	}
	var file bytes.Buffer
	err = transfer.Exporter{Store: r.Node.Store}.Write(t.Context(), &file, []*server.Host{r.Node.Host(testrig.Host)},
		func(_ *server.Host, name string) bool { return name == "juliet" })
	if want := " in='" + room + "' made='true' mine='true'>Write</task>"; err != nil ||
		!strings.Contains(file.String(), want) {
		t.Errorf("no %s in the file: %v %s", want, err, file.String())
	}
}

// A conversation is told of tasks in the language of the organization, with the mention where the name is.
func TestTasksInTheLanguageOfTheOrganization(t *testing.T) {
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	addTo(t, r, g, "benvolio")
	role(t, r, "romeo", store.RoleOwner, "")
	apiOfAll(t, r, "romeo")[0].want(200, "PATCH", "/v1/settings", `{"organization.lang":"fr"}`, nil)
	room := g.Room + "@groups." + testrig.Host
	juliet, benvolio := newChatter(t, r, "juliet"), newChatter(t, r, "benvolio")
	due := time.Date(2036, 12, 3, 17, 0, 0, 0, time.UTC)
	var task webchat.Task
	juliet.must("POST", in(room, "/tasks"), webchat.NewTask{
		What: "Acheter une échelle",
		For:  "benvolio@" + testrig.Host,
		Due:  &due,
	}, &task)
	const text = "Tâche\u00a0: Acheter une échelle — pour benvolio, jusqu’au 3 déc. 2036, 17:00 (UTC)"
	m := benvolio.message(room, func(m webchat.Message, fresh bool) bool {
		return fresh && strings.HasPrefix(m.Text, text)
	})
	if len(m.Mentions) != 1 || string([]rune(m.Text)[m.Mentions[0].Begin:m.Mentions[0].End]) != "benvolio" {
		t.Errorf("%+v", m.Mentions)
	}
	benvolio.must("PATCH", "/tasks/"+task.ID, webchat.TaskChange{Done: ptr(true)}, nil)
	juliet.message(room, func(m webchat.Message, _ bool) bool {
		return strings.HasPrefix(m.Text, "Terminé\u00a0: Acheter une échelle")
	})
}
