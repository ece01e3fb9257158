package pubsub

import (
	"context"
	"errors"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Movim looks for a person's spaces in a node of their account that it believes to have written itself. Here the node
// is made from the person's groups. Only what a client adds to an entry (its <extensions/>: notify, pinned) is stored.

const (
	nodeMovim    = "{https://movim.eu}spaces_subscriptions_node"
	nsPubSubSubs = "urn:xmpp:pubsub:subscription:0"
	keptSpace    = "parley:spaces" // in private storage, by the group's id
	maxExtension = 16 << 10
)

func (s *Spaces) subscriptionItems(ctx context.Context, account string) ([]server.PEPItem, error) {
	who, err := jid.New(account, s.h.Domain, "")
	if err != nil {
		return nil, err
	}
	gs, err := s.o.GroupsOf(ctx, s.h.Domain, who)
	if err != nil {
		return nil, err
	}
	items := make([]server.PEPItem, len(gs))
	for i, g := range gs {
		ext, err := s.st.Private(ctx, s.h.Domain, account, keptSpace, g.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		items[i] = s.subscriptionItem(g, ext)
	}
	return items, nil
}

func (s *Spaces) subscriptionItem(g store.Group, extensions []byte) server.PEPItem {
	e := wire.E(nsPubSubSubs, "subscription", wire.T(nsPubSubSubs, "title", g.Name)).Set("server",
		org.SpacesDomain(s.h.Domain)).Set("node", g.ID)
	if len(extensions) > 0 {
		e.AddRaw(extensions)
	}
	return server.PEPItem{ID: g.ID, Payload: e.AppendXML(nil, "")}
}

// keepExtensions stores an entry that a client writes. It must be of a group of theirs, since people join by
// subscribing.
func (s *Spaces) keepExtensions(ctx context.Context, account, _ string, e *wire.Element) error {
	if e.Name != (wire.Name{Space: nsPubSubSubs, Local: "subscription"}) {
		return server.BadRequest
	}
	who, err := jid.New(account, s.h.Domain, "")
	if err != nil {
		return err
	}
	if e.Attr("server") != org.SpacesDomain(s.h.Domain) {
		return server.WithText(server.NotAllowed, "the list can only have spaces of "+s.h.Domain)
	}
	role, err := s.o.RoleOf(ctx, s.h.Domain, e.Attr("node"), who)
	if err != nil {
		return err
	}
	if role == "" || role == store.RoleBanned {
		return server.ItemNotFound
	}
	g, err := s.o.GroupByID(ctx, s.h.Domain, e.Attr("node"))
	if err != nil {
		return err
	}
	var ext []byte
	if x := e.Child(nsPubSubSubs, "extensions"); x != nil {
		if ext = x.AppendXML(nil, ""); len(ext) > maxExtension {
			return errPayloadSize
		}
	}
	if ext == nil { // values that a client leaves out stay
		if ext, err = s.st.Private(ctx, s.h.Domain, account, keptSpace, g.ID); errors.Is(err, store.ErrNotFound) {
			err = nil
		}
	} else {
		err = s.st.SetPrivate(ctx, s.h.Domain, account, keptSpace, g.ID, ext, 0)
	}
	if err != nil {
		return err
	}
	s.tellList(ctx, account, server.PEPEvent{Items: []server.PEPItem{s.subscriptionItem(g, ext)}})
	return nil
}
