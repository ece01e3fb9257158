package c2s

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"parley/auth"
	"parley/server"
	"parley/store"
	"parley/wire"
)

const nsSASLCB = "urn:xmpp:sasl-cb:0" // XEP-0440

// maxUnbindable is how often a client may try a kind of channel binding that the connection lacks before each try
// counts as a failure.
const maxUnbindable = 4

// maxSASL is the largest SASL message of a client, in base64 characters.
const maxSASL = 16 << 10

// authenticate offers SASL, in the old profile and the new one (XEP-0388), until the client has proven who it is (RFC
// 6120, section 6).
func (st *stream) authenticate() error {
	if !st.known.Account.IsZero() {
		return st.authenticateKnown()
	}
	binding := st.binding()
	mechs := st.usable(auth.Offer(st.srv.cfg.Mechanisms, st.secure, binding))
	offer := wire.E(wire.NSSASL, "mechanisms")
	for _, m := range mechs {
		offer.Add(wire.T(wire.NSSASL, "mechanism", m))
	}
	st.features(st.offerTLS(), offer, st.offer2(mechs, binding), channelBindings(binding), st.registration(),
		st.invitations(), announced(st.srv.cfg.Unauthenticated))
	for {
		x, err := st.t.next()
		if err != nil {
			return err
		}
		if st.preauth(x) || st.register(x) {
			continue
		}
		if done, err := st.authStep(x, mechs, binding); done || err != nil {
			return err
		}
	}
}

// authStep handles one element of a client that is not signed in. done says that it is signed in now. An error ends the
// stream.
func (st *stream) authStep(x *wire.Stanza, mechs []string, binding auth.Binding) (done bool, err error) {
	if x.Kind != wire.Other {
		return false, &wire.StreamError{Condition: "not-authorized"}
	}
	space := x.Name.Space
	switch {
	case space == wire.NSSM: // XEP-0198, section 3: only after authentication
		return false, st.smFailed("unexpected-request", nil)
	case x.Name == startTLSName && st.mayEncrypt():
		if err := st.encrypt(); err != nil {
			return false, err
		}
		return true, st.authenticate()
	case x.Name == wire.Name{Space: wire.NSSASL, Local: "auth"}:
		err = st.authenticate1(x, mechs, binding)
	case x.Name == wire.Name{Space: wire.NSSASL2, Local: "authenticate"} && st.secure:
		err = st.authenticate2(x, mechs, binding)
	case space == wire.NSSASL, space == wire.NSSASL2 && st.secure:
		st.saslFailure(space, "malformed-request", "")
		return false, st.failed()
	default:
		return false, &wire.StreamError{Condition: "unsupported-stanza-type"}
	}
	if err == nil {
		return true, nil
	}
	return false, st.refuse(space, err)
}

// refuse answers a failed authentication and counts it. It returns an error if the stream is over.
func (st *stream) refuse(space string, err error) error {
	var ae *auth.Error
	if !errors.As(err, &ae) {
		return err
	}
	st.saslFailure(space, ae.Condition, ae.Text)
	st.srv.cfg.Failures.Note(st.addr, st.door(), ae.Error(), st.typed)
	if ae == auth.ErrBinding && st.unbindable < maxUnbindable { // says nothing about the password
		st.unbindable++
		return nil
	}
	st.srv.refused.WithLabelValues("authentication").Inc()
	return st.failed()
}

// failed counts a failure. Too many failures end the stream.
func (st *stream) failed() error {
	st.failures++
	if st.failures >= st.srv.cfg.AuthAttempts {
		return &wire.StreamError{Condition: "policy-violation", Text: "too many failed authentications"}
	}
	return nil
}

// saslFailure sends a failure in the client's profile of SASL.
func (st *stream) saslFailure(space, condition, text string) {
	f := wire.E(space, "failure", wire.E(wire.NSSASL, condition))
	if text != "" {
		t := wire.T(space, "text", text)
		t.Attrs = append(t.Attrs, wire.Attr{Name: wire.Name{Space: wire.NSXML, Local: "lang"}, Value: "en"})
		f.Add(t)
	}
	st.send(f)
}

