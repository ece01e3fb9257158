package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/messages"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// said is a message that was sent in a room.
type said struct {
	group, theme, room string
	entry              *store.RoomEntry
}

// Said takes each message that is kept in a group's room. It costs one look into a map if no webhook wants it.
func (w *Webhooks) Said(group, theme string, e *store.RoomEntry) {
	if (*w.out.Load())[group] == nil || e.Quiet || e.Subject {
		return
	}
	w.waits.add(said{group, theme, e.Room, e})
}

// note takes changes of groups.
func (w *Webhooks) note(e org.Event) {
	if e.Host != w.h.Domain || (*w.out.Load())[e.Group.ID] == nil {
		return
	}
	var kind string
	var data any
	theme := ""
	switch e.Kind {
	case org.ThemeCreated, org.ThemeChanged:
		kind, theme = EventTheme, e.Theme.Key
		data = themeData{
			Key:    e.Theme.Key,
			Name:   e.Theme.Name,
			Room:   w.o.RoomJID(e.Host, e.Theme.Room).String(),
			Closed: !e.Theme.Closed.IsZero(),
			New:    e.Kind == org.ThemeCreated,
		}
		if e.Theme.Restricted { // only its people may know its name
			return
		}
	case org.MembersChanged:
		kind = EventMember
		var ms []memberData
		for _, m := range e.Members {
			ms = append(ms, memberData{m.JID, m.Role})
		}
		data = ms
	case org.GroupChanged:
		kind, data = EventGroup, groupData{e.Group.Slug, e.Group.Name}
	default:
		return
	}
	at := w.h.Clock.Now()
	d := event{
		Event: kind,
		Group: e.Group.Slug,
		Room:  w.o.RoomJID(e.Host, e.Group.Room).String(),
		At:    at.UTC(),
		Data:  data,
	}
	if !w.waits.add(said{e.Group.ID, theme, e.Group.Room, nil}.with(w.h.IDs.Next(), d)) {
		w.h.Log.Warn("too many events at once for webhooks", "group", e.Group.ID)
	}
}

// with makes an event that is not a message. Its entry carries the event.
func (s said) with(id store.ID, e event) said {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // cannot fail: it holds strings and times
	}
	s.entry = &store.RoomEntry{ID: id, Nick: e.Event, Stanza: b}
	return s
}

// event is the JSON that a program gets.
type event struct {
	Event string    `json:"event"`
	Group string    `json:"group"` // slug
	Theme string    `json:"theme,omitempty"`
	Room  string    `json:"room"`
	At    time.Time `json:"at"`
	Data  any       `json:"data"`
}

type messageData struct {
	ID    string     `json:"id"` // stanza-id
	From  string     `json:"from,omitempty"`
	Nick  string     `json:"nick,omitempty"`
	Text  string     `json:"text"` // with the addresses of files
	Kind  string     `json:"kind,omitempty"`
	Reply *replyData `json:"reply,omitempty"`
	Files []fileData `json:"files,omitempty"`
}

type replyData struct {
	ID   string `json:"id"`
	By   string `json:"by,omitempty"`
	Text string `json:"text,omitempty"`
}

type fileData struct {
	URL  string `json:"url"`
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Size int64  `json:"size,omitempty"`
}

type themeData struct {
	Key    string `json:"key"`
	Name   string `json:"name"`
	Room   string `json:"room"`
	Closed bool   `json:"closed"`
	New    bool   `json:"new"`
}

type memberData struct {
	Address string `json:"address"`
	Role    string `json:"role"` // "": has left
}

type groupData struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// age says how queue learns of an event.
type age uint8

const (
	now     age = iota // it has just happened
	missed             // it is in the archive, and was not queued
	perhaps            // it is in the archive, and may have been queued and forgotten already
)

// queue keeps the deliveries of one event.
func (w *Webhooks) queue(ctx context.Context, s said, a age) error {
	kind := EventMessage
	if s.entry.Room == "" {
		kind = s.entry.Nick
	}
	var ds []store.Delivery
	for _, h := range (*w.out.Load())[s.group] {
		if !slices.Contains(strings.Fields(h.Events), kind) || h.Theme != "" && h.Theme != s.theme ||
			s.entry.ID < store.FirstID(h.Created) {
			continue
		}
		if a == perhaps && s.entry.ID.Time().Before(h.Last.Time().Add(-overlap)) {
			continue
		}
		body := s.entry.Stanza
		if kind == EventMessage {
			var err error
			if body, err = w.message(ctx, h, s); err != nil {
				return err
			}
		}
		if body == nil {
			continue
		}
		ds = append(ds, store.Delivery{
			Host:    w.h.Domain,
			Hook:    h.ID,
			Room:    s.room,
			ID:      s.entry.ID,
			Event:   kind,
			Body:    body,
			Updated: w.h.Clock.Now(),
		})
	}
	if len(ds) == 0 {
		return nil
	}
	if err := w.st.AddDeliveries(ctx, ds...); err != nil {
		return err
	}
	for _, d := range ds {
		w.start(store.Lane{Hook: d.Hook, Room: d.Room})
	}
	return nil
}

