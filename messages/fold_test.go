package messages_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/messages"
	"parley/store"
)

const gone = "<retracted xmlns='urn:xmpp:message-retract:1' id='x'/>"

// A correction counts if its sender is the author; the newest one wins; one that corrects nothing is a message.
func TestCorrections(t *testing.T) {
	r := newRig(t)
	r.says("Ann", "1", body("helo"))
	r.says("Bob", "2", body("what?"))
	r.says("Ann", "3", body("hallo")+replace("1"))
	r.says("Ann", "4", body("hello")+replace("1"))
	r.want(r.room(50), "Ann: hello edited", "Bob: what?")
	r.says("Bob", "5", body("I am a fool")+replace("1"))
	r.want(r.room(50), "Ann: hello edited", "Bob: what?", "Bob: I am a fool edited corrects=1")
	r.saysAs("Ann", "tybalt@a.example", "occ-tybalt", "6", body("bad")+replace("4"))
	r.saysAs("Ann", "Ann@a.example", "occ-later account", "7", body("worse")+replace("1"))
	r.want(r.room(50)[:2], "Ann: hello edited", "Bob: what?")
	r.says("Ann", "8", "<subject>Welcome</subject>"+replace("1"))
	r.want(r.room(50)[:1], "Ann: Welcome kind=subject edited")
}

func TestCorrectionsOfOtherPages(t *testing.T) {
	r := newRig(t)
	first := r.says("Ann", "1", body("helo"))
	for i := range 10 {
		r.says("Bob", fmt.Sprint("b", i), body(fmt.Sprint(i)))
	}
	last := r.says("Ann", "3", body("hello")+replace("1"))
	r.want(r.room(3), "Bob: 8", "Bob: 9")
	ms, complete, err := r.reader().Room(t.Context(), rooms, room, store.Page{Max: 2})
	r.want(ms, "Ann: hello edited", "Bob: 0")
	if complete || err != nil {
		t.Error(complete, err)
	}
	for _, id := range []store.ID{first, last} {
		m, err := r.reader().InRoom(t.Context(), rooms, room, id)
		if err != nil || m.ID != first || m.Text != "hello" || !m.Edited.Equal(last.Time()) ||
			!m.At.Equal(first.Time()) {
			t.Errorf("%+v %v", m, err)
		}
	}
	// Who may not read the first message has the new text by itself, and no more.
	since := messages.Reader{Store: r.st, Since: first.Time().Add(time.Second)}
	ms, _, err = since.Room(t.Context(), rooms, room, store.Page{Max: 50})
	if err != nil || len(ms) != 11 || line(ms[10]) != "Ann: hello edited corrects=1" {
		t.Errorf("%+v %v", ms, err)
	}
	if m, err := since.InRoom(t.Context(), rooms, room, last); err != nil || m.ID != last {
		t.Errorf("%+v %v", m, err)
	}
	if m, err := since.InRoom(t.Context(), rooms, room, first); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%+v %v", m, err)
	}
}

// Of corrections of a message that is gone the newest is shown.
func TestCorrectionsOfNothing(t *testing.T) {
	r := newRig(t)
	r.says("Ann", "3", body("hallo")+replace("1"))
	r.says("Bob", "4", body("theirs")+replace("1"))
	id := r.says("Ann", "5", body("hello")+replace("1"))
	r.says("Bob", "6", react(id.String(), "👍"))
	r.want(r.room(50), "Bob: theirs edited corrects=1", "Ann: hello edited corrects=1 👍+Bob")
}

func TestRetracted(t *testing.T) {
	r := newRig(t)
	id := r.says("Ann", "1", gone)
	r.says("Ann", "2", body("again")+replace("1"))
	r.says("Bob", "3", react(id.String(), "👍"))
	r.says("Bob", "4", reply(id.String(), room+"@"+rooms+"/Ann")+body("&gt; secret\nyes")+cut(replying, 0, 9))
	r.want(r.room(50), "Ann:  removed own=true by= reason=", `Bob: yes reply by=Ann text="" gone=true`)
	// What its author or a moderator saw was the correction.
	r.says("Ann", "5", body("helo"))
	c := r.says("Ann", "6", body("hello")+replace("5"))
	if err := r.st.ReplaceInRoom(t.Context(), rooms, room, c, []byte(fmt.Sprintf("<message xmlns='jabber:client' "+
		"type='groupchat' from='r@%s/Ann' id='6'>%s<occupant-id xmlns='urn:xmpp:occupant-id:0' id='occ-Ann'/></message>",
		rooms, gone))); err != nil {
		t.Fatal(err)
	}
	r.want(r.room(50)[2:], "Ann:  removed own=true by= reason=")
}

