package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/acts"
	"parley/muc"
	"parley/muc/groups"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire"
	"parley/wire/jid"
)

const host = "example.org"

// stage is a host with rooms on a real store, and a group.
type stage struct {
	st    *sqlstore.Store
	h     *server.Host
	o     *org.Org
	rooms *groups.Service
	hooks *Webhooks
	group store.Group
}

// newStage lets post wrap the posting of a message in the room.
func newStage(t *testing.T, post func(s *stage, ctx context.Context, room string, p Post) (store.ID, error)) *stage {
	t.Helper()
	ctx := t.Context()
	st, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s := &stage{st: st, o: org.New(st, org.Config{})}
	s.h, err = server.NewHost(server.HostConfig{
		Domain:   host,
		Store:    st,
		IDs:      new(store.IDs),
		Router:   server.NewRouter(),
		Log:      slog.New(slog.NewTextHandler(io.Discard, nil)),
		Metrics:  server.NewMetrics(prometheus.NewRegistry()),
		Features: func(*server.Host) []*server.Feature { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.rooms, err = groups.New(groups.Config{Store: st, Org: s.o}, muc.Config{
		Domain:   "groups." + host,
		Host:     s.h,
		Store:    st,
		Secret:   []byte("secret of the tests"),
		Defaults: muc.Default,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.rooms.Close(ctx)
	})
	if post == nil {
		post = (*stage).say
	}
	s.hooks = New(Config{
		Host:  s.h,
		Store: st,
		Org:   s.o,
		Post:  func(ctx context.Context, room string, p Post) (store.ID, error) { return post(s, ctx, room, p) },
	})
	if err := st.CreateUser(ctx, store.User{Host: host, Name: "romeo", Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if s.group, err = s.o.CreateGroup(ctx, acts.System, host,
		org.NewGroup{Name: "Verona", Owner: jid.MustParse("romeo@" + host)}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) say(ctx context.Context, room string, p Post) (store.ID, error) {
	return s.rooms.Say(ctx, room, groups.Said{
		ID:    p.Hook,
		Nick:  p.Name,
		Body:  p.Body,
		File:  p.File,
		Hat:   "bot",
		Once:  p.Once,
		Since: p.Since,
	})
}

func (s *stage) create(t *testing.T, n NewHook) (store.Webhook, string) {
	t.Helper()
	n.Name, n.Group = "CI", s.group.ID
	w, secret, err := s.hooks.Create(t.Context(), acts.System, n)
	if err != nil {
		t.Fatal(err)
	}
	return w, secret
}

// said gives the bodies in the group's room.
func (s *stage) said(t *testing.T) string {
	t.Helper()
	es, _, _, err := s.st.ReadRoom(t.Context(), "groups."+host, s.group.Room, store.Page{Max: 100})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, e := range es {
		b.Write(e.Stanza)
	}
	return b.String()
}

// TestOnceForEachKey checks that a message is posted once, wherever the server stops between posting it and keeping the
// key.
func TestOnceForEachKey(t *testing.T) {
	var before, after bool // the server stops before or after posting
	s := newStage(t, func(s *stage, ctx context.Context, room string, p Post) (store.ID, error) {
		if before {
			return 0, errors.New("the end")
		}
		id, err := s.say(ctx, room, p)
		if err == nil && after {
			return 0, errors.New("the end")
		}
		return id, err
	})
	_, secret := s.create(t, NewHook{Direction: store.HookIn})
	post := func(text, key string) (int, string) {
		t.Helper()
		q := httptest.NewRequest(http.MethodPost, "/"+secret, strings.NewReader(`{"text":"`+text+`"}`))
		q.Header.Set("Idempotency-Key", key)
		rec := httptest.NewRecorder()
		s.hooks.ServeHTTP(rec, q)
		var a answer
		_ = json.Unmarshal(rec.Body.Bytes(), &a)
		return rec.Code, a.ID
	}
	count := func(text string) int { return strings.Count(s.said(t), ">"+text+"<") }
	for _, try := range []struct {
		text          string
		before, after bool
	}{{"one", false, true}, {"two", true, false}} {
		before, after = try.before, try.after
		if status, _ := post(try.text, try.text); status != http.StatusInternalServerError {
			t.Errorf("%s: %d", try.text, status)
		}
		before, after = false, false
		status, id := post(try.text, try.text)
		if status != http.StatusOK || count(try.text) != 1 || !strings.Contains(s.said(t), "id='"+id+"'") {
			t.Errorf("%s: %d %q, said %d times", try.text, status, id, count(try.text))
		}
		if status, again := post(try.text, try.text); status != http.StatusOK || again != id || count(try.text) != 1 {
			t.Errorf("%s: %d, %s is not %s, said %d times", try.text, status, again, id, count(try.text))
		}
	}
	// The same text under another key is another message.
	if status, _ := post("one", "another"); status != http.StatusOK || count("one") != 2 {
		t.Errorf("%d, said %d times", status, count("one"))
	}
}

// entry is a message in the archive of the group's room.
func (s *stage) entry(n int) *store.RoomEntry {
	return &store.RoomEntry{
		Host:   "groups." + host,
		Room:   s.group.Room,
		Seq:    int64(n + 1),
		ID:     s.h.IDs.Next(),
		Nick:   "Romeo",
		Sender: "romeo@" + host,
		Stanza: []byte(fmt.Sprintf("<message xmlns='jabber:client' type='groupchat' from='%s@groups.%s/Romeo'>"+
			"<body>%d</body></message>", s.group.Room, host, n)),
	}
}

// TestCatchUp checks that messages that were not queued are queued later, each once, however many they are.
func TestCatchUp(t *testing.T) {
	s := newStage(t, nil)
	w, _ := s.create(t, NewHook{Direction: store.HookOut, URL: "https://ci.example.net/"})
	const many = 2*catchUpPage + 10
	var ws []store.Write
	var first store.ID
	for i := range many {
		e := s.entry(i)
		if ws = append(ws, e); i == 0 {
			first = e.ID
		}
	}
	if err := s.st.Commit(t.Context(), ws...); err != nil {
		t.Fatal(err)
	}
	queued := func() int {
		t.Helper()
		ds, err := s.st.Deliveries(t.Context(), host, w.ID, "", 0, many+10)
		if err != nil {
			t.Fatal(err)
		}
		return len(ds)
	}
	for range 2 {
		if err := s.hooks.catchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := queued(); n != many {
			t.Fatalf("%d of %d are queued", n, many)
		}
	}
	s.hooks.waits.miss(s.group.ID, first)
	if err := s.hooks.queueAll(t.Context()); err != nil || queued() != many {
		t.Errorf("%v, %d are queued", err, queued())
	}
}

// TestBacklog checks that messages for which the backlog has no room are read from the archive.
func TestBacklog(t *testing.T) {
	s := newStage(t, nil)
	w, _ := s.create(t, NewHook{Direction: store.HookOut, URL: "https://ci.example.net/"})
	if n := cap(s.hooks.waits.items); n > 100 {
		t.Errorf("an idle server keeps room for %d", n)
	}
	for range maxSaid { // of another group
		s.hooks.waits.add(said{group: "other", entry: &store.RoomEntry{ID: 1, Room: "r"}})
	}
	for i := range 3 {
		e := s.entry(i)
		if err := s.st.Commit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		s.hooks.Said(s.group.ID, "", e)
	}
	if err := s.hooks.queueAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ds, err := s.st.Deliveries(t.Context(), host, w.ID, "", 0, 10); err != nil || len(ds) != 3 {
		t.Errorf("%d are queued, %v", len(ds), err)
	}
}

// A program gets what was said without what a reply repeats, and the files.
func TestMessageData(t *testing.T) {
	for payload, want := range map[string]string{
		"<body>Hello</body>": `{"id":"","text":"Hello"}`,
		"<body>&gt; Hello\nyou</body><reply xmlns='urn:xmpp:reply:0' id='1' to='r@s/Ann'/>" +
			"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>": `{"id":"","text":"you","reply":{"id":"1","by":"Ann","text":"Hello"}}`,
		"<body>https://x.example/a.png</body><x xmlns='jabber:x:oob'><url>https://x.example/a.png</url></x>": `{"id":"","text":"https://x.example/a.png",` +
			`"files":[{"url":"https://x.example/a.png","name":"a.png","type":"image/png"}]}`,
		"<body>/me waves</body>": `{"id":"","text":"/me waves","kind":"me"}`,
	} {
		st, err := wire.ParseStanza([]byte("<message xmlns='jabber:client' type='groupchat' from='r@s/Bob'>"+payload+
			"</message>"), wire.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var d messageData
		d.says(st)
		if got, err := json.Marshal(d); err != nil || string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestProgramHangsUp checks that a program that goes away while its message is posted is no error in the log.
func TestProgramHangsUp(t *testing.T) {
	var hangUp context.CancelFunc
	var fail bool
	s := newStage(t, func(s *stage, ctx context.Context, room string, p Post) (store.ID, error) {
		hangUp()
		if fail {
			return 0, errors.New("interrupted")
		}
		return s.say(context.WithoutCancel(ctx), room, p)
	})
	var logged bytes.Buffer
	s.h.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelInfo}))
	hook, secret := s.create(t, NewHook{Direction: store.HookIn})
	for _, fail = range []bool{true, false} {
		var ctx context.Context
		ctx, hangUp = context.WithCancel(t.Context())
		q := httptest.NewRequestWithContext(ctx, http.MethodPost, "/"+secret, strings.NewReader(`{"text":"late"}`))
		q.Header.Set("Idempotency-Key", "key")
		s.hooks.ServeHTTP(httptest.NewRecorder(), q)
		hangUp()
	}
	if logged.Len() > 0 {
		t.Error(logged.String())
	}
	if id, err := s.st.HookKey(t.Context(), host, hook.ID, "key"); err != nil || id == 0 {
		t.Errorf("the key is not kept: %v, %v", id, err)
	}
}
