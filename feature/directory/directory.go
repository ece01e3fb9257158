// Package directory lets colleagues find each other (XEP-0055): by account names, full names, and profile fields that
// everybody sees. Results show what the asker may see.
package directory

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const ns = "jabber:iq:search"

// XEPs lists what the service implements, for docs/xeps.md.
var XEPs = []server.XEP{
	{
		Number:  55,
		Title:   "Jabber Search",
		Version: "1.3",
		Notes:   "people of the host, for people of the host, in pages (XEP-0059)",
	},
}

// most is how many people one answer contains.
const most = 100

// Service is the directory of one host: an entity on the router.
type Service struct {
	server.Service
	st    Store
	rules *people.People
}

// New makes the service at domain (users.<host>), and adds it to the router and the host's disco#items. rules decide
// who sees what.
func New(h *server.Host, st Store, rules *people.People, domain string) (*Service, error) {
	s := &Service{st: st, rules: rules}
	s.Service = server.Service{
		Host:     h,
		Identity: server.Identity{Category: "directory", Type: "user", Name: "People"},
		Features: []string{ns, wire.NSRSM},
		Answer:   s.answer,
	}
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
		fs, err := s.searched(ctx)
		return fields(fs), err
	}
	return s.search(ctx, st.From, e)
}

const instructions = "Fill in one or more fields to find people."

// searched gives the profile fields that are searchable and visible to everybody.
func (s *Service) searched(ctx context.Context) ([]store.ProfileField, error) {
	fs, err := s.rules.Fields(ctx)
	return slices.DeleteFunc(fs, func(f store.ProfileField) bool { return !f.Searched || f.SeenBy != "" }), err
}

// fieldVar gives a profile field's name in forms: unregistered names begin with x- (XEP-0068, section 3.2).
func fieldVar(f store.ProfileField) string { return "x-" + f.Key }

// fields makes the fields to search by (section 2.1), plain and as a form. Only the form has the organization's own
// fields.
func fields(fs []store.ProfileField) *wire.Element {
	f := form.New(form.Ask, ns)
	f.Title, f.Instructions = "Find people", instructions
	f.Add("nick", form.TextSingle, "Name of the account").Add("first", form.TextSingle, "Given name").
		Add("last", form.TextSingle, "Family name")
	for _, fd := range fs {
		f.Add(fieldVar(fd), form.TextSingle, fd.Name)
	}
	return wire.E(ns, "query", wire.T(ns, "instructions", instructions), wire.E(ns, "first"), wire.E(ns, "last"),
		wire.E(ns, "nick"), f.Element())
}

// search answers a search (section 2.2): all given words must be found. Without any words it gives the first of all
// people, whom clients offer to choose from.
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
			if c.Name.Space != ns {
				continue
			}
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
	set := q.Child(wire.NSRSM, "set")
	page, err := s.paging(ctx, set)
	if err != nil {
		return nil, err
	}
	us, total, before, err := s.st.FindUsers(ctx, s.Host.Domain, words, page)
	if err != nil {
		return nil, err
	}
	found, err := s.seen(ctx, from, us)
	if err != nil {
		return nil, err
	}
	answer := wire.E(ns, "query")
	var part *wire.Element
	if set != nil || len(us) < total { // otherwise the page is everything
		part = paged(us, total, before)
	}
	if x != nil {
		fs, err := s.searched(ctx)
		if err != nil {
			return nil, err
		}
		return answer.Add(table(found, fs), part), nil
	}
	for _, u := range found {
		first, last := names(u.User)
		answer.Add(wire.E(ns, "item", wire.T(ns, "first", first), wire.T(ns, "last", last),
			wire.T(ns, "nick", jid.Unescape(u.Name)), wire.T(ns, "email", u.Email)).Set("jid", u.Address()))
	}
	return answer.Add(part), nil
}