// The newest set of each person counts, with what is like an emoji.
func TestReactions(t *testing.T) {
	r := newRig(t)
	id := r.says("Ann", "1", body("done"))
	r.says("Bob", "2", react(id.String(), "👍", "🎉", "👍", "great!", "<b xmlns='x'/>"))
	r.says("Carol", "3", react(id.String(), "👍", "❤️"))
	r.says("Dan", "4", react(id.String(), "❤"))
	r.says("Eve", "5", react(id.String(), "👎"))
	r.says("Eve", "6", react(id.String()))
	r.says("Fay", "7", react("1", "👎"))
	r.says("Bob", "8", react(id.String(), "🎉"))
	r.want(r.room(50), "Ann: done 👍+Carol ❤️+Carol+Dan 🎉+Bob")
	var all []string
	for i := range 40 {
		all = append(all, string(rune(0x1f600+i)))
	}
	other := r.says("Ann", "9", body("more"))
	last := r.says("Bob", "10", react(other.String(), all...))
	if m, err := r.reader().InRoom(t.Context(), rooms, room, last); err != nil || m.ID != other ||
		len(m.Reactions) != 20 || m.Version != last {
		t.Errorf("%+v %v", m, err)
	}
}

// Whoever reads a message twice knows by the versions which answer is newer, in a room and in a chat.
func TestVersionRises(t *testing.T) {
	r := newRig(t)
	id := r.says("Ann", "1", body("helo"))
	at := []store.ID{id, r.says("Bob", "2", react(id.String(), "👍")), r.says("Ann", "3", body("hello")+replace("1")),
		r.says("Bob", "4", react(id.String()))}
	for i, change := range at {
		m, err := r.reader().InRoom(t.Context(), rooms, room, change)
		if err != nil || m.ID != id || m.Version != at[len(at)-1] {
			t.Errorf("change %d: %+v %v", i, m, err)
		}
	}
	said := r.chats(owner+"@"+host+"/x", "5", body("but soft"))
	reacted := r.chats(with+"/y", "6", react("5", "🌹"))
	if m, err := r.reader().InChat(t.Context(), host, owner, with, said); err != nil || m.Version != reacted {
		t.Errorf("%+v %v", m, err)
	}
}

func TestReplies(t *testing.T) {
	r := newRig(t)
	to := room + "@" + rooms + "/Ann"
	id := r.says("Ann", "1", body("Lunhc?"))
	r.says("Ann", "2", body("Lunch?")+replace("1"))
	file := r.says("Ann", "3", oob("https://x.example/menu.pdf"))
	r.says("Bob", "4", reply(id.String(), to)+body("&gt; Lunhc?\nyes")+cut(replying, 0, 9))
	r.says("Bob", "5", reply("1", to)+body("now"))
	r.says("Bob", "6", reply(file.String(), to)+body("soup"))
	r.says("Bob", "7", reply("0000000000001", to)+body("&gt; gone\nno")+cut(replying, 0, 7))
	want := []string{`Bob: yes reply by=Ann text="Lunch?" gone=false`, `Bob: now reply by=Ann text="Lunch?" gone=false`,
		`Bob: soup reply by=Ann text="menu.pdf" gone=false`, `Bob: no reply by=Ann text="gone" gone=false`}
	r.want(r.room(50)[2:], want...)
	r.want(r.room(4), want...)
	if re := r.room(4)[0].Reply; re.ID != id.String() || re.Author.Address != "Ann@a.example" {
		t.Errorf("%+v", re)
	}
	r.says("Bob", "8", body("Yes!")+replace("4"))
	r.want(r.room(5)[:1], `Bob: Yes! edited reply by=Ann text="Lunch?" gone=false`)
	// Nothing is quoted from before somebody came.
	since := messages.Reader{Store: r.st, Since: id.Time().Add(time.Second)}
	ms, _, err := since.Room(t.Context(), rooms, room, store.Page{Max: 5, Backwards: true})
	if err != nil {
		t.Fatal(err)
	}
	r.want(ms[:2], `Bob: Yes! edited reply by=Ann text="Lunhc?" gone=false`, `Bob: now reply by=Ann text="" gone=false`)
}

