package webchat

import (
	"context"
	"crypto/rand"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/messages"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// NewTask is a task to be made.
type NewTask struct {
	What    string     `json:"what" minLength:"1" maxLength:"200"`
	For     string     `json:"for,omitempty" maxLength:"3071" doc:"address of a person of the conversation"`
	Due     *time.Time `json:"due,omitempty"`
	Link    string     `json:"link,omitempty" maxLength:"2000" doc:"address of a ticket or a project"`
	Message string     `json:"message,omitempty" maxLength:"13" doc:"id of the message that it is made of"`
}

// TaskChange changes a task. What is left out stays.
type TaskChange struct {
	What *string `json:"what,omitempty" minLength:"1" maxLength:"200"`
	For  *string `json:"for,omitempty" maxLength:"3071" doc:"empty: for nobody in particular"`
	Due  *string `json:"due,omitempty" maxLength:"40" doc:"a time as in RFC 3339; empty: no deadline"`
	Link *string `json:"link,omitempty" maxLength:"2000" doc:"empty: no link"`
	Done *bool   `json:"done,omitempty"`
}

// MakeTask makes a task in a conversation, and tells the people there.
func (s *Service) MakeTask(ctx context.Context, account string, c Credential, id jid.JID, n NewTask) (Task, error) {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return Task{}, err
	}
	if !p.f.conversation.Write {
		return Task{}, fault.New(fault.Forbidden, "", "You cannot write in this conversation")
	}
	who := p.b.session.JID.Bare()
	place := inConversation(id, who, &p.f)
	t := store.Task{Room: place.Room, One: place.One, Two: place.Two, Maker: who.String(), What: n.What, Link: n.Link}
	if n.Due != nil {
		t.Due = *n.Due
	}
	if t.Assignee, err = p.assignee(ctx, n.For); err != nil {
		return Task{}, err
	}
	if n.Message != "" {
		if _, err := s.one(ctx, account, id, &p.f, n.Message); err != nil {
			return Task{}, err
		}
		if t.Room != "" { // between two people each has ids of their own
			t.Message = n.Message
		}
	}
	if t, err = s.cfg.Tasks.Add(ctx, t); err != nil {
		return Task{}, err
	}
	// It is kept before it is told of, so that a message never tells of nothing.
	if err := p.tellOfTask(ctx, &t, n.Message); err != nil {
		if undo := s.cfg.Tasks.Delete(ctx, t.ID); undo != nil {
			s.failed("cannot remove a task that nobody was told of", undo)
		}
		return Task{}, err
	}
	s.do(func(ctx context.Context) { s.tellTask(ctx, &t, false) })
	return s.listedTask(ctx, &taskAt{t, id, p.f}), nil
}

// assignee finds whom a task is for: somebody who may read the conversation. In a room that hides addresses it is
// oneself, by one's id there.
func (p *speaker) assignee(ctx context.Context, address string) (string, error) {
	self := p.b.session.JID.Bare()
	if address == "" || address == self.String() {
		return address, nil
	}
	if !p.f.scene.addressed {
		if address == p.f.conversation.Me {
			return self.String(), nil
		}
		return "", fault.New(fault.Invalid, "for", "People do not see each other's addresses here: a task is for you, or "+
			"for nobody")
	}
	stranger := fault.New(fault.Invalid, "for", "This person is not in the conversation")
	who, err := jid.Parse(address)
	if err != nil || who.Local() == "" || !who.IsBare() {
		return "", stranger
	}
	if p.f.scene.self != "" {
		if who != p.id {
			return "", stranger
		}
		return who.String(), nil
	}
	if who.Domain() == p.s.cfg.Host.Domain {
		if ok, err := p.s.cfg.Host.Exists(ctx, who.Local()); err != nil || !ok {
			return "", errorOr(err, stranger)
		}
	}
	_, err = p.s.find(ctx, who, p.id)
	if _, refused := server.Refusal(err); refused {
		return "", stranger
	}
	return who.String(), err
}

func errorOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// tellOfTask says in the conversation what is to be done, for whom and until when, in the organization's language. It
// mentions who is to do it, and answers the message that the task is made of.
func (p *speaker) tellOfTask(ctx context.Context, t *store.Task, message string) error {
	l := p.s.words()
	text := l.T("Task: {{.What}}", "What", t.What)
	var call []Mention
	if a := p.s.inTask(ctx, t.Assignee, p.f.scene); a != nil {
		before, after, _ := strings.Cut(l.T("for {{.Name}}", "Name", "\x00"), "\x00")
		text += " — " + before
		begin := utf8.RuneCountInString(text)
		text += a.Name
		if a.Address != "" && t.Assignee != p.b.session.JID.Bare().String() {
			call = []Mention{{Begin: begin, End: utf8.RuneCountInString(text), Address: a.Address}}
		}
		text += after
	}
	if !t.Due.IsZero() {
		joint := " — "
		if t.Assignee != "" {
			joint = ", "
		}
		text += joint + l.T("until {{.Time}}", "Time", l.Moment(t.Due)+t.Due.Format(" (MST)"))
	}
	if t.Link != "" {
		text += " — " + t.Link
	}
	return p.sayTask(ctx, t, text, message, call, false)
}

