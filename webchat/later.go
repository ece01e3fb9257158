package webchat

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// Scheduled is a message that the server sends for the caller at a time, or something that it reminds the caller of.
type Scheduled struct {
	ID           string    `json:"id"`
	Kind         string    `json:"kind" enum:"message,reminder"`
	Conversation string    `json:"conversation,omitempty" doc:"none: it is gone, or the reminder is of none"`
	Where        string    `json:"where,omitempty" doc:"name of the conversation; none: the caller may not read it"`
	At           time.Time `json:"at"`
	Text         string    `json:"text"`
	Reply        string    `json:"reply,omitempty" doc:"id of the message that it answers"`
	Files        []File    `json:"files,omitempty"`
	Mentions     []Mention `json:"mentions,omitempty"`
	Message      string    `json:"message,omitempty" doc:"id of the message that the reminder is about"`
	Failed       string    `json:"failed,omitempty" doc:"why it was not sent; it waits for another time"`
}

// ScheduledList is what the caller has sent later.
type ScheduledList struct {
	Scheduled []Scheduled `json:"scheduled"`
}

// NewScheduled is a message to be sent later.
type NewScheduled struct {
	At       time.Time `json:"at" doc:"at most a year from now"`
	Text     string    `json:"text" maxLength:"20000"`
	Reply    string    `json:"reply,omitempty" maxLength:"13" doc:"id of the message that this one answers"`
	Files    []File    `json:"files,omitempty" maxItems:"10"`
	Mentions []Mention `json:"mentions,omitempty" maxItems:"50"`
}

// ScheduledChange changes what is sent later. What is left out stays.
type ScheduledChange struct {
	At       *time.Time `json:"at,omitempty"`
	Text     *string    `json:"text,omitempty" maxLength:"20000"`
	Mentions []Mention  `json:"mentions,omitempty" maxItems:"50" doc:"of the text, if it is given"`
}

// moreOf is what package store keeps of a scheduled message without looking at it.
type moreOf struct {
	Reply    string    `json:"reply,omitempty"`
	Files    []File    `json:"files,omitempty"`
	Mentions []Mention `json:"mentions,omitempty"`
	Message  string    `json:"message,omitempty"`
}

func (m moreOf) text() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("webchat: " + err.Error()) // there is nothing in it that cannot be encoded
	}
	return string(b)
}

func moreIn(x *store.Scheduled) (m moreOf, err error) { return m, json.Unmarshal([]byte(x.More), &m) }

// Schedule keeps a message for later. It is sent by the rules of the conversation at that time.
func (s *Service) Schedule(ctx context.Context, account string, id jid.JID, n NewScheduled) (Scheduled, error) {
	if err := s.Writes(ctx, account, id); err != nil {
		return Scheduled{}, err
	}
	o := Outgoing{Text: n.Text, Files: n.Files}
	if err := o.check(); err != nil {
		return Scheduled{}, err
	}
	for _, f := range n.Files {
		if err := checkFile(f); err != nil {
			return Scheduled{}, err
		}
	}
	x, err := s.cfg.Later.Add(ctx, store.Scheduled{
		Owner: account,
		Chat:  id.String(),
		Text:  o.Text,
		More:  moreOf{Reply: n.Reply, Files: n.Files, Mentions: n.Mentions}.text(),
		Due:   n.At,
	})
	return s.listedLater(ctx, &x, nil), err
}

// Later lists what a person has sent later, the first first.
func (s *Service) Later(ctx context.Context, account string) (ScheduledList, error) {
	list := ScheduledList{Scheduled: []Scheduled{}}
	xs, err := s.cfg.Later.List(ctx, account)
	names := make(map[string]string)
	for i := range xs {
		list.Scheduled = append(list.Scheduled, s.listedLater(ctx, &xs[i], names))
	}
	return list, err
}

// OwnsLater returns an error if a person has scheduled nothing with this id.
func (s *Service) OwnsLater(ctx context.Context, account, id string) error {
	n, err := laterID(id)
	if err != nil {
		return err
	}
	xs, err := s.cfg.Later.List(ctx, account)
	if err == nil && !slices.ContainsFunc(xs, func(x store.Scheduled) bool { return x.ID == n }) {
		err = missingLater(store.ErrNotFound)
	}
	return err
}

// ChangeLater changes the text or the time of what a person has sent later.
func (s *Service) ChangeLater(ctx context.Context, account, id string, c ScheduledChange) (Scheduled, error) {
	n, err := laterID(id)
	if err != nil {
		return Scheduled{}, err
	}
	x, err := s.cfg.Later.Change(ctx, account, n, func(x *store.Scheduled) error {
		more, err := moreIn(x)
		if err != nil {
			return err
		}
		if c.At != nil {
			x.Due = *c.At
		}
		if c.Text != nil {
			x.Text, more.Mentions = *c.Text, c.Mentions
			x.More = more.text()
		}
		o := Outgoing{Text: x.Text, Files: more.Files}
		return o.check()
	})
	if err != nil {
		return Scheduled{}, missingLater(err)
	}
	return s.listedLater(ctx, &x, nil), nil
}

// DeleteLater has something not sent.
func (s *Service) DeleteLater(ctx context.Context, account, id string) error {
	n, err := laterID(id)
	if err != nil {
		return err
	}
	return missingLater(s.cfg.Later.Delete(ctx, account, n))
}