// In a chat everything names the id attribute or the origin-id.
func TestChat(t *testing.T) {
	r := newRig(t)
	me, her := owner+"@"+host+"/x", with+"/y"
	r.chats(me, "1", body("helo")+"<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>")
	r.chats(me, "2", body("hello")+replace("1"))
	r.chats(her, "3", react("1", "👍"))
	last := r.chats(her, "4", react("o1", "🎉"))
	r.chats(her, "5", body("&gt; helo\nhi")+reply("1", owner+"@"+host)+cut(replying, 0, 7))
	r.chats(her, "6", body("I owe you money")+replace("1"))
	r.chats(her, "7", "<received xmlns='urn:xmpp:receipts' id='1'/>")
	r.want(r.chat(50), "romeo@a.example: hello edited 🎉+juliet@a.example",
		`juliet@a.example: hi reply by=romeo@a.example text="hello" gone=false`,
		"juliet@a.example: I owe you money edited corrects=1")
	ms := r.chat(50)
	if ms[0].Incoming || !ms[1].Incoming || ms[0].Own != "1" || ms[0].Origin != "o1" {
		t.Errorf("%+v", ms)
	}
	m, err := r.reader().InChat(t.Context(), host, owner, with, last)
	if err != nil || m.ID != ms[0].ID || len(m.Reactions) != 1 {
		t.Errorf("%+v %v", m, err)
	}
}

// People whom one writes to in a room have its address in common, and do not correct each other.
func TestPrivateMessages(t *testing.T) {
	r := newRig(t)
	x := "<x xmlns='http://jabber.org/protocol/muc#user'/>"
	r.chats(with+"/Ann", "1", x+body("helo"))
	r.chats(with+"/Bob", "2", x+body("bad")+replace("1"))
	r.chats(with+"/Ann", "3", x+body("hello")+replace("1"))
	r.want(r.chat(50), "Ann: hello edited", "Bob: bad edited corrects=1")
}

// A new account does not change what a deleted one of its name has said.
func TestCorrectionsOfFormerAccount(t *testing.T) {
	r := newRig(t)
	if err := r.st.CreateUser(t.Context(), store.User{Host: host, Name: "juliet"}); err != nil {
		t.Fatal(err)
	}
	r.chats(with+"/y", "1", body("hello"))
	if err := r.st.DeleteUser(t.Context(), host, "juliet"); err != nil {
		t.Fatal(err)
	}
	r.now = store.FirstID(time.Now().Add(time.Minute))
	r.chats(with+"/y", "2", body("I am somebody else"))
	r.chats(with+"/y", "3", body("bad")+replace("1"))
	r.chats(with+"/y", "4", body("good")+replace("2"))
	r.want(r.chat(50), "juliet@a.example: hello", "juliet@a.example: good edited")
}

