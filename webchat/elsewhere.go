package webchat

import (
	"context"
	"encoding/json"
	"strings"

	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Others are the other nodes at which an account may have browsers.
type Others interface {
	// Browsers says whether an account has a browser at another node.
	Browsers(account string) bool
	// Any says whether anybody has a browser at another node.
	Any() bool
	// Tell gives an event to the account's browsers at other nodes, by TakeEvent there.
	Tell(account, name string, data []byte)
}

// Names of events that are for the service of another node and not for browsers.
const (
	inner       = "~"
	innerStatus = inner + "status" // the account's browsers show another status
	innerQuiet  = inner + "quiet"  // the account's quiet hours are others
	// innerConfirm says what a browser says of itself, at another node than that of its stream.
	innerConfirm = inner + "confirm"
)

// roomFrame says to other nodes what has happened in a room, for the browsers there that hear of it. Each node makes
// the events of its browsers: they depend on what their people may see.
type roomFrame struct {
	Kind string
	Room jid.JID

	Stanza  []byte             `json:",omitempty"` // roomSaid
	ID      store.ID           `json:",omitempty"`
	Sender  string             `json:",omitempty"`
	Task    *store.Task        `json:",omitempty"` // roomTask
	Gone    bool               `json:",omitempty"`
	Several *muc.SeveralChange `json:",omitempty"` // roomSeveral
}

// Kinds of roomFrames. All go one way, so that they come in the order in which they happened.
const (
	roomSaid    = "said"
	roomPins    = "pins"    // others are pinned
	roomTask    = "task"    // one is new, different or gone
	roomSeveral = "several" // of a conversation of several people: who is in it, and its name
	roomRecheck = "recheck" // somebody may not read it any more
)

// roomsName is the name under which other nodes hear of roomFrames.
const roomsName = "webchat"

// anyElsewhere says whether anybody has a browser at another node.
func (s *Service) anyElsewhere() bool { return s.Others != nil && s.Others.Any() }

func (s *Service) tellRoom(f roomFrame) {
	if s.anyElsewhere() {
		s.cfg.Host.Everywhere.Tell(roomsName, f)
	}
}

func (s *Service) tellSaid(said saidInRoom) {
	s.tellRoom(roomFrame{
		Kind:   roomSaid,
		Room:   said.room,
		Stanza: said.stanza.AppendXML(nil, said.stanza.To, wire.Client),
		ID:     said.id,
		Sender: said.sender,
	})
}

// takeRoom tells the browsers here of what has happened in a room on another node.
func (s *Service) takeRoom(_ context.Context, f roomFrame) (any, error) {
	switch {
	case f.Kind == roomSeveral && f.Several != nil:
		s.severalChanged(*f.Several)
		return nil, nil
	case f.Kind == roomRecheck:
		s.recheck(f.Room)
		return nil, nil
	case !s.heard(f.Room.String()):
		return nil, nil
	}
	switch {
	case f.Kind == roomSaid:
		st, err := wire.ParseStanza(f.Stanza, wire.Limits{Stanza: len(f.Stanza)})
		if err != nil {
			return nil, err
		}
		said := saidInRoom{room: f.Room, stanza: st, id: f.ID, sender: f.Sender}
		s.do(func(ctx context.Context) { s.inRoom(ctx, said) })
	case f.Kind == roomPins:
		s.do(func(ctx context.Context) { s.pinsToViewers(ctx, f.Room) })
	case f.Kind == roomTask && f.Task != nil:
		s.do(func(ctx context.Context) { s.taskToViewers(ctx, f.Room, f.Task, f.Gone) })
	}
	return nil, nil
}

// confirmedBy is what a browser says of itself, by what it has signed in with.
type confirmedBy struct {
	Credential string
	Confirmed
}

// has says whether a browser is one of this node.
func (s *Service) has(account, credential string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.browsers[account][credential] != nil
}

// listens says whether an account has browsers at any node, so that something has to be told.
func (s *Service) listens(account string) bool {
	return len(s.of(account)) > 0 || s.elsewhere(account)
}

func (s *Service) elsewhere(account string) bool {
	return s.Others != nil && s.Others.Browsers(account)
}

// tell gives an event to all browsers of an account.
func (s *Service) tell(account string, e *Event) {
	s.tellHere(account, e)
	s.tellElsewhere(account, e)
}

func (s *Service) tellHere(account string, e *Event) {
	for _, b := range s.of(account) {
		b.buf.add(e)
	}
}

func (s *Service) tellElsewhere(account string, e *Event) {
	if s.elsewhere(account) {
		s.Others.Tell(account, e.Name, e.Data)
	}
}

// TakeEvent gives an event from another node to the account's browsers at this one.
func (s *Service) TakeEvent(ctx context.Context, account, name string, data []byte) {
	switch name {
	case innerStatus:
		var status Status
		if json.Unmarshal(data, &status) == nil {
			s.showStatus(ctx, account, status)
		}
	case innerQuiet:
		s.quietChangedHere(ctx, account)
	case innerConfirm:
		var c confirmedBy
		if json.Unmarshal(data, &c) != nil || !s.has(account, c.Credential) {
			return
		}
		if err := s.Confirm(ctx, account, c.Credential, c.Confirmed); err != nil {
			s.failed("cannot note that a browser is there", err, "account", account)
		}
	default:
		if !strings.HasPrefix(name, inner) { // of a later version
			s.tellHere(account, &Event{Name: name, Data: data})
		}
	}
}

// showStatus has the browsers of an account at this node show a status.
func (s *Service) showStatus(ctx context.Context, account string, status Status) {
	for _, b := range s.of(account) {
		b.mu.Lock()
		b.status = status
		asleep := b.asleep
		b.mu.Unlock()
		if !asleep {
			b.announce(ctx)
		}
	}
}

// markWatched notes with the browser's session whether somebody looks at it, for other nodes.
func (b *Browser) markWatched() { b.session.Mark(server.Watched, b.watched()) }
