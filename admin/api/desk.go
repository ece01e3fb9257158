package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// DraftInput is what the caller has written in a conversation.
type DraftInput struct {
	InConversation
	Body struct {
		Text string `json:"text" maxLength:"10000" doc:"empty: there is no draft any more"`
	}
}

// Operations on how the caller has arranged the chat, and on what is not sent yet.
var (
	GetSidebar = chats[None, webchat.Sidebar](
		"get-sidebar", http.MethodGet, "/me/sidebar", "messages:read",
		"The caller's favourites, in their order, and how conversations are listed",
	)
	ArrangeSidebar = chats[Body[webchat.NewSidebar], webchat.Sidebar](
		"arrange-sidebar", http.MethodPut, "/me/sidebar", "messages:write",
		"Choose favourites and their order, and how conversations are listed",
	)
	ListDrafts = chats[None, webchat.DraftList](
		"list-drafts", http.MethodGet, "/drafts", "messages:read",
		"What the caller has written and not sent, at most 100, newest first",
	)
	SetDraft = chats[DraftInput, webchat.Draft](
		"set-draft", http.MethodPut, "/conversations/{id}/draft", "messages:write",
		"Keep what one has written in a conversation, for one's other browsers",
	)
)

func (s *Server) desk(d *doors) {
	serve(s, d, GetSidebar, nil, func(ctx context.Context, c caller, _ *None) (webchat.Sidebar, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.Sidebar{}, err
		}
		return w.SidebarOf(ctx, c.me.Name)
	})
	serve(s, d, ArrangeSidebar, nil,
		func(ctx context.Context, c caller, in *Body[webchat.NewSidebar]) (webchat.Sidebar, error) {
			w, err := s.chat(c)
			if err != nil {
				return webchat.Sidebar{}, err
			}
			return w.Arrange(ctx, c.me.Name, in.Body)
		})
	serve(s, d, ListDrafts, nil, func(ctx context.Context, c caller, _ *None) (webchat.DraftList, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.DraftList{}, err
		}
		return w.Drafts(ctx, c.me.Name)
	})
	serve(s, d, SetDraft, s.inReach, func(ctx context.Context, c caller, in *DraftInput) (webchat.Draft, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Draft, error) {
			return w.SetDraft(ctx, c.me.Name, j, in.Body.Text)
		})
	})
}
