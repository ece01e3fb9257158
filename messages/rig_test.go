package messages_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/messages"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire"
)

const (
	host  = "a.example"
	rooms = "rooms.a.example"
	room  = "r"
	owner = "romeo"
	with  = "juliet@a.example"
)

// rig is a store with a room and a chat, to which a test says things.
type rig struct {
	*testing.T
	st  store.Store
	row store.Room
	seq int64
	now store.ID
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{T: t, st: st, now: store.FirstID(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC))}
	if err := st.CreateRoom(t.Context(), store.Room{Host: rooms, Name: room}); err != nil {
		t.Fatal(err)
	}
	if r.row, err = st.TakeRoom(t.Context(), rooms, room); err != nil {
		t.Fatal(err)
	}
	return r
}

// next gives an id, a second after the one before.
func (r *rig) next() store.ID {
	r.now = store.FirstID(r.now.Time().Add(time.Second))
	return r.now
}

// stanza parses one, which the test has written.
func stanza(t testing.TB, s string) *wire.Stanza {
	t.Helper()
	st, err := wire.ParseStanza([]byte(s), wire.Limits{Stanza: 1 << 20, Children: 1000})
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return st
}

// says has somebody say a payload in the room, with an id attribute, and gives the archive id. A "@" in the payload is
// the archive id of the entry that comes before by n: "@1" is the last one.
func (r *rig) says(nick, own, payload string) store.ID {
	r.Helper()
	return r.saysAs(nick, nick+"@a.example", "occ-"+nick, own, payload)
}

func (r *rig) saysAs(nick, sender, occupant, own, payload string) store.ID {
	r.Helper()
	id := r.next()
	from := rooms
	if nick != "" {
		from = room + "@" + rooms + "/" + nick
	}
	if occupant != "" {
		payload += "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='" + occupant + "'/>"
	}
	text := fmt.Sprintf("<message xmlns='jabber:client' type='groupchat' from='%s' id='%s'>%s</message>", from, own,
		payload)
	r.seq++
	if err := r.st.Commit(r.Context(), &store.RoomEntry{
		Host:       rooms,
		Room:       room,
		Epoch:      r.row.Epoch,
		Seq:        r.seq,
		ID:         id,
		Nick:       nick,
		OccupantID: occupant,
		Sender:     sender,
		OriginID:   own,
		Refers:     store.RefersOf(stanza(r, text)),
		Stanza:     []byte(text),
	}); err != nil {
		r.Fatal(err)
	}
	return id
}

// chats has one of the two of the chat say a payload.
func (r *rig) chats(from, own, payload string) store.ID {
	r.Helper()
	id := r.next()
	text := fmt.Sprintf("<message xmlns='jabber:client' type='chat' from='%s' id='%s'>%s</message>", from, own, payload)
	if err := r.st.Commit(r.Context(), &store.ArchiveEntry{
		Host:     host,
		Owner:    owner,
		ID:       id,
		With:     with,
		Incoming: !strings.HasPrefix(from, owner+"@"),
		OriginID: own,
		Refers:   store.RefersOf(stanza(r, text)),
		Stanza:   []byte(text),
	}); err != nil {
		r.Fatal(err)
	}
	return id
}

func (r *rig) reader() messages.Reader { return messages.Reader{Store: r.st} }

// room reads the newest page.
func (r *rig) room(max int) []messages.Message {
	r.Helper()
	ms, _, err := r.reader().Room(r.Context(), rooms, room, store.Page{Max: max, Backwards: true})
	if err != nil {
		r.Fatal(err)
	}
	return ms
}

func (r *rig) chat(max int) []messages.Message {
	r.Helper()
	ms, _, err := r.reader().Chat(r.Context(), host, owner, with, store.Page{Max: max, Backwards: true})
	if err != nil {
		r.Fatal(err)
	}
	return ms
}

// want compares messages with lines: "nick: text" and what else there is.
func (r *rig) want(ms []messages.Message, lines ...string) {
	r.Helper()
	var got []string
	for _, m := range ms {
		got = append(got, line(m))
	}
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		r.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

// line describes a message.
func line(m messages.Message) string {
	b := m.By.Name() + ": " + m.Text
	if m.Kind != messages.Said {
		b += " kind=" + string(m.Kind)
	}
	if m.Link != "" {
		b += " link=" + m.Link
	}
	if !m.Edited.IsZero() {
		b += " edited"
	}
	if m.Corrects != "" {
		b += " corrects=" + m.Corrects
	}
	if x := m.Removed; x != nil {
		b += fmt.Sprintf(" removed own=%v by=%s reason=%s", x.Own, x.By, x.Reason)
	}
	if re := m.Reply; re != nil {
		b += fmt.Sprintf(" reply by=%s text=%q gone=%v", re.By, re.Text, re.Gone)
	}
	for _, x := range m.Reactions {
		b += " " + x.Emoji
		for _, a := range x.By {
			b += "+" + a.Name()
		}
	}
	for _, f := range m.Files {
		b += fmt.Sprintf(" file=%s|%s|%s|%d|%dx%d", f.URL, f.Name, f.Type, f.Size, f.Width, f.Height)
	}
	if m.Opens != nil {
		b += " opens=" + m.Opens.Room + m.Opens.Page
	}
	if m.Task != nil {
		b += fmt.Sprintf(" task=%s/%v", m.Task.ID, m.Task.Done)
	}
	for _, n := range m.Mentions {
		b += fmt.Sprintf(" mention=%s:%s%s%v", string([]rune(m.Text)[n.Begin:n.End]), n.Address, n.Occupant, n.Everyone)
	}
	return b
}

func body(s string) string { return "<body>" + s + "</body>" }

func replace(id string) string {
	return "<replace xmlns='urn:xmpp:message-correct:0' id='" + id + "'/>"
}

func react(id string, emoji ...string) string {
	var b strings.Builder
	for _, e := range emoji {
		b.WriteString("<reaction>" + e + "</reaction>")
	}
	return "<reactions xmlns='urn:xmpp:reactions:0' id='" + id + "'>" + b.String() + "</reactions>"
}

func reply(id, to string) string {
	return "<reply xmlns='urn:xmpp:reply:0' id='" + id + "' to='" + to + "'/>"
}

func cut(feature string, begin, end int) string {
	return fmt.Sprintf("<fallback xmlns='urn:xmpp:fallback:0' for='%s'><body start='%d' end='%d'/></fallback>", feature,
		begin, end)
}
