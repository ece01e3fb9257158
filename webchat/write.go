package webchat

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mellium.im/xmpp/stanza"

	"parley/internal/fault"
	"parley/messages"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Outgoing is a message to send.
type Outgoing struct {
	Text     string    `json:"text" maxLength:"20000"`
	Origin   string    `json:"origin,omitempty" maxLength:"64" doc:"an id that the client makes"`
	Again    bool      `json:"again,omitempty" doc:"an earlier attempt with this origin may have arrived"`
	Reply    string    `json:"reply,omitempty" maxLength:"13" doc:"id of the message that this one answers"`
	Files    []File    `json:"files,omitempty" maxItems:"10"`
	Mentions []Mention `json:"mentions,omitempty" maxItems:"50"`
	Preview  string    `json:"preview,omitempty" maxLength:"2000" doc:"address in the text, whose page is described"`

	forwards bool // it forwards another message: only the comment before that, of so many characters, mentions people
	comment  int
}

// recentMessages is how many of somebody's messages in a room are searched for one by its origin.
const recentMessages = 200

// MaxText is how many characters a message may have.
const MaxText = 20_000

const (
	nsReply    = "urn:xmpp:reply:0"
	nsFallback = "urn:xmpp:fallback:0"
	nsMarkers  = "urn:xmpp:chat-markers:0"
)

// speaker is a person at a browser, in a conversation.
type speaker struct {
	s  *Service
	b  *Browser
	id jid.JID // of the conversation
	f  found
}

// speaker finds the conversation that a person wants to say something in.
func (s *Service) speaker(ctx context.Context, account string, c Credential, id jid.JID) (*speaker, error) {
	b, err := s.browser(ctx, account, c)
	if err != nil {
		return nil, err
	}
	f, err := s.find(ctx, b.session.JID.Bare(), id)
	if err != nil {
		return nil, err
	}
	return &speaker{s, b, id, f}, nil
}

func (p *speaker) account() string { return p.b.session.JID.Local() }

// Send sends a message and gives it as everyone sees it. A second message with the same origin is not sent: the first
// is given.
func (s *Service) Send(ctx context.Context, account string, c Credential, id jid.JID, o Outgoing) (Message, error) {
	if err := o.check(); err != nil {
		return Message{}, err
	}
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return Message{}, err
	}
	return p.sendOnce(ctx, o)
}

// check refuses what is no message to send.
func (o *Outgoing) check() error {
	o.Text = strings.TrimRight(strings.ReplaceAll(o.Text, "\r\n", "\n"), " \n\t")
	switch {
	case o.Text == "" && len(o.Files) == 0:
		return fault.New(fault.Invalid, "text", "There is nothing to send")
	case utf8.RuneCountInString(o.Text) > MaxText:
		return fault.New(fault.Invalid, "text", "This is too long for one message")
	case !isOrigin(o.Origin):
		return fault.New(fault.Invalid, "origin", "An origin consists of letters, digits and hyphens")
	}
	return nil
}

// sendTime is how long sending a message goes on for which several requests may wait.
const sendTime = 30 * time.Second

// sendOnce sends a message, unless one with its origin was sent.
func (p *speaker) sendOnce(ctx context.Context, o Outgoing) (Message, error) {
	if o.Origin == "" {
		return p.sendAll(ctx, o)
	}
	key := p.account() + "\x00" + p.id.String() + "\x00" + o.Origin
	return p.s.together(ctx, key, func(ctx context.Context) (Message, error) {
		if m, ok, err := p.before(ctx, o); err != nil || ok {
			return m, err
		}
		return p.sendAll(ctx, o)
	})
}

// together sends a message, or waits while an earlier request with the same key sends it. So sending goes on when the
// browser that asked first closes its connection: it asks again, and that request would fail as well.
func (s *Service) together(ctx context.Context, key string,
	send func(context.Context) (Message, error)) (Message, error) {
	made, err, _ := s.sending.Do(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
		defer cancel()
		return send(ctx)
	})
	m, _ := made.(Message)
	return m, err
}

// isOrigin says whether a text may be the id of a message. A browser makes them of letters and digits.
func isOrigin(id string) bool {
	return len(id) <= 64 && !strings.ContainsFunc(id, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-'
	})
}

