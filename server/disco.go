package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/store"
	"parley/wire"
)

// Info is what a disco#info answer says (XEP-0030), for the host, an account, a room, a command.
type Info struct {
	Identities []Identity
	Features   []string
	Forms      []*wire.Element
}

// Element makes the <query/>, features sorted and each once.
func (i Info) Element(node string) *wire.Element {
	q := wire.E(wire.NSDiscoInfo, "query").Set("node", node)
	for _, id := range i.Identities {
		q.Add(wire.E(wire.NSDiscoInfo, "identity").Set("category", id.Category).Set("type", id.Type).Set("name", id.Name))
	}
	fs := slices.Clone(i.Features)
	slices.Sort(fs)
	for _, f := range slices.Compact(fs) {
		q.Add(wire.E(wire.NSDiscoInfo, "feature").Set("var", f))
	}
	return q.Add(i.Forms...)
}

// MaxUnpaged is how many items an answer names whose asker does not page: all there are in nearly every place, where more
// than that make a stanza that some refuse. Where it is not all, the answer says so (XEP-0059).
const MaxUnpaged = 5000

// ItemsElement makes the <query/> of disco#items.
func ItemsElement(node string, items []Item) *wire.Element {
	q := wire.E(wire.NSDiscoItems, "query").Set("node", node)
	for _, it := range items {
		q.Add(wire.E(wire.NSDiscoItems, "item").Set("jid", it.JID.String()).Set("node", it.Node).Set("name", it.Name))
	}
	return q
}

// Info gives what the host announces.
func (h *Host) Info() Info {
	i := Info{Identities: []Identity{{"server", "im", "parley"}}}
	for _, f := range h.Features {
		i.Identities = append(i.Identities, f.Identities...)
		i.Features = append(i.Features, f.Disco...)
		i.Forms = append(i.Forms, f.Forms...)
	}
	return i
}

// AccountInfo gives what the host's accounts announce.
func (h *Host) AccountInfo() Info {
	i := Info{Identities: []Identity{{"account", "registered", ""}}}
	for _, f := range h.Features {
		i.Identities = append(i.Identities, f.AccountIdentities...)
		i.Features = append(i.Features, f.Account...)
	}
	return i
}

// StreamFeatures gives what an authenticated stream offers besides binding and stream management; with it the host's own
// capabilities (XEP-0115, section 6.3).
func (h *Host) StreamFeatures() []*wire.Element {
	var es []*wire.Element
	for _, f := range h.Features {
		es = append(es, f.Stream...)
	}
	return append(es, wire.E(wire.NSCaps, "c").Set("hash", "sha-1").Set("node", CapsNode).Set("ver", h.Caps()))
}

// Inline gives what the features do for a client while it binds (XEP-0386).
func (h *Host) Inline() []Inline {
	var all []Inline
	for _, f := range h.Features {
		all = append(all, f.Inline...)
	}
	return all
}

// Node is a disco node of the host besides its own: commands and the like. A func that does not know a node gives
// store.ErrNotFound.
type Node struct {
	Info  func(ctx context.Context, r *Request, node string) (*wire.Element, error)
	Items func(ctx context.Context, r *Request, node string) (*wire.Element, error)
}

// NodeInfo and NodeItems ask the features that have nodes; item-not-found if none knows this one.
func (h *Host) NodeInfo(ctx context.Context, r *Request, node string) (*wire.Element, error) {
	for _, f := range h.Features {
		if f.Node.Info != nil {
			if e, err := f.Node.Info(ctx, r, node); !errors.Is(err, store.ErrNotFound) {
				return e, err
			}
		}
	}
	return nil, ItemNotFound
}

func (h *Host) NodeItems(ctx context.Context, r *Request, node string) (*wire.Element, error) {
	for _, f := range h.Features {
		if f.Node.Items != nil {
			if e, err := f.Node.Items(ctx, r, node); !errors.Is(err, store.ErrNotFound) {
				return e, err
			}
		}
	}
	return nil, ItemNotFound
}

// AccountNodeInfo and AccountNodeItems do the same for a node of an account; Items of the node "" are all there are.
func (h *Host) AccountNodeInfo(ctx context.Context, r *Request, node string) (*wire.Element, error) {
	for _, f := range h.Features {
		if f.AccountNode.Info != nil {
			if e, err := f.AccountNode.Info(ctx, r, node); !errors.Is(err, store.ErrNotFound) {
				return e, err
			}
		}
	}
	return nil, ItemNotFound
}

func (h *Host) AccountNodeItems(ctx context.Context, r *Request, node string) (*wire.Element, error) {
	all := ItemsElement(node, nil)
	for _, f := range h.Features {
		if f.AccountNode.Items == nil {
			continue
		}
		e, err := f.AccountNode.Items(ctx, r, node)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil || node != "":
			return e, err
		default:
			all.Add(e.Elements()...)
		}
	}
	if node != "" {
		return nil, ItemNotFound
	}
	return all, nil
}

// CapsNode is what the server calls itself in entity capabilities (XEP-0115).
const CapsNode = "https://parley.im"

// Caps gives the verification string of what the host announces (XEP-0115, section 5.1; SHA-1 as the XEP has it).
func (h *Host) Caps() string {
	h.capsOnce.Do(func() { h.caps = h.Info().Caps() })
	return h.caps
}

// IsCapsNode says that a disco node names what the host announces now.
func (h *Host) IsCapsNode(node string) bool { return node == CapsNode+"#"+h.Caps() }

// Caps gives the verification string of an Info (XEP-0115, section 5.1).
func (i Info) Caps() string {
	var ids []string
	for _, id := range i.Identities {
		ids = append(ids, id.Category+"/"+id.Type+"//"+id.Name)
	}
	slices.Sort(ids)
	fs := slices.Clone(i.Features)
	slices.Sort(fs)
	fs = slices.Compact(fs)
	var forms []string
	for _, f := range i.Forms {
		forms = append(forms, capsForm(f))
	}
	slices.Sort(forms)
	sum, _ := capsHash("sha-1", ids, fs, forms)
	return sum
}

// capsForm gives a form's part of the string: FORM_TYPE first, then fields by name with their values sorted.
func capsForm(f *wire.Element) string {
	kind := ""
	var fields []string
	for _, e := range f.Elements() {
		if e.Name.Local != "field" {
			continue
		}
		var values []string
		for _, v := range e.Elements() {
			if v.Name.Local == "value" {
				values = append(values, v.Text())
			}
		}
		if e.Attr("var") == "FORM_TYPE" {
			kind = strings.Join(values, "<") + "<"
			continue
		}
		slices.Sort(values)
		s := e.Attr("var") + "<"
		for _, v := range values {
			s += v + "<"
		}
		fields = append(fields, s)
	}
	slices.Sort(fields)
	return kind + strings.Join(fields, "")
}