// sayTask sends a message that tells of a task.
func (p *speaker) sayTask(ctx context.Context, t *store.Task, text, reply string, call []Mention, done bool) error {
	if at := p.s.cfg.Tasks.Address(t.ID); at != "" {
		text += "\n" + at
	}
	e := wire.E(messages.NSTask, "task").Set("id", t.ID.String())
	if done {
		e.Set("done", "true")
	}
	o := Outgoing{Text: text, Reply: reply, Mentions: call}
	_, err := p.sendText(ctx, o, strings.ToLower(rand.Text()), e)
	if fault.Of(err) != nil && call != nil { // one may not mention people here
		o.Mentions = nil
		_, err = p.sendText(ctx, o, strings.ToLower(rand.Text()), e)
	}
	return err
}

// ChangeTask changes a task, and ticks it off. The people of the conversation are told when it is done, and when it is
// for somebody else.
func (s *Service) ChangeTask(ctx context.Context, account string, c Credential, id string, x TaskChange) (Task, error) {
	p, t, err := s.taskSpeaker(ctx, account, c, id)
	if err != nil {
		return Task{}, err
	}
	if !p.f.conversation.Write {
		return Task{}, fault.New(fault.Forbidden, "", "You cannot write in this conversation")
	}
	self := p.b.session.JID.Bare().String()
	change, err := p.change(ctx, x, s.cfg.Host.IDs.Now(), self)
	if err != nil {
		return Task{}, err
	}
	was, now, err := s.cfg.Tasks.Change(ctx, t.ID, change)
	if err != nil {
		return Task{}, err
	}
	switch {
	case p.id.IsZero():
	case was.Done.IsZero() && !now.Done.IsZero():
		err = p.sayTask(ctx, &now, p.s.words().T("Done: {{.What}}", "What", now.What), "", nil, true)
	case now.Assignee != was.Assignee && now.Assignee != "" && now.Assignee != self:
		err = p.tellOfTask(ctx, &now, "")
	}
	if err != nil && fault.Of(err) == nil { // the task is changed all the same, and its cards say so
		s.failed("cannot tell of a task", err, "conversation", t.conversation())
	}
	s.do(func(ctx context.Context) { s.tellTask(ctx, &now, false) })
	t.Task = now
	return s.listedTask(ctx, &t), nil
}

// taskSpeaker finds a task, and its conversation for somebody who may say something there.
func (s *Service) taskSpeaker(ctx context.Context, account string, c Credential, id string) (*speaker, taskAt, error) {
	b, err := s.browser(ctx, account, c)
	if err != nil {
		return nil, taskAt{}, err
	}
	t, err := s.task(ctx, b.session.JID, id)
	return &speaker{s, b, t.id, t.f}, t, err
}

// change makes of a TaskChange what changes a task.
func (p *speaker) change(ctx context.Context, x TaskChange, now time.Time,
	self string) (func(*store.Task) error, error) {
	var assignee string
	var due time.Time
	var err error
	if x.For != nil {
		if assignee, err = p.assignee(ctx, *x.For); err != nil {
			return nil, err
		}
	}
	if x.Due != nil && *x.Due != "" {
		if due, err = time.Parse(time.RFC3339, *x.Due); err != nil {
			return nil, fault.New(fault.Invalid, "due", "This is no deadline")
		}
	}
	return func(t *store.Task) error {
		if x.What != nil {
			t.What = *x.What
		}
		if x.For != nil {
			t.Assignee = assignee
		}
		if x.Due != nil {
			t.Due = due
		}
		if x.Link != nil {
			t.Link = *x.Link
		}
		switch {
		case x.Done == nil:
		case !*x.Done:
			t.Done, t.DoneBy = time.Time{}, ""
		case t.Done.IsZero():
			t.Done, t.DoneBy = now, self
		}
		return nil
	}, nil
}

// DeleteTask removes a task: one's own, or as a moderator somebody else's. Messages that tell of it stay as text.
func (s *Service) DeleteTask(ctx context.Context, account, id string) error {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return err
	}
	t, err := s.task(ctx, who, id)
	if err != nil {
		return err
	}
	if t.Maker != "" && t.Maker != who.String() && !t.f.conversation.Manage {
		return fault.New(fault.Forbidden, "", "A task is deleted by who made it, or by a moderator")
	}
	if t.Maker == "" && !t.f.conversation.Write {
		return fault.New(fault.Forbidden, "", "You cannot write in this conversation")
	}
	if err := s.cfg.Tasks.Delete(ctx, t.ID); err != nil {
		return err
	}
	s.do(func(ctx context.Context) { s.tellTask(ctx, &t.Task, true) })
	return nil
}