// message makes the JSON of a message; nil if the webhook must not get it: messages of a restricted theme go only to a
// webhook made for it.
func (w *Webhooks) message(ctx context.Context, h store.Webhook, s said) ([]byte, error) {
	g, err := w.o.GroupByID(ctx, w.h.Domain, s.group)
	if err != nil {
		return nil, ignoreGone(err)
	}
	if s.theme != "" {
		t, err := w.o.Theme(ctx, w.h.Domain, s.theme)
		if err != nil || t.Restricted && h.Theme != s.theme {
			return nil, ignoreGone(err)
		}
	}
	st, err := wire.ParseStanza(s.entry.Stanza, wire.Limits{Stanza: len(s.entry.Stanza)})
	if err != nil {
		return nil, err
	}
	if from, err := jid.Parse(s.entry.Sender); err != nil || from.Local() == "" {
		s.entry.Sender = ""
	}
	d := messageData{ID: s.entry.ID.String(), From: s.entry.Sender, Nick: st.From.Resource()}
	d.says(st)
	return json.Marshal(event{
		Event: EventMessage,
		Group: g.Slug,
		Theme: s.theme,
		Room:  w.o.RoomJID(w.h.Domain, s.room).String(),
		At:    s.entry.ID.Time(),
		Data:  d,
	})
}

// says fills in what a message says.
func (d *messageData) says(st *wire.Stanza) {
	m, _ := messages.Of(st)
	d.Text, d.Kind = m.Plain(), string(m.Kind)
	if m.Reply != nil {
		d.Reply = &replyData{ID: m.Reply.ID, By: m.Reply.By, Text: m.Reply.Text}
	}
	for _, f := range m.Files {
		d.Files = append(d.Files, fileData{URL: f.URL, Name: f.Name, Type: f.Type, Size: f.Size})
	}
}

func ignoreGone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// wait lets no lane begin any more and returns when all have ended.
func (w *Webhooks) wait() {
	w.mu.Lock()
	w.run = nil
	w.mu.Unlock()
	w.wg.Wait()
}

// Run queues events and delivers them until ctx ends.
func (w *Webhooks) Run(ctx context.Context) error {
	defer w.wait()
	w.mu.Lock()
	w.run = ctx
	w.mu.Unlock()
	if err := w.load(ctx); err != nil {
		return err
	}
	if err := w.catchUp(ctx); err != nil && ctx.Err() == nil {
		w.h.Log.Error("webhooks: cannot queue messages from while the server was down", "err", err)
	}
	if err := w.resume(ctx); err != nil && ctx.Err() == nil {
		w.h.Log.Error("webhooks: cannot deliver waiting events", "err", err)
	}
	daily := time.NewTicker(time.Hour)
	defer daily.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-w.waits.wake:
			err = w.queueAll(ctx)
		case <-daily.C:
			err = errors.Join(w.queueAll(ctx), w.expire(ctx))
		}
		if err != nil && ctx.Err() == nil {
			w.h.Log.Error("webhooks", "err", err)
		}
	}
}

// queueAll queues waiting events and, from the archives, those for which there was no room or that could not be kept.
func (w *Webhooks) queueAll(ctx context.Context) error {
	all, gaps := w.waits.take()
	var failed error
	for _, s := range all {
		if err := w.queue(ctx, s, now); err != nil {
			failed = err
			w.waits.miss(s.group, s.entry.ID)
		}
	}
	for group, since := range gaps {
		w.h.Log.Warn("too many messages at once for webhooks: they are sent late", "group", group)
		if err := w.catchUpGroup(ctx, group, since.Time(), missed); err != nil {
			failed = err
			w.waits.miss(group, since)
		}
	}
	return failed
}

// catchUp queues messages that were kept, but not queued before the server stopped.
func (w *Webhooks) catchUp(ctx context.Context) error {
	for group, hooks := range *w.out.Load() {
		since := hooks[0].Last
		for _, h := range hooks {
			since = min(since, h.Last)
		}
		if err := w.catchUpGroup(ctx, group, since.Time().Add(-overlap), perhaps); err != nil {
			return err
		}
	}
	return nil
}

// overlap is how far before the newest queued message catchUp looks, because rooms are not in step with each other.
// Nothing is queued twice.
const overlap = time.Minute

// catchUpGroup queues the messages of a group since a moment.
func (w *Webhooks) catchUpGroup(ctx context.Context, group string, since time.Time, a age) error {
	g, err := w.o.GroupByID(ctx, w.h.Domain, group)
	if err != nil {
		return ignoreGone(err)
	}
	ts, err := w.o.Themes(ctx, w.h.Domain, group, jid.JID{})
	if err != nil {
		return err
	}
	rooms := map[string]string{g.Room: ""}
	for _, t := range ts {
		rooms[t.Room] = t.Key
	}
	for room, theme := range rooms {
		if err := w.catchUpRoom(ctx, said{group, theme, room, nil}, since, a); err != nil {
			return err
		}
	}
	return nil
}

// catchUpPage is how many messages are read at once.
const catchUpPage = 1000

func (w *Webhooks) catchUpRoom(ctx context.Context, s said, since time.Time, a age) error {
	page := store.Page{Start: since, Max: catchUpPage}
	for {
		es, complete, _, err := w.st.ReadRoom(ctx, w.o.RoomDomain(w.h.Domain), s.room, page)
		if err != nil {
			return err
		}
		for _, e := range es {
			page.After = e.ID
			s.entry = &store.RoomEntry{Room: s.room, ID: e.ID, Sender: e.Sender, Stanza: e.Stanza}
			if err := w.queueOld(ctx, s, a); err != nil {
				return err
			}
		}
		if complete || len(es) == 0 {
			return nil
		}
	}
}
