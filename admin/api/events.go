package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/webchat"
)

// EventsQuery continues a stream of events.
type EventsQuery struct {
	LastEventID string `header:"Last-Event-ID" maxLength:"64" doc:"id of the last event that the caller has"`
	Last        string `query:"last" maxLength:"64" doc:"the same, for callers that cannot set a header"`
	Poll        bool   `query:"poll" doc:"end the answer after the first events or beat, where something holds it back"`
}

// ConfirmInput says which events the caller has.
type ConfirmInput struct {
	Body struct {
		Last   string `json:"last" maxLength:"64" doc:"id of the last event that the caller has"`
		Idle   bool   `json:"idle,omitempty" doc:"nobody has touched the browser for a while"`
		Hidden bool   `json:"hidden,omitempty" doc:"nobody looks at the browser: it may be woken by Web Push"`
	}
}

// Operations on events.
var (
	ReadEvents = chats[EventsQuery, None](
		"read-events", http.MethodGet, "/events", "messages:read",
		"What happens in the caller's conversations, as server-sent events",
	)
	ConfirmEvents = chats[ConfirmInput, None](
		"confirm-events", http.MethodPost, "/events/confirm", "messages:read",
		"Confirm events, so that the caller counts as present",
	)
)

func (s *Server) events(d *doors) {
	register(d, ReadEvents.takes, ReadEvents.Operation, nil,
		func(_ context.Context, in *EventsQuery) (*huma.StreamResponse, error) {
			return &huma.StreamResponse{Body: func(hc huma.Context) { s.streamEvents(d, hc, in) }}, nil
		})
	act(s, d, ConfirmEvents, nil, func(ctx context.Context, c caller, in *ConfirmInput) error {
		w, err := s.chat(c)
		if err != nil {
			return err
		}
		return w.Confirm(ctx, c.me.Name, c.credential.ID,
			webchat.Confirmed{Last: in.Body.Last, Idle: in.Body.Idle, Hidden: in.Body.Hidden})
	})
}

// beatEvery is how often something is sent on a stream of events, so that both sides and what is between them see that
// it lives.
const beatEvery = 15 * time.Second

// maxStream is how long a stream lasts at most: the caller's right is asked for again at the next one.
const maxStream = 5 * time.Minute

// streamEvents sends events until the caller goes or its session ends.
func (s *Server) streamEvents(d *doors, hc huma.Context, in *EventsQuery) {
	c := who(hc.Context())
	w, err := s.chat(c)
	if err != nil {
		s.refuse(d.api, hc, err)
		return
	}
	last := in.LastEventID
	if last == "" {
		last = in.Last
	}
	ctx, cancel := context.WithTimeout(hc.Context(), maxStream)
	defer cancel()
	stream, err := w.Open(ctx, c.me.Name, c.credential, last)
	if err != nil {
		s.refuse(d.api, hc, err)
		return
	}
	defer stream.Close()
	_, out := humago.Unwrap(hc)
	h := out.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	out.WriteHeader(http.StatusOK)
	if err := s.pump(ctx, stream, out, in.Poll, last != ""); err != nil && ctx.Err() == nil {
		s.Log.Debug("a stream of events broke off", "account", c.me.Name, "err", err)
	}
}

// pump copies events to a stream, and beats while there are none. With once it ends after the first of either:
// something on the way gives answers as a whole. The greeting of a caller that goes on from an event is not news.
func (s *Server) pump(ctx context.Context, stream *webchat.Stream, out http.ResponseWriter, once, goesOn bool) error {
	rc := http.NewResponseController(out)
	write := func(text string) error {
		_ = rc.SetWriteDeadline(time.Now().Add(2 * beatEvery)) // a limit that cannot be set is not there
		if _, err := fmt.Fprint(out, text); err != nil {
			return err
		}
		return rc.Flush()
	}
	for {
		waiting, cancel := context.WithTimeout(ctx, beatEvery)
		items, ok, err := stream.Next(waiting)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			if err := write(": beat\n\n"); err != nil || once {
				return err
			}
			continue
		case err != nil || !ok:
			return err
		}
		text := ""
		for _, it := range items {
			text += "id: " + it.ID + "\nevent: " + it.Name + "\ndata: " + string(it.Data) + "\n\n"
		}
		if err := write(text); err != nil {
			return err
		}
		if once && (!goesOn || len(items) > 1 || items[0].Name != "hello") {
			return nil
		}
	}
}
