package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// SavedQuery lists the messages that the caller has saved.
type SavedQuery struct {
	Before string `query:"before" maxLength:"13" doc:"more of the answer before"`
}

// Operations on the messages that people save for later.
var (
	ListSavedMessages = chats[SavedQuery, webchat.SavedList](
		"list-saved-messages", http.MethodGet, "/saved-messages", "messages:read",
		"Messages that the caller has saved for later, the last first",
	)
	ListSavedMarks = chats[None, webchat.SavedMarks](
		"list-saved-marks", http.MethodGet, "/saved-messages/marks", "messages:read",
		"The ids of all messages that the caller has saved",
	)
	SaveMessage = chats[InSaid, None](
		"save-message", http.MethodPut, "/conversations/{id}/messages/{message}/saved", "messages:write",
		"Save a message for later, for oneself alone",
	)
	UnsaveMessage = chats[InSaid, None](
		"unsave-message", http.MethodDelete, "/conversations/{id}/messages/{message}/saved", "messages:write",
		"Take a message out of what one has saved, also one that one may not read any more",
	)
)

func (s *Server) savedMessages(d *doors) {
	serve(s, d, ListSavedMessages, nil, func(ctx context.Context, c caller, in *SavedQuery) (webchat.SavedList, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.SavedList{}, err
		}
		return w.Saved(ctx, c.me.Name, in.Before)
	})
	serve(s, d, ListSavedMarks, nil, func(ctx context.Context, c caller, _ *None) (webchat.SavedMarks, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.SavedMarks{}, err
		}
		return w.SavedMarks(ctx, c.me.Name)
	})
	act(s, d, SaveMessage, s.inReach, func(ctx context.Context, c caller, in *InSaid) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.SaveMessage(ctx, c.me.Name, j, in.Message)
		})
		return err
	})
	act(s, d, UnsaveMessage, nil, func(ctx context.Context, c caller, in *InSaid) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.UnsaveMessage(ctx, c.me.Name, j, in.Message)
		})
		return err
	})
}
