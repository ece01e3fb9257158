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

// External serves a WebSocket to a web page whose session names the account. The stream offers EXTERNAL alone (RFC
// 4422, appendix A), for that account alone. Only pages of the server's own origin may connect, since a cookie alone
// would admit any page. External returns when the stream is over.
func (s *Server) External(w http.ResponseWriter, r *http.Request, k Known) {
	switch {
	case s.isStopping():
		http.Error(w, "the server is stopping", http.StatusServiceUnavailable)
		return
	case r.Header.Get("Origin") == "":
		http.Error(w, "only pages of this server may connect", http.StatusForbidden)
		return
	case !offers(r, "xmpp"):
		http.Error(w, "this is an XMPP WebSocket (RFC 7395): offer the subprotocol \"xmpp\"", http.StatusBadRequest)
		return
	}
	c, err := websocket.Accept(w, r,
		&websocket.AcceptOptions{Subprotocols: []string{"xmpp"}, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		s.log.Debug("websocket refused", "remote", r.RemoteAddr, "err", err)
		return // Accept has answered
	}
	s.serveWS(c, r, k)
}

// Known says who a client is, as far as the web page that it runs in has signed in.
type Known struct {
	Account    jid.JID
	Credential string                          // that of the page's session; see server.SessionInfo
	Holds      func(ctx context.Context) error // store.ErrNotFound when the session is over
	Secure     bool                            // a proxy in front of the server ends TLS
}

// authenticateKnown replaces authenticate for a stream whose account is known.
func (st *stream) authenticateKnown() error {
	if st.host.Domain != st.known.Account.Domain() {
		return &wire.StreamError{Condition: "host-unknown", Text: "this connection is for " + st.known.Account.Domain()}
	}
	st.features(wire.E(wire.NSSASL, "mechanisms", wire.T(wire.NSSASL, "mechanism", "EXTERNAL")),
		announced(st.srv.cfg.Unauthenticated))
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

// external handles one <auth/>. The account must still exist, and a request for another account fails.
func (st *stream) external(x *wire.Stanza) error {
	st.began = st.host.SignIns()
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
