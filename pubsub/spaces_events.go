package pubsub

import (
	"context"
	"slices"

	"parley/internal/fault"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// maxEvents is how many notifications may wait. A client that misses one reads the change with the node's items.
const maxEvents = 4096

func (s *Spaces) note(e org.Event) {
	if e.Host != s.h.Domain {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.events <- &happened{e, s.noted + 1}:
		s.noted++
		if r, ok := e.Cause.(*request); ok && r.first == 0 {
			r.first = s.noted
		}
	default:
		s.h.Log.Warn("too many changes of groups at once: some clients see them only when they next fetch their spaces")
	}
}

// run sends notifications, in order, in a goroutine of its own.
func (s *Spaces) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-s.events:
			if r, ok := e.Cause.(*request); ok {
				select {
				case <-r.answered:
				case <-ctx.Done():
					return nil
				}
			}
			if err := s.tell(ctx, e.Event); err != nil && ctx.Err() == nil && fault.Of(err) == nil {
				s.h.Log.Error("cannot notify of a change of a space", "group", e.Group.ID, "err", err)
			}
			s.mu.Lock()
			s.told = e.place
			close(s.moved)
			s.moved = make(chan struct{})
			s.mu.Unlock()
		}
	}
}

func (s *Spaces) tell(ctx context.Context, e org.Event) error {
	node := wire.E(wire.NSPubSubEv, "items").Set("node", e.Group.ID)
	switch e.Kind {
	case org.ThemeCreated:
		return s.toMembers(ctx, e.Group.ID, e.Theme.Key, node.Add(eventItem(s.themeItem(e.Group, *e.Theme))))
	case org.ThemeChanged:
		if e.Theme.Closed.IsZero() {
			node.Add(eventItem(s.themeItem(e.Group, *e.Theme)))
		} else {
			node.Add(wire.E(wire.NSPubSubEv, "retract").Set("id", s.o.RoomJID(s.h.Domain, e.Theme.Room).String()))
		}
		return s.toMembers(ctx, e.Group.ID, e.Theme.Key, node)
	case org.GroupChanged:
		sp := space{Spaces: s, group: e.Group}
		c := wire.E(wire.NSPubSubEv, "configuration",
			s.engine.form(sp.config(), "result", nsConfig)).Set("node", e.Group.ID)
		if err := s.toMembers(ctx, e.Group.ID, "", c); err != nil {
			return err
		}
		avatar, err := s.avatarItems(ctx, e.Group)
		if err != nil {
			return err
		}
		for _, it := range append([]server.PEPItem{s.mainItem(e.Group)}, avatar...) {
			node.Add(eventItem(it))
		}
		return s.toMembers(ctx, e.Group.ID, "", node)
	case org.ThemePeople:
		return s.tellThemePeople(ctx, e)
	case org.MembershipDenied:
		s.tellAnswer(ctx, e)
	case org.GroupCreated, org.MembersChanged:
		return s.tellMembers(ctx, e)
	case org.GroupDeleted:
		return s.tellDeleted(ctx, e)
	}
	return nil
}

// tellThemePeople notifies the people concerned that a theme has appeared in the space or disappeared from it.
func (s *Spaces) tellThemePeople(ctx context.Context, e org.Event) error {
	subs, err := s.subscribed(ctx, e.Group.ID)
	if err != nil {
		return err
	}
	for _, m := range e.Members {
		who, err := jid.Parse(m.JID)
		if err != nil {
			continue
		}
		sees, err := s.o.Visible(ctx, s.h.Domain, e.Group.ID, e.Theme.Key, who)
		if err != nil {
			return err
		}
		node := wire.E(wire.NSPubSubEv, "items").Set("node", e.Group.ID)
		if sees && e.Theme.Closed.IsZero() {
			node.Add(eventItem(s.themeItem(e.Group, *e.Theme)))
		} else {
			node.Add(wire.E(wire.NSPubSubEv, "retract").Set("id", s.o.RoomJID(s.h.Domain, e.Theme.Room).String()))
		}
		s.give(ctx, s.message(node), who, subs[who])
	}
	return nil
}

func eventItem(it server.PEPItem) *wire.Element {
	return wire.E(wire.NSPubSubEv, "item").Set("id", it.ID).AddRaw(it.Payload)
}

func (s *Spaces) message(e *wire.Element) *wire.Stanza {
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "headline", From: s.jid, ID: s.h.NewID()}
	return st.Add(wire.E(wire.NSPubSubEv, "event", e))
}