// before finds a message that was sent with this origin earlier.
func (p *speaker) before(ctx context.Context, o Outgoing) (m Message, ok bool, err error) {
	key := p.account() + "\x00" + p.id.String() + "\x00" + o.Origin
	id, ok := p.s.sent.Get(key)
	if !ok && o.Again {
		if id, err = p.kept(ctx, o.Origin); err != nil {
			return m, false, err
		}
		ok = id != 0
	}
	if !ok || id == 0 {
		return m, ok, nil
	}
	kept, err := p.s.one(ctx, p.account(), p.id, &p.f, id.String())
	if fault.Is(err, fault.NotFound) {
		return m, false, nil
	}
	return p.s.message(ctx, &kept, p.f.scene), err == nil, err
}

// kept finds one's own message by the id that it was sent with; 0 if it is not found.
func (p *speaker) kept(ctx context.Context, origin string) (store.ID, error) {
	if p.f.scene.self != "" {
		incoming := p.id.String() == p.f.scene.self
		e, err := p.s.cfg.Store.FindArchived(ctx, p.s.cfg.Host.Domain, p.account(), p.id.String(), origin, incoming)
		if errors.Is(err, store.ErrNotFound) {
			return 0, nil
		}
		return e.ID, err
	}
	es, _, _, err := p.s.cfg.Store.ReadRoom(ctx, p.id.Domain(), p.id.Local(),
		store.Page{With: p.b.session.JID.Bare().String(), Backwards: true, Max: recentMessages})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	for i := len(es) - 1; i >= 0; i-- {
		if _, _, ok := server.IsMessage(es[i].Stanza, origin); ok {
			return es[i].ID, nil
		}
	}
	return 0, nil
}

// sendAll sends the text and then each file as a message of its own: clients show a file that is alone in its message.
func (p *speaker) sendAll(ctx context.Context, o Outgoing) (first Message, err error) {
	origin := o.Origin
	if origin == "" {
		origin = strings.ToLower(rand.Text())
	}
	if o.Text != "" {
		if first, err = p.sendText(ctx, o, origin); err != nil {
			return first, err
		}
	}
	for i, f := range o.Files {
		id := origin
		if o.Text != "" || i > 0 {
			id = origin + "-" + string(rune('a'+i))
		}
		m, err := p.sendFile(ctx, f, id)
		if err != nil {
			return first, err
		}
		if first.ID == "" {
			first = m
		}
	}
	if o.Origin != "" {
		id, _ := store.ParseID(first.ID) // a command has none, and is not repeated either
		p.s.sent.Put(p.account()+"\x00"+p.id.String()+"\x00"+o.Origin, id)
	}
	return first, nil
}

// stanza begins a message.
func (p *speaker) stanza(id string) *wire.Stanza {
	st := &wire.Stanza{Kind: wire.Message, Type: "groupchat", ID: id, To: p.id}
	if p.f.scene.self != "" {
		st.Type = "chat"
	}
	return st
}

// sendText sends a text, with more that clients read.
func (p *speaker) sendText(ctx context.Context, o Outgoing, origin string, more ...*wire.Element) (Message, error) {
	st := p.stanza(origin)
	quote, reply, err := p.reply(ctx, o.Reply)
	if err != nil {
		return Message{}, err
	}
	calls := o.Text
	if o.forwards {
		calls = string([]rune(o.Text)[:o.comment])
	}
	refs, err := p.references(ctx, calls, o.Mentions, utf8.RuneCountInString(quote))
	if err != nil {
		return Message{}, err
	}
	st.Add(wire.T(wire.NSClient, "body", quote+o.Text)).Add(reply...).Add(refs...)
	st.Add(p.describes(ctx, o)...).Add(more...)
	return p.say(ctx, p.identify(st))
}

// identify adds what clients expect of a message.
func (p *speaker) identify(st *wire.Stanza) *wire.Stanza {
	st.Add(wire.E(wire.NSSID, "origin-id").Set("id", st.ID))
	if p.f.scene.self != "" {
		st.Add(wire.E(nsMarkers, "markable"), wire.E(nsChatStates, "active"))
	}
	return st
}

// reply gives what says that a message answers another (XEP-0461), with the quote for clients that do not know of that
// (XEP-0428).
func (p *speaker) reply(ctx context.Context, to string) (quote string, es []*wire.Element, err error) {
	if to == "" {
		return "", nil, nil
	}
	m, err := p.s.one(ctx, p.account(), p.id, &p.f, to)
	if err != nil {
		return "", nil, err
	}
	shown := p.s.message(ctx, &m, p.f.scene)
	id, author := m.ID.String(), p.id.String()
	if p.f.scene.self != "" {
		id = m.Own
		if shown.By != nil {
			author = shown.By.Address
		}
	} else if m.By.Nick != "" {
		if j, err := jid.New(p.id.Local(), p.id.Domain(), m.By.Nick); err == nil {
			author = j.String()
		}
	}
	name := ""
	if shown.By != nil {
		name = shown.By.Name
	}
	for _, line := range strings.Split(name+":\n"+short(m.Short()), "\n") {
		quote += "> " + line + "\n"
	}
	end := utf8.RuneCountInString(quote)
	body := wire.E(nsFallback, "body").Set("start", "0").Set("end", number(end))
	return quote, []*wire.Element{
		wire.E(nsReply, "reply").Set("to", author).Set("id", id),
		wire.E(nsFallback, "fallback", body).Set("for", nsReply),
	}, nil
}

