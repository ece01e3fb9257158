package c2s

import (
	"encoding/base64"

	"parley/auth"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Binding while signing in (XEP-0386): the server names the resource, and what the client wants of its session is there
// before anything reaches it.

const nsBind2 = "urn:xmpp:bind:0"

// maxTag is the longest name of a client's software that goes into its resource, in bytes.
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

// bind2 binds a resource, does what <bind/> asks for, and sends what answer makes of the address and of <bound/>, with
// the features of what is left.
func (st *stream) bind2(req *wire.Element, answer func(full string, bound *wire.Element) *wire.Element) error {
	// The resource is its client's own: an older session that has it is the same client's.
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
	b.out.begin(hello, appendFeatures(nil, append(es, st.host.StreamFeatures()...)), b, req.Child(nsCSI, "inactive") != nil)
	return nil
}

// resource2 makes a resource of a client's tag and something that stays the same for its installation and says nothing
// of it (XEP-0386, section 3.2.1); one that no other has if the installation is not known. A tag that cannot be in a
// resource is left out.
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

// replaceOlder ends what other sessions the same installation still has.
func (st *stream) replaceOlder() {
	if st.client.ID == "" {
		return
	}
	for _, s := range st.host.Account(st.user).Sessions() {
		if s != st.bound.session && s.Info.Client.ID == st.client.ID {
			s.Close(&wire.StreamError{Condition: "conflict", Text: "the same client has signed in again"})
		}
	}
}

// begin sends what a client is told when it is bound, each its own frame, and then what has come for it meanwhile.
func (o *outbound) begin(success, features []byte, b *bound, inactive bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conn.Cork()
	defer o.conn.Uncork()
	_ = o.conn.WriteRaw(success) // a connection that is gone is noticed by its reader
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
