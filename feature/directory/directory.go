// Package directory lets colleagues find each other (XEP-0055): by the names of their accounts and by their
// full names. It tells of them what who asks may see.
package directory

import (
	"context"
	"errors"
	"strings"

	"parley/people"
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
	server.Service
	rules *people.People
}

// New makes it for users.<host>, and puts it on the router and into the host's disco#items. rules say who sees what of whom.
func New(h *server.Host, rules *people.People, domain string) (*Service, error) {
	s := &Service{rules: rules}
	s.Service = server.Service{Host: h, Identity: server.Identity{Category: "directory", Type: "user", Name: "People"}, Features: []string{ns}, Answer: s.answer}
	if err := s.Open(domain); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Service) answer(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	if e.Name != (wire.Name{Space: ns, Local: "query"}) {
		return nil, server.ServiceUnavailable
	}
	if st.From.Domain() != s.Host.Domain || st.From.Local() == "" {
		return nil, server.Forbidden
	}
	if st.Type == "get" {
		return fields(), nil
	}
	return s.search(ctx, st.From, e)
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
func (s *Service) search(ctx context.Context, from jid.JID, q *wire.Element) (*wire.Element, error) {
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
	us, err := s.Host.Store.FindUsers(ctx, s.Host.Domain, words, most)
	if err != nil {
		return nil, err
	}
	found, err := s.seen(ctx, from, us)
	if err != nil {
		return nil, err
	}
	if x != nil {
		return wire.E(ns, "query", table(found)), nil
	}
	answer := wire.E(ns, "query")
	for _, u := range found {
		first, last := names(u.User)
		answer.Add(wire.E(ns, "item", wire.T(ns, "first", first), wire.T(ns, "last", last), wire.T(ns, "nick", u.Name), wire.T(ns, "email", u.Email)).Set("jid", u.Address()))
	}
	return answer, nil
}

// seen gives accounts with what the asker may see of them.
func (s *Service) seen(ctx context.Context, from jid.JID, us []store.User) ([]store.Person, error) {
	a, err := s.rules.Actor(ctx, from)
	if err != nil {
		return nil, err
	}
	var found []store.Person
	for _, u := range us {
		p, err := s.Host.Store.Person(ctx, u.Host, u.Name)
		if errors.Is(err, store.ErrNotFound) { // gone in between
			continue
		}
		if err == nil {
			p, err = s.rules.Seen(ctx, a, p)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

func names(u store.User) (first, last string) {
	first, last, _ = strings.Cut(u.FullName, " ")
	return first, last
}

// table is the answer as a form (section 3): columns, then a row for each.
func table(us []store.Person) *wire.Element {
	f := form.New(form.Result, ns)
	cell := func(name, typ, label, value string) *wire.Element {
		e := wire.E(wire.NSForm, "field").Set("var", name).Set("type", typ).Set("label", label)
		if label == "" {
			e.Add(wire.T(wire.NSForm, "value", value))
		}
		return e
	}
	f.Extra = append(f.Extra, wire.E(wire.NSForm, "reported", cell("jid", form.JIDSingle, "Address", ""), cell("first", form.TextSingle, "Given name", ""),
		cell("last", form.TextSingle, "Family name", ""), cell("nick", form.TextSingle, "Name", ""), cell("email", form.TextSingle, "E-mail", "")))
	for _, u := range us {
		first, last := names(u.User)
		f.Extra = append(f.Extra, wire.E(wire.NSForm, "item", cell("jid", form.JIDSingle, "", u.Address()), cell("first", form.TextSingle, "", first),
			cell("last", form.TextSingle, "", last), cell("nick", form.TextSingle, "", u.Name), cell("email", form.TextSingle, "", u.Email)))
	}
	return f.Element()
}
