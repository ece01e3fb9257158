package webchat

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/people"
	"parley/server"
	"parley/wire"
)

// presenceOf gives the presence of a browser with a status (RFC 6121, section 4.7).
func presenceOf(status Status) *wire.Stanza {
	st := &wire.Stanza{Kind: wire.Presence}
	if status.Show != "available" {
		st.Add(wire.T(wire.NSClient, "show", status.Show))
	}
	if status.Text != "" {
		st.Add(wire.T(wire.NSClient, "status", status.Text))
	}
	return st
}

// statusIn reads a presence.
func statusIn(st *wire.Stanza) Status {
	if st == nil || st.Type == "unavailable" {
		return Status{Show: "offline"}
	}
	status := Status{Show: "available"}
	switch show := st.Element(wire.NSClient, "show").Text(); show {
	case "away", "xa", "dnd":
		status.Show = show
	}
	if text := st.Element(wire.NSClient, "status").Text(); utf8.RuneCountInString(text) <= maxStatus {
		status.Text = text
	}
	return status
}

const maxStatus = 200 // characters of a status text

// openness orders what people show, from the least available.
var openness = map[string]int{"offline": 0, "xa": 1, "away": 2, "available": 3, "dnd": 4}

// StatusOf gives what an account of the host shows: do-not-disturb on one client counts for all, and otherwise the most
// available of them.
func (s *Service) StatusOf(account string) Status {
	best := Status{Show: "offline"}
	for _, x := range s.cfg.Host.Account(account).Sessions() {
		pr, _ := x.Presence()
		if status := statusIn(pr); openness[status.Show] > openness[best.Show] {
			best = status
		}
	}
	return best
}

// Self gives the person at a browser.
func (s *Service) Self(ctx context.Context, account, credential string) Me {
	return s.me(ctx, account, credential)
}

// me gives the person at a browser.
func (s *Service) me(ctx context.Context, account, credential string) Me {
	k := s.person(ctx, account)
	me := Me{Address: account + "@" + s.cfg.Host.Domain, Name: k.name, Photo: k.photo}
	me.Status.Show = "available"
	s.mu.Lock()
	b := s.browsers[account][credential]
	s.mu.Unlock()
	if b != nil {
		b.mu.Lock()
		me.Status, me.Quiet = b.status, b.quiet
		b.mu.Unlock()
	}
	return me
}

// SetStatus sets what a person's browsers show. Do-not-disturb with a time also silences phones until then.
func (s *Service) SetStatus(ctx context.Context, by people.Actor, c Credential, status Status) (Me, error) {
	account := by.Name
	if _, ok := openness[status.Show]; !ok || status.Show == "offline" {
		return Me{}, fault.New(fault.Invalid, "show", "Choose available, away or do not disturb")
	}
	status.Text = strings.TrimSpace(status.Text)
	if utf8.RuneCountInString(status.Text) > maxStatus {
		return Me{}, fault.New(fault.Invalid, "text", "A status has at most 200 characters")
	}
	now := s.cfg.Host.IDs.Now()
	if status.Until != nil && !status.Until.After(now) {
		return Me{}, fault.New(fault.Invalid, "until", "This time is over")
	}
	own, err := s.browser(ctx, account, c)
	if err != nil {
		return Me{}, err
	}
	own.mu.Lock()
	was := own.status
	own.mu.Unlock()
	if err := s.pause(ctx, by, was, status); err != nil {
		return Me{}, err
	}
	s.showStatus(ctx, account, status)
	s.tellElsewhere(account, event(innerStatus, status))
	me := s.me(ctx, account, c.ID)
	s.tell(account, event("me", me))
	return me, nil
}

// pause silences phones while a person is not to be disturbed until a time.
func (s *Service) pause(ctx context.Context, by people.Actor, was, now Status) error {
	timed := func(x Status) bool { return x.Show == "dnd" && x.Until != nil }
	var until time.Time
	switch {
	case timed(now):
		until = *now.Until
	case !timed(was):
		return nil
	}
	_, err := s.cfg.People.SetQuiet(ctx, by, by.Name, people.QuietChange{Until: &until})
	return err
}

// expireStatus ends a status whose time is over.
func (s *Service) expireStatus(ctx context.Context, b *Browser) {
	now := s.cfg.Host.IDs.Now()
	b.mu.Lock()
	over := b.status.Until != nil && !b.status.Until.After(now)
	if over {
		b.status = Status{Show: "available"}
	}
	asleep := b.asleep
	b.mu.Unlock()
	if !over {
		return
	}
	if !asleep {
		b.announce(ctx)
	}
	b.buf.add(event("me", s.me(ctx, b.session.JID.Local(), b.credential)))
}

// presenceEvent says what somebody shows.
type presenceEvent struct {
	Address string `json:"address"`
	Status  Status `json:"status"`
}

// presenceMayChange tells browsers what an account shows, if it is different from what they were told.
func (s *Service) presenceMayChange(account string) {
	if s.open.Load() == 0 {
		return
	}
	address := account + "@" + s.cfg.Host.Domain
	if !s.watched(address) {
		return
	}
	s.do(func(context.Context) {
		status := s.StatusOf(account)
		s.toWatchers(address, status)
	})
}

// outsidePresence tells an account's browsers of the presence of a contact on another server.
func (s *Service) outsidePresence(account string, st *wire.Stanza) {
	if st.From.Domain() == s.cfg.Host.Domain || st.Type != "" && st.Type != "unavailable" ||
		st.From.Domain() == s.cfg.Org.RoomDomain(s.cfg.Host.Domain) {
		return
	}
	s.tell(account, event("presence", presenceEvent{st.From.Bare().String(), statusIn(st)}))
}

// maxWatched is how many people's presence a browser hears of.
const maxWatched = 2000

// watchPerson has a browser hear of what somebody shows.
func (s *Service) watchPerson(b *Browser, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b.people) >= maxWatched || b.people[address] {
		return
	}
	b.people[address] = true
	if s.watchers[address] == nil {
		s.watchers[address] = make(map[*Browser]bool)
	}
	s.watchers[address][b] = true
}

func (s *Service) watched(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watchers[address]) > 0
}

// toWatchers tells the browsers that hear of somebody.
func (s *Service) toWatchers(address string, status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e *Event
	for b := range s.watchers[address] {
		if b.told[address] == status {
			continue
		}
		if e == nil {
			e = event("presence", presenceEvent{address, status})
		}
		b.told[address] = status
		b.buf.add(e)
	}
}

// unwatchPeopleLocked has a browser hear of nobody. The caller holds the service's lock.
func (s *Service) unwatchPeopleLocked(b *Browser) {
	for address := range b.people {
		delete(s.watchers[address], b)
		if len(s.watchers[address]) == 0 {
			delete(s.watchers, address)
		}
	}
}

var _ server.Outbound = (*Browser)(nil)
