package muc

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/acts"
	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

// free keeps a free room: a room that belongs to its owners and to nothing else. The store has the configuration, the
// people and those who ask to be members.
type free struct {
	r        *Room
	people   map[jid.JID]store.Affiliation // affiliations by address; guarded by the room's mu
	holders  map[string]jid.JID            // owners of reserved nicks, by what the nick looks like
	requests []store.RoomRequest           // people who ask to become members
}

// newFree reads the people of a room and the requests for membership.
func newFree(ctx context.Context, r *Room) (*free, error) {
	k := &free{r: r, people: make(map[jid.JID]store.Affiliation)}
	as, err := r.s.st.Affiliations(ctx, r.s.cfg.Domain, r.name)
	if err != nil {
		return nil, err
	}
	for _, a := range as {
		if j, err := jid.Parse(a.JID); err == nil {
			k.people[j] = a
		}
	}
	k.hold()
	k.requests, err = r.s.st.RoomRequests(ctx, r.s.cfg.Domain, r.name)
	return k, err
}

// freeRules are the rules of free rooms only: the room's information names its owners, and administrators who enter get
// the waiting requests.
func freeRules(r *Room) Hooks {
	k, ok := r.keeper.(*free)
	if !ok {
		return Hooks{}
	}
	return Hooks{Came: k.sendRequests, Info: func(_ context.Context, f *form.Form, c RoomConfig, mine string) {
		r.mu.RLock()
		owners := k.with(Owner)
		r.mu.RUnlock()
		if c.tells(mine) && c.NonAnonymous && len(owners) > 0 {
			f.Add("muc#roominfo_contactjid", form.JIDMulti, "Owners", owners...)
		}
	}}
}

// Config returns the configuration in the store.
func (k *free) Config(_ context.Context, kept RoomConfig) (RoomConfig, error) { return kept, nil }

// Affiliation falls back on the ban of a whole domain (section 9.2).
func (k *free) Affiliation(_ context.Context, who jid.JID) (string, error) {
	k.r.mu.RLock()
	defer k.r.mu.RUnlock()
	if a := k.people[who.Bare()].Affiliation; a != "" {
		return a, nil
	}
	if k.people[who.Host()].Affiliation == Outcast {
		return Outcast, nil
	}
	return None, nil
}

func (k *free) Affiliations(context.Context) (map[jid.JID]string, error) {
	k.r.mu.RLock()
	defer k.r.mu.RUnlock()
	m := make(map[jid.JID]string, len(k.people))
	for j, a := range k.people {
		m[j] = a.Affiliation
	}
	return m, nil
}

func (k *free) List(_ context.Context, affiliation string) (as []store.Affiliation, err error) {
	for _, a := range k.people {
		if a.Affiliation == affiliation {
			as = append(as, a)
		}
	}
	return as, nil
}

func (k *free) Since(_ context.Context, who jid.JID) (time.Time, bool, error) {
	k.r.mu.RLock()
	defer k.r.mu.RUnlock()
	a, ok := k.people[who.Bare()]
	return a.Since, ok, nil
}

// Affiliate keeps the last owner (section 10.6).
func (k *free) Affiliate(ctx context.Context, _ acts.Actor, cs []Change) ([]Change, error) {
	if err := k.keepOwner(cs); err != nil {
		return nil, err
	}
	return cs, k.setPeople(ctx, cs)
}

// keepOwner returns an error if nobody owned the room after these changes.
func (k *free) keepOwner(cs []Change) error {
	owners := make(map[jid.JID]bool)
	for j, a := range k.people {
		if a.Affiliation == Owner {
			owners[j] = true
		}
	}
	before := len(owners)
	for _, c := range cs {
		if c.Affiliation == Owner {
			owners[c.Who] = true
		} else if c.Affiliation != "" {
			delete(owners, c.Who)
		}
	}
	if len(owners) == 0 && before > 0 {
		return ErrConflict
	}
	return nil
}

var errPeople = server.WithText(server.ResourceConstraint, "this room's lists cannot have more people")

