package webchat

import (
	"context"
	"slices"

	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A browser is in no room. It hears of those that its person may read: follow finds them when the browser comes, and
// changes of the organization add and remove some. A right that ends is taken away before the act returns.

// viewer says how a browser sees a room.
type viewer struct {
	group     string // the group's id; "" for a room of nobody but its owners
	addressed bool   // it sees the addresses of people
	visit     bool   // the person looks at it without being in the group
}

// follow has a browser hear of every room that its person may read.
func (s *Service) follow(ctx context.Context, b *Browser) error {
	who := b.session.JID.Bare()
	places, err := s.cfg.Org.Places(ctx, s.cfg.Host.Domain, who)
	if err != nil {
		return err
	}
	few, err := s.several(ctx, who)
	if err != nil {
		return err
	}
	free, err := s.freeRooms(ctx, who, few)
	if err != nil {
		return err
	}
	for i := range places {
		s.watch(b, places[i].Room, &viewer{group: places[i].Group.ID, addressed: places[i].Addressed()})
	}
	for room, addressed := range free {
		s.watch(b, room, &viewer{addressed: addressed})
	}
	return nil
}

// freeRooms gives the rooms without a group in a person's list of conversations which the person may read, and whether
// the person sees addresses there. few are the conversations of several people.
func (s *Service) freeRooms(ctx context.Context, who jid.JID, few map[string]Conversation) (map[jid.JID]bool, error) {
	all, err := s.cfg.Inbox.Conversations(ctx, who.Local())
	if err != nil {
		return nil, err
	}
	rooms := make(map[jid.JID]bool)
	for id := range few {
		rooms[jid.MustParse(id)] = true
	}
	for i := range all {
		if rooms[all[i].With] {
			continue
		}
		if news := all[i].News(); news == nil || news.Free == "" {
			continue
		}
		if _, addressed, err := s.Rooms.ReadingOf(ctx, all[i].With.Local(), who); err == nil {
			rooms[all[i].With] = addressed
		} else if _, refused := server.Refusal(err); !refused {
			return nil, err
		}
	}
	return rooms, nil
}

// watch has a browser hear of a room from now on. It returns false if it did before.
func (s *Service) watch(b *Browser, room jid.JID, v *viewer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := room.String()
	if s.rooms[id] == nil {
		s.rooms[id] = make(map[*Browser]*viewer)
	}
	was := s.rooms[id][b]
	s.rooms[id][b] = v
	return was == nil
}

// unwatch has a browser hear of a room no more. It returns false if it did not before.
func (s *Service) unwatch(b *Browser, room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unwatchLocked(b, room)
}

func (s *Service) unwatchLocked(b *Browser, room string) bool {
	of := s.rooms[room]
	if of[b] == nil {
		return false
	}
	delete(of, b)
	if len(of) == 0 {
		delete(s.rooms, room)
	}
	return true
}

// unfollowRooms has a browser hear of no room.
func (s *Service) unfollowRooms(b *Browser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for room := range s.rooms {
		s.unwatchLocked(b, room)
	}
}

// unfollow has a browser hear of no room and of nobody's presence.
func (s *Service) unfollow(b *Browser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for room := range s.rooms {
		s.unwatchLocked(b, room)
	}
	s.unwatchPeopleLocked(b)
}

// viewers gives the browsers that hear of a room.
func (s *Service) viewers(room string) map[*Browser]*viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[*Browser]*viewer, len(s.rooms[room]))
	for b, v := range s.rooms[room] {
		all[b] = v
	}
	return all
}

// Watching gives the people who hear of a room in a browser that is open and does not say that they are away
// (groups.Config.Watching).
func (s *Service) Watching(room jid.JID) (who []jid.JID) {
	for b := range s.viewers(room.String()) {
		b.mu.Lock()
		here := !b.asleep && !b.idle && !b.quiet && b.status.Show == "available"
		b.mu.Unlock()
		if j := b.session.JID.Bare(); here && !slices.Contains(who, j) {
			who = append(who, j)
		}
	}
	return who
}

// heard says whether any browser hears of a room.
func (s *Service) heard(room string) bool {
	if s.open.Load() == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rooms[room]) > 0
}

// Rule has browsers told of what is said in a room (muc.Config.Rules).
func (s *Service) Rule(r *muc.Room) muc.Hooks {
	room, id := r.JID(), r.JID().String()
	recheck := func() {
		s.recheck(room)
		s.tellRoom(roomFrame{Kind: roomRecheck, Room: room})
	}
	return muc.Hooks{
		Shown: func(m *muc.Message) {
			here, there := s.heard(id), s.anyElsewhere()
			if !here && !there {
				return
			}
			said := saidInRoom{room: room, stanza: m.Stanza}
			if m.Entry != nil {
				said.id, said.sender = m.Entry.ID, m.Entry.Sender
			}
			if m.By != nil {
				said.sender = m.By.Person().String()
			}
			if there {
				s.tellSaid(said)
			}
			if here {
				s.do(func(ctx context.Context) { s.inRoom(ctx, said) })
			}
		},
		Affiliated: func(jid.JID, string) *wire.Element {
			recheck()
			return nil
		},
		Unknown: recheck,
	}
}

