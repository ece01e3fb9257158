package pubsub

import (
	"context"
	"slices"
	"strconv"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// filterHasSpaces reports whether a filter (XEP-0462) includes nodes of the type of spaces.
func filterHasSpaces(filter *wire.Element) (bool, error) {
	f, err := form.Parse(filter.Child(wire.NSForm, "x"))
	if err != nil {
		return false, server.BadRequest
	}
	if fd := f.Field("included-types"); fd != nil {
		return slices.Contains(fd.Values, nsSpaces), nil
	}
	if fd := f.Field("excluded-types"); fd != nil {
		return !slices.Contains(fd.Values, nsSpaces), nil
	}
	return true, nil
}

// config returns the configuration of the node, as in XEP-0503, section 3.
func (sp *space) config() NodeConfig {
	c := NodeConfig{
		Title:       sp.group.Name,
		Description: sp.group.Description,
		Type:        nsSpaces,
		Access:      "open",
		Publish:     "publishers",
		Max:         unlimited,
		Persist:     true,
		Payloads:    true,
		Notify:      true,
		OnConfig:    true,
		OnDelete:    true,
		OnRetract:   true,
		ByPresence:  true,
		Last:        "never",
		Kind:        "headline",
		Subscribe:   true,
		Publisher:   none,
	}
	if sp.group.Private {
		c.Access = "whitelist"
	} else if org.RulesOf(sp.group).Asks {
		c.Access = "authorize"
	}
	return c
}

// info returns the node's metadata (XEP-0503, section 5.2).
func (s *Spaces) info(ctx context.Context, who jid.JID, node string) (*wire.Element, error) {
	sp, err := s.load(ctx, who, node)
	if err != nil {
		return nil, err
	}
	items, err := sp.items(ctx)
	if err != nil {
		return nil, err
	}
	people, err := s.o.AffiliationsOf(ctx, s.h.Domain, node, "")
	if err != nil {
		return nil, err
	}
	var owners []string
	members := 0
	named := org.RulesOf(sp.group).ShowAddresses || sp.aff == org.Owner || sp.aff == org.Admin
	for j, a := range people {
		if a == org.Owner && (named || j == who.Bare()) {
			owners = append(owners, j.String())
		}
		if a != org.Outcast {
			members++
		}
	}
	slices.Sort(owners)
	c := sp.config()
	f := form.New(form.Result, nsMeta)
	f.Add("pubsub#type", form.TextSingle, "", nsSpaces).Add("pubsub#title", form.TextSingle, "", c.Title)
	if c.Description != "" {
		f.Add("pubsub#description", form.TextSingle, "", c.Description)
	}
	f.Add("pubsub#owner", form.JIDMulti, "", owners...)
	if len(owners) > 0 {
		f.Add("pubsub#creator", form.JIDSingle, "", owners[0])
	}
	f.Add("pubsub#creation_date", form.TextSingle, "", sp.group.Created.UTC().Format("2006-01-02T15:04:05Z")).
		AddList("pubsub#access_model", "", c.Access).AddList("pubsub#publish_model", "", c.Publish).
		Add("pubsub#num_items", form.TextSingle, "", strconv.Itoa(len(items))).
		Add("pubsub#num_subscribers", form.TextSingle, "", strconv.Itoa(members))
	i := server.Info{Identities: []server.Identity{{Category: "pubsub", Type: "leaf", Name: sp.group.Name}},
		Features: []string{wire.NSPubSub, nsSpaces}, Forms: []*wire.Element{f.Element()}}
	return i.Element(node), nil
}

// items returns the content of the space: the group's room first, then its open themes in their order.
func (sp *space) items(ctx context.Context) ([]server.PEPItem, error) {
	ts, err := sp.o.Themes(ctx, sp.h.Domain, sp.group.ID, sp.from)
	if err != nil {
		return nil, err
	}
	items := []server.PEPItem{sp.mainItem(sp.group)}
	for _, t := range ts {
		if t.Closed.IsZero() {
			items = append(items, sp.themeItem(sp.group, t))
		}
	}
	avatar, err := sp.avatarItems(ctx, sp.group)
	return append(items, avatar...), err
}

// mainItem returns the group's room, pinned above its themes (XEP-0469).
func (s *Spaces) mainItem(g store.Group) server.PEPItem {
	e := wire.E(nsBookmarks, "conference", wire.E(nsBookmarks, "extensions", wire.E(nsPinning, "pinned"))).
		Set("name", g.Name).Set("autojoin", "true")
	return server.PEPItem{ID: s.o.RoomJID(s.h.Domain, g.Room).String(), Payload: e.AppendXML(nil, ""), At: g.Created}
}

// themeItem returns a theme under its own name, since the group's name stands above it here.
func (s *Spaces) themeItem(_ store.Group, t store.Theme) server.PEPItem {
	e := wire.E(nsBookmarks, "conference").Set("name", t.Name)
	return server.PEPItem{ID: s.o.RoomJID(s.h.Domain, t.Room).String(), Payload: e.AppendXML(nil, ""), At: t.Created}
}

func (s *Spaces) itemNames(ctx context.Context, who jid.JID, node string) (*wire.Element, error) {
	sp, err := s.load(ctx, who, node)
	if err != nil {
		return nil, err
	}
	items, err := sp.items(ctx)
	if err != nil {
		return nil, err
	}
	q := wire.E(wire.NSDiscoItems, "query").Set("node", node)
	for _, it := range items {
		q.Add(wire.E(wire.NSDiscoItems, "item").Set("jid", s.jid.String()).Set("name", it.ID))
	}
	return q, nil
}

// find returns the theme whose room has this address, if it belongs to the group and the asker may know of it.
func (sp *space) find(ctx context.Context, id string) (t store.Theme, ok bool, err error) {
	ts, err := sp.o.Themes(ctx, sp.h.Domain, sp.group.ID, sp.from)
	for _, t := range ts {
		if sp.o.RoomJID(sp.h.Domain, t.Room).String() == id {
			return t, true, nil
		}
	}
	return t, false, err
}
