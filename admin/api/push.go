package api

import (
	"context"
	"net/http"

	"parley/feature/webpush"
	"parley/internal/fault"
	"parley/store"
)

// WebPush is how a browser is woken.
type WebPush struct {
	Key string `json:"key" doc:"the server's public key, with which the browser subscribes, in base64url"`
	On  bool   `json:"on" doc:"this browser is woken"`
}

// PushInput is a subscription as a browser gives it (PushSubscription.toJSON).
type PushInput struct {
	Body struct {
		Endpoint string `json:"endpoint" maxLength:"1024"`
		Keys     struct {
			P256dh string `json:"p256dh" maxLength:"100" doc:"the browser's public key, in base64url"`
			Auth   string `json:"auth" maxLength:"100" doc:"a secret of the browser, in base64url"`
		} `json:"keys"`
	}
}

// Operations on the waking of the browser that calls them.
var (
	GetWebPush = chats[None, WebPush](
		"get-web-push", http.MethodGet, "/me/push", "messages:read",
		"Whether the browser that asks is woken by Web Push; browsers only",
	)
	StartWebPush = chats[PushInput, None](
		"start-web-push", http.MethodPut, "/me/push", "messages:read",
		"Have the browser that asks woken by Web Push until its session ends; browsers only",
	)
	StopWebPush = chats[None, None](
		"stop-web-push", http.MethodDelete, "/me/push", "messages:read",
		"Have the browser that asks woken no more; browsers only",
	)
)

// aBrowser lets in browsers, and no programs.
func aBrowser(_ context.Context, c caller, _ func(string) string) error {
	if c.credential.Program {
		return fault.New(fault.NotAllowed, "", "This is for browsers")
	}
	return nil
}

// pushOf gives what wakes the browsers of the caller's host.
func (s *Server) pushOf(c caller) (*webpush.WebPush, error) {
	if w := s.Pushes[c.host()]; w != nil {
		return w, nil
	}
	return nil, notFound
}

func (s *Server) webPush(d *doors) {
	serve(s, d, GetWebPush, aBrowser, func(ctx context.Context, c caller, _ *None) (WebPush, error) {
		w, err := s.pushOf(c)
		if err != nil {
			return WebPush{}, err
		}
		on, err := w.Subscribed(ctx, c.me.Name, c.credential.ID)
		return WebPush{Key: w.Key(), On: on}, err
	})
	act(s, d, StartWebPush, aBrowser, func(ctx context.Context, c caller, in *PushInput) error {
		w, err := s.pushOf(c)
		if err != nil {
			return err
		}
		return w.Subscribe(ctx, store.PushSubscription{
			Owner:    c.me.Name,
			Session:  c.credential.ID,
			Endpoint: in.Body.Endpoint,
			Key:      in.Body.Keys.P256dh,
			Auth:     in.Body.Keys.Auth,
		})
	})
	act(s, d, StopWebPush, aBrowser, func(ctx context.Context, c caller, _ *None) error {
		w, err := s.pushOf(c)
		if err != nil {
			return err
		}
		return w.Unsubscribe(ctx, c.me.Name, c.credential.ID)
	})
}
