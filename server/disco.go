package server

import (
	"slices"

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

// StreamFeatures gives what an authenticated stream offers besides binding and stream management.
func (h *Host) StreamFeatures() []*wire.Element {
	var es []*wire.Element
	for _, f := range h.Features {
		es = append(es, f.Stream...)
	}
	return es
}
