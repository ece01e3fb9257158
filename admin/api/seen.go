package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// SeenQuery asks who has seen a message.
type SeenQuery struct {
	InSaid
	Offset int `query:"offset" minimum:"0" maximum:"100"`
	Limit  int `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// ListSeen says who has seen a message of the caller's.
var ListSeen = chats[SeenQuery, webchat.Seen](
	"list-seen", http.MethodGet, "/conversations/{id}/messages/{message}/seen", "messages:read",
	"Who has seen a message of one's own; where more than 100 people are, only how many",
)

func (s *Server) seen(d *doors) {
	serve(s, d, ListSeen, s.inReach, func(ctx context.Context, c caller, in *SeenQuery) (webchat.Seen, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Seen, error) {
			return w.SeenBy(ctx, c.me.Name, j, in.Message, in.Offset, in.Limit)
		})
	})
}
