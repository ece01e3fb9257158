package messages

import (
	"strings"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// limits of parsing are those of what archives have, which came in through doors with lower ones.
var limits = wire.Limits{Stanza: 4 << 20, Depth: 128, Attrs: 128, Children: 1024}

const (
	nsReply       = "urn:xmpp:reply:0"
	nsFallback    = "urn:xmpp:fallback:0"
	nsFasten      = "urn:xmpp:fasten:0"
	nsOccupantID  = "urn:xmpp:occupant-id:0"
	nsCallInvites = "urn:xmpp:call-invites:0"
)

// role is what a stanza does among the messages.
type role uint8

const (
	quiet    role = iota // nothing is to be seen
	says                 // a message, also one that was taken back
	corrects             // it gives another message a new text
	reacts
	buried // a tombstone of what has corrected or reacted
	undoes // it retracts another message, which has a tombstone
)

// part is an archived stanza, read by itself.
type part struct {
	e      store.Archived
	m      Message
	is     role
	who    string   // who said it: nobody else corrects it; "" if it is not known
	sender string   // as the room's archive has it
	refers string   // the id of the message that it corrects, reacts to or retracts
	set    []string // the reactions
	reply  string   // the id of the message that it replies to, as the client has it
}

// read reads a stanza by itself.
func read(st *wire.Stanza) *part {
	p := &part{}
	if st == nil || st.Kind != wire.Message || st.Type == "error" {
		return p
	}
	p.header(st)
	switch {
	case p.tombstone(st), p.changes(st):
		return p
	}
	p.content(st)
	if p.m.shows() {
		p.is = says
		if p.refers != "" {
			p.is = corrects
		}
	}
	return p
}

// shows says whether there is anything to be seen.
func (m *Message) shows() bool {
	return m.Text != "" || len(m.Files) > 0 || m.Kind == Meeting
}

// header reads who says it and what it is called.
func (p *part) header(st *wire.Stanza) {
	m := &p.m
	m.Own = st.ID
	m.Origin = st.Element(wire.NSSID, "origin-id").Attr("id")
	switch {
	case st.Type == "groupchat":
		m.By.Nick = st.From.Resource()
		m.By.Occupant = st.Element(nsOccupantID, "occupant-id").Attr("id")
		p.who = m.By.Occupant
	case st.Has(wire.NSMUCUser, "x"): // a private message in a room: its people have its address in common
		m.By.Address, m.By.Nick = st.From.Bare().String(), st.From.Resource()
		p.who = st.From.String()
	default:
		m.By.Address = st.From.Bare().String()
		p.who = m.By.Address
	}
}

// tombstone reads what is left of a retracted message (XEP-0424, section 4; XEP-0425).
func (p *part) tombstone(st *wire.Stanza) bool {
	if st.Has(wire.NSClient, "body") || !st.Has(wire.NSRetract, "retracted") && !st.Has(wire.NSModerate, "moderated") {
		return false
	}
	e := st.Element(wire.NSRetract, "retracted")
	by := e.Child(wire.NSModerate, "moderated")
	if e == nil {
		by = st.Element(wire.NSModerate, "moderated")
	}
	r := &Removal{Own: by == nil || st.Type != "groupchat"}
	if at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(e.Attr("stamp"))); err == nil {
		r.At = at.UTC()
	}
	if !r.Own {
		if j, err := jid.Parse(by.Attr("by")); err == nil {
			r.By = j.Resource()
		}
		r.Reason = shorten(e.ChildText(wire.NSRetract, "reason"), maxReason)
	}
	p.is, p.m.Removed = says, r
	return true
}

// changes reads a stanza that is no message but changes one. Of a correction it notes only what it corrects.
func (p *part) changes(st *wire.Stanza) bool {
	p.refers = store.RefersOf(st)
	switch {
	case st.Has(store.NSReactions, "reactions"):
		p.is, p.set = reacts, reactionSet(st.Element(store.NSReactions, "reactions"))
	case st.Has(wire.NSRetract, "retract"):
		p.is, p.refers = undoes, st.Element(wire.NSRetract, "retract").Attr("id")
	case st.Has(nsFasten, "apply-to"):
		p.is, p.refers = undoes, st.Element(nsFasten, "apply-to").Attr("id")
	default:
		return false
	}
	return true
}

