// Package messages turns archived stanzas into messages as people see them: a corrected text in place of the old one,
// reactions counted, a reply with what it replies to, a file as a file, a retracted message as a line.
package messages

import (
	"strings"
	"time"

	"parley/store"
	"parley/wire"
)

// Limits of one message.
const (
	maxFiles     = 20
	maxMentions  = 50
	maxReactions = 20  // of one person
	maxQuote     = 200 // characters of the message that is replied to
	maxReason    = 1000
)

// EncryptedText is the text of a message of the kind Encrypted, for places that show nothing but a text.
const EncryptedText = "This message is encrypted"

// Kind says how a message is to be shown.
type Kind string

const (
	Said      Kind = ""          // somebody says something
	Me        Kind = "me"        // somebody does something (XEP-0245): the text is without "/me "
	Subject   Kind = "subject"   // the text is the room's new subject
	Meeting   Kind = "meeting"   // an invitation to a call (XEP-0482): its address is the link
	Room      Kind = "room"      // the room itself says it
	Encrypted Kind = "encrypted" // only its recipients' clients can read it
)

// Author is who wrote a message, or reacted to one. The zero value is a room.
type Author struct {
	Address  string // bare, if it is known
	Nick     string // in a room
	Occupant string // in a room: the occupant-id (XEP-0421)
}

// Name returns the nick, or else the address.
func (a Author) Name() string {
	if a.Nick != "" {
		return a.Nick
	}
	return a.Address
}

// Message is a message as people see it.
type Message struct {
	ID       store.ID
	Version  store.ID // of the newest entry that is in it: its own, or a correction, or a reaction; 0: see Of
	Own      string   // the id attribute, which corrections name
	Origin   string   // the origin-id (XEP-0359)
	At       time.Time
	By       Author
	Incoming bool // the other side of a chat says it

	Text string
	Kind Kind
	Link string // of a Meeting; it is in the text, too

	Edited   time.Time // of the newest correction; zero: there is none
	Corrects string    // the id attribute of what it corrects, if that is not in the archive; of Of: always
	Removed  *Removal  // the text is gone

	Reply     *Reply
	Reactions []Reaction // in the order in which they came
	Files     []File
	Mentions  []Mention
	Task      *Task
	Preview   *Preview // of a link in the text
	Opens     *Opens   // the room that it hands over
}

// NSTask is the namespace of what says that a message tells of a task: an element task with its id and, once it is
// done, done="true". What the task is now is kept elsewhere.
const NSTask = "https://parley.im/task"

// Task is the task that a message tells of, as its sender says: it need not be one of this conversation.
type Task struct {
	ID   store.ID
	Done bool // the message says that the task is done
}

// Removal says that a message was taken back.
type Removal struct {
	By     string // the moderator's nick; "": see Own
	Reason string
	Own    bool // the author has done it
	At     time.Time
}

// Reply says which message another one replies to (XEP-0461).
type Reply struct {
	ID     string // the archive id, or what the client has called it if it is not in the archive
	By     string // the name of its author, as Author.Name gives it
	Author Author // zero if the message is not in the archive
	Text   string // at most 200 characters
	Gone   bool   // it was taken back
}

// Reaction is an emoji with those who have reacted with it (XEP-0444).
type Reaction struct {
	Emoji string
	By    []Author
}

// File is a file that a message has the address of.
type File struct {
	URL           string // http or https
	Name          string
	Type          string // the media type; "" if it is not known
	Size          int64  // bytes; 0 if it is not known
	Width, Height int    // pixels; 0 if they are not known
}

// Mention is a place in a message's text that means somebody (XEP-0372, XEP-0513).
type Mention struct {
	Begin, End int    // in code points of the text; the end is the one after the last
	Address    string // the person's, bare; of an occupant the full address in the room
	Occupant   string // the occupant-id, where only that is known
	Everyone   bool
}

// Of reads one stanza by itself. ok is false if it has nothing to show: a reaction, a marker, a retraction. A
// correction is the message with the new text, and Corrects says of what. A room's message has the nick, and not the
// address. Ids are of archives: it has none.
func Of(st *wire.Stanza) (m Message, ok bool) {
	p := read(st)
	if p.is == corrects {
		p.m.Corrects = p.refers
	}
	return p.m, p.is == says || p.is == corrects
}

// Plain returns the message as one text, with the addresses of its files, for programs and for people who see nothing
// else.
func (m Message) Plain() string {
	lines := make([]string, 0, 1+len(m.Files))
	switch {
	case m.Kind == Me:
		lines = append(lines, "/me "+m.Text)
	case m.Opens != nil:
		lines = append(lines, m.Text+": xmpp:"+m.Opens.Room+"?join")
	case m.Text != "":
		lines = append(lines, m.Text)
	}
	for _, f := range m.Files {
		lines = append(lines, f.URL)
	}
	return strings.Join(lines, "\n")
}

// Short returns the text or, if there is none, the names of the files.
func (m Message) Short() string {
	if m.Text != "" {
		return m.Text
	}
	names := make([]string, 0, len(m.Files))
	for _, f := range m.Files {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// WithoutAddresses returns the message as a room shows it where people do not see each other's addresses.
func (m Message) WithoutAddresses() Message {
	m.By.Address = ""
	if m.Reply != nil {
		re := *m.Reply
		re.Author.Address = ""
		m.Reply = &re
	}
	rs := make([]Reaction, 0, len(m.Reactions))
	for _, r := range m.Reactions {
		by := make([]Author, 0, len(r.By))
		for _, a := range r.By {
			a.Address = ""
			by = append(by, a)
		}
		rs = append(rs, Reaction{r.Emoji, by})
	}
	m.Reactions = rs
	var ms []Mention
	for _, n := range m.Mentions {
		if !strings.Contains(n.Address, "/") {
			n.Address = ""
		}
		ms = append(ms, n)
	}
	m.Mentions = ms
	return m
}
