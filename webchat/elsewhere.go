package webchat

import (
	"context"
	"encoding/json"
	"strings"

	"parley/server"
)

// Others are the other nodes at which an account may have browsers.
type Others interface {
	// Browsers says whether an account has a browser at another node.
	Browsers(account string) bool
	// Tell gives an event to the account's browsers at other nodes, by TakeEvent there.
	Tell(account, name string, data []byte)
}

// Names of events that are for the service of another node and not for browsers.
const (
	inner       = "~"
	innerStatus = inner + "status" // the account's browsers show another status
	innerQuiet  = inner + "quiet"  // the account's quiet hours are others
)

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
