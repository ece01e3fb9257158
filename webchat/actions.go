package webchat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/feature/webhooks"
	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/messages"
	"parley/muc/groups"
	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

// ActionUse is what a person gives with the use of an action on a message.
type ActionUse struct {
	Comment string `json:"comment,omitempty" maxLength:"2000" doc:"for actions that take one"`
}

// ActionAnswer is what the program of an action has answered.
type ActionAnswer struct {
	Visible string `json:"visible" enum:"conversation,only-me" doc:"who sees it: everybody, as a message in the conversation, or the caller alone"`
	Text    string `json:"text,omitempty"`
	Link    string `json:"link,omitempty"`
	Message string `json:"message,omitempty" doc:"id of the message that tells it in the conversation"`
	Note    string `json:"note,omitempty" doc:"why it is not in the conversation, although the program wanted it to be"`

	Untold *fault.Error `json:"-"` // the door makes the note of it
}

// The values of Visible.
const (
	visibleAll = "conversation"
	visibleMe  = "only-me"
)

const (
	maxComment       = 2000 // characters
	actionsPerMinute = 15   // of a person
)

// asked is the JSON that a program gets.
type asked struct {
	Event        string       `json:"event"`
	At           time.Time    `json:"at"`
	Lang         string       `json:"lang"` // of who asks
	Action       askedAction  `json:"action"`
	By           askedPerson  `json:"by"`
	Comment      string       `json:"comment,omitempty"`
	Message      askedMessage `json:"message"`
	Conversation *askedPlace  `json:"conversation,omitempty"`
}

type askedAction struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type askedPerson struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
}

type askedMessage struct {
	ID     string       `json:"id"`
	At     time.Time    `json:"at"`
	Text   string       `json:"text,omitempty"`
	Files  []File       `json:"files,omitempty"`
	Author *askedPerson `json:"author,omitempty"`
	Link   string       `json:"link,omitempty"`
}

type askedPlace struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Group string `json:"group,omitempty"` // slug
	Theme string `json:"theme,omitempty"` // key
}

// Act has the program of an action do something with a message, and shows the answer as the program wants.
func (s *Service) Act(ctx context.Context, account string, c Credential, in SaidIn, use ActionUse) (ActionAnswer,
	error) {
	p, err := s.speaker(ctx, account, c, in.Conversation)
	if err != nil {
		return ActionAnswer{}, err
	}
	u, err := s.cfg.Store.Person(ctx, s.cfg.Host.Domain, account)
	if err != nil {
		return ActionAnswer{}, err
	}
	a, err := s.cfg.People.ActionFor(ctx, u, in.Action, p.f.scene.group)
	if err != nil {
		return ActionAnswer{}, err
	}
	use.Comment = strings.TrimSpace(use.Comment)
	switch {
	case use.Comment != "" && !a.Comment:
		return ActionAnswer{}, fault.New(fault.Invalid, "comment", "This action takes no comment")
	case utf8.RuneCountInString(use.Comment) > maxComment:
		return ActionAnswer{}, fault.New(fault.Invalid, "comment", "This is too long: at most {{.Max}} characters",
			"Max", maxComment)
	}
	m, err := s.one(ctx, account, in.Conversation, &p.f, in.Message)
	if err != nil {
		return ActionAnswer{}, err
	}
	if m.Removed != nil || m.Kind == messages.Room || m.Kind == messages.Encrypted {
		return ActionAnswer{}, fault.New(fault.NotAllowed, "", "Nothing can be done with this message")
	}
	if !s.acting.Allow(account, time.Time{}) {
		return ActionAnswer{}, fault.New(fault.Busy, "", "Too much at once. Wait a moment.")
	}
	// Who leaves meanwhile has asked all the same.
	return p.act(context.WithoutCancel(ctx), &a, &m, u, use.Comment)
}

// SaidIn names an action on a message.
type SaidIn struct {
	Conversation jid.JID
	Message      string
	Action       string
}