// subscribed returns the people who subscribed themselves, and did not only join the group in another way.
func (s *Spaces) subscribed(ctx context.Context, node string) (map[jid.JID]bool, error) {
	ss, err := s.st.NodeSubscriptions(ctx, s.jid.Domain(), "", node)
	if err != nil {
		return nil, err
	}
	m := make(map[jid.JID]bool, len(ss))
	for _, sub := range ss {
		if j, err := jid.Parse(sub.JID); err == nil {
			m[j] = true
		}
	}
	return m, nil
}

// toMembers sends an event to those who may see the group, or the theme in it.
func (s *Spaces) toMembers(ctx context.Context, group, theme string, e *wire.Element) error {
	people, err := s.o.AffiliationsOf(ctx, s.h.Domain, group, theme)
	if err != nil {
		return err
	}
	subs, err := s.subscribed(ctx, group)
	if err != nil {
		return err
	}
	st := s.message(e)
	st.Render()
	for j, a := range people {
		if a != org.Outcast {
			s.give(ctx, st, j, subs[j])
		}
	}
	return nil
}

// give sends an event to a member's clients: to all if the member subscribed, otherwise to those that have shown that
// they know spaces. People of other servers get it only if they subscribed.
func (s *Spaces) give(ctx context.Context, st *wire.Stanza, to jid.JID, subscribed bool) {
	if to.Domain() != s.h.Domain {
		if subscribed {
			c := st.Copy()
			c.To = to
			s.h.Router.Send(ctx, c)
		}
		return
	}
	for _, ss := range s.h.Account(to.Local()).Sessions() {
		if ss.Available() && (subscribed || ss.Is(server.Spaces)) {
			_ = ss.SendTo(st, ss.JID)
		}
	}
}

// tellMembers notifies people that they joined or left (XEP-0060, section 12.15), and updates Movim's list.
func (s *Spaces) tellMembers(ctx context.Context, e org.Event) error {
	subs, err := s.subscribed(ctx, e.Group.ID)
	if err != nil {
		return err
	}
	var gone []store.NodeSubscription
	for _, m := range e.Members {
		who, err := jid.Parse(m.JID)
		if err != nil {
			continue
		}
		state, news := "subscribed",
			slices.Contains(e.Joined, who.Local()) && (e.Kind != org.GroupCreated || m.Role != store.RoleOwner)
		if m.Role == "" || m.Role == store.RoleBanned {
			state, news = none, true
			if subs[who] {
				gone = append(gone, store.NodeSubscription{Node: e.Group.ID, JID: m.JID, State: none})
			}
		}
		if _, asked := s.asked.LoadAndDelete(membership{e.Group.ID, who}); asked || !news {
			continue // gets the answer, made the group, or was a member before and has another role now
		}
		st := s.message(wire.E(wire.NSPubSubEv, "subscription").Set("node", e.Group.ID).Set("jid", m.JID).
			Set("subscription", state))
		s.give(ctx, st, who, subs[who])
	}
	for _, name := range e.Joined {
		s.tellList(ctx, name, server.PEPEvent{Items: []server.PEPItem{s.subscriptionItem(e.Group, nil)}})
	}
	for _, name := range e.Left {
		s.tellList(ctx, name, server.PEPEvent{Retract: []string{e.Group.ID}})
	}
	if len(gone) == 0 {
		return nil
	}
	return s.st.SetNodeSubscriptions(ctx, s.jid.Domain(), "", s.engine.limits.Subscriptions, gone...)
}

func (s *Spaces) tellList(ctx context.Context, account string, ev server.PEPEvent) {
	if p := s.h.PEP(); p != nil && len(s.h.Account(account).Sessions()) > 0 {
		if err := p.Notify(ctx, account, nodeMovim, ev); err != nil {
			s.h.Log.Error("cannot notify of a list of spaces", "account", account, "err", err)
		}
	}
}

// tellDeleted notifies of a deleted group. The event and the subscriptions say who was in it.
func (s *Spaces) tellDeleted(ctx context.Context, e org.Event) error {
	subs, err := s.subscribed(ctx, e.Group.ID)
	if err != nil {
		return err
	}
	st := s.message(wire.E(wire.NSPubSubEv, "delete").Set("node", e.Group.ID))
	st.Render()
	for _, name := range e.Left {
		if j, err := jid.New(name, s.h.Domain, ""); err == nil {
			s.give(ctx, st, j, subs[j])
		}
		s.tellList(ctx, name, server.PEPEvent{Retract: []string{e.Group.ID}})
	}
	var gone []store.NodeSubscription
	for j := range subs {
		if j.Domain() != s.h.Domain {
			s.give(ctx, st, j, true)
		}
		gone = append(gone, store.NodeSubscription{Node: e.Group.ID, JID: j.String(), State: none})
	}
	if len(gone) == 0 {
		return nil
	}
	return s.st.SetNodeSubscriptions(ctx, s.jid.Domain(), "", s.engine.limits.Subscriptions, gone...)
}
