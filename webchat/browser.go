package webchat

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Browser is one browser that somebody is signed in with, or one program with a token: a session of the account, which
// all tabs share. It is safe from any goroutine.
type Browser struct {
	s          *Service
	session    *server.Session
	credential string
	program    bool // it is a program, which is there while it reads its stream
	buf        *buffer

	mu      sync.Mutex
	streams int
	seen    time.Time // when it was last heard of
	asleep  bool      // its presence is withdrawn
	idle    bool      // nobody has touched it for a while
	hidden  bool      // no tab of it is in view
	status  Status
	quiet   bool      // its person has quiet hours just now
	quietAt time.Time // when that is looked at again
	answers map[string]chan *wire.Stanza
	kept    map[string]store.ID // where messages are in the archive that this browser sends just now, by their ids

	people map[string]bool   // whose presence it hears of; the service's lock guards it
	told   map[string]Status // what it was told of them last; the service's lock guards it
}

// How long a browser that is not heard of counts as present, and how long its events are kept. A browser lets the
// timers of a tab that nobody looks at run once a minute.
const (
	sleepAfter = 100 * time.Second
	goneAfter  = 15 * time.Minute
	maxStreams = 8  // of one browser
	maxOpen    = 20 // browsers of one account
)

// Credential says what a browser or program has signed in with, and where it is.
type Credential struct {
	ID     string // the hash of a browser's session or of a token
	Remote string // its address
	Agent  string // what it calls itself
	// Program says that it is a program with a token. A browser has to confirm what it has: a stream may look open long
	// after a laptop has gone to sleep.
	Program bool
}

// browser gives the session of a browser, which it makes if there is none.
func (s *Service) browser(ctx context.Context, account string, c Credential) (*Browser, error) {
	if err := s.opening.Take(ctx, account); err != nil {
		return nil, err
	}
	defer s.opening.Free(account)
	s.mu.Lock()
	b, many, closed := s.browsers[account][c.ID], len(s.browsers[account]), s.closed
	s.mu.Unlock()
	if closed {
		return nil, fault.New(fault.Busy, "", "The server is stopping")
	}
	if b != nil {
		b.mu.Lock()
		b.seen = time.Now()
		b.mu.Unlock()
		return b, nil
	}
	if many >= maxOpen {
		return nil, fault.New(fault.Limit, "", "Too many browsers are open")
	}
	b = s.newBrowser(c)
	info := server.SessionInfo{
		Remote:     c.Remote,
		Transport:  "web",
		Credential: c.ID,
		Client:     server.Client{Software: "parley", Device: c.Agent},
	}
	var err error
	if b.session, err = s.cfg.Host.Bind(ctx, account, "", server.Generate, b, info); err != nil {
		return nil, err
	}
	// The account may have been disabled before the session could be found.
	if u, err := s.cfg.Host.Store.User(ctx, s.cfg.Host.Domain, account); err != nil || u.Disabled {
		s.cfg.Host.Unbind(context.WithoutCancel(ctx), b.session)
		return nil, cmp.Or(err, fault.New(fault.Forbidden, "", "This account has been disabled"))
	}
	s.mu.Lock()
	if s.browsers[account] == nil {
		s.browsers[account] = make(map[string]*Browser)
	}
	s.browsers[account][c.ID] = b
	s.mu.Unlock()
	s.open.Add(1)
	return b, nil
}

// newBrowser makes a browser that has no session yet.
func (s *Service) newBrowser(c Credential) *Browser {
	return &Browser{
		s:          s,
		credential: c.ID,
		program:    c.Program,
		buf:        newBuffer(strings.ToLower(rand.Text()[:12])),
		seen:       time.Now(),
		asleep:     true,
		status:     Status{Show: "available"},
		people:     make(map[string]bool),
		told:       make(map[string]Status),
		answers:    make(map[string]chan *wire.Stanza),
		kept:       make(map[string]store.ID),
	}
}

