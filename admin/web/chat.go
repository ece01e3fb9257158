package web

import (
	"net/http"

	"parley/wire/jid"
)

// Chat serves the WebSocket of a chat client that runs in a page of ours, for the account that the page is signed in with.
type Chat func(w http.ResponseWriter, r *http.Request, account jid.JID, proxied bool)

// chat is the page with a chat client, signed in by the web session.
func (s *Server) chat() {
	if s.Chat == nil {
		return
	}
	s.handle("GET /chat", member, (*ctx).chatPage)
	s.handle("GET /chat/ws", member, (*ctx).chatSocket)
}

// chatPolicy is looser than that of other pages: Converse.js has styles in attributes, shows pictures that are at other
// servers, and plays sounds. It loads no script but ours.
const chatPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data: https:; media-src 'self' blob: https:; " +
	"font-src 'self' data:; connect-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (c *ctx) chatPage() error {
	c.w.Header().Set("Content-Security-Policy", chatPolicy)
	return c.render(http.StatusOK, "chat", "chat", c.view(c.T("Chat"), nil))
}

func (c *ctx) chatSocket() error {
	proxied, _ := c.r.Context().Value(proxiedKey{}).(bool)
	c.s.Chat(c.w, c.r, c.self(), proxied)
	return nil
}

// endChats closes the streams of chats in pages: who signs out of a browser is out of the chat in it too.
func (c *ctx) endChats() {
	for _, s := range c.P.Sessions(c.Me.Name) {
		if s.Info.Mechanism == "EXTERNAL" {
			s.Close(goodbye)
		}
	}
}