// paging reads which page of the results is wanted (XEP-0059): after or before an account, by its name, or behind a
// number of results.
func (s *Service) paging(ctx context.Context, set *wire.Element) (p store.UserPage, err error) {
	p.Max = most
	if set == nil {
		return p, nil
	}
	if e := set.Child(wire.NSRSM, "max"); e != nil {
		n, err := strconv.Atoi(strings.TrimSpace(e.Text()))
		if err != nil || n < 0 {
			return p, server.BadRequest
		}
		p.Max = min(n, most)
	}
	if e := set.Child(wire.NSRSM, "index"); e != nil {
		if p.Offset, err = strconv.Atoi(strings.TrimSpace(e.Text())); err != nil || p.Offset < 0 {
			return p, server.BadRequest
		}
	}
	p.After = set.ChildText(wire.NSRSM, "after")
	if e := set.Child(wire.NSRSM, "before"); e != nil {
		p.Last, p.Before = true, e.Text()
	}
	if p.Last && p.After != "" || p.Offset > 0 && (p.Last || p.After != "") {
		return p, server.WithText(server.BadRequest,
			"a page needs one of <after/>, <before/> and <index/>, not several")
	}
	for _, item := range []string{p.After, p.Before} {
		if item == "" {
			continue
		}
		if _, err := s.st.User(ctx, s.Host.Domain, item); errors.Is(err, store.ErrNotFound) {
			return p, server.ItemNotFound
		} else if err != nil {
			return p, err
		}
	}
	return p, nil
}

// paged says which page of the results an answer holds.
func paged(us []store.User, total, before int) *wire.Element {
	set := wire.E(wire.NSRSM, "set")
	if len(us) > 0 {
		set.Add(wire.T(wire.NSRSM, "first", us[0].Name).Set("index", strconv.Itoa(before)),
			wire.T(wire.NSRSM, "last", us[len(us)-1].Name))
	}
	return set.Add(wire.T(wire.NSRSM, "count", strconv.Itoa(total)))
}

// seen gives the accounts with what the asker may see of them.
func (s *Service) seen(ctx context.Context, from jid.JID, us []store.User) ([]store.Person, error) {
	a, err := s.rules.Actor(ctx, from)
	if err != nil {
		return nil, err
	}
	var found []store.Person
	for _, u := range us {
		p, err := s.st.Person(ctx, u.Host, u.Name)
		if errors.Is(err, store.ErrNotFound) { // deleted in between
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

// table makes the answer as a form (section 3): columns, then a row for each person.
func table(us []store.Person, fs []store.ProfileField) *wire.Element {
	f := form.New(form.Result, ns)
	cell := func(name, typ, label, value string) *wire.Element {
		e := wire.E(wire.NSForm, "field").Set("var", name).Set("type", typ).Set("label", label)
		if label == "" {
			e.Add(wire.T(wire.NSForm, "value", value))
		}
		return e
	}
	columns := wire.E(wire.NSForm, "reported", cell("jid", form.JIDSingle, "Address", ""),
		cell("first", form.TextSingle, "Given name", ""), cell("last", form.TextSingle, "Family name", ""),
		cell("nick", form.TextSingle, "Name", ""), cell("email", form.TextSingle, "E-mail", ""))
	for _, fd := range fs {
		columns.Add(cell(fieldVar(fd), form.TextSingle, fd.Name, ""))
	}
	f.Extra = append(f.Extra, columns)
	for _, u := range us {
		first, last := names(u.User)
		row := wire.E(wire.NSForm, "item", cell("jid", form.JIDSingle, "", u.Address()),
			cell("first", form.TextSingle, "", first), cell("last", form.TextSingle, "", last),
			cell("nick", form.TextSingle, "", jid.Unescape(u.Name)), cell("email", form.TextSingle, "", u.Email))
		for _, fd := range fs {
			row.Add(cell(fieldVar(fd), form.TextSingle, "", u.Fields[fd.Key]))
		}
		f.Extra = append(f.Extra, row)
	}
	return f.Element()
}