// Open begins a stream of events for a browser. last is the id of the last event that the browser has; "" for none.
// The caller calls Close of the stream.
func (s *Service) Open(ctx context.Context, account string, c Credential, last string) (*Stream, error) {
	b, err := s.browser(ctx, account, c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	if b.streams >= maxStreams {
		b.mu.Unlock()
		return nil, fault.New(fault.Limit, "", "Too many streams of this browser are open")
	}
	b.streams++
	b.seen = time.Now()
	b.mu.Unlock()
	st := &Stream{b: b, at: b.buf.last()}
	if last != "" {
		if n, ok := b.buf.number(last); ok {
			st.at = n
			b.buf.forget(n)
		} else {
			st.lost = true
		}
	}
	if err := b.awake(ctx); err != nil {
		st.Close()
		return nil, err
	}
	return st, nil
}

// Close ends a stream. The browser may open another one, which goes on where this one ended.
func (s *Stream) Close() {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.streams--
	s.b.seen = time.Now()
}

// Confirmed is what a browser says of itself from time to time.
type Confirmed struct {
	Last   string // the id of the last event that it has
	Idle   bool   // nobody has touched it for a while: it shows that its person is away
	Hidden bool   // no tab of it is in view: it may be woken by Web Push
}

// Confirm notes that a browser is there, and that it has had an event and everything before it.
func (s *Service) Confirm(ctx context.Context, account, credential string, c Confirmed) error {
	s.mu.Lock()
	b := s.browsers[account][credential]
	s.mu.Unlock()
	if b == nil { // its stream may be open at another node
		if s.elsewhere(account) {
			s.Others.Tell(account, innerConfirm, event(innerConfirm, confirmedBy{credential, c}).Data)
		}
		return nil
	}
	if n, ok := b.buf.number(c.Last); ok {
		b.buf.forget(n)
	}
	b.mu.Lock()
	was := b.idle
	b.idle, b.hidden, b.seen = c.Idle, c.Hidden, time.Now()
	asleep, streams := b.asleep, b.streams
	b.mu.Unlock()
	b.markWatched()
	switch {
	case asleep && streams > 0:
		return b.awake(ctx)
	case was != c.Idle && !asleep:
		b.announce(ctx)
	}
	return nil
}

// shows gives what others see of the browser.
func (b *Browser) shows() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.quiet && b.status.Show != "dnd":
		return Status{Show: "dnd", Text: b.status.Text, Until: b.status.Until}
	case b.idle && b.status.Show == "available":
		return Status{Show: "away", Text: b.status.Text}
	}
	return b.status
}

// awake shows the browser's presence, and has it hear of the rooms that its person may read.
func (b *Browser) awake(ctx context.Context) error {
	b.mu.Lock()
	was := b.asleep
	b.asleep = false
	b.mu.Unlock()
	if !was {
		return nil
	}
	if err := b.s.follow(ctx, b); err != nil {
		b.mu.Lock()
		b.asleep = true
		b.mu.Unlock()
		return err
	}
	b.s.lookQuiet(ctx, b, time.Now())
	b.announce(ctx)
	return nil
}

// sleep withdraws the presence of a browser that is not there: messages wake phones again.
func (b *Browser) sleep(ctx context.Context) {
	b.mu.Lock()
	was := b.asleep
	b.asleep = true
	b.mu.Unlock()
	if !was {
		b.send(ctx, &wire.Stanza{Kind: wire.Presence, Type: "unavailable"})
	}
}

// announce sends the browser's presence, even if the request that it follows from has ended: nobody sends it again, and
// the server ends a session whose first presence fails.
func (b *Browser) announce(ctx context.Context) {
	b.send(context.WithoutCancel(ctx), presenceOf(b.shows()))
}

// send gives a stanza to the server as if a client had sent it.
func (b *Browser) send(ctx context.Context, st *wire.Stanza) {
	st.Name = wire.Name{Space: wire.NSClient, Local: st.Kind.String()}
	st.From = b.session.JID
	b.session.Host.Sent(ctx, b.session, st)
}

