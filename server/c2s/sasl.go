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

// maxUnbindable is how many kinds of channel binding that there are not a client may try before it counts as failing.
const maxUnbindable = 4

// maxSASL is the longest a client's SASL data may be, in base64 characters.
const maxSASL = 16 << 10

// authenticate offers SASL until a client is who it says it is (RFC 6120, section 6).
func (st *stream) authenticate() error {
	binding := st.binding()
	mechs := auth.Offer(st.srv.cfg.Mechanisms, st.secure, binding)
	offer := wire.E(wire.NSSASL, "mechanisms")
	for _, m := range mechs {
		offer.Add(wire.T(wire.NSSASL, "mechanism", m))
	}
	st.features(offer, channelBindings(binding))
	for {
		x, err := st.t.next()
		if err != nil {
			return err
		}
		if x.Kind != wire.Other {
			return &wire.StreamError{Condition: "not-authorized"}
		}
		if x.Name.Space == wire.NSSM { // XEP-0198, section 3: not before signing in
			if err := st.smFailed("unexpected-request", nil); err != nil {
				return err
			}
			continue
		}
		if x.Name.Space != wire.NSSASL {
			return &wire.StreamError{Condition: "unsupported-stanza-type"}
		}
		if x.Name.Local != "auth" {
			st.saslFailure("malformed-request", "")
			if err := st.failed(); err != nil {
				return err
			}
			continue
		}
		err = st.exchange(x, mechs, binding)
		if err == nil {
			return nil
		}
		var ae *auth.Error
		if !errors.As(err, &ae) {
			return err
		}
		st.saslFailure(ae.Condition, ae.Text)
		if ae == auth.ErrBinding && st.unbindable < maxUnbindable { // it says nothing of the password
			st.unbindable++
			continue
		}
		st.srv.refused.WithLabelValues("authentication").Inc()
		if err := st.failed(); err != nil {
			return err
		}
	}
}

// failed counts a failure; too many end the stream.
func (st *stream) failed() error {
	st.failures++
	if st.failures >= st.srv.cfg.AuthAttempts {
		return &wire.StreamError{Condition: "policy-violation", Text: "too many failed authentications"}
	}
	return nil
}

func (st *stream) saslFailure(condition, text string) {
	f := wire.E(wire.NSSASL, "failure", wire.E(wire.NSSASL, condition))
	if text != "" {
		t := wire.T(wire.NSSASL, "text", text)
		t.Attrs = append(t.Attrs, wire.Attr{Name: wire.Name{Space: wire.NSXML, Local: "lang"}, Value: "en"})
		f.Add(t)
	}
	st.send(f)
}

// exchange is one <auth/> to its success or failure.
func (st *stream) exchange(x *wire.Stanza, mechs []string, binding auth.Binding) error {
	if ok, wait := st.srv.cfg.Throttle.Allow(st.addr, ""); !ok {
		return throttled(wait)
	}
	ex, err := auth.Start(x.Attr("mechanism"), auth.Options{
		Host: st.host.Domain, Mechanisms: mechs, Binding: binding, Secure: st.secure || st.srv.cfg.AllowPlainText,
		Lookup: st.srv.lookup(st.host), Faker: st.srv.faker, DowngradeHash: st.srv.cfg.DowngradeHash, BindingFailed: st.unbindable > 0,
	})
	if err != nil {
		return err
	}
	data, err := initialResponse(x.Text)
	if err != nil {
		return err
	}
	ctx, cancel := st.within()
	defer cancel()
	if data == nil { // every mechanism here begins with the client (RFC 6120, section 6.4.2)
		st.send(wire.E(wire.NSSASL, "challenge"))
		if data, err = st.response(); err != nil {
			return err
		}
	}
	for {
		challenge, done, err := ex.Next(ctx, data)
		if user := ex.Username(); user != "" {
			if ok, wait := st.srv.cfg.Throttle.Allow(st.addr, user+"@"+st.host.Domain); !ok {
				return throttled(wait)
			}
		}
		if err != nil {
			if errors.Is(err, auth.ErrBinding) {
				return err
			}
			st.srv.cfg.Throttle.Failed(st.addr, ex.Username()+"@"+st.host.Domain)
			return err
		}
		if done {
			return st.welcome(ex, challenge, x.Attr("mechanism"))
		}
		st.send(wire.T(wire.NSSASL, "challenge", base64.StdEncoding.EncodeToString(challenge)))
		if data, err = st.response(); err != nil {
			return err
		}
	}
}

func (st *stream) welcome(ex auth.Exchange, data []byte, mech string) error {
	st.user, st.mech = ex.Username(), mech
	st.srv.cfg.Throttle.Succeeded(st.addr, st.user+"@"+st.host.Domain)
	ok := wire.E(wire.NSSASL, "success")
	if len(data) > 0 {
		ok = wire.T(wire.NSSASL, "success", base64.StdEncoding.EncodeToString(data))
	}
	st.send(ok)
	return nil
}

// response waits for the client's next <response/>.
func (st *stream) response() ([]byte, error) {
	x, err := st.t.next()
	if err != nil {
		return nil, err
	}
	if x.Kind != wire.Other {
		return nil, &wire.StreamError{Condition: "not-authorized"}
	}
	switch x.Name {
	case wire.Name{Space: wire.NSSASL, Local: "response"}:
		b, err := decode(x.Text)
		if b == nil && err == nil {
			b = []byte{}
		}
		return b, err
	case wire.Name{Space: wire.NSSASL, Local: "abort"}:
		return nil, &auth.Error{Condition: "aborted"}
	}
	return nil, &auth.Error{Condition: "malformed-request"}
}

// initialResponse: none at all is nil, "=" is an empty one (RFC 6120, section 6.4.2).
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
	if err != nil || strings.ContainsAny(text, "\r\n") { // RFC 6120, section 6.4.3: no white space inside
		return nil, &auth.Error{Condition: "incorrect-encoding"}
	}
	return b, nil
}

func throttled(wait time.Duration) error {
	return &auth.Error{Condition: "temporary-auth-failure", Text: "too many attempts; try again in " + wait.Round(time.Second).String()}
}

// lookup gives auth what is kept of an account. A disabled account looks like one that does not exist until the
// password was right; auth then says account-disabled.
func (s *Server) lookup(h *server.Host) auth.Lookup {
	return func(ctx context.Context, user string) (auth.Keys, bool, error) {
		u, err := h.Store.User(ctx, h.Domain, user)
		if errors.Is(err, store.ErrNotFound) || err == nil && (u.Disabled || len(u.Keys) == 0) {
			return auth.Keys{}, false, nil
		}
		if err != nil {
			return auth.Keys{}, false, err
		}
		var k auth.Keys
		if err := k.UnmarshalBinary(u.Keys); err != nil {
			return auth.Keys{}, false, err
		}
		return k, true, nil
	}
}

// binding gathers what this connection has for channel binding: tls-exporter (RFC 9266; TLS 1.3, or 1.2 with extended
// master secret) and tls-server-end-point (RFC 5929).
func (st *stream) binding() auth.Binding {
	var b auth.Binding
	if st.tls == nil {
		return b
	}
	cs := st.tls.ConnectionState()
	if key, err := cs.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32); err == nil {
		b.Exporter = key
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