// A page is filled up where most entries are no messages, and is not empty while there are more.
func TestPages(t *testing.T) {
	r := newRig(t)
	var ids []store.ID
	for i := range 4 {
		ids = append(ids, r.says("Ann", fmt.Sprint(i), body(fmt.Sprint(i))))
		for n := range 60 {
			r.says("Bob", fmt.Sprint(i, "-", n), react(ids[i].String(), string(rune(0x1f600+n))))
		}
	}
	page := func(p store.Page) (string, bool) {
		t.Helper()
		ms, complete, err := r.reader().Room(t.Context(), rooms, room, p)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, m := range ms {
			texts = append(texts, m.Text+m.Reactions[0].Emoji)
		}
		return strings.Join(texts, " "), complete
	}
	last := string(rune(0x1f600 + 59))
	for _, c := range []struct {
		p        store.Page
		want     string
		complete bool
	}{
		{store.Page{Max: 2, Backwards: true}, "2" + last + " 3" + last, false},
		{store.Page{Max: 2, Backwards: true, Before: ids[2]}, "0" + last + " 1" + last, true},
		{store.Page{Max: 2}, "0" + last, false},
		{store.Page{Max: 2, After: ids[0]}, "1" + last + " 2" + last, false},
		{store.Page{Max: 2, After: ids[2]}, "3" + last, true},
		{store.Page{Max: 9, Start: ids[2].Time()}, "2" + last + " 3" + last, true},
	} {
		if got, complete := page(c.p); got != c.want || complete != c.complete {
			t.Errorf("%+v: got %q %v, want %q %v", c.p, got, complete, c.want, c.complete)
		}
	}
}

func TestRoomItself(t *testing.T) {
	r := newRig(t)
	r.saysAs("", "", "", "1", body("The room was moved"))
	r.saysAs("", "", "", "2", body("forged")+replace("1"))
	r.saysAs("Build", "hook:x", "", "3", body("passed"))
	r.want(r.room(50), ": The room was moved kind=room", ": forged kind=room edited corrects=1", "Build: passed")
	if a := r.room(1)[0].By; a.Address != "" {
		t.Errorf("%+v", a)
	}
}

// Search results are messages as they are now, each once.
func TestFound(t *testing.T) {
	r := newRig(t)
	first := r.says("Ann", "1", body("lunhc at noon"))
	second := r.says("Ann", "2", body("lunch at noon")+replace("1"))
	r.says("Bob", "3", react(first.String(), "👍"))
	mine := r.chats(owner+"@"+host+"/x", "1", body("lunch?"))
	fs := []store.Found{
		{ID: mine, With: with, Stanza: r.kept("", mine)},
		{ID: second, Room: room, Stanza: r.kept(room, second)}, // the sender is hidden
		{ID: first, Room: room, Stanza: r.kept(room, first)},
	}
	ms, err := r.reader().Found(t.Context(), host, rooms, owner, fs)
	if err != nil {
		t.Fatal(err)
	}
	r.want(ms, "romeo@a.example: lunch?", "Ann: lunch at noon edited", ": ")
	if ms[1].ID != first || ms[2].ID != 0 || ms[1].By.Address != "" {
		t.Errorf("%+v", ms)
	}
	fs[1].From = second
	if ms, err = r.reader().Found(t.Context(), host, rooms, owner, fs[1:2]); err != nil || ms[0].ID != second {
		t.Errorf("%+v %v", ms, err)
	}
}

// kept gives the stanza of an entry.
func (r *rig) kept(inRoom string, id store.ID) []byte {
	r.Helper()
	c := store.Conversation{Host: host, Owner: owner, With: with}
	if inRoom != "" {
		c = store.Conversation{Host: rooms, Room: inRoom}
	}
	es, err := r.st.Entries(r.Context(), c, []store.ID{id})
	if err != nil || len(es) != 1 {
		r.Fatal(es, err)
	}
	return es[0].Stanza
}

func TestWithoutAddresses(t *testing.T) {
	r := newRig(t)
	id := r.says("Ann", "1", body("x"))
	r.says("Bob", "2", body("hi Ann")+reply(id.String(), room+"@"+rooms+"/Ann")+mention("3", "6", "xmpp:Ann@a.example"))
	r.says("Ann", "3", react(r.now.String(), "👍"))
	m := r.room(1)[0]
	if !strings.Contains(fmt.Sprintf("%+v %+v", m, *m.Reply), "@a.example") {
		t.Fatalf("%+v", m)
	}
	hidden := m.WithoutAddresses()
	if s := fmt.Sprintf("%+v %+v", hidden, *hidden.Reply); strings.Contains(s, "@a.example") ||
		hidden.By.Nick != "Bob" {
		t.Error(s)
	}
	if m.Reply.Author.Address == "" || m.Reactions[0].By[0].Address == "" {
		t.Error("the message itself was changed")
	}
}