// SendNow sends something before its time.
func (s *Service) SendNow(ctx context.Context, account, id string) error {
	n, err := laterID(id)
	if err != nil {
		return err
	}
	return missingLater(s.cfg.Later.SendNow(ctx, account, n))
}

func laterID(id string) (store.ID, error) {
	n, err := store.ParseID(id)
	if err != nil || n == 0 {
		err = missingLater(store.ErrNotFound)
	}
	return n, err
}

func missingLater(err error) error {
	if store.KindOf(err) == fault.NotFound && fault.Of(err) == nil {
		return fault.New(fault.NotFound, "", "no such scheduled message")
	}
	return err
}

// listedLater shows what is sent later to its owner. names has the names of conversations that were looked up; nil:
// none.
func (s *Service) listedLater(ctx context.Context, x *store.Scheduled, names map[string]string) Scheduled {
	more, err := moreIn(x)
	if err != nil {
		s.failed("cannot read a scheduled message", err)
	}
	out := Scheduled{
		ID:           x.ID.String(),
		Kind:         "message",
		Conversation: x.Chat,
		At:           x.Due,
		Text:         x.Text,
		Reply:        more.Reply,
		Files:        more.Files,
		Mentions:     more.Mentions,
		Message:      more.Message,
		Failed:       x.Failed,
	}
	if x.Reminder {
		out.Kind = "reminder"
	}
	name, known := names[x.Chat]
	if !known {
		if name = s.LaterPlace(ctx, x); names != nil {
			names[x.Chat] = name
		}
	}
	out.Where = name
	return out
}

// LaterPlace gives the name of the conversation of a scheduled message for its owner; "" if the owner may not read it
// (later.Service.Place).
func (s *Service) LaterPlace(ctx context.Context, x *store.Scheduled) string {
	_, f, err := s.laterIn(ctx, x)
	if err != nil {
		if server.Fault(err) == nil {
			s.failed("cannot find a conversation", err)
		}
		return ""
	}
	return s.placeName(&f)
}

// laterIn finds the conversation of a scheduled message.
func (s *Service) laterIn(ctx context.Context, x *store.Scheduled) (id jid.JID, f found, err error) {
	gone := fault.New(fault.NotFound, "", "The conversation does not exist any more")
	if x.Chat == "" {
		return id, f, gone
	}
	who, err := jid.New(x.Owner, s.cfg.Host.Domain, "")
	if err != nil {
		return id, f, err
	}
	if id, err = jid.Parse(x.Chat); err != nil {
		return id, f, err
	}
	f, err = s.find(ctx, who, id)
	if fault.Is(err, fault.NotFound) {
		err = gone
	}
	return id, f, err
}

// LaterChanged tells browsers of what their person has sent later (later.Service.Changed).
func (s *Service) LaterChanged(x *store.Scheduled, gone bool) {
	if !s.listens(x.Owner) {
		return
	}
	kept := *x
	s.do(func(ctx context.Context) {
		if gone {
			s.tell(x.Owner, event("scheduled", map[string]string{"gone": kept.ID.String()}))
			return
		}
		s.tell(x.Owner, event("scheduled", map[string]Scheduled{"scheduled": s.listedLater(ctx, &kept, nil)}))
	})
}

// DeliverLater sends a scheduled message in its owner's name, or reminds its owner (later.Service.Deliver).
func (s *Service) DeliverLater(ctx context.Context, x *store.Scheduled) error {
	u, err := s.cfg.Store.Person(ctx, s.cfg.Host.Domain, x.Owner)
	if err != nil {
		return err
	}
	if u.State() != store.StateActive {
		return fault.New(fault.Forbidden, "", "The account is closed")
	}
	if x.Reminder {
		return s.remind(ctx, x)
	}
	id, f, err := s.laterIn(ctx, x)
	if err != nil {
		return refused(err)
	}
	if !f.conversation.Write {
		return fault.New(fault.Forbidden, "", "You cannot write in this conversation")
	}
	more, err := moreIn(x)
	if err != nil {
		return err
	}
	b, end, err := s.passing(ctx, x.Owner)
	if err != nil {
		return err
	}
	defer end()
	p := &speaker{s, b, id, f}
	o := Outgoing{
		Text:     x.Text,
		Origin:   "later-" + x.ID.String(),
		Again:    true, // an earlier try may have been ended in the middle
		Reply:    more.Reply,
		Files:    more.Files,
		Mentions: more.Mentions,
	}
	_, err = p.sendOnce(ctx, o)
	if o.Reply != "" && fault.Is(err, fault.NotFound) { // what it answers is gone
		o.Reply = ""
		_, err = p.sendOnce(ctx, o)
	}
	return err
}

// passing gives a session of an account that is there for one message, and ends it. Nobody sees it.
func (s *Service) passing(ctx context.Context, account string) (b *Browser, end func(), err error) {
	b = s.newBrowser(Credential{})
	info := server.SessionInfo{Transport: "web", Client: server.Client{Software: "parley"}}
	if b.session, err = s.cfg.Host.Bind(ctx, account, "", server.Generate, b, info); err != nil {
		return nil, nil, refused(err)
	}
	return b, func() { s.cfg.Host.Unbind(ctx, b.session) }, nil
}
