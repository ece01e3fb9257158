package c2s

import (
	"encoding/base64"

	"parley/auth"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Binding during authentication (XEP-0386): the server chooses the resource, and sets the session up as the client
// asked before it sends anything else.

const nsBind2 = "urn:xmpp:bind:0"

// maxTag is the longest part of a resource that names the client's software, in bytes.
const maxTag = 128

func (st *stream) offerBind2() *wire.Element {
	inline := wire.E(nsBind2, "inline")
	add := func(name string) { inline.Add(wire.E(nsBind2, "feature").Set("var", name)) }
	for _, in := range st.host.Inline() {
		if in.Announce != "" {
			add(in.Announce)
		}
	}
	add(nsCSI)
	add(wire.NSSM)
	return wire.E(nsBind2, "bind", inline)
}

// bind2 binds a resource, does what <bind/> asks for, and sends the element that answer makes of the address and of
// <bound/>, together with the remaining features.
func (st *stream) bind2(req *wire.Element, answer func(full string, bound *wire.Element) *wire.Element) error {
	// The resource belongs to one client installation: an older session with it belongs to the same client.
	b, err := st.newBound(st.resource2(req.ChildText(nsBind2, "tag")), server.Replace, true)
	if err != nil {
		return err
	}
	st.bound = b
	st.replaceOlder()
	bound := wire.E(nsBind2, "bound")
	for _, in := range st.host.Inline() {
		bound.Add(in.Do(st.srv.ctx, b.session, req))
	}
	es := []*wire.Element{wire.E(nsCSI, "csi")}
	if e := req.Child(wire.NSSM, "enable"); e != nil {
		bound.Add(b.enable(e.Attr("resume")))
	} else {
		es = append(es, wire.E(wire.NSSM, "sm"))
	}
	hello := answer(b.session.JID.String(), bound).AppendXML(nil, wire.NSClient)
	b.out.begin(hello, appendFeatures(nil, append(es, st.host.StreamFeatures()...)), b,
		req.Child(nsCSI, "inactive") != nil)
	return nil
}

// resource2 makes a resource of the client's tag and a suffix that stays the same for its installation without
// identifying it (XEP-0386, section 3.2.1). Without an installation id the suffix is random. A tag that is not valid in
// a resource is left out.
func (st *stream) resource2(tag string) string {
	id := st.host.IDs.Next().String()
	if st.client.ID != "" {
		sum := auth.Derive(st.srv.cfg.Secret, "resource", st.host.Domain, st.user, st.client.ID)
		id = base64.RawURLEncoding.EncodeToString(sum[:9])
	}
	if tag == "" || len(tag) > maxTag {
		return id
	}
	j, err := jid.New(st.user, st.host.Domain, tag+"/"+id)
	if err != nil {
		return id
	}
	return j.Resource()
}

// replaceOlder ends the other sessions of the same installation.
func (st *stream) replaceOlder() {
	if st.client.ID == "" {
		return
	}
	for _, s := range st.host.Account(st.user).Sessions() {
		if s != st.bound.session && s.Info.Client.ID == st.client.ID {
			s.Close(&wire.StreamError{Condition: "conflict", Text: "the same client signed in again"})
		}
	}
}

// begin sends the frames that announce the binding, and then everything that arrived meanwhile.
func (o *outbound) begin(success, features []byte, b *bound, inactive bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conn.Cork()
	defer o.conn.Uncork()
	_ = o.conn.WriteRaw(success) // the reader notices a lost connection
	_ = o.conn.WriteRaw(features)
	o.sm, o.resume = b.enabled, b.smid != ""
	held := o.held
	o.held, o.early, o.inactive = nil, false, inactive
	for _, h := range held {
		if o.dead || o.pass(h.st, h.to) != nil {
			return
		}
	}
}
