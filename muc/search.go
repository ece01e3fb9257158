package muc

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Search for rooms by name and description (XEP-0433), among those that the asker may know of.

const (
	nsSearch       = "urn:xmpp:channel-search:0:search"
	nsSearchParams = "urn:xmpp:channel-search:0:search-params"
	nsSearchError  = "urn:xmpp:channel-search:0:error"
	byUsers        = "{urn:xmpp:channel-search:0:order}nusers"
	byAddress      = "{urn:xmpp:channel-search:0:order}address"
	seenByAll      = "{urn:xmpp:channel-search:0:anonymity}none"

	searchRate  = 1 // a second, of one person
	searchBurst = 10
	searchPage  = 50
	maxQuery    = 200  // bytes
	maxTerms    = 10   // words in one query
	maxFound    = 5000 // rooms that one query may look at
)

// search answers a <search/>: without a form with the one there is, with one by what it asks for.
func (s *Service) search(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	x := q.Child(wire.NSForm, "x")
	if x == nil {
		return wire.E(nsSearch, "search", searchForm()), nil
	}
	f, err := form.Parse(x)
	if err != nil || f.Type != form.Submit || f.About() != nsSearchParams {
		return nil, server.BadRequest
	}
	if !s.searchers.Allow(st.From.Bare(), st.At) {
		return nil, &server.AppError{
			Stanza: server.ResourceConstraint,
			App:    wire.E(nsSearchError, "rate-limit").Set("retry-after", "2"),
		}
	}
	w, err := readSearch(f)
	if err != nil {
		return nil, err
	}
	found, err := s.matching(ctx, st.From, w)
	if err != nil {
		return nil, err
	}
	return w.page(found, q.Child(wire.NSRSM, "set"))
}

func searchForm() *wire.Element {
	f := form.New(form.Ask, nsSearchParams)
	f.Add("q", form.TextSingle, "Search for")
	f.AddBool("all", "Return all entries", false).AddBool("sinname", "Search in name", true).
		AddBool("sindescription", "Search in description", true).AddBool("sinaddress", "Search in address", true)
	f.Add("min_users", form.TextSingle, "Minimum number of users", "0")
	f.Fields = append(f.Fields, form.Field{
		Var:     "types",
		Type:    form.ListMulti,
		Label:   "Service types",
		Values:  []string{"xep-0045"},
		Options: []form.Option{{Label: "Multi-User Chats", Value: "xep-0045"}},
	})
	f.AddList("key", "Sort results by", byUsers, form.Option{Label: "Number of online users", Value: byUsers},
		form.Option{Label: "Address", Value: byAddress})
	return f.Element()
}

// wantedRooms is the content of a search.
type wantedRooms struct {
	terms                     []string
	inName, inDesc, inAddress bool
	minUsers                  int
	elsewhere                 bool // the search asks only for services of other types
	byAddress                 bool
}

type foundRoom struct {
	item   server.Item
	users  int
	config RoomConfig
}

func searchError(e stanza.Error, text, condition string, vars ...string) error {
	app := wire.E(nsSearchError, condition)
	for _, v := range vars {
		app.Add(wire.T(nsSearchError, "var", v))
	}
	return &server.AppError{Stanza: server.WithText(e, text), App: app}
}

func readSearch(f form.Form) (w wantedRooms, err error) {
	flag := func(def bool, names ...string) bool {
		for _, n := range names {
			if v, ok := f.Bool(n); ok {
				return v
			}
		}
		return def
	}
	w = wantedRooms{
		inName:    flag(true, "sinname"),
		inDesc:    flag(true, "sindescription"),
		inAddress: flag(true, "sinaddress", "sinaddr"),
	}
	switch f.Get("key") {
	case "", byUsers:
	case byAddress:
		w.byAddress = true
	default:
		return w, searchError(stanza.Error{Type: stanza.Modify, Condition: stanza.FeatureNotImplemented},
			"results are sorted by users or by address", "invalid-sort-key")
	}
	if types := f.Values("types"); len(types) > 0 {
		w.elsewhere = !slices.Contains(types, "xep-0045")
	}
	if n, err := strconv.Atoi(f.Get("min_users")); err == nil {
		w.minUsers = n
	}
	all, query := flag(false, "all"), f.Get("q")
	switch {
	case all && query != "":
		return w, searchError(server.BadRequest, "all entries and a search for words exclude each other",
			"conflicting-fields", "all", "q")
	case all:
		return w, nil
	case query == "":
		return w, searchError(stanza.Error{Type: stanza.Cancel, Condition: stanza.BadRequest},
			"say what to search for", "no-search-conditions")
	case len(query) > maxQuery || !w.inName && !w.inDesc && !w.inAddress:
		return w, searchError(server.BadRequest,
			"the search is too long, or names no field to search in", "invalid-search-terms")
	}
	for _, t := range strings.Fields(strings.ToLower(query)) {
		if t = strings.Trim(t, `"'`); len(t) >= 2 {
			w.terms = append(w.terms, t)
		}
	}
	if len(w.terms) == 0 || len(w.terms) > maxTerms {
		return w, searchError(server.BadRequest,
			"one to ten words of at least two characters are searched for", "invalid-search-terms")
	}
	return w, nil
}