// recheck looks at the browsers here that hear of a room: somebody may not read it any more.
func (s *Service) recheck(room jid.JID) {
	if s.heard(room.String()) {
		s.do(func(ctx context.Context) { s.recheckFree(ctx, room) })
	}
}

// recheckFree ends what browsers hear of a room without a group, for people who may not read it any more.
func (s *Service) recheckFree(ctx context.Context, room jid.JID) {
	for b, v := range s.viewers(room.String()) {
		if v.group != "" {
			continue
		}
		_, addressed, err := s.Rooms.ReadingOf(ctx, room.Local(), b.session.JID.Bare())
		if err == nil {
			s.watch(b, room, &viewer{addressed: addressed})
			continue
		}
		if _, refused := server.Refusal(err); refused && s.unwatch(b, room.String()) {
			b.buf.add(event("gone", map[string]string{"conversation": room.String()}))
		}
	}
}

// OrgChanged follows the changes of groups, on whatever node they are made (org.Org.SubscribeEverywhere).
func (s *Service) OrgChanged(e org.Event) {
	if e.Host != s.cfg.Host.Domain || e.Group.ID == "" {
		return
	}
	switch e.Kind {
	case org.MembershipAsked, org.MembershipGranted, org.MembershipDenied, org.Shared, org.Unshared:
		return
	}
	gained := make(map[string]bool)
	for _, m := range e.Members {
		if j, err := jid.Parse(m.JID); err == nil && j.Domain() == e.Host {
			gained[j.Local()] = true
		}
	}
	for _, name := range e.Joined {
		gained[name] = true
	}
	s.mu.Lock()
	affected := make(map[*Browser]bool)
	for _, of := range s.rooms {
		for b, v := range of {
			if v.group == e.Group.ID {
				affected[b] = true
			}
		}
	}
	for name := range gained {
		for _, b := range s.browsers[name] {
			affected[b] = true
		}
	}
	s.mu.Unlock()
	ctx := context.Background()
	for b := range affected {
		s.regroup(ctx, b, e)
	}
}

// regroup compares the rooms of a group that a browser hears of with those that its person may read now.
func (s *Service) regroup(ctx context.Context, b *Browser, e org.Event) {
	who := b.session.JID.Bare()
	places, err := s.cfg.Org.PlacesIn(ctx, e.Host, e.Group.ID, who)
	if err != nil {
		s.failed("cannot tell a browser of a change in a group", err, "group", e.Group.Slug)
		b.buf.reset()
		places = nil // rather nothing than what the person may not read
	}
	had := s.roomsOf(b, e.Group.ID)
	role, err := s.cfg.Org.RoleOf(ctx, e.Host, e.Group.ID, who)
	stranger := err != nil || role == "" || role == store.RoleBanned
	if stranger {
		places = slices.DeleteFunc(places, func(p org.Place) bool {
			v := had[p.Room.String()]
			return (v == nil || !v.visit) && !isGuest(&p)
		})
	}
	now := make(map[string]*org.Place, len(places))
	for i := range places {
		now[places[i].Room.String()] = &places[i]
	}
	for room := range had {
		if now[room] == nil && s.unwatch(b, room) {
			b.buf.add(event("gone", map[string]string{"conversation": room}))
		}
	}
	for _, p := range places {
		s.watch(b, p.Room, &viewer{group: p.Group.ID, addressed: p.Addressed(), visit: stranger && !isGuest(&p)})
		b.buf.add(event("conversation", s.placed(&p, who)))
	}
}

// isGuest says whether a person who is not in the group is a guest in a theme.
func isGuest(p *org.Place) bool { return p.Theme != nil && p.Access.Affiliation == org.Member }

// visit has a browser hear of a room that is not in its list: of a group that anybody may read, or that an
// administrator looks at.
func (s *Service) visit(b *Browser, f *found) {
	room := f.scene.room
	if room.IsZero() || s.viewers(room.String())[b] != nil {
		return
	}
	s.watch(b, room, &viewer{group: f.scene.group, addressed: f.scene.addressed, visit: true})
}

// roomsOf gives the rooms of a group that a browser hears of.
func (s *Service) roomsOf(b *Browser, group string) map[string]*viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]*viewer)
	for room, of := range s.rooms {
		if v := of[b]; v != nil && v.group == group {
			all[room] = v
		}
	}
	return all
}
