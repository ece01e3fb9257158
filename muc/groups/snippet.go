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
	return "", c.s.inRoom(ctx, c.room, func(ctx context.Context, k *keeper) error {
		if !k.sayAs(ctx, c.who, x.Text) {
			return server.WithText(server.Forbidden, "you may not write here")
		}
		return nil
	})
}

// inRoom does something in a group's room or a theme, and waits until it has.
func (s *Service) inRoom(ctx context.Context, name string, do func(ctx context.Context, k *keeper) error) error {
	return s.Ask(ctx, name, muc.Patience, func(ctx context.Context, r *muc.Room) error {
		k := keeperOf(r)
		if k == nil {
			return server.ItemNotFound
		}
		return do(ctx, k)
	})
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