func (w *wantedRooms) matches(r foundRoom) bool {
	var in []string
	if w.inName {
		in = append(in, strings.ToLower(r.item.Name))
	}
	if w.inDesc {
		in = append(in, strings.ToLower(r.config.Description))
	}
	if w.inAddress {
		in = append(in, r.item.JID.String(), strings.ToLower(r.item.JID.Name()))
	}
	for _, t := range w.terms {
		if !slices.ContainsFunc(in, func(s string) bool { return strings.Contains(s, t) }) {
			return false
		}
	}
	return true
}

// matching returns the rooms found, in order.
func (s *Service) matching(ctx context.Context, who jid.JID, w wantedRooms) (found []foundRoom, err error) {
	if w.elsewhere {
		return nil, nil
	}
	looked := 0
	var names []string
	err = s.eachListed(ctx, who, "", func(row store.Room, it server.Item, c RoomConfig) bool {
		if r := (foundRoom{item: it, config: c}); w.matches(r) {
			found = append(found, r)
			names = append(names, row.Name)
		}
		looked++
		return looked < maxFound
	})
	users := s.occupants(names)
	for i, name := range names {
		found[i].users = users[name]
	}
	found = slices.DeleteFunc(found, func(r foundRoom) bool { return r.users < w.minUsers })
	slices.SortFunc(found, func(a, b foundRoom) int { // engines differ in the order of names
		if !w.byAddress && a.users != b.users {
			return b.users - a.users
		}
		return strings.Compare(a.item.JID.Local(), b.item.JID.Local())
	})
	return found, err
}

// page cuts a page out of the rooms found (XEP-0059). The position is the address of the last room before; where the
// order is by number of occupants, which changes, it is the place in the list.
func (w *wantedRooms) page(found []foundRoom, set *wire.Element) (*wire.Element, error) {
	n, first := searchPage, 0
	if set != nil {
		if m, err := strconv.Atoi(set.ChildText(wire.NSRSM, "max")); err == nil && m >= 0 {
			n = min(n, m)
		}
		if set.Child(wire.NSRSM, "before") != nil {
			return nil, server.FeatureNotImplemented
		}
		if after := set.ChildText(wire.NSRSM, "after"); after != "" {
			var err error
			if first, err = w.after(found, after); err != nil {
				return nil, err
			}
		}
	}
	last := min(first+n, len(found))
	e := wire.E(nsSearch, "result")
	for i := first; i < last; i++ {
		e.Add(found[i].element())
	}
	rsm := wire.E(wire.NSRSM, "set")
	if last > first {
		rsm.Add(wire.T(wire.NSRSM, "first", w.token(found, first)), wire.T(wire.NSRSM, "last", w.token(found, last-1)))
	}
	return e.Add(rsm.Add(wire.T(wire.NSRSM, "count", strconv.Itoa(len(found))))), nil
}

func (w *wantedRooms) token(found []foundRoom, i int) string {
	if w.byAddress {
		return found[i].item.JID.Local()
	}
	return strconv.Itoa(i)
}

func (w *wantedRooms) after(found []foundRoom, token string) (int, error) {
	if w.byAddress {
		i, ok := slices.BinarySearchFunc(found,
			token, func(r foundRoom, t string) int { return strings.Compare(r.item.JID.Local(), t) })
		if ok {
			i++
		}
		return i, nil
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 {
		return 0, server.ItemNotFound
	}
	return min(i+1, len(found)), nil
}

func (r foundRoom) element() *wire.Element {
	e := wire.E(nsSearch, "item", wire.T(nsSearch, "name", r.item.Name)).Set("address", r.item.JID.String())
	if r.config.Description != "" {
		e.Add(wire.T(nsSearch, "description", r.config.Description))
	}
	if r.config.Lang != "" {
		e.Add(wire.T(nsSearch, "language", r.config.Lang))
	}
	e.Add(wire.T(nsSearch, "nusers", strconv.Itoa(r.users)), wire.T(nsSearch, "service-type", "xep-0045"))
	if !r.config.MembersOnly && r.config.Password == "" {
		e.Add(wire.E(nsSearch, "is-open"))
	}
	mode := "muc_semianonymous"
	if r.config.NonAnonymous {
		mode = seenByAll
	}
	return e.Add(wire.T(nsSearch, "anonymity-mode", mode))
}
