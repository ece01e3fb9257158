package webchat

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/messages"
	"parley/wire"
	"parley/wire/jid"
)

func number(n int) string { return strconv.Itoa(n) }

// target finds the message that a person wants to change, or to react to.
func (s *Service) target(ctx context.Context, account string, c Credential, id jid.JID,
	message string) (*speaker, messages.Message, error) {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return nil, messages.Message{}, err
	}
	m, err := s.one(ctx, account, id, &p.f, message)
	if err == nil && m.Removed != nil {
		err = fault.New(fault.NotFound, "", "This message was removed")
	}
	return p, m, err
}

// mine says whether the person has said a message.
func (p *speaker) mine(ctx context.Context, m *messages.Message) bool {
	return p.s.saidBy(ctx, p.b.session.JID.Bare(), p.id, &p.f, m)
}

// saidBy says whether a person has said a message.
func (s *Service) saidBy(ctx context.Context, who, id jid.JID, f *found, m *messages.Message) bool {
	if f.scene.self != "" {
		return s.side(m.By, m.Incoming, f.scene).Address == who.String()
	}
	if m.By.Occupant != "" {
		own, err := s.Rooms.OccupantIDOf(ctx, id.Local(), who)
		return err == nil && own == m.By.Occupant
	}
	return m.By.Address == who.String()
}

// Edits returns an error if a person may not give a message another text.
func (s *Service) Edits(ctx context.Context, account string, id jid.JID, message string) error {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return err
	}
	f, err := s.find(ctx, who, id)
	if err != nil {
		return err
	}
	m, err := s.one(ctx, account, id, &f, message)
	if err == nil && !s.saidBy(ctx, who, id, &f, &m) {
		err = fault.New(fault.Forbidden, "", "You can edit only messages of your own")
	}
	return err
}

// again gives a message after a change.
func (p *speaker) again(ctx context.Context, m *messages.Message) (Message, error) {
	now, err := p.s.one(ctx, p.account(), p.id, &p.f, m.ID.String())
	if err != nil {
		return Message{}, err
	}
	return p.s.message(ctx, &now, p.f.scene), nil
}

// reference gives the id by which clients of this kind of conversation name a message.
func (p *speaker) reference(m *messages.Message) string {
	if p.f.scene.self != "" {
		return m.Own
	}
	return m.ID.String()
}

// Edit gives a message of one's own another text (XEP-0308).
func (s *Service) Edit(ctx context.Context, account string, c Credential, id jid.JID, message, text string,
	ms []Mention) (Message, error) {
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), " \n\t")
	if text == "" || utf8.RuneCountInString(text) > MaxText {
		return Message{}, fault.New(fault.Invalid, "text", "A message has between 1 and 20,000 characters")
	}
	p, m, err := s.target(ctx, account, c, id, message)
	switch {
	case err != nil:
		return Message{}, err
	case !p.mine(ctx, &m):
		return Message{}, fault.New(fault.Forbidden, "", "You can edit only messages of your own")
	case m.Own == "" || len(m.Files) > 0 || m.Opens != nil:
		return Message{}, fault.New(fault.NotAllowed, "", "This message cannot be edited")
	}
	refs, err := p.references(ctx, text, ms, 0)
	if err != nil {
		return Message{}, err
	}
	st := p.stanza(strings.ToLower(rand.Text()))
	st.Add(wire.T(wire.NSClient, "body", text), wire.E(nsCorrect, "replace").Set("id", m.Own)).Add(refs...)
	if d := m.Preview; d != nil && messages.HasAddress(text, d.Address) {
		st.Add(d.Element())
	}
	if r := m.Reply; r != nil { // the answer stays an answer
		st.Add(wire.E(nsReply, "reply").Set("to", p.id.String()).Set("id", r.ID))
	}
	if _, _, err := p.send(ctx, p.identify(st)); err != nil {
		return Message{}, err
	}
	return p.again(ctx, &m)
}

// The bounds of a person's reactions to one message (XEP-0444).
const (
	maxReactions = 20
	maxEmoji     = 64 // bytes
)

// React sets a person's reactions to a message; none takes them back.
func (s *Service) React(ctx context.Context, account string, c Credential, id jid.JID, message string,
	emoji []string) (Message, error) {
	if len(emoji) > maxReactions {
		return Message{}, fault.New(fault.Invalid, "emoji", "Too many reactions to one message")
	}
	p, m, err := s.target(ctx, account, c, id, message)
	if err != nil {
		return Message{}, err
	}
	e := wire.E(nsReactions, "reactions").Set("id", p.reference(&m))
	var seen []string
	for _, x := range emoji {
		if x = strings.TrimSpace(x); x == "" || len(x) > maxEmoji || !utf8.ValidString(x) {
			return Message{}, fault.New(fault.Invalid, "emoji", "A reaction is an emoji")
		}
		if slices.Contains(seen, x) {
			continue
		}
		seen = append(seen, x)
		e.Add(wire.T(nsReactions, "reaction", x))
	}
	st := p.stanza(strings.ToLower(rand.Text())).Add(e, wire.E(wire.NSHints, "store"))
	if _, _, err := p.send(ctx, st); err != nil {
		return Message{}, err
	}
	return p.again(ctx, &m)
}

// Remove takes a message back: one's own (XEP-0424), or as a moderator somebody else's (XEP-0425). moderated says that
// it was somebody else's, whose address is returned if it is known. With warn the author is told why by a message.
func (s *Service) Remove(ctx context.Context, account string, c Credential, id jid.JID,
	message, reason string, warn bool) (moderated bool, author string, err error) {
	p, m, err := s.target(ctx, account, c, id, message)
	if err != nil {
		return false, "", err
	}
	if !p.mine(ctx, &m) {
		if p.f.scene.self != "" {
			return false, "", fault.New(fault.Forbidden, "", "You can take back only messages of your own")
		}
		if warn && !p.canWarn(&m) {
			return false, "", fault.New(fault.NotAllowed, "warn", "The author of this message cannot be warned")
		}
		err := p.s.Rooms.Moderate(ctx, p.b.session.JID, id, m.ID.String(), reason, p.nicks(ctx)...)
		if err == nil && warn {
			p.s.do(func(ctx context.Context) { p.warn(ctx, &m, reason) })
		}
		return true, m.By.Address, refused(err)
	}
	ref := p.reference(&m)
	if ref == "" {
		return false, "", fault.New(fault.NotAllowed, "", "This message cannot be taken back")
	}
	st := p.stanza(strings.ToLower(rand.Text()))
	st.Add(wire.E(wire.NSRetract, "retract").Set("id", ref), wire.E(wire.NSHints, "store"))
	_, _, err = p.send(ctx, st)
	return false, "", err
}

// Typing shows that the person is writing, or has stopped (XEP-0085).
func (s *Service) Typing(ctx context.Context, account string, c Credential, id jid.JID, on bool) error {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return err
	}
	state := "paused"
	if on {
		state = "composing"
	}
	st := p.stanza(strings.ToLower(rand.Text()))
	st.Add(wire.E(nsChatStates, state), wire.E(wire.NSHints, "no-store"))
	_, _, err = p.send(ctx, st)
	return err
}