// act asks the program, and shows its answer.
func (p *speaker) act(ctx context.Context, a *store.Action, m *messages.Message, u store.Person,
	comment string) (ActionAnswer, error) {
	q := p.question(ctx, a, m, u)
	q.Comment = comment
	body, err := json.Marshal(q)
	if err != nil {
		return ActionAnswer{}, err
	}
	said, err := p.s.cfg.Ask(ctx, webhooks.Question{
		URL:    a.URL,
		Secret: a.Secret,
		Event:  "action",
		ID:     a.ID + "-" + p.s.cfg.Host.IDs.Next().String(),
		Body:   body,
	})
	if err != nil {
		return ActionAnswer{}, err
	}
	out := ActionAnswer{Visible: visibleMe, Text: said.Text, Link: said.Link}
	if !said.Public {
		return out, nil
	}
	if !p.f.conversation.Write {
		out.Untold = fault.Of(fault.New(fault.Forbidden, "", "You cannot write in this conversation"))
		return out, nil
	}
	id, err := p.tellAnswer(ctx, a, m.ID.String(), said)
	if err == nil {
		out.Visible, out.Message = visibleAll, id
		return out, nil
	}
	if out.Untold = fault.Of(refused(err)); out.Untold == nil {
		p.s.failed("cannot tell what a program has answered", err, "conversation", p.id.String())
		// The program has done what was asked: the person has to know.
		out.Untold = fault.Of(fault.New(fault.Busy, "", "The server could not put it into the conversation"))
	}
	return out, nil
}

// question gives what the program of an action is told.
func (p *speaker) question(ctx context.Context, a *store.Action, m *messages.Message, u store.Person) asked {
	self := p.b.session.JID.Bare().String()
	lang := u.Lang
	if lang == "" {
		lang = p.s.words().Code
	}
	q := asked{
		Event:   "action",
		At:      p.s.cfg.Host.IDs.Now().UTC(),
		Lang:    lang,
		Action:  askedAction{a.ID, a.Name},
		By:      askedPerson{p.nameOfSelf(ctx), self},
		Message: askedMessage{ID: m.ID.String(), At: m.At.UTC()},
	}
	shown := p.s.message(ctx, m, p.f.scene)
	for _, what := range a.Tells {
		switch what {
		case people.TellText:
			q.Message.Text, q.Message.Files = m.Plain(), shown.Files
		case people.TellAuthor:
			if shown.By != nil {
				q.Message.Author = &askedPerson{shown.By.Name, shown.By.Address}
			}
		case people.TellLink:
			if web := p.s.cfg.Web(); web != "" {
				q.Message.Link = web + people.ChatPath(p.id.String()) + "/" + q.Message.ID
			}
		case people.TellConversation:
			c := &p.f.conversation
			q.Conversation = &askedPlace{c.ID, c.Kind, c.Name, c.Group, c.Theme}
		}
	}
	return q
}

// nameOfSelf is the name under which everybody in the conversation knows the person.
func (p *speaker) nameOfSelf(ctx context.Context) string {
	if p.f.scene.self == "" {
		return p.nicks(ctx)[0]
	}
	return p.s.person(ctx, p.account()).name
}

// words is the language in which the server says something to everybody in a conversation: the organization's.
func (s *Service) words() *i18n.Lang { return s.cfg.Words.Lang(s.cfg.People.Policy().Lang) }

// tellAnswer puts what a program has answered into the conversation, as a reply to the message: in a room in the
// action's name, saying who has asked; between two people in the name of who has asked. It gives the message's id.
func (p *speaker) tellAnswer(ctx context.Context, a *store.Action, message string, said webhooks.Answer) (string,
	error) {
	l := p.s.words()
	name := a.Name
	if l.Code == "fr" && a.NameFR != "" {
		name = a.NameFR
	}
	lines := slices.DeleteFunc([]string{said.Text, said.Link}, func(s string) bool { return s == "" })
	text := strings.Join(lines, "\n")
	if p.f.scene.self != "" {
		o := Outgoing{Text: l.T("{{.Name}}: {{.Text}}", "Name", name, "Text", text), Reply: message}
		sent, err := p.sendText(ctx, o, strings.ToLower(rand.Text()))
		return sent.ID, err
	}
	quote, reply, err := p.reply(ctx, message)
	if err != nil {
		return "", err
	}
	id, err := p.s.Rooms.Say(ctx, p.id.Local(), groups.Said{
		ID:   "action-" + a.ID,
		Nick: name,
		Body: quote + text + "\n" + l.T("Asked by {{.Name}}", "Name", p.nameOfSelf(ctx)),
		Hat:  "bot",
		More: reply,
	})
	if err != nil || id == 0 {
		return "", err
	}
	return id.String(), nil
}