// Close ends the session: the account's owner has signed out, or an administrator ends it (server.Outbound).
func (b *Browser) Close(*wire.StreamError) {
	b.s.after.Go(func() { b.s.drop(context.Background(), b) })
}

// drop ends a browser's session.
func (s *Service) drop(ctx context.Context, b *Browser) {
	account := b.session.JID.Local()
	s.mu.Lock()
	if s.browsers[account][b.credential] == b {
		s.open.Add(-1)
		delete(s.browsers[account], b.credential)
		if len(s.browsers[account]) == 0 {
			delete(s.browsers, account)
		}
	}
	s.mu.Unlock()
	s.unfollow(b)
	b.buf.end()
	s.cfg.Host.Unbind(ctx, b.session)
}

// sweep puts browsers to sleep that have no stream, and ends those that are gone. now is the time of the process.
func (s *Service) sweep(ctx context.Context, now time.Time) {
	for _, b := range s.all() {
		s.expireStatus(ctx, b)
		s.checkQuiet(ctx, b, now)
		b.mu.Lock()
		away := now.Sub(b.seen)
		open := b.streams > 0
		present := open && b.program
		b.mu.Unlock()
		b.markWatched()
		switch {
		case present:
		case away > goneAfter && !open:
			s.drop(ctx, b)
		case away > sleepAfter:
			b.sleep(ctx)
		}
	}
}

// all gives every browser.
func (s *Service) all() (bs []*Browser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.browsers {
		for _, b := range of {
			bs = append(bs, b)
		}
	}
	return bs
}

// of gives the browsers of an account.
func (s *Service) of(account string) (bs []*Browser) {
	if s.open.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.browsers[account] {
		bs = append(bs, b)
	}
	return bs
}

// Send takes what the server sends to the session (server.Outbound). Messages and presence that browsers show come by
// other ways, for all of an account's browsers at once: here are answers, refusals and what a room says to one person.
func (b *Browser) Send(st *wire.Stanza, _ jid.JID) error {
	switch {
	case st.Kind == wire.IQ && (st.Type == "get" || st.Type == "set"):
		refusal := server.ErrorReply(st, server.ServiceUnavailable)
		refusal.From, refusal.To = b.session.JID, st.From
		b.s.do(func(ctx context.Context) { b.send(ctx, refusal) })
	case st.Kind == wire.IQ || st.Type == "error":
		b.mu.Lock()
		answer := b.answers[st.ID]
		delete(b.answers, st.ID)
		b.mu.Unlock()
		if answer != nil {
			answer <- st
		}
	case st.Kind == wire.Message && st.From.Domain() == b.s.cfg.Org.RoomDomain(b.s.cfg.Host.Domain) &&
		st.From.IsBare() && st.BodyText() != "":
		b.buf.add(event("notice", map[string]string{"conversation": st.From.String(), "text": st.BodyText()}))
	case st.Kind == wire.Presence:
		b.s.outsidePresence(b.session.JID.Local(), st)
	}
	return nil
}

// expect returns a channel that gets the answer to a stanza, or the refusal of it; forget ends it.
func (b *Browser) expect(id string) (answer <-chan *wire.Stanza, forget func()) {
	c := make(chan *wire.Stanza, 1)
	b.mu.Lock()
	b.answers[id] = c
	b.mu.Unlock()
	return c, func() {
		b.mu.Lock()
		delete(b.answers, id)
		delete(b.kept, id)
		b.mu.Unlock()
	}
}

// keptAs notes where a message is in the account's archive, if this browser sends it just now.
func (b *Browser) keptAs(st *wire.Stanza, id store.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answers[st.ID] != nil && st.From == b.session.JID {
		b.kept[st.ID] = id
	}
}

// keptAt gives what keptAs has noted; 0 if the message is not kept.
func (b *Browser) keptAt(id string) store.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept[id]
}
