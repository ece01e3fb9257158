package web

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// Chat serves the WebSocket of a chat client that runs in a page of ours, for the account that the page is
// signed in with, until the stream is over. session names the browser's session, and holds says
// store.ErrNotFound when that is over.
type Chat func(w http.ResponseWriter, r *http.Request, account jid.JID, session string,
	holds func(context.Context) error, proxied bool)

// chatCheck is how often parley checks that the session of a chatting browser still exists. Ending a session on this
// node ends its streams at once; this is for sessions that expire or end elsewhere.
const chatCheck = time.Minute

// chat shows the page with a chat client, which the web session signs in.
func (s *Server) chat() {
	if s.Chat == nil {
		return
	}
	s.chatFront()
	s.handle("GET /chat/converse", member, (*request).chatPage)
	s.handle("GET /chat/ws", member, (*request).chatSocket)
}

// chatPolicy is looser than the policy of other pages: Converse.js has styles in attributes, shows pictures from other
// servers and plays sounds. It loads no script but ours.
const chatPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: " +
	"data: https:; media-src 'self' blob: https:; font-src 'self' data:; connect-src 'self' https:; form-action " +
	"'self'; base-uri 'none'; frame-ancestors 'none'"

func (c *request) chatPage() error {
	c.w.Header().Set("Content-Security-Policy", chatPolicy)
	return c.render(http.StatusOK, "chat", "chat", c.view(c.T("Chat"), nil))
}

func (c *request) chatSocket() error {
	proxied, _ := c.r.Context().Value(proxiedKey{}).(bool)
	host, session := c.host(), c.Session.Hash
	holds := func(ctx context.Context) error {
		_, err := c.s.Store.WebSession(ctx, host, session, c.s.Clock.Now())
		return err
	}
	over := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		t := time.NewTicker(chatCheck)
		defer t.Stop()
		for {
			select {
			case <-over:
				return
			case <-t.C:
			}
			if err := holds(context.WithoutCancel(c.r.Context())); errors.Is(err, store.ErrNotFound) {
				c.P.CloseStreams(c.Me.Name, func(i server.SessionInfo) bool { return i.Credential == session }, goodbye)
			}
		}
	})
	c.s.Chat(c.w, c.r, c.self(), session, holds, proxied)
	close(over)
	watch.Wait()
	return nil
}
