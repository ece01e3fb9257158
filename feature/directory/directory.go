// Package directory lets colleagues find each other (XEP-0055): by the names of their accounts and by their full names.
package directory

import (
	"context"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const ns = "jabber:iq:search"

// XEPs is what the service implements, for docs/xeps.md.
var XEPs = []server.XEP{{Number: 55, Title: "Jabber Search", Version: "1.3", Notes: "people of the host, for people of the host"}}

// most is how many people one answer names.
const most = 100

// Service is the directory of one host: an entity on the router.
type Service struct {
	h   *server.Host
	jid jid.JID
}

// New makes it for users.<host>, and puts it on the router and into the host's disco#items.
func New(h *server.Host, domain string) (*Service, error) {
	j, err := jid.New("", domain, "")
	if err != nil {
		return nil, err
	}
	s := &Service{h, j}
	if err := h.Router.Add(domain, s); err != nil {
		return nil, err
	}
	h.AddItem(server.Item{JID: j, Name: "People"})
	return s, nil
}

// Receive answers what is sent to the service.
func (s *Service) Receive(ctx context.Context, st *wire.Stanza) error {
	if st.Kind != wire.IQ {
		if st.Kind == wire.Message && st.Type != "error" && st.Type != "headline" {
			return server.ServiceUnavailable
		}
		return nil
	}
	if st.Type != "get" && st.Type != "set" {
		return nil
	}
	if len(st.Children) != 1 || st.ID == "" {
		return server.BadRequest
	}
	n := st.Children[0].Name
	e := st.Element(n.Space, n.Local)
	if e == nil {
		return server.BadRequest
	}
	answer, err := s.serve(ctx, st, e)
	if err != nil {
		return err
	}
	s.h.Router.Send(ctx, st.Reply().Add(answer))
	return nil
}

func (s *Service) serve(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	if st.To != s.jid {
		return nil, server.ServiceUnavailable
	}
	switch st.Type + " " + e.Name.Space + " " + e.Name.Local {
	case "get " + wire.NSDiscoInfo + " query":
		if e.Attr("node") != "" {
			return nil, server.ItemNotFound
		}
		return server.Info{Identities: []server.Identity{{Category: "directory", Type: "user", Name: "People"}},
			Features: []string{wire.NSDiscoInfo, wire.NSDiscoItems, ns, "urn:xmpp:ping"}}.Element(""), nil
	case "get " + wire.NSDiscoItems + " query":
		return server.ItemsElement(e.Attr("node"), nil), nil
	case "get urn:xmpp:ping ping":
		return nil, nil
	case "get " + ns + " query", "set " + ns + " query":
		if st.From.Domain() != s.h.Domain || st.From.Local() == "" {
			return nil, server.Forbidden
		}
		if st.Type == "get" {
			return fields(), nil
		}
		return s.search(ctx, e)
	}
	return nil, server.ServiceUnavailable
}

const instructions = "Fill in one or more fields to find people."

// fields is section 2.1, as plain fields and as a form.
func fields() *wire.Element {
	f := form.New(form.Ask, ns)
	f.Title, f.Instructions = "Find people", instructions
	f.Add("nick", form.TextSingle, "Name of the account").Add("first", form.TextSingle, "Given name").Add("last", form.TextSingle, "Family name")
	return wire.E(ns, "query", wire.T(ns, "instructions", instructions), wire.E(ns, "first"), wire.E(ns, "last"), wire.E(ns, "nick"), f.Element())
}

// search is section 2.2: all the words that were filled in have to be found. No field has to be: who fills in none gets
// the first of all people, as clients show them to be picked from.
func (s *Service) search(ctx context.Context, q *wire.Element) (*wire.Element, error) {
	x := q.Child(wire.NSForm, "x")
	var words []string
	if x != nil {
		f, err := form.Parse(x)
		if err != nil || f.Type != form.Submit {
			return nil, server.BadRequest
		}
		for _, fd := range f.Fields {
			if fd.Var != form.TypeVar {
				words = append(words, strings.Fields(f.Get(fd.Var))...)
			}
		}
	} else {
		for _, c := range q.Elements() {
			words = append(words, strings.Fields(c.Text())...)
		}
	}
	if len(words) > 10 {
		return nil, server.WithText(server.NotAcceptable, "ten words at most")
	}
	for i := range words {
		if words[i] = strings.Trim(words[i], "*"); len(words[i]) > 100 {
			return nil, server.NotAcceptable
		}
	}
	us, err := s.h.Store.FindUsers(ctx, s.h.Domain, words, most)
	if err != nil {
		return nil, err
	}
	if x != nil {
		return wire.E(ns, "query", table(us)), nil
	}
	answer := wire.E(ns, "query")
	for _, u := range us {
		first, last := names(u)
		answer.Add(wire.E(ns, "item", wire.T(ns, "first", first), wire.T(ns, "last", last), wire.T(ns, "nick", u.Name), wire.T(ns, "email", "")).Set("jid", u.Name+"@"+u.Host))
	}
	return answer, nil
}

func names(u store.User) (first, last string) {
	first, last, _ = strings.Cut(u.FullName, " ")
	return first, last
}

// table is the answer as a form (section 3): columns, then a row for each.
func table(us []store.User) *wire.Element {
	f := form.New(form.Result, ns)
	cell := func(name, typ, label, value string) *wire.Element {
		e := wire.E(wire.NSForm, "field").Set("var", name).Set("type", typ).Set("label", label)
		if label == "" {
			e.Add(wire.T(wire.NSForm, "value", value))
		}
		return e
	}
	f.Extra = append(f.Extra, wire.E(wire.NSForm, "reported", cell("jid", form.JIDSingle, "Address", ""), cell("first", form.TextSingle, "Given name", ""),
		cell("last", form.TextSingle, "Family name", ""), cell("nick", form.TextSingle, "Name", "")))
	for _, u := range us {
		first, last := names(u)
		f.Extra = append(f.Extra, wire.E(wire.NSForm, "item", cell("jid", form.JIDSingle, "", u.Name+"@"+u.Host), cell("first", form.TextSingle, "", first),
			cell("last", form.TextSingle, "", last), cell("nick", form.TextSingle, "", u.Name)))
	}
	return f.Element()
}
