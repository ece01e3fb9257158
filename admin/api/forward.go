package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// ForwardInput sends a message to another conversation.
type ForwardInput struct {
	InSaid
	Body webchat.Forwarding
}

// ForwardMessage sends a message to another conversation.
var ForwardMessage = created(chats[ForwardInput, webchat.Forwarded](
	"forward-message", http.MethodPost, "/conversations/{id}/messages/{message}/forward", "messages:write",
	"Send a message to another conversation, as a quote with its author and its files",
))

func (s *Server) forwarding(d *doors) {
	serve(s, d, ForwardMessage, s.inReach,
		func(ctx context.Context, c caller, in *ForwardInput) (webchat.Forwarded, error) {
			return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Forwarded, error) {
				return w.Forward(ctx, c.me.Name, c.credential, j, in.Message, in.Body)
			})
		})
}
