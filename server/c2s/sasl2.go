package c2s

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"parley/auth"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// The new SASL profile (XEP-0388): with its first message a client also says what it wants after sign-in, and the
// server answers all of it in its last one. There is no second stream header.

// maxAgent is how much of the name of a client's software or device is kept, in bytes.
const maxAgent = 128

// errBetween answers anything but a response to a challenge; XEP-0388, section 2.4, disconnects such a client.
var errBetween = &wire.StreamError{
	Condition: "policy-violation",
	Text:      "expected a response or an abort during authentication",
}

// request2 is the content of an <authenticate/>.
type request2 struct {
	mech          string
	data          []byte // nil: no initial response
	client        server.Client
	bind          *wire.Element // XEP-0386
	fast          fast
	upgrades      []string // XEP-0480
	previd, count string   // XEP-0198
	resume        bool
}

// offer2 returns <authentication/>, or nil where it must not be offered: without TLS or without a mechanism (XEP-0388,
// section 3).
func (st *stream) offer2(mechs []string, binding auth.Binding) *wire.Element {
	if !st.secure || len(mechs) == 0 {
		return nil
	}
	offer := wire.E(wire.NSSASL2, "authentication")
	for _, m := range mechs {
		offer.Add(wire.T(wire.NSSASL2, "mechanism", m))
	}
	for _, m := range st.upgradable() {
		offer.Add(wire.T(nsUpgrade, "upgrade", upgradePrefix+m))
	}
	return offer.Add(wire.E(wire.NSSASL2, "inline", st.offerBind2(), wire.E(wire.NSSM, "sm"), st.offerFast(binding)))
}

// authenticate2 handles one <authenticate/> until it succeeds or fails.
func (st *stream) authenticate2(x *wire.Stanza, mechs []string, binding auth.Binding) error {
	st.typed, st.began = "", st.host.SignIns()
	o := st.options(mechs, binding)
	if st.from != "" {
		from, err := jid.Parse(st.from)
		if err != nil || from.Domain() != st.host.Domain {
			return &wire.StreamError{Condition: "invalid-from"}
		}
		o.From = from.Bare().String()
	}
	req, err := newRequest2(x)
	if err != nil {
		return err
	}
	var used store.Token
	if req.fast.token && strings.HasPrefix(req.mech, "HT-") && st.srv.cfg.TokenLifetime > 0 {
		if req.client.ID == "" {
			return &auth.Error{Condition: "malformed-request", Text: "a token requires the id of a user agent"}
		}
		o.Mechanisms = auth.TokenMechanisms(binding)
		o.Tokens = st.tokens(req.client.ID, req.fast.count, &used)
	}
	ex, err := auth.Start(req.mech, o)
	if err != nil {
		return err
	}
	data, err := st.exchange(ex, req.data, wire.NSSASL2)
	if err != nil {
		return err
	}
	st.welcome(ex, req.mech)
	if used.Salt != nil {
		st.signedInWith(used.App)
	}
	if data, err = st.upgrade(req, data); err != nil {
		st.user = ""
		return err
	}
	st.client = req.client
	token, err := st.renew(req.fast, &used, binding)
	if err != nil {
		return err
	}
	st.newer = true
	st.t.setLimits(st.srv.cfg.Authenticated)
	return st.success2(req, data, token)
}

func newRequest2(x *wire.Stanza) (*request2, error) {
	r := &request2{mech: x.Attr("mechanism"), bind: x.Element(nsBind2, "bind")}
	if r.mech == "" {
		return nil, &auth.Error{Condition: "malformed-request", Text: "the mechanism is missing"}
	}
	if e := x.Element(wire.NSSASL2, "initial-response"); e != nil {
		var err error
		if r.data, err = decode2(e.Text()); err != nil {
			return nil, err
		}
	}
	if e := x.Element(wire.NSSASL2, "user-agent"); e != nil {
		id := strings.ToLower(e.Attr("id"))
		if id != "" && !isUUID(id) {
			return nil, &auth.Error{Condition: "malformed-request", Text: "the id of the user agent is not a UUID"}
		}
		r.client = server.Client{
			ID:       id,
			Software: agentText(e.ChildText(wire.NSSASL2, "software")),
			Device:   agentText(e.ChildText(wire.NSSASL2, "device")),
		}
	}
	if e := x.Element(wire.NSSM, "resume"); e != nil {
		r.resume, r.previd, r.count = true, e.Attr("previd"), e.Attr("h")
	}
	for _, c := range x.Children {
		if c.Name == (wire.Name{Space: nsUpgrade, Local: "upgrade"}) && len(r.upgrades) < maxUpgrades {
			if e, err := wire.ParseElement(x.Raw(c), wire.NSClient); err == nil {
				r.upgrades = append(r.upgrades, strings.TrimSpace(e.Text()))
			}
		}
	}
	var err error
	r.fast, err = newFast(x)
	return r, err
}

// success2 does what the client asked for besides signing in, and answers everything at once. It resumes a session or
// binds a new one, if the client asked for that, and sends the remaining features.
func (st *stream) success2(req *request2, data []byte, token *wire.Element) error {
	answer := func(who string, results ...*wire.Element) *wire.Element {
		success := wire.E(wire.NSSASL2, "success")
		if len(data) > 0 {
			success.Add(wire.T(wire.NSSASL2, "additional-data", base64.StdEncoding.EncodeToString(data)))
		}
		return success.Add(wire.T(wire.NSSASL2, "authorization-identifier", who)).Add(results...).Add(token)
	}
	var failed *wire.Element
	if req.resume {
		var err error
		failed, err = st.takeOver(req.previd, req.count, func(resumed *wire.Element, b *bound) *wire.Element {
			return answer(b.session.JID.String(), resumed)
		})
		if err != nil || st.bound != nil {
			return err // no features follow a resumption (XEP-0198, section 9.2)
		}
	}
	if req.bind != nil {
		err := st.bind2(req.bind, func(full string, bound *wire.Element) *wire.Element {
			return answer(full, failed, bound)
		})
		if err == nil || isStreamError(err) {
			return err
		}
		// The client is signed in all the same. It may try to bind in the old way and learns the reason there.
		st.log.Debug("cannot bind", "user", st.user, "err", err)
	}
	st.send(answer(st.user+"@"+st.host.Domain, failed))
	return nil
}

// decode2 decodes data, which may be empty. Here "=" has no special meaning (XEP-0388, section 2.2).
func decode2(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxSASL {
		return nil, &auth.Error{Condition: "malformed-request"}
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, &auth.Error{Condition: "incorrect-encoding"}
	}
	return b, nil
}

// agentText shortens a client's description of itself to what is kept.
func agentText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) <= maxAgent {
		return s
	}
	n := maxAgent
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// isUUID accepts a UUID of any version: it only has to be unique for the installation.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
