package webchat

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/messages"
	"parley/org"
	"parley/server"
	"parley/wire/jid"
)

// Forwarding says where a message is forwarded to.
type Forwarding struct {
	To     string `json:"to" maxLength:"3071" doc:"id of the conversation"`
	Text   string `json:"text,omitempty" maxLength:"5000" doc:"what the caller says of it"`
	Origin string `json:"origin,omitempty" maxLength:"64" doc:"an id that the client makes"`
	Again  bool   `json:"again,omitempty" doc:"an earlier attempt with this origin may have arrived"`
}

// Forwarded is a message that was forwarded.
type Forwarded struct {
	Conversation string  `json:"conversation"`
	Message      Message `json:"message"`
}

// Forward sends a message of a conversation to another one: as a quote, which every client shows, with its author; with
// its place where those who read it there may know of that; and with its files by their addresses, which whoever has
// them may open.
func (s *Service) Forward(ctx context.Context, account string, c Credential, id jid.JID, message string,
	f Forwarding) (Forwarded, error) {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return Forwarded{}, err
	}
	m, err := s.one(ctx, account, id, &p.f, message)
	if err != nil {
		return Forwarded{}, err
	}
	if m.Removed != nil || m.Kind == messages.Subject || m.Kind == messages.Encrypted {
		return Forwarded{}, fault.New(fault.NotAllowed, "", "This message cannot be forwarded")
	}
	to, err := jid.Parse(f.To)
	if err != nil {
		return Forwarded{}, fault.New(fault.Invalid, "to", "Choose a conversation")
	}
	target, err := s.speaker(ctx, account, c, to)
	if _, refused := server.Refusal(err); refused || err == nil && !target.f.conversation.Write {
		return Forwarded{}, fault.New(fault.Invalid, "to", "You cannot write in this conversation")
	}
	if err != nil {
		return Forwarded{}, err
	}
	comment := strings.TrimSpace(strings.ReplaceAll(f.Text, "\r\n", "\n"))
	if utf8.RuneCountInString(comment) > maxForwardNote {
		return Forwarded{}, fault.New(fault.Invalid, "text", "This is too long for one message")
	}
	o := Outgoing{Text: p.quoted(ctx, &m, target), Origin: f.Origin, Again: f.Again, forwards: true}
	if comment != "" {
		o.comment, o.Text = utf8.RuneCountInString(comment), comment+"\n\n"+o.Text
	}
	for _, x := range m.Files {
		o.Files = append(o.Files, File{x.URL, x.Name, x.Type, x.Size, x.Width, x.Height})
	}
	o.Files = o.Files[:min(len(o.Files), 10)]
	sent, err := s.Send(ctx, account, c, to, o)
	return Forwarded{to.String(), sent}, err
}

const (
	maxForwardNote = 5000  // characters of what is said of a forwarded message
	maxQuoted      = 12000 // characters of a forwarded message
)

// calls finds what would mention somebody in a text.
var calls = regexp.MustCompile(`(^|[^\pL\pN/:._-])@([\pL\pN_])`)

// quoted gives a message as a quote in another conversation. It mentions nobody there.
func (p *speaker) quoted(ctx context.Context, m *messages.Message, target *speaker) string {
	shown := p.s.message(ctx, m, p.f.scene)
	var head []string
	if shown.By != nil {
		head = append(head, shown.By.Name)
	}
	address := ""
	if p.known(ctx, target) {
		head = append(head, p.s.placeName(&p.f))
		address = p.s.addressOf(p.id, m.ID.String())
	}
	head = append(head, m.At.UTC().Format("2 Jan 2006, 15:04 (MST)"))
	text := m.Text
	if m.Kind == messages.Me && shown.By != nil {
		text = shown.By.Name + " " + text
	}
	if rs := []rune(text); len(rs) > maxQuoted {
		text = string(rs[:maxQuoted]) + "…"
	}
	lines := []string{strings.Join(head, " · ") + ":"}
	if text != "" {
		lines = append(lines, strings.Split(calls.ReplaceAllString(text, "$1@\u2060$2"), "\n")...)
	}
	quote := "> " + strings.Join(lines, "\n> ")
	if address != "" {
		quote += "\n" + address
	}
	return quote
}

// known says whether those who read the target may know of the conversation: one person is asked for exactly; of a
// group all are in the same group, or people of the organization, who find the group anyway.
func (p *speaker) known(ctx context.Context, target *speaker) bool {
	from, to := p.f.place, target.f.place
	switch {
	case p.f.scene.self != "":
		return false
	case target.id == p.id:
		return true
	case target.f.scene.self != "":
		_, err := p.s.find(ctx, target.id, p.id)
		return err == nil && target.id.Domain() == p.s.cfg.Host.Domain
	case from == nil || to == nil || from.Theme != nil && from.Theme.Restricted:
		return false
	}
	return from.Group.ID == to.Group.ID || org.RulesOf(from.Group).Listed && !org.RulesOf(to.Group).Remote
}
