package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
	"parley/store"
	"parley/wire"
)

// Message is a message in a room.
type Message struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Nick   string    `json:"nick"`
	Sender string    `json:"sender,omitempty" doc:"author's address, if it is known"`
	Text   string    `json:"text"`
	Where  string    `json:"where,omitempty"`
	Link   string    `json:"link,omitempty"`
}

// InRoom is the room of a group or theme, in a path.
type InRoom struct {
	InGroup
	Theme string `query:"theme" maxLength:"20" doc:"key of a theme; none: the main room"`
}

// FindMessages chooses messages of a room.
type FindMessages struct {
	InRoom
	Before string `query:"before" maxLength:"13"`
	After  string `query:"after" maxLength:"13"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// SendMessageInput sends a message.
type SendMessageInput struct {
	InRoom
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"10000"`
	}
}

// InMessage is the message of a room, in a path.
type InMessage struct {
	InRoom
	ID     string `path:"id" maxLength:"13"`
	Reason string `query:"reason" maxLength:"500"`
}

// SearchQuery is a search for messages.
type SearchQuery struct {
	Q     string `query:"q" required:"true" maxLength:"500"`
	From  string `query:"from" maxLength:"3071" doc:"author's address"`
	Older string `query:"older" maxLength:"13"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
}

// Operations on messages. They are for people: the operator of the machine takes no part in conversations.
var (
	ListMessages = personal(op[FindMessages, []Message](
		"list-messages", http.MethodGet, "/groups/{slug}/messages", "messages:read",
		"Messages, oldest first; without before and after, the newest page",
	))
	SendMessage = personal(op[SendMessageInput, None](
		"send-message", http.MethodPost, "/groups/{slug}/messages", "messages:write",
		"Send a message",
	))
	RetractMessage = personal(op[InMessage, None](
		"retract-message", http.MethodDelete, "/groups/{slug}/messages/{id}", "messages:write",
		"Retract your own message, or as a moderator somebody else's",
	))
	SearchMessages = personal(op[SearchQuery, []Message](
		"search-messages", http.MethodGet, "/search", "messages:read",
		"Messages with these words among all that the caller can read, newest first",
	))
)

func (s *Server) messages(d *doors) {
	serve(s, d, ListMessages, s.reader, s.listMessages)
	act(s, d, SendMessage, s.writer, func(ctx context.Context, c caller, in *SendMessageInput) error {
		_, access, local, err := s.room(ctx, c, in.Slug, in.Theme)
		if err != nil {
			return err
		}
		if !access.Write {
			return fault.ErrRole
		}
		return s.Rooms.Say(ctx, c.self(), s.Org.RoomJID(c.host(), local), in.Body.Text)
	})
	act(s, d, RetractMessage, s.reader, s.retract)
	serve(s, d, SearchMessages, nil, s.searchMessages)
}

func (s *Server) listMessages(ctx context.Context, c caller, in *FindMessages) ([]Message, error) {
	g, access, local, err := s.room(ctx, c, in.Slug, in.Theme)
	if err != nil {
		return nil, err
	}
	from, read, err := s.Org.ReadsFrom(ctx, g, access, c.self())
	if err != nil {
		return nil, err
	}
	if !read {
		return nil, fault.ErrRole
	}
	addressed := org.ShowsAddresses(g, access)
	p := store.Page{Start: from, Max: in.Limit, Backwards: in.After == ""}
	for _, f := range []struct {
		text string
		id   *store.ID
	}{{in.Before, &p.Before}, {in.After, &p.After}} {
		if f.text == "" {
			continue
		}
		if *f.id, err = store.ParseID(f.text); err != nil {
			return nil, notFound
		}
	}
	es, _, _, err := s.Store.ReadRoom(ctx, s.Org.RoomDomain(c.host()), local, p)
	out := []Message{}
	for _, e := range es {
		st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200})
		if err != nil || st.BodyText() == "" {
			continue
		}
		m := Message{ID: e.ID.String(), At: e.ID.Time(), Nick: st.From.Resource(), Text: st.BodyText()}
		if addressed {
			m.Sender = e.Sender
		}
		out = append(out, m)
	}
	return out, err
}

func (s *Server) retract(ctx context.Context, c caller, in *InMessage) error {
	g, access, local, err := s.room(ctx, c, in.Slug, in.Theme)
	if err != nil {
		return err
	}
	from, read, err := s.Org.ReadsFrom(ctx, g, access, c.self())
	if err != nil {
		return err
	}
	id, err := store.ParseID(in.ID)
	if err != nil || !read || id < store.FirstID(from) {
		return notFound
	}
	at := s.Org.RoomJID(g.Host, local)
	es, _, _, err := s.Store.ReadRoom(ctx, at.Domain(), local, store.Page{Start: from, IDs: []store.ID{id}, Max: 1})
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case len(es) == 0:
		return notFound
	case es[0].Sender == c.self().String() && c.me.Lived(id.Time()):
		err = s.Rooms.Retract(ctx, c.self(), at, in.ID)
	case manages(access) == nil:
		err = s.Rooms.Moderate(ctx, c.self(), at, in.ID, in.Reason)
	default:
		err = fault.ErrRole
	}
	if err != nil {
		return err
	}
	detail := acts.Detail{"message": in.ID, "sender": es[0].Sender, "reason": in.Reason}
	c.p.Audit(ctx, c.actor, acts.MessageRetract, g.Slug, detail)
	return nil
}

func (s *Server) searchMessages(ctx context.Context, c caller, in *SearchQuery) ([]Message, error) {
	f := s.Find(ctx, c.host(), c.self(), in.Q)
	f.From, f.Max = in.From, in.Limit
	var err error
	if in.Older != "" {
		if f.Older, err = store.ParseID(in.Older); err != nil {
			return nil, notFound
		}
	}
	found, _, err := s.Store.SearchMessages(ctx, f)
	out := []Message{}
	for _, m := range found {
		h := s.Org.Hit(ctx, c.host(), c.me.Display(), m)
		out = append(out, Message{
			ID:     m.ID.String(),
			At:     h.At,
			Nick:   h.By,
			Sender: m.Sender,
			Text:   h.Text,
			Where:  h.Where,
			Link:   h.Link,
		})
	}
	return out, err
}
