package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/store"
	"parley/wire"
)

// Info is the content of a disco#info answer (XEP-0030) about the host, an account, a room or a command.
type Info struct {
	Identities []Identity
	Features   []string
	Forms      []*wire.Element
}

// Element makes the <query/>, with sorted features and no duplicates.
func (i Info) Element(node string) *wire.Element {
	q := wire.E(wire.NSDiscoInfo, "query").Set("node", node)
	for _, id := range i.Identities {
		q.Add(wire.E(wire.NSDiscoInfo, "identity").Set("category", id.Category).
			Set("type", id.Type).Set("name", id.Name))
	}
	fs := slices.Clone(i.Features)
	slices.Sort(fs)
	for _, f := range slices.Compact(fs) {
		q.Add(wire.E(wire.NSDiscoInfo, "feature").Set("var", f))
	}
	return q.Add(i.Forms...)
}

// MaxUnpaged is how many items an answer has when the asker does not page. Nearly every place has fewer; more would
// make a stanza that some servers refuse. An answer that is cut off here says so (XEP-0059).
const MaxUnpaged = 5000

// ItemsElement makes the <query/> of a disco#items answer.
func ItemsElement(node string, items []Item) *wire.Element {
	q := wire.E(wire.NSDiscoItems, "query").Set("node", node)
	for _, it := range items {
		q.Add(wire.E(wire.NSDiscoItems, "item").Set("jid", it.JID.String()).Set("node", it.Node).Set("name", it.Name))
	}
	return q
}

// Info returns what the host announces.
func (h *Host) Info() Info {
	i := Info{Identities: []Identity{{"server", "im", "parley"}}}
	for _, f := range h.Features {
		i.Identities = append(i.Identities, f.Identities...)
		i.Features = append(i.Features, f.Disco...)
		i.Forms = append(i.Forms, f.Forms...)
	}
	return i
}

// AccountInfo returns what the host's accounts announce.
func (h *Host) AccountInfo() Info {
	i := Info{Identities: []Identity{{"account", "registered", ""}}}
	for _, f := range h.Features {
		i.Identities = append(i.Identities, f.AccountIdentities...)
		i.Features = append(i.Features, f.Account...)
	}
	return i
}

// StreamFeatures returns what an authenticated stream offers besides binding and stream management: the features' own
// elements and the host's capabilities (XEP-0115, section 6.3).
func (h *Host) StreamFeatures() []*wire.Element {
	var es []*wire.Element
	for _, f := range h.Features {
		es = append(es, f.Stream...)
	}
	return append(es, wire.E(wire.NSCaps, "c").Set("hash", "sha-1").Set("node", CapsNode).Set("ver", h.Caps()))
}

// Inline returns the features' parts of binding (XEP-0386).
func (h *Host) Inline() []Inline {
	var all []Inline
	for _, f := range h.Features {
		all = append(all, f.Inline...)
	}
	return all
}

// Node answers service discovery at the nodes of the host or of an account, such as commands. Its funcs return
// store.ErrNotFound for a node that they do not know.
type Node struct {
	Info  func(ctx context.Context, r *Request, node string) (*wire.Element, error)
	Items func(ctx context.Context, r *Request, node string) (*wire.Element, error)
}

// NodeInfo asks the features for the disco#info of a node of the host. It returns item-not-found if none knows the
// node.
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

// NodeItems asks the features for the disco#items of a node of the host. It returns item-not-found if none knows the
// node.
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

// AccountNodeInfo asks the features for the disco#info of a node of an account. It returns item-not-found if none knows
// the node.
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

// AccountNodeItems asks the features for the disco#items of a node of an account. For the node "" it joins the items of
// all features.
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

// CapsNode is the server's own name in entity capabilities (XEP-0115).
const CapsNode = "https://parley.im"

// Caps returns the verification string of what the host announces (XEP-0115, section 5.1), made with SHA-1 as the XEP
// requires.
func (h *Host) Caps() string {
	h.capsOnce.Do(func() { h.caps = h.Info().Caps() })
	return h.caps
}

// IsCapsNode reports whether a disco node names what the host announces now.
func (h *Host) IsCapsNode(node string) bool { return node == CapsNode+"#"+h.Caps() }

// Caps returns the verification string of an Info (XEP-0115, section 5.1).
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

// capsForm returns a form's part of the verification string: the FORM_TYPE, then the fields by name with sorted values.
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
