package api

import (
	"context"
	"net/http"

	"parley/webchat"
)

// Operations on what one may have missed besides messages.
var (
	ListMissedCalls = chats[None, webchat.MissedCalls](
		"list-missed-calls", http.MethodGet, "/calls/missed", "messages:read",
		"Calls of the last week that the caller did not take or answer since, newest first",
	)
	ListMeetings = chats[None, webchat.HeldMeetings](
		"list-meetings", http.MethodGet, "/meetings", "messages:read",
		"Invitations to meetings of the last two hours in the caller's newest conversations, newest first",
	)
)

func (s *Server) calls(d *doors) {
	serve(s, d, ListMissedCalls, nil, func(ctx context.Context, c caller, _ *None) (webchat.MissedCalls, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.MissedCalls{}, err
		}
		return w.MissedCalls(ctx, c.me.Name)
	})
	serve(s, d, ListMeetings, nil, func(ctx context.Context, c caller, _ *None) (webchat.HeldMeetings, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.HeldMeetings{}, err
		}
		return w.Meetings(ctx, c.me.Name)
	})
}
