package pubsub

import (
	"context"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Inherit gives each node that nobody owns besides an address to heir, and gives their names: what has become of that address
// is why ("was deleted"). Affiliations are read at each request, so that is all.
func (s *Service) Inherit(ctx context.Context, who, heir jid.JID, why string) ([]string, error) {
	names, err := s.st.NodesWithoutOwner(ctx, s.cfg.Domain, who.String())
	if err != nil || len(names) == 0 {
		return nil, err
	}
	if heir.IsZero() {
		s.h.Log.Warn("nobody owns some nodes any more, and there is no administrator to give them to", "service", s.cfg.Domain, "nodes", len(names))
		return nil, nil
	}
	for _, name := range names {
		a := store.NodeAffiliation{JID: heir.String(), Affiliation: owner}
		if err := s.st.SetNodeAffiliations(ctx, s.cfg.Domain, "", name, 0, a); err != nil { // its list may be full
			return nil, err
		}
		note := &wire.Stanza{Kind: wire.Message, Name: wire.Name{Space: wire.NSClient, Local: "message"}, Type: "normal", From: s.jid, To: heir, ID: s.h.NewID()}
		s.h.Router.Send(ctx, note.Add(wire.T(wire.NSClient, "body",
			"You now own the node "+name+" of "+s.cfg.Domain+": its last owner, "+who.String()+", "+why+".")))
	}
	return names, nil
}