// authenticate1 handles one <auth/> until it succeeds or fails.
func (st *stream) authenticate1(x *wire.Stanza, mechs []string, binding auth.Binding) error {
	st.typed, st.began = "", st.host.SignIns()
	ex, err := auth.Start(x.Attr("mechanism"), st.options(mechs, binding))
	if err != nil {
		return err
	}
	data, err := initialResponse(x.Text)
	if err != nil {
		return err
	}
	data, err = st.exchange(ex, data, wire.NSSASL)
	if err != nil {
		return err
	}
	st.welcome(ex, x.Attr("mechanism"))
	ok := wire.E(wire.NSSASL, "success")
	if len(data) > 0 {
		ok = wire.T(wire.NSSASL, "success", base64.StdEncoding.EncodeToString(data))
	}
	st.send(ok)
	return nil
}

func (st *stream) options(mechs []string, binding auth.Binding) auth.Options {
	return auth.Options{
		Host:          st.host.Domain,
		Mechanisms:    mechs,
		Binding:       binding,
		Secure:        st.secure,
		Lookup:        st.srv.lookup(st.host),
		Attempt:       st.attempt,
		Upgrade:       st.upgraded,
		Faker:         st.srv.faker,
		DowngradeHash: st.srv.cfg.DowngradeHash,
		BindingFailed: st.unbindable > 0,
	}
}

// exchange carries messages between the client and ex until one side has finished. data is the initial response, or nil
// if there was none. It returns the data that goes with success.
func (st *stream) exchange(ex auth.Exchange, data []byte, space string) ([]byte, error) {
	ctx, cancel := st.within()
	defer cancel()
	var err error
	if data == nil { // the client begins in every mechanism here (RFC 6120, section 6.4.2)
		st.send(wire.E(space, "challenge"))
		if data, err = st.response(space); err != nil {
			return nil, err
		}
	}
	for {
		challenge, done, err := ex.Next(ctx, data)
		st.typed = ex.Typed()
		if err != nil || done {
			return challenge, st.outcome(ctx, ex, err)
		}
		st.send(wire.T(space, "challenge", base64.StdEncoding.EncodeToString(challenge)))
		if data, err = st.response(space); err != nil {
			return nil, err
		}
	}
}

// outcome counts how an exchange ended, and refuses accounts that may not sign in.
func (st *stream) outcome(ctx context.Context, ex auth.Exchange, err error) error {
	var ae *auth.Error
	errors.As(err, &ae)
	at := ex.Attempt()
	if at == nil || at.Shut ||
		err != nil && (ae == nil || ae.Condition != "not-authorized" || ae.Known || ae == auth.ErrBinding) {
		return err // nothing was guessed
	}
	if in, crowded := at.Done(err == nil); crowded {
		at.Hold(ctx)
		return tooMany(at)
	} else if !in && err == nil {
		return &auth.Error{Condition: "not-authorized"}
	}
	return err
}

// welcome notes who the client has proven to be.
func (st *stream) welcome(ex auth.Exchange, mech string) {
	st.user, st.mech = ex.Username(), mech
	st.signedInWith(ex.Secret())
}

// signedInWith remembers an app password. Its use is recorded when a session is bound.
func (st *stream) signedInWith(id string) {
	if st.credential = id; id == "" {
		st.holds = nil
		return
	}
	host, user := st.host, st.user
	st.holds = func(ctx context.Context) error { return st.srv.cfg.Secrets.Use(ctx, host, user, id) }
}

// response waits for the client's next <response/>.
func (st *stream) response(space string) ([]byte, error) {
	x, err := st.t.next()
	if err != nil {
		return nil, err
	}
	if x.Kind != wire.Other {
		return nil, &wire.StreamError{Condition: "not-authorized"}
	}
	switch x.Name {
	case wire.Name{Space: space, Local: "response"}:
		if space == wire.NSSASL2 {
			return decode2(x.Text)
		}
		b, err := decode(x.Text)
		if b == nil && err == nil {
			b = []byte{}
		}
		return b, err
	case wire.Name{Space: space, Local: "abort"}:
		return nil, &auth.Error{Condition: "aborted"}
	}
	if space == wire.NSSASL2 {
		return nil, errBetween
	}
	return nil, &auth.Error{Condition: "malformed-request"}
}

