package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// Operations on pinned messages.
var (
	ListPins = chats[InConversation, webchat.Pins](
		"list-pins", http.MethodGet, "/conversations/{id}/pins", "messages:read",
		"Pinned messages of a conversation, the last first",
	)
	PinMessage = chats[InSaid, None](
		"pin-message", http.MethodPut, "/conversations/{id}/messages/{message}/pin", "messages:write",
		"Pin a message for everyone in the conversation, as a moderator or as one of two people",
	)
	UnpinMessage = chats[InSaid, None](
		"unpin-message", http.MethodDelete, "/conversations/{id}/messages/{message}/pin", "messages:write",
		"Unpin a message",
	)
)

func (s *Server) pins(d *doors) {
	serve(s, d, ListPins, s.inReach, func(ctx context.Context, c caller, in *InConversation) (webchat.Pins, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Pins, error) {
			return w.Pinned(ctx, c.me.Name, j)
		})
	})
	act(s, d, PinMessage, s.inReach, func(ctx context.Context, c caller, in *InSaid) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.Pin(ctx, c.me.Name, c.credential, j, in.Message)
		})
		return err
	})
	act(s, d, UnpinMessage, s.inReach, func(ctx context.Context, c caller, in *InSaid) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.Unpin(ctx, c.me.Name, c.credential, j, in.Message)
		})
		return err
	})
}
