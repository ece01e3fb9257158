package groups

import (
	"context"
	"strings"

	"parley/acts"
	"parley/messages"
	"parley/muc"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Text commands are lines that begin with `!` and a word, in a group's room or a theme: every client can send them.
// Only the client that sent the line gets it back, so that it knows that the line has arrived. The line is not kept.

// textCommand is a command that people write in a line.
type textCommand struct {
	word  string
	args  string // arguments, as help shows them
	about string
	where place
	least string // the lowest affiliation that has the command
	do    func(ctx context.Context, c *textCall) (answer string, err error)
}

// place says where a command can be used, as bits.
type place uint8

const (
	inGroup place = 1 << iota
	inTheme
)

// textCall is a command as it was typed. It is carried out outside the room's goroutine.
type textCall struct {
	s            *Service
	group, theme string  // id and key
	room         string  // localpart
	who          jid.JID // bare
	from         jid.JID // the client
	nick         string
	rest         string // the text after the word
	about        about
}

// textRule runs a command instead of saying its line.
func textRule(k *keeper) muc.Hooks {
	return muc.Hooks{Receive: func(ctx context.Context, o *muc.Occupant, st *wire.Stanza) (*wire.Stanza, error) {
		cmd, rest := k.textCommandOf(st)
		if cmd == nil {
			return st, nil
		}
		k.r.Flush(ctx)
		return nil, k.runText(ctx, o, st, cmd, rest)
	}}
}

// textCommandOf finds the command of a message; nil if it has none. A message that begins with an unknown word is an
// ordinary message.
func (k *keeper) textCommandOf(st *wire.Stanza) (cmd *textCommand, rest string) {
	if !st.Has(wire.NSClient, "body") {
		return nil, ""
	}
	if !strings.Contains(st.BodyText(), "!") {
		return nil, ""
	}
	m, _ := messages.Of(st)
	body := strings.TrimSpace(m.Text)
	if !strings.HasPrefix(body, "!") {
		return nil, ""
	}
	word, rest, _ := strings.Cut(body[1:], " ")
	if i := strings.IndexByte(word, '\n'); i >= 0 {
		word, rest = word[:i], word[i+1:]+" "+rest
	}
	for i := range k.s.texts {
		if c := &k.s.texts[i]; c.word == word && c.where&k.place() != 0 {
			return c, strings.TrimSpace(rest)
		}
	}
	return nil, ""
}

// runText starts a command. Its changes come to the room as work.
func (k *keeper) runText(ctx context.Context, o *muc.Occupant, st *wire.Stanza, cmd *textCommand, rest string) error {
	if !muc.AtLeast(o.Affiliation(), cmd.least) {
		return server.WithText(server.Forbidden, "you may not use !"+cmd.word+" here")
	}
	c := &textCall{
		s:     k.s,
		group: k.group,
		theme: k.theme,
		room:  k.r.Name(),
		who:   o.Person(),
		from:  st.From,
		nick:  o.Nick(),
		rest:  rest,
	}
	if c.about = aboutOf(st); c.about != (about{}) {
		k.r.Flush(ctx) // the command may be about a message that is still in the batch
	}
	k.r.Echo(ctx, o, st)
	st.Hold()
	begun := k.s.Background(func(ctx context.Context) {
		defer st.Receipt.Settle()
		answer, err := cmd.do(ctx, c)
		if err != nil {
			k.s.Fail(ctx, st, err)
			return
		}
		if answer == "" {
			return
		}
		a := k.s.toAll(k.r.JID(), answer)
		a.To = st.From
		k.s.host.Router.Send(ctx, a)
	})
	if !begun {
		st.Receipt.Settle()
		return muc.ErrClosing
	}
	return nil
}

// by is the actor of the command.
func (c *textCall) by() acts.Actor { return c.s.host.By(c.from, acts.Line) }

// help lists the commands that a person of an affiliation can use in a place.
func (c *textCall) help(ctx context.Context, at place, affiliation string) string {
	lines := []string{"What you can write here:"}
	for _, cmd := range c.s.texts {
		if cmd.where&at != 0 && muc.AtLeast(affiliation, cmd.least) && c.useful(ctx, cmd.word) {
			lines = append(lines, strings.TrimSpace("!"+cmd.word+" "+cmd.args)+": "+cmd.about)
		}
	}
	if c.s.search {
		lines = append(lines, "To find messages, write !search and words to notify@"+c.host())
	}
	return strings.Join(lines, "\n")
}

// useful says whether the group or the theme lets the person use a command that the affiliation allows.
func (c *textCall) useful(ctx context.Context, word string) bool {
	switch word {
	case "theme":
		return c.org().MayCreateTheme(ctx, c.host(), c.group, c.who) == nil
	case "rename", "close", "reopen":
		return c.org().MayManageTheme(ctx, c.host(), c.theme, c.who) == nil
	}
	return true
}

// number reads a number that is not negative. It gives -1 for anything else.
func number(s string) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<30 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	if s == "" {
		return -1
	}
	return n
}