// references gives what tells clients whom a text mentions (XEP-0372). The text begins after a quote.
func (p *speaker) references(ctx context.Context, text string, ms []Mention, quote int) ([]*wire.Element, error) {
	if p.f.scene.self != "" {
		return nil, nil
	}
	es, err := p.s.Rooms.References(ctx, p.id, p.b.session.JID.Bare(), text, places(ms)...)
	for _, e := range es {
		for _, bound := range []string{"begin", "end"} {
			if at, err := strconv.Atoi(e.Attr(bound)); err == nil {
				e.Set(bound, number(at+quote))
			}
		}
	}
	return es, refused(err)
}

func (p *speaker) sendFile(ctx context.Context, f File, origin string) (Message, error) {
	if err := checkFile(f); err != nil {
		return Message{}, err
	}
	st := p.stanza(origin).Add(wire.T(wire.NSClient, "body", f.URL)).Add(fileElements(f)...)
	return p.say(ctx, p.identify(st))
}

// say sends a message and gives it as it is kept.
func (p *speaker) say(ctx context.Context, st *wire.Stanza) (Message, error) {
	id, shown, err := p.send(ctx, st)
	if err != nil {
		return Message{}, err
	}
	if shown == nil { // a rule has dealt with it, such as a command
		return Message{}, nil
	}
	if id == 0 { // not kept: there is nothing to read it from
		m, _ := messages.Of(shown)
		m.ID, m.At = p.s.cfg.Host.IDs.Next(), p.s.cfg.Host.IDs.Now()
		m.By.Address = p.b.session.JID.Bare().String()
		return p.s.message(ctx, &m, p.f.scene), nil
	}
	m, whole := asKept(shown, id, messages.Author{Address: p.b.session.JID.Bare().String()})
	if !whole {
		if m, err = p.s.one(ctx, p.account(), p.id, &p.f, id.String()); err != nil {
			return Message{}, err
		}
	}
	return p.s.message(ctx, &m, p.f.scene), nil
}

// send gives a message to a room or to a person. It returns the message's id in the archive, 0 if it is not kept, and
// the message as it was sent; nil if a rule of the room has dealt with it.
func (p *speaker) send(ctx context.Context, st *wire.Stanza) (store.ID, *wire.Stanza, error) {
	if p.f.scene.self == "" {
		id, shown, err := p.s.Rooms.Speak(ctx, p.b.session.JID, p.nicks(ctx), st)
		return id, shown, refused(err)
	}
	answer, forget := p.b.expect(st.ID)
	defer forget()
	p.b.send(ctx, st)
	select {
	case got := <-answer:
		return 0, nil, refusal(got)
	default:
	}
	return p.b.keptAt(st.ID), st, nil
}

// nicks gives the names under which the person may appear in a room, the most wanted first.
func (p *speaker) nicks(ctx context.Context) []string { return p.s.nicksOf(ctx, p.account(), p.id) }

func (s *Service) nicksOf(ctx context.Context, account string, room jid.JID) (all []string) {
	if setting, err := s.cfg.Bookmarks.SettingOf(ctx, account, room); err == nil && setting.Nick != "" {
		all = append(all, setting.Nick)
	}
	name := jid.Unescape(account)
	return append(all, s.person(ctx, account).name, name, name+" (web)")
}

// refused makes a stanza error one that pages and programs understand.
func refused(err error) error {
	if f := server.Fault(err); f != nil {
		return f
	}
	return err
}

// refusal gives the error in a stanza.
func refusal(st *wire.Stanza) error {
	if st.Type != "error" {
		return nil
	}
	e := st.Element(wire.NSClient, "error")
	out := stanza.Error{Condition: stanza.UndefinedCondition}
	for _, c := range e.Elements() {
		if c.Name.Space != "urn:ietf:params:xml:ns:xmpp-stanzas" {
			continue
		}
		if c.Name.Local == "text" {
			out.Text = map[string]string{"en": c.Text()}
		} else {
			out.Condition = stanza.Condition(c.Name.Local)
		}
	}
	return refused(out)
}
