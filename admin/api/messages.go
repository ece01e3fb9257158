package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/messages"
	"parley/org"
	"parley/store"
)

// Message is a message in a room.
type Message struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Nick   string    `json:"nick"`
	Sender string    `json:"sender,omitempty" doc:"author's address, if it is known"`
	Text   string    `json:"text" doc:"with the addresses of files, each on a line"`
	Where  string    `json:"where,omitempty"`
	Link   string    `json:"link,omitempty"`

	Kind      string     `json:"kind,omitempty" enum:"me,room,meeting,encrypted" doc:"none: somebody says it"`
	Edited    *time.Time `json:"edited,omitempty" doc:"time of the last correction"`
	Reply     *Reply     `json:"reply,omitempty"`
	Reactions []Reaction `json:"reactions,omitempty" doc:"not in search results"`
	Files     []SentFile `json:"files,omitempty"`
}

// Reply is the message that another one replies to.
type Reply struct {
	ID   string `json:"id"`
	By   string `json:"by,omitempty"`
	Text string `json:"text,omitempty" doc:"at most 200 characters"`
	Gone bool   `json:"gone,omitempty" doc:"it was removed"`
}

// Reaction is an emoji with the nicknames of those who have reacted with it.
type Reaction struct {
	Emoji string   `json:"emoji"`
	By    []string `json:"by"`
}

// SentFile is a file that was sent.
type SentFile struct {
	URL    string `json:"url"`
	Name   string `json:"name"`
	Type   string `json:"type,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
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
	p := store.Page{Max: in.Limit, Backwards: in.After == ""}
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
	ms, _, err := s.reads(from).Room(ctx, s.Org.RoomDomain(c.host()), local, p)
	out := []Message{}
	for _, m := range ms {
		if m.Removed != nil || m.Kind == messages.Subject {
			continue
		}
		if !org.ShowsAddresses(g, access) {
			m = m.WithoutAddresses()
		}
		out = append(out, showMessage(m))
	}
	return out, err
}

// reads reads messages from a time on.
func (s *Server) reads(from time.Time) messages.Reader {
	return messages.Reader{Store: s.Store, Since: from}
}

func showMessage(m messages.Message) Message {
	out := Message{
		ID:     m.ID.String(),
		At:     m.At,
		Nick:   m.By.Nick,
		Sender: m.By.Address,
		Text:   m.Plain(),
		Kind:   string(m.Kind),
	}
	if !m.Edited.IsZero() {
		out.Edited = &m.Edited
	}
	if re := m.Reply; re != nil {
		out.Reply = &Reply{ID: re.ID, By: re.By, Text: re.Text, Gone: re.Gone}
	}
	for _, r := range m.Reactions {
		by := make([]string, 0, len(r.By))
		for _, a := range r.By {
			by = append(by, a.Nick)
		}
		out.Reactions = append(out.Reactions, Reaction{r.Emoji, by})
	}
	for _, f := range m.Files {
		out.Files = append(out.Files, SentFile(f))
	}
	return out
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
	if err != nil || !read {
		return notFound
	}
	at := s.Org.RoomJID(g.Host, local)
	m, err := s.reads(from).InRoom(ctx, at.Domain(), local, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return notFound
	case err != nil:
		return err
	case m.By.Address == c.self().String() && c.me.Lived(m.At):
		err = s.Rooms.Retract(ctx, c.self(), at, m.ID.String())
	case manages(access) == nil:
		err = s.Rooms.Moderate(ctx, c.self(), at, m.ID.String(), in.Reason)
	default:
		err = fault.ErrRole
	}
	if err != nil {
		return err
	}
	detail := acts.Detail{"message": m.ID.String(), "sender": m.By.Address, "reason": in.Reason}
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
	if err != nil {
		return nil, err
	}
	hits, err := s.Org.Hits(ctx, c.host(), c.self(), c.me.Display(), found)
	out := []Message{}
	for _, h := range hits {
		m := showMessage(h.Message)
		m.ID, m.Nick, m.Where, m.Link = h.ID.String(), h.By, h.Where, h.Link
		out = append(out, m)
	}
	return out, err
}
