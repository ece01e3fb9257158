package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// SeenQuery names a message, and the part of the list of its readers.
type SeenQuery struct {
	InSaid
	Offset int `query:"offset" minimum:"0" maximum:"100"`
	Limit  int `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// ListSeen lists the readers of a message that the caller has written.
var ListSeen = chats[SeenQuery, webchat.Seen](
	"list-seen", http.MethodGet, "/conversations/{id}/messages/{message}/seen", "messages:read",
	"Who has seen a message of one's own; where more than 100 people are, only how many",
)

func (s *Server) seen(d *doors) {
	author := func(ctx context.Context, c caller, of func(string) string) error {
		_, err := inConversation(s, c, of("id"), func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.MayKnowReaders(ctx, c.me.Name, j, of("message"))
		})
		return err
	}
	serve(s, d, ListSeen, author, func(ctx context.Context, c caller, in *SeenQuery) (webchat.Seen, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Seen, error) {
			return w.SeenBy(ctx, c.me.Name, j, in.Message, in.Offset, in.Limit)
		})
	})
}
