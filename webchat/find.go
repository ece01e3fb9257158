package webchat

import (
	"context"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

// Search is what a person searches for in all that the person can read.
type Search struct {
	Words  string    // "": the filters alone
	In     string    // a conversation; "": all
	From   string    // the author's address
	After  time.Time // zero: no bound
	Before time.Time
	Has    string // "file", "link" or "mention" of the person; "": all messages
	Older  string // id: only older messages
	Limit  int    // at least 1
}

// Hit is a message that was found.
type Hit struct {
	Conversation string  `json:"conversation"`
	Where        string  `json:"where" doc:"name of the conversation"`
	Message      Message `json:"message"`
}

// Hits is a page of what was found, newest first.
type Hits struct {
	Hits []Hit  `json:"hits"`
	More string `json:"more,omitempty" doc:"id for older: there may be more"`
	// Until is set where a search without words ended early.
	Until *time.Time `json:"until,omitempty" doc:"of a search without words: older messages were not looked at"`
}

// maxRounds is how many pages of the store are looked at for one page of hits with a property.
const maxRounds = 5

// Find searches messages.
func (s *Service) Find(ctx context.Context, by people.Actor, begin store.Find, q Search) (Hits, error) {
	out := Hits{Hits: []Hit{}}
	f, err := s.filter(ctx, by.Who, begin, q)
	if err != nil {
		return out, err
	}
	if strings.TrimSpace(q.Words) == "" {
		return s.look(ctx, by, f, q)
	}
	for range maxRounds {
		found, complete, err := s.cfg.Store.SearchMessages(ctx, f)
		if err != nil {
			return out, err
		}
		for i := range found {
			h, ok, err := s.hit(ctx, by.Who, &found[i], q.Has)
			if err != nil {
				return out, err
			}
			if ok && len(out.Hits) < q.Limit {
				out.Hits = append(out.Hits, h)
			}
			f.Older, out.More = found[i].ID, found[i].ID.String()
			if len(out.Hits) == q.Limit {
				return out, nil
			}
		}
		if complete || len(found) == 0 {
			out.More = ""
			return out, nil
		}
	}
	return out, nil
}

// filter makes the store's search.
func (s *Service) filter(ctx context.Context, who jid.JID, f store.Find, q Search) (store.Find, error) {
	f.From, f.After, f.Before, f.Max = q.From, q.After, q.Before, q.Limit
	if q.Older != "" {
		id, err := store.ParseID(q.Older)
		if err != nil {
			return f, fault.New(fault.NotFound, "older", "no such message")
		}
		f.Older = id
	}
	if q.In == "" {
		return f, nil
	}
	in, err := jid.Parse(q.In)
	if err != nil {
		return f, fault.New(fault.NotFound, "in", "no such conversation")
	}
	if _, err := s.find(ctx, who.Bare(), in.Bare()); err != nil {
		return f, err
	}
	if in.Domain() == f.Rooms {
		f.Room = in.Local()
	} else {
		f.With = in.Bare().String()
	}
	return f, nil
}

// hit gives a message that was found; ok is false if it does not have what was asked for, or is gone.
func (s *Service) hit(ctx context.Context, who jid.JID, m *store.Found, has string) (h Hit, ok bool, err error) {
	host := s.cfg.Host.Domain
	id, err := jid.Parse(m.With)
	if m.Room != "" {
		id, err = jid.New(m.Room, s.cfg.Org.RoomDomain(host), "")
	}
	if err != nil {
		return h, false, nil
	}
	f, err := s.find(ctx, who.Bare(), id.Bare())
	if fault.Of(err) != nil { // a right has ended meanwhile
		return h, false, nil
	}
	if err != nil {
		return h, false, err
	}
	shown, err := s.one(ctx, who.Local(), id.Bare(), &f, m.ID.String())
	if fault.Of(err) != nil {
		return h, false, nil
	}
	if err != nil || shown.Removed != nil || !shown.Has(has, who.Bare().String()) {
		return h, false, err
	}
	h = Hit{Conversation: id.Bare().String(), Where: f.conversation.Name, Message: s.message(ctx, &shown, f.scene)}
	if p := f.place; p != nil && p.Theme != nil {
		h.Where = p.Group.Name + " › " + p.Theme.Name
	}
	return h, true, nil
}
