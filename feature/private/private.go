// Package private keeps XML elements for clients (XEP-0049). Only the account itself reads them.
package private

import (
	"context"
	"errors"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
)

const ns = "jabber:iq:private"

// Config of private storage; zero values mean the defaults.
type Config struct {
	Max  int // elements per account, default 64
	Size int // bytes per element, default 64 KiB
}

type private struct {
	h   *server.Host
	st  Store
	cfg Config
}

// New makes the feature. Elements that another feature claims (server.Feature.Private) go to that feature.
func New(h *server.Host, st Store, c Config) *server.Feature {
	if c.Max <= 0 {
		c.Max = 64
	}
	if c.Size <= 0 {
		c.Size = 64 << 10
	}
	p := private{h, st, c}
	q := func(to server.Target, typ string) server.Query {
		return server.Query{To: to, Type: typ, Space: ns, Local: "query"}
	}
	forbidden := func(context.Context, *server.Request) (*wire.Element, error) { return nil, server.Forbidden }
	return &server.Feature{
		Name: "private",
		XEP:  []server.XEP{{Number: 49, Title: "Private XML Storage", Version: "1.2"}},
		IQ: map[server.Query]server.IQFunc{q(server.ToSelf, "get"): p.get, q(server.ToSelf, "set"): p.set,
			// somebody else's: section 2.4
			q(server.ToAccount, "get"): forbidden, q(server.ToAccount, "set"): forbidden},
	}
}

// check gives the elements of a query. Each must have a namespace of its own that is not the protocol's.
func check(q *wire.Element) ([]*wire.Element, error) {
	es := q.Elements()
	if len(es) == 0 {
		return nil, server.BadRequest
	}
	for _, e := range es {
		switch space := e.Name.Space; {
		case space == "" || space == ns:
			return nil, server.BadRequest
		case strings.HasPrefix(space, "jabber:") && (space == wire.NSClient || space == wire.NSServer ||
			strings.HasPrefix(space, "jabber:iq:")) || space == "vcard-temp":
			return nil, server.NotAcceptable // section 2.4: no namespaces of other protocols
		case strings.HasPrefix(space, "parley:"):
			return nil, server.NotAcceptable // elements of features
		}
	}
	return es, nil
}

func (p private) view(n wire.Name) (server.PrivateView, bool) {
	for _, f := range p.h.Features {
		if v, ok := f.Private[n]; ok {
			return v, true
		}
	}
	return server.PrivateView{}, false
}

// get gives the kept element, or an empty one.
func (p private) get(ctx context.Context, r *server.Request) (*wire.Element, error) {
	es, err := check(r.Payload)
	if err != nil {
		return nil, err
	}
	if len(es) > 1 {
		return nil, server.NotAcceptable // section 2.2: one at a time
	}
	answer := wire.E(ns, "query")
	n := es[0].Name
	if v, ok := p.view(n); ok {
		e, err := v.Get(ctx, r.Account)
		return answer.Add(e), err
	}
	data, err := p.st.Private(ctx, p.h.Domain, r.Account, n.Space, n.Local)
	if errors.Is(err, store.ErrNotFound) {
		return answer.Add(wire.E(n.Space, n.Local)), nil
	}
	if err != nil {
		return nil, err
	}
	return answer.AddRaw(data), nil
}

func (p private) set(ctx context.Context, r *server.Request) (*wire.Element, error) {
	es, err := check(r.Payload)
	if err != nil {
		return nil, err
	}
	for _, e := range es { // check all before any is kept
		if _, ok := p.view(e.Name); !ok && len(e.AppendXML(nil, "")) > p.cfg.Size {
			return nil, server.WithText(server.NotAcceptable, "the element is too large")
		}
		if e.Name.Space != es[0].Name.Space {
			return nil, server.NotAcceptable // section 2.1: all in one namespace
		}
	}
	for _, e := range es {
		if v, ok := p.view(e.Name); ok {
			if err := v.Set(ctx, r.Account, e); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.st.SetPrivate(ctx, p.h.Domain, r.Account, e.Name.Space, e.Name.Local,
			e.AppendXML(nil, ""), p.cfg.Max); err != nil {
			return nil, err // too many: resource-constraint
		}
	}
	return nil, nil
}
