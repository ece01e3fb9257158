package muc

import (
	"context"
	"slices"
	"strings"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Text commands are lines that begin with `!` and a word, in a group's room or a theme: what every client can send. The
// line is shown to who wrote it only, so that their client knows that it has arrived, and is not kept.

// textCommand is one of them.
type textCommand struct {
	word  string
	args  string // as help shows them
	about string
	where place
	least string // affiliation from which on it is there
	do    func(ctx context.Context, c *textCall) (answer string, err error)
}

// place says where a command is: bits.
type place uint8

const (
	inGroup place = 1 << iota
	inTheme
)

// textCall is a command as it was written. It is worked on away from the room's goroutine.
type textCall struct {
	s            *Service
	group, theme string  // id and key
	room         string  // localpart
	who          jid.JID // bare
	from         jid.JID // the client
	nick         string
	rest         string // what comes after the word
	about        about
}

// placeOf says what kind of room this is; 0 is a free one.
func (r *Room) place() place {
	switch {
	case r.group == "":
		return 0
	case r.theme == "":
		return inGroup
	}
	return inTheme
}

// textRule runs commands instead of saying them.
func textRule(r *Room) Hooks {
	if _, ok := r.keeper.(*grouped); !ok {
		return Hooks{}
	}
	return Hooks{Receive: func(ctx context.Context, o *Occupant, st *wire.Stanza) (*wire.Stanza, error) {
		cmd, rest := r.textCommandOf(st)
		if cmd == nil {
			return st, nil
		}
		r.flush(ctx)
		return nil, r.runText(ctx, o, st, cmd, rest)
	}}
}

// textCommandOf finds the command of a message, nil if it is none. A word that is none is something that is said.
func (r *Room) textCommandOf(st *wire.Stanza) (cmd *textCommand, rest string) {
	at := r.place()
	if at == 0 || !st.Has(wire.NSClient, "body") {
		return nil, ""
	}
	body := st.BodyText()
	if !strings.Contains(body, "!") {
		return nil, ""
	}
	if body = strings.TrimSpace(withoutFallback(st, body)); !strings.HasPrefix(body, "!") {
		return nil, ""
	}
	word, rest, _ := strings.Cut(body[1:], " ")
	if i := strings.IndexByte(word, '\n'); i >= 0 {
		word, rest = word[:i], word[i+1:]+" "+rest
	}
	for i := range r.s.texts {
		if c := &r.s.texts[i]; c.word == word && c.where&at != 0 {
			return c, strings.TrimSpace(rest)
		}
	}
	return nil, ""
}

// runText starts a command. What follows from it comes back to the room as work.
func (r *Room) runText(ctx context.Context, o *Occupant, st *wire.Stanza, cmd *textCommand, rest string) error {
	if rank[o.affiliation] < rank[cmd.least] {
		return server.WithText(server.Forbidden, "!"+cmd.word+" is not for you to use here")
	}
	c := &textCall{
		s:     r.s,
		group: r.group,
		theme: r.theme,
		room:  r.name,
		who:   o.bare,
		from:  st.From,
		nick:  o.nick,
		rest:  rest,
	}
	if c.about = aboutOf(st); c.about != (about{}) {
		r.flush(ctx) // it may be about what was just said
	}
	echo := r.outgoing(o, st)
	r.sign(echo, o, 0)
	r.send(ctx, echo, []jid.JID{st.From})
	asker, here := st.From, r.jid
	st.Hold()
	begun := r.s.background(func(ctx context.Context) {
		defer st.Receipt.Settle()
		answer, err := cmd.do(ctx, c)
		if err != nil {
			r.s.fail(ctx, st, err)
			return
		}
		if answer == "" {
			return
		}
		a := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: here, To: asker, ID: r.s.host.NewID()}
		r.s.host.Router.Send(ctx, a.Add(wire.T(wire.NSClient, "body", answer)))
	})
	if !begun {
		st.Receipt.Settle()
		return errClosing
	}
	return nil
}

// help lists the commands that somebody has in a place.
func (c *textCall) help(ctx context.Context, at place, affiliation string) string {
	lines := []string{"What you can write here:"}
	for _, cmd := range c.s.texts {
		if cmd.where&at != 0 && rank[affiliation] >= rank[cmd.least] && c.useful(ctx, cmd.word) {
			lines = append(lines, strings.TrimSpace("!"+cmd.word+" "+cmd.args)+": "+cmd.about)
		}
	}
	if c.s.cfg.Search {
		lines = append(lines, "To find what was said: write !search and words to notify@"+c.host())
	}
	return strings.Join(lines, "\n")
}

// useful says whether a command would be refused by more than the affiliation: what the group or the theme has so.
func (c *textCall) useful(ctx context.Context, word string) bool {
	switch word {
	case "theme":
		return c.org().MayCreateTheme(ctx, c.host(), c.group, c.who) == nil
	case "rename", "close", "reopen":
		return c.org().MayManageTheme(ctx, c.host(), c.theme, c.who) == nil
	}
	return true
}

// addTexts adds commands of another file of rules, when the service is made.
func (s *Service) addTexts(cs ...textCommand) { s.texts = slices.Concat(s.texts, cs) }

const nsFallback = "urn:xmpp:fallback:0"

// withoutFallback cuts out what a body repeats of the message that is replied to (XEP-0428, XEP-0461). Positions count
// characters.
func withoutFallback(st *wire.Stanza, body string) string {
	f := st.Element(nsFallback, "fallback")
	if f == nil || f.Attr("for") != nsReply {
		return body
	}
	b := f.Child(nsFallback, "body")
	if b == nil || b.Attr("start") == "" {
		return body
	}
	rs := []rune(body)
	start, end := number(b.Attr("start")), number(b.Attr("end"))
	if start < 0 || end < start || end > len(rs) {
		return body
	}
	return string(rs[:start]) + string(rs[end:])
}

// number reads one that is not negative; -1 if it is none.
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
