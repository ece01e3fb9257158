package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// OpenSeveralInput asks for a conversation with several people.
type OpenSeveralInput struct{ Body webchat.NewSeveral }

// AddPeopleInput adds people to a conversation of several people.
type AddPeopleInput struct {
	InConversation
	Body struct {
		People []string `json:"people" minItems:"1" maxItems:"8" doc:"addresses"`
	}
}

// RenameInput names a conversation of several people.
type RenameInput struct {
	InConversation
	Body struct {
		Name string `json:"name" maxLength:"200" doc:"empty: it is called by the names of the others"`
	}
}

// Operations on conversations of three to nine people without a group.
var (
	OpenSeveral = chats[OpenSeveralInput, webchat.Conversation](
		"open-conversation", http.MethodPost, "/conversations", "messages:write",
		"A conversation with two to eight others: the one that there is, or a new one",
	)
	RenameSeveral = chats[RenameInput, webchat.Conversation](
		"rename-conversation", http.MethodPatch, "/conversations/{id}", "messages:write",
		"Name a conversation of several people",
	)
	AddPeople = chats[AddPeopleInput, webchat.Conversation](
		"add-people", http.MethodPost, "/conversations/{id}/people", "messages:write",
		"Add people to a conversation of several people: they read what is said from then on",
	)
	LeaveSeveral = chats[InConversation, None](
		"leave-conversation", http.MethodPost, "/conversations/{id}/leave", "messages:write",
		"Leave a conversation of several people for good",
	)
)

func (s *Server) several(d *doors) {
	type conversation = webchat.Conversation
	serve(s, d, OpenSeveral, nil, func(ctx context.Context, c caller, in *OpenSeveralInput) (conversation, error) {
		w, err := s.chat(c)
		if err != nil {
			return conversation{}, err
		}
		return w.OpenSeveral(ctx, c.actor, c.credential, in.Body)
	})
	serve(s, d, RenameSeveral, s.inReach, func(ctx context.Context, c caller, in *RenameInput) (conversation, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (conversation, error) {
			return w.Rename(ctx, c.actor, c.credential, j, in.Body.Name)
		})
	})
	serve(s, d, AddPeople, s.inReach, func(ctx context.Context, c caller, in *AddPeopleInput) (conversation, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (conversation, error) {
			return w.AddPeople(ctx, c.actor, c.credential, j, in.Body.People)
		})
	})
	act(s, d, LeaveSeveral, s.inReach, func(ctx context.Context, c caller, in *InConversation) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.Leave(ctx, c.actor, j)
		})
		return err
	})
}