// content reads what a message says.
func (p *part) content(st *wire.Stanza) {
	m := &p.m
	if secret, has := encrypted(st); secret {
		if m.Kind = Encrypted; has {
			m.Text = EncryptedText
		}
		return
	}
	body := st.BodyText()
	if strings.HasPrefix(body, "aesgcm://") {
		m.Kind, m.Text = Encrypted, EncryptedText
		return
	}
	if subject := st.Element(wire.NSClient, "subject"); subject != nil && body == "" {
		m.Kind, m.Text = Subject, subject.Text()
		return
	}
	c := &cutting{body: body}
	p.replies(st, c)
	if invite := st.Element(nsCallInvites, "invite"); invite != nil {
		m.Kind, m.Link = Meeting, meetingLink(invite)
	} else {
		m.Files = files(st, c)
	}
	if strings.TrimSpace(c.left()) == "" && len(m.Files) == 0 {
		c.restore() // a message is not lost to a wrong range
	}
	c.trim()
	if m.Kind == Said && c.begins("/me ") {
		m.Kind = Me
		c.skip(len("/me "))
	}
	if m.Kind == Said && st.Type == "groupchat" && m.By.Nick == "" {
		m.Kind = Room
	}
	m.Text = c.left()
	m.Mentions = mentions(st, c)
	m.Preview = preview(st, m.Text)
	if len(m.Mentions) == 0 && (m.Kind == Said || m.Kind == Room) {
		m.Text, m.Opens = opens(st, m.Text)
	}
	if e := st.Element(NSTask, "task"); e != nil && m.Kind == Said {
		if id, err := store.ParseID(e.Attr("id")); err == nil && id != 0 {
			m.Task = &Task{ID: id, Done: e.Attr("done") == "true"}
		}
	}
}

// encrypted says whether a message is encrypted, and whether there is anything in it to read: it may only bring keys.
func encrypted(st *wire.Stanza) (secret, has bool) {
	for _, c := range st.Children {
		switch c.Name.Space {
		case "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:1", "urn:xmpp:omemo:2":
			if c.Name.Local != "encrypted" {
				continue
			}
			e := st.Element(c.Name.Space, c.Name.Local)
			return true, e.Child(c.Name.Space, "payload") != nil
		case "jabber:x:encrypted":
			return true, true
		case "urn:xmpp:openpgp:0":
			if c.Name.Local == "openpgp" {
				return true, true
			}
		}
	}
	return false, false
}

// meetingLink gives the first address in an invitation that a browser can open (XEP-0482, section 4).
func meetingLink(invite *wire.Element) string {
	for _, e := range invite.Elements() {
		if e.Name.Space != nsCallInvites || e.Name.Local != "external" {
			continue
		}
		if u, ok := webAddress(e.Attr("uri")); ok {
			return u
		}
	}
	return ""
}

// replies reads which message this one replies to, and cuts what the body repeats of that.
func (p *part) replies(st *wire.Stanza, c *cutting) {
	e := st.Element(nsReply, "reply")
	id := e.Attr("id")
	if id == "" || len(id) > maxID {
		return
	}
	p.reply = id
	re := &Reply{ID: id}
	if to, err := jid.Parse(e.Attr("to")); err == nil {
		if re.By = to.Resource(); st.Type != "groupchat" {
			re.By = to.Bare().String()
		}
	}
	var quote strings.Builder
	for _, r := range fallbacks(st, nsReply) {
		if !r.all {
			quote.WriteString(c.cut(r.begin, r.end))
		}
	}
	re.Text = quoted(quote.String())
	p.m.Reply = re
}

// maxID is the length of an id of another message.
const maxID = 256

// quoted gives the text of a quotation without its marks.
func quoted(s string) string {
	lines := strings.SplitN(s, "\n", maxQuote)
	for i, l := range lines {
		l = strings.TrimPrefix(l, ">")
		lines[i] = strings.TrimPrefix(l, " ")
	}
	return shorten(strings.TrimSpace(strings.Join(lines, "\n")), maxQuote)
}
