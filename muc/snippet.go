package muc

import (
	"context"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Saved replies of a person's teams, said in a room by their name.
func snippetTexts() []textCommand {
	return []textCommand{
		{"snippet", "NAME", "say a saved reply of your teams", inGroup | inTheme, None, textSnippet},
		{"snippets", "", "the saved replies of your teams", inGroup | inTheme, None, textSnippets},
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
	done := make(chan error, 1)
	if err := c.s.post(ctx, c.room, work{do: func(ctx context.Context, r *Room) {
		if !r.sayAs(ctx, c.who, x.Text) {
			done <- server.WithText(server.Forbidden, "who may not write here says nothing here")
			return
		}
		done <- nil
	}}); err != nil {
		return "", err
	}
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	return "", err
}

// sayAs says something in the name of an occupant who may write; false if they are not there or may not.
func (r *Room) sayAs(ctx context.Context, who jid.JID, body string, more ...*wire.Element) bool {
	for _, o := range r.order {
		if o.bare == who.Bare() {
			if k, ok := r.keeper.(*grouped); ok && k.closed || o.role == "visitor" {
				return false
			}
			st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: o.clients[0].jid, To: r.jid, ID: r.s.host.NewID()}
			r.queue(o, st.Add(wire.T(wire.NSClient, "body", body)).Add(more...), false)
			r.flush(ctx)
			return true
		}
	}
	return false
}