// initialResponse decodes an initial response. No text gives nil; "=" gives an empty response (RFC 6120, section
// 6.4.2).
func initialResponse(text string) ([]byte, error) {
	switch text = strings.TrimSpace(text); text {
	case "":
		return nil, nil
	case "=":
		return []byte{}, nil
	}
	return decode(text)
}

func decode(text string) ([]byte, error) {
	if len(text) > maxSASL {
		return nil, &auth.Error{Condition: "malformed-request"}
	}
	text = strings.TrimSpace(text)
	if text == "" || text == "=" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // RFC 6120, section 6.4.3: no white space
		return nil, &auth.Error{Condition: "incorrect-encoding"}
	}
	return b, nil
}

// attempt counts one try at a user's password. It returns an error if there were too many.
func (st *stream) attempt(user string) (*auth.Attempt, error) {
	at := st.srv.cfg.Throttle.Attempt(st.addr, auth.Password, user+"@"+st.host.Domain)
	if at.Shut {
		return at, tooMany(at)
	}
	return at, nil
}

func tooMany(at *auth.Attempt) error {
	return &auth.Error{
		Condition: "temporary-auth-failure",
		Text:      "too many attempts; try again in " + at.Wait.Round(time.Second).String(),
	}
}

// door returns the transport's name for the log.
func (st *stream) door() string { return "xmpp/" + st.t.name() }

// Secrets knows the passwords of accounts.
type Secrets interface {
	// Secrets returns the passwords of an account, like auth.Lookup.
	Secrets(ctx context.Context, h *server.Host, user string) ([]auth.Secret, error)
	// Use notes the use of an app password. It returns store.ErrNotFound if the password does not exist any more.
	Use(ctx context.Context, h *server.Host, user, id string) error
}

// lookup returns the func that gives auth an account's passwords. A disabled account looks like a missing one.
func (s *Server) lookup(h *server.Host) auth.Lookup {
	return func(ctx context.Context, user string) ([]auth.Secret, error) {
		if s.cfg.Secrets != nil {
			return s.cfg.Secrets.Secrets(ctx, h, user)
		}
		u, err := h.Store.User(ctx, h.Domain, user)
		if errors.Is(err, store.ErrNotFound) || err == nil && (u.Disabled || len(u.Keys) == 0) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var own auth.Secret
		err = own.Keys.UnmarshalBinary(u.Keys)
		return []auth.Secret{own}, err
	}
}

// secret returns the password with this id, or nil.
func secret(ss []auth.Secret, id string) *auth.Secret {
	for i := range ss {
		if ss[i].ID == id {
			return &ss[i]
		}
	}
	return nil
}

// binding collects the data for channel binding on this connection: tls-exporter (RFC 9266; TLS 1.3, or TLS 1.2 with
// extended master secret) and tls-server-end-point (RFC 5929).
func (st *stream) binding() auth.Binding {
	var b auth.Binding
	if st.tls == nil {
		return b
	}
	cs := st.tls.ConnectionState()
	if key, err := cs.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32); err == nil {
		b.Exporter, b.Unique = key, cs.TLSUnique // both are unsafe without an extended master secret (RFC 7627)
	}
	if cert := st.raw.cert; cert != nil && cert.Leaf != nil {
		b.EndPoint = auth.ServerEndPoint(cert.Leaf)
	}
	return b
}

func channelBindings(b auth.Binding) *wire.Element {
	if b.Exporter == nil && b.EndPoint == nil {
		return nil
	}
	e := wire.E(nsSASLCB, "sasl-channel-binding")
	if b.Exporter != nil {
		e.Add(wire.E(nsSASLCB, "channel-binding").Set("type", "tls-exporter"))
	}
	if b.EndPoint != nil {
		e.Add(wire.E(nsSASLCB, "channel-binding").Set("type", "tls-server-end-point"))
	}
	return e
}
