package c2s

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/coder/websocket"

	"parley/auth"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// External serves a WebSocket to a client whose account is known already, from the session of the page it runs in: EXTERNAL
// is all that is on offer (RFC 4422, appendix A), and for that account only. The page's own origin is the only one that may
// connect: cookies alone would let any page in.
// Returns when the stream is over.
func (s *Server) External(w http.ResponseWriter, r *http.Request, k Known) {
	switch {
	case s.isStopping():
		http.Error(w, "the server is stopping", http.StatusServiceUnavailable)
		return
	case r.Header.Get("Origin") == "":
		http.Error(w, "this is for pages of this server", http.StatusForbidden)
		return
	case !offers(r, "xmpp"):
		http.Error(w, "this is an XMPP WebSocket (RFC 7395): offer the subprotocol \"xmpp\"", http.StatusBadRequest)
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		s.log.Debug("websocket refused", "remote", r.RemoteAddr, "err", err)
		return // Accept has answered
	}
	s.serveWS(c, r, k)
}

// Known is who a client is, where the page it runs in has signed in.
type Known struct {
	Account    jid.JID
	Credential string                          // of the session: see server.SessionInfo
	Holds      func(ctx context.Context) error // store.ErrNotFound when the session is over
	Secure     bool                            // a proxy before it ends TLS
}

// authenticateKnown is authenticate for a stream whose account is known.
func (st *stream) authenticateKnown() error {
	if st.host.Domain != st.known.Account.Domain() {
		return &wire.StreamError{Condition: "host-unknown", Text: "this connection is for " + st.known.Account.Domain()}
	}
	st.features(wire.E(wire.NSSASL, "mechanisms", wire.T(wire.NSSASL, "mechanism", "EXTERNAL")), announced(st.srv.cfg.Unauthenticated))
	for {
		x, err := st.t.next()
		if err != nil {
			return err
		}
		if x.Name != (wire.Name{Space: wire.NSSASL, Local: "auth"}) {
			return &wire.StreamError{Condition: "not-authorized"}
		}
		err = st.external(x)
		if err == nil {
			st.send(wire.E(wire.NSSASL, "success"))
			return nil
		}
		var ae *auth.Error
		if !errors.As(err, &ae) {
			return err
		}
		st.saslFailure(wire.NSSASL, ae.Condition, ae.Text)
		st.srv.cfg.Failures.Note(st.addr, st.door(), ae.Error(), st.known.Account.String())
		if err := st.failed(); err != nil {
			return err
		}
	}
}

// external is one <auth/>: the account must still be there, and who asks for another is refused.
func (st *stream) external(x *wire.Stanza) error {
	if x.Attr("mechanism") != "EXTERNAL" {
		return &auth.Error{Condition: "invalid-mechanism"}
	}
	authzid, err := initialResponse(x.Text)
	if err != nil {
		return err
	}
	if len(authzid) > 0 && !bytes.Equal(authzid, []byte(st.known.Account.String())) {
		return &auth.Error{Condition: "invalid-authzid"}
	}
	ctx, cancel := st.within()
	defer cancel()
	u, err := st.srv.cfg.Store.User(ctx, st.host.Domain, st.known.Account.Local())
	if errors.Is(err, store.ErrNotFound) || err == nil && (u.Disabled || len(u.Keys) == 0) {
		return &auth.Error{Condition: "not-authorized"}
	}
	if err != nil {
		return &auth.Error{Condition: "temporary-auth-failure"}
	}
	st.user, st.mech, st.credential, st.holds = u.Name, "EXTERNAL", st.known.Credential, st.known.Holds
	return nil
}
