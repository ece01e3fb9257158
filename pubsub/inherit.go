package pubsub

import (
	"context"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Inherit makes heir the owner of each node that nobody owns except who, and returns the names of those nodes. why
// completes a sentence for the heir about the old owner ("was deleted"). Affiliations are read at each request, so no
// cache needs an update.
func (s *Service) Inherit(ctx context.Context, who, heir jid.JID, why string) ([]string, error) {
	names, err := s.st.NodesWithoutOwner(ctx, s.cfg.Domain, who.String())
	if err != nil || len(names) == 0 {
		return nil, err
	}
	if heir.IsZero() {
		s.h.Log.Warn("some nodes have no owner any more, and there is no administrator to own them",
			"service", s.cfg.Domain, "nodes", len(names))
		return nil, nil
	}
	for _, name := range names {
		a := store.NodeAffiliation{JID: heir.String(), Affiliation: owner}
		// its list of affiliations may be full
		if err := s.st.SetNodeAffiliations(ctx, s.cfg.Domain, "", name, 0, a); err != nil {
			return nil, err
		}
		note := &wire.Stanza{
			Kind: wire.Message,
			Name: wire.Name{Space: wire.NSClient, Local: "message"},
			Type: "normal",
			From: s.jid,
			To:   heir,
			ID:   s.h.NewID(),
		}
		s.h.Router.Send(ctx, note.Add(wire.T(wire.NSClient, "body",
			"You now own the node "+name+" of "+s.cfg.Domain+": its last owner, "+who.String()+", "+why+".")))
	}
	return names, nil
}
