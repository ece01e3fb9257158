package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// ListVersions gives what a message was before it was edited.
var ListVersions = chats[InSaid, webchat.Versions](
	"list-versions", http.MethodGet, "/conversations/{id}/messages/{message}/versions", "messages:read",
	"What a message was before it was edited, for its author and moderators",
)

func (s *Server) versions(d *doors) {
	serve(s, d, ListVersions, s.inReach, func(ctx context.Context, c caller, in *InSaid) (webchat.Versions, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Versions, error) {
			return w.Versions(ctx, c.me.Name, j, in.Message)
		})
	})
}
