package muc

import (
	"context"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Functions for the keepers and rules of other packages, besides those for messages (message.go). All are called on the
// room's goroutine unless their comment says otherwise.

// Name gives the localpart of the room's address. It is safe on any goroutine.
func (r *Room) Name() string { return r.name }

// JID gives the room's address. It is safe on any goroutine.
func (r *Room) JID() jid.JID { return r.jid }

// Keeper gives the room's keeper. It is safe on any goroutine.
func (r *Room) Keeper() Keeper { return r.keeper }

// Now gives the configuration itself, not a copy. It must not be changed, or kept after the call that it is needed for.
func (r *Room) Now() *RoomConfig { return &r.cfg }

// Occupants returns all occupants, in the order in which they entered. The slice is the room's own: it must not be
// changed or kept.
func (r *Room) Occupants() []*Occupant { return r.order }

// Occupant finds an occupant or a speaker by nick; nil if there is nobody under it.
func (r *Room) Occupant(nick string) *Occupant {
	if o := r.nicks[nick]; o != nil {
		return o
	}
	if sp := r.speakers.keys[NickKey(nick)]; sp != nil && sp.nick == nick {
		return sp.Occupant
	}
	return nil
}

// NickFree says whether a person may have a nick: nobody else has it or a similar one, in the room or reserved.
func (r *Room) NickFree(nick string, who jid.JID) bool {
	return !r.taken(nick, who) && !r.keeper.Reserved(nick, who)
}

// Find finds a message of the room by its stanza-id, or by its sender's id if it is among the last ones; ok is false if
// it is not found.
func (r *Room) Find(ctx context.Context, id string) (_ store.ID, st *wire.Stanza, ok bool) {
	if e, err := r.kept(ctx, id); err == nil {
		if st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)}); err == nil {
			return e.ID, st, true
		}
	}
	for i := len(r.recent) - 1; i >= 0; i-- {
		if st := r.recent[i].st; st.ID == id {
			if n, err := store.ParseID(st.Element(wire.NSSID, "stanza-id").Attr("id")); err == nil {
				return n, st, true
			}
		}
	}
	return 0, nil, false
}

// KeepConfig keeps a configuration in the store and in memory, and tells nobody.
func (r *Room) KeepConfig(ctx context.Context, c RoomConfig) error {
	if err := r.storeConfig(ctx, c); err != nil {
		return err
	}
	r.mu.Lock()
	r.cfg = c
	r.mu.Unlock()
	return nil
}

// Reconfigure asks the keeper for the configuration and shows what has changed in it.
func (r *Room) Reconfigure(ctx context.Context) error {
	was, roles := r.cfg, [2]string{r.RoleFor(Member), r.RoleFor(None)}
	now, err := r.keeper.Config(ctx, r.cfg) // without r.mu, as it asks the store; only this goroutine changes r.cfg
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.cfg = now
	r.mu.Unlock()
	for _, o := range r.order {
		o.shown = [2]*wire.Stanza{}
	}
	r.AffiliationsUnknown() // affiliations may depend on the configuration
	r.tellConfig(ctx, was, r.cfg)
	r.avatarChanged(ctx, was.Avatars)
	if roles != [2]string{r.RoleFor(Member), r.RoleFor(None)} {
		r.refreshRoles(ctx)
	}
	if r.cfg.MembersOnly && !was.MembersOnly {
		r.expelStrangers(ctx)
	}
	return nil
}

// Affiliated shows everyone a person's new affiliation, and puts the person out if they may not be in the room any
// more.
func (r *Room) Affiliated(ctx context.Context, who jid.JID, affiliation string) {
	r.affiliated(ctx, who, affiliation, leaving{})
}

// AffiliationNoted has rules know of a new affiliation that nobody is shown.
func (r *Room) AffiliationNoted(who jid.JID, affiliation string) { r.affiliatedBy(who, affiliation) }

// AffiliationsUnknown has rules know that affiliations may have changed, without saying whose.
func (r *Room) AffiliationsUnknown() {
	r.silence(func(*Occupant) bool { return true })
	for i := range r.hooks {
		if f := r.hooks[i].Unknown; f != nil {
			f()
		}
	}
}

// Restart puts everyone out and takes the room out of memory, because it could not find out what it must know. The room
// is loaded anew when somebody enters, if the store answers. So nobody keeps a right that they may have lost. What
// waits to be kept is kept and shown first: once the room is out of memory, another may be loaded, after which this one
// can keep nothing.
func (r *Room) Restart(ctx context.Context) {
	r.Flush(ctx)
	r.over = true
	r.evict(ctx, nil, true, "307", "333") // XEP-0045: status 333 says that the reason is technical
	r.s.forget(r)
}

// End tells everyone that the room is gone, with a <destroy/> that says why, and takes it out of memory. The store's
// rows are the caller's matter.
func (r *Room) End(ctx context.Context, note *wire.Element) {
	r.over = true
	r.evict(ctx, note, false)
	r.s.forget(r)
}