// setPeople keeps changes, in the store and then in memory. It answers requests by the way.
func (k *free) setPeople(ctx context.Context, cs []Change) error {
	r := k.r
	var as []store.Affiliation
	more := 0
	for _, c := range cs {
		switch _, is := k.people[c.Who]; {
		case !is && c.Affiliation != None:
			more++
		case is && c.Affiliation == None:
			more--
		}
		nick := c.Nick
		if !c.SetNick { // a nick without SetNick only says which person is meant
			nick = k.people[c.Who].Nick
		}
		since := k.people[c.Who].Since
		if was := k.people[c.Who].Affiliation; was == "" || was == Outcast {
			since = r.s.host.IDs.Now().UTC().Truncate(time.Microsecond)
		}
		if c.Affiliation == Outcast {
			since = time.Time{}
		}
		as = append(
			as,
			store.Affiliation{
				JID:         c.Who.String(),
				Affiliation: c.Affiliation,
				Nick:        nick,
				Reason:      c.Reason,
				Since:       since,
			},
		)
	}
	switch {
	case len(as) == 0:
		return nil
	case more > 0 && len(k.people)+more > r.s.cfg.MaxPeople:
		return errPeople
	}
	if err := r.s.st.SetAffiliations(ctx, r.s.cfg.Domain, r.name, as...); err != nil {
		return err
	}
	k.keep(as)
	for _, a := range as {
		j, _ := jid.Parse(a.JID)
		if err := k.answered(ctx, j); err != nil {
			r.s.log.Error("a request that was answered is kept", "room", r.jid.String(), "err", err)
		}
	}
	return nil
}

// keep makes the state in memory that of the store.
func (k *free) keep(as []store.Affiliation) {
	r := k.r
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range as {
		j, _ := jid.Parse(a.JID)
		if a.Affiliation == None {
			delete(k.people, j)
		} else {
			k.people[j] = a
		}
	}
	k.hold()
}

// hold brings the reserved nicks up to date after a change of people.
func (k *free) hold() {
	k.holders = make(map[string]jid.JID)
	for j, a := range k.people {
		if a.Nick != "" {
			k.holders[NickKey(a.Nick)] = j
		}
	}
}

func (k *free) Reserved(nick string, who jid.JID) bool {
	holder, ok := k.holders[NickKey(nick)]
	return ok && holder != who
}

// Nick is the reserved one.
func (k *free) Nick(who jid.JID) string {
	k.r.mu.RLock()
	defer k.r.mu.RUnlock()
	return k.people[who.Bare()].Nick
}

// Enter makes nobody a member.
func (k *free) Enter(ctx context.Context, who jid.JID) (affiliation string, seat bool, err error) {
	affiliation, err = k.Affiliation(ctx, who)
	return affiliation, false, err
}

// Knows lets everyone know of the room who knows its address, but those who are banned.
func (k *free) Knows(ctx context.Context, who jid.JID, banned bool) error {
	a, err := k.Affiliation(ctx, who)
	if err == nil && a == Outcast && !banned {
		return server.Forbidden
	}
	return err
}

func (k *free) Reads(_ context.Context, _ jid.JID, affiliation string) error {
	if c := k.r.Config(); !mayRead(&c, affiliation) {
		return server.Forbidden
	}
	return nil
}

func (k *free) Visits(ctx context.Context, who jid.JID) bool {
	a, err := k.Affiliation(ctx, who)
	return err == nil && a == None
}

// Items are the occupants, as the room's own goroutine knows them, if the room is public or the asker is in it.
func (k *free) Items(ctx context.Context, who jid.JID) ([]server.Item, error) {
	r := k.r
	var items []server.Item
	err := r.ask(ctx, func(_ context.Context, r *Room) error {
		public := r.cfg.Public && !r.cfg.MembersOnly && r.cfg.Password == ""
		if public || r.sessions[who] != nil {
			for _, o := range r.nicks {
				items = append(items, server.Item{JID: o.jid, Name: o.nick}) // there are at most rooms.max_occupants
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(items, func(a, b server.Item) int { return strings.Compare(a.Name, b.Name) })
	return items, nil
}

// mayRead says whether a configuration lets people of an affiliation read the room's messages.
func mayRead(c *RoomConfig, affiliation string) bool {
	least := rank[None]
	if c.MembersOnly || c.Password != "" || c.HistoryFor == historyForMembers {
		least = rank[Member]
	}
	if c.HistoryFor == historyForAdmins {
		least = rank[Admin]
	}
	return rank[affiliation] >= least
}
