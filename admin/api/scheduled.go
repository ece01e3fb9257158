package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// ScheduleInput has a message sent later.
type ScheduleInput struct {
	InConversation
	Body webchat.NewScheduled
}

// OneScheduled names a scheduled message in a path.
type OneScheduled struct {
	Scheduled string `path:"scheduled" maxLength:"13"`
}

// ChangeScheduledInput changes a scheduled message.
type ChangeScheduledInput struct {
	OneScheduled
	Body webchat.ScheduledChange
}

// Operations on what the caller has sent later.
var (
	ScheduleMessage = created(chats[ScheduleInput, webchat.Scheduled](
		"schedule-message", http.MethodPost, "/conversations/{id}/scheduled", "messages:write",
		"Have a message sent later, by the rules of the conversation at that time",
	))
	AddReminder = created(chats[Body[webchat.NewReminder], webchat.Scheduled](
		"add-reminder", http.MethodPost, "/reminders", "messages:write",
		"Be reminded of something, or of a message, at a time",
	))
	ListScheduled = chats[None, webchat.ScheduledList](
		"list-scheduled", http.MethodGet, "/scheduled", "messages:read",
		"The caller's scheduled messages and reminders, at most 100, the first first",
	)
	ChangeScheduled = chats[ChangeScheduledInput, webchat.Scheduled](
		"change-scheduled", http.MethodPatch, "/scheduled/{scheduled}", "messages:write",
		"Change the text or the time of a scheduled message or a reminder",
	)
	SendScheduled = chats[OneScheduled, None](
		"send-scheduled", http.MethodPost, "/scheduled/{scheduled}/send", "messages:write",
		"Send a scheduled message now",
	)
	DeleteScheduled = chats[OneScheduled, None](
		"delete-scheduled", http.MethodDelete, "/scheduled/{scheduled}", "messages:write",
		"Do not send a scheduled message, or delete a reminder",
	)
)

// ownScheduled lets in whose the scheduled message is that the operation names.
func (s *Server) ownScheduled(ctx context.Context, c caller, of func(string) string) error {
	w, err := s.chat(c)
	if err != nil {
		return err
	}
	return w.OwnsLater(ctx, c.me.Name, of("scheduled"))
}

func (s *Server) scheduled(d *doors) {
	serve(s, d, ScheduleMessage, s.mayWrite,
		func(ctx context.Context, c caller, in *ScheduleInput) (webchat.Scheduled, error) {
			return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.Scheduled, error) {
				return w.Schedule(ctx, c.me.Name, j, in.Body)
			})
		})
	serve(s, d, AddReminder, nil,
		func(ctx context.Context, c caller, in *Body[webchat.NewReminder]) (webchat.Scheduled, error) {
			w, err := s.chat(c)
			if err != nil {
				return webchat.Scheduled{}, err
			}
			return w.Remind(ctx, c.me.Name, in.Body)
		})
	serve(s, d, ListScheduled, nil, func(ctx context.Context, c caller, _ *None) (webchat.ScheduledList, error) {
		w, err := s.chat(c)
		if err != nil {
			return webchat.ScheduledList{}, err
		}
		return w.Later(ctx, c.me.Name)
	})
	serve(s, d, ChangeScheduled, s.ownScheduled,
		func(ctx context.Context, c caller, in *ChangeScheduledInput) (webchat.Scheduled, error) {
			w, err := s.chat(c)
			if err != nil {
				return webchat.Scheduled{}, err
			}
			return w.ChangeLater(ctx, c.me.Name, in.Scheduled, in.Body)
		})
	act(s, d, SendScheduled, s.ownScheduled, func(ctx context.Context, c caller, in *OneScheduled) error {
		w, err := s.chat(c)
		if err != nil {
			return err
		}
		return w.SendNow(ctx, c.me.Name, in.Scheduled)
	})
	act(s, d, DeleteScheduled, s.ownScheduled, func(ctx context.Context, c caller, in *OneScheduled) error {
		w, err := s.chat(c)
		if err != nil {
			return err
		}
		return w.DeleteLater(ctx, c.me.Name, in.Scheduled)
	})
}
