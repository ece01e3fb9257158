package c2s

import (
	"errors"

	"parley/internal/slot"
	"parley/server"
	"parley/store"
	"parley/wire"
)

const nsSession = wire.NSSession

// bind offers an authenticated client the remaining features and waits until it has a session: a new one (RFC 6120,
// section 7) or a resumed one (XEP-0198).
func (st *stream) bind() error {
	es := []*wire.Element{
		wire.E(wire.NSBind, "bind"), wire.E(nsSession, "session", wire.E(nsSession, "optional")),
		wire.E(wire.NSSM, "sm"), wire.E(nsCSI, "csi"), announced(st.srv.cfg.Authenticated),
	}
	st.features(append(es, st.host.StreamFeatures()...)...)
	for st.bound == nil {
		x, err := st.t.next()
		if err != nil {
			return err
		}
		switch {
		case x.Name == wire.Name{Space: wire.NSSM, Local: "resume"}:
			if err := st.resume(x); err != nil {
				return err
			}
		case x.Name.Space == wire.NSSM:
			st.smFailed("unexpected-request", nil)
		case x.Kind == wire.IQ && x.Type == "set" && x.Has(wire.NSBind, "bind"):
			if err := st.bindResource(x); err != nil {
				return err
			}
		case x.Kind == wire.Other:
			return &wire.StreamError{Condition: "unsupported-stanza-type"}
		default:
			return &wire.StreamError{Condition: "not-authorized", Text: "bind a resource first"}
		}
	}
	return nil
}

func (st *stream) bindResource(x *wire.Stanza) error {
	reply := x.Reply()
	reply.From = reply.To
	if x.ID == "" {
		return st.conn.Send(server.ErrorReply(x, server.BadRequest), reply.To)
	}
	b, err := st.newBound(x.Element(wire.NSBind, "bind").ChildText(wire.NSBind, "resource"), st.srv.cfg.Conflict, false)
	if isStreamError(err) {
		return err
	}
	if err != nil {
		if e := server.ErrorReply(x, err); e != nil {
			return st.conn.Send(e, e.To)
		}
		return err
	}
	st.bound = b
	reply.Add(wire.E(wire.NSBind, "bind", wire.T(wire.NSBind, "jid", b.session.JID.String())))
	return st.conn.Send(reply, reply.To)
}

// isStreamError reports whether err ends the stream.
func isStreamError(err error) bool {
	var se *wire.StreamError
	return errors.As(err, &se)
}

// newBound binds a resource. With early, the client gets nothing before its outbound's begin is called.
func (st *stream) newBound(resource string, conflict server.Conflict, early bool) (*bound, error) {
	b := &bound{srv: st.srv, out: &outbound{srv: st.srv, conn: st.conn, early: early}}
	b.reader, b.conn = st.done, st.conn
	b.moving, b.ended = slot.New(), make(chan struct{})
	info := server.SessionInfo{
		StreamID:   st.id,
		Remote:     st.addr.String(),
		Transport:  st.t.name(),
		Mechanism:  st.mech,
		Client:     st.client,
		Credential: st.credential,
	}
	s, err := st.host.Bind(st.srv.ctx, st.user, resource, conflict, b.out, info)
	if err != nil {
		return nil, err
	}
	b.session = s
	b.out.carries(b)
	if err := st.revoked(); err != nil {
		b.end(nil)
		return nil, err
	}
	return b, nil
}

// revoked checks the account and the credential again once the session is registered. A revocation then either finds
// the session or is found here.
func (st *stream) revoked() error {
	if st.host.SignedOutSince(st.user, st.began) {
		return &wire.StreamError{Condition: "reset", Text: "this account was signed out meanwhile"}
	}
	if st.holds == nil {
		return nil
	}
	ctx, cancel := st.within()
	defer cancel()
	err := st.holds(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return &wire.StreamError{Condition: "reset", Text: "your credential has been revoked"}
	}
	return err
}
