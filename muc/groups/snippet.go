package groups

import (
	"context"
	"strings"

	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// snippetTexts say saved replies of a person's teams, by their names.
func snippetTexts() []textCommand {
	return []textCommand{
		{"snippet", "NAME", "post a saved reply of your teams", inGroup | inTheme, muc.None, textSnippet},
		{"snippets", "", "the saved replies of your teams", inGroup | inTheme, muc.None, textSnippets},
	}
}

func textSnippets(ctx context.Context, c *textCall) (string, error) {
	xs, err := c.org().SharedOf(ctx, c.host(), store.SharedSnippet, c.who)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, x := range xs {
		first, _, _ := strings.Cut(x.Text, "\n")
		lines = append(lines, x.Name+" ("+x.Team.Name+"): "+first)
	}
	if len(lines) == 0 {
		return "Your teams have no saved replies yet.", nil
	}
	return strings.Join(cut(lines), "\n"), nil
}

func textSnippet(ctx context.Context, c *textCall) (string, error) {
	x, err := c.org().Snippet(ctx, c.host(), c.who, c.rest)
	if err != nil {
		return "", err
	}
	said, err := c.s.asks.sayAs.Ask(ctx, c.room, muc.Patience, saying{c.who, x.Text})
	if err == nil && !said {
		err = server.WithText(server.Forbidden, "you may not write here")
	}
	return "", err
}

// sayAsAsked is sayAs for a command.
func (k *keeper) sayAsAsked(ctx context.Context, x saying) (bool, error) {
	return k.sayAs(ctx, x.Who, x.Text), nil
}

// sayAs says something in the name of a person who may write; it returns false if the person is not in the room and has
// not spoken there lately, or may not write.
func (k *keeper) sayAs(ctx context.Context, who jid.JID, body string, more ...*wire.Element) bool {
	o := k.r.Voice(who.Bare())
	if o == nil || k.closed || o.Role() == "visitor" {
		return false
	}
	st := k.s.toAll(o.Client(), body, more...)
	st.To = k.r.JID()
	k.r.PostAs(o, st, st)
	k.r.Flush(ctx)
	return true
}
