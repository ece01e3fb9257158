package muc

import (
	"context"
	"time"

	"parley/acts"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Keeper keeps one room: it knows the people's affiliations and the configuration, and carries out changes of owners
// and administrators. A free room, which belongs to nothing but its owners, is kept by the store. The rooms of groups
// are kept by package muc/groups.
//
// Methods run on the room's goroutine, unless their comment says that they run on any. The person who
// asked is sent what server.Refusal makes of an error.
type Keeper interface {
	// Config returns the configuration in force. kept is the one in the store. It runs before the room's goroutine
	// starts and whenever the room is reconfigured, under the room's lock: it must not ask the room for its
	// configuration.
	Config(ctx context.Context, kept RoomConfig) (RoomConfig, error)

	// ConfigForm gives the form that an owner fills in (section 10.2).
	ConfigForm() *form.Form

	// Configure takes an owner's form. It may answer st itself, and returns server.ErrHandled then.
	Configure(ctx context.Context, st *wire.Stanza, f form.Form) error

	// Destroy ends the room at an owner's wish (section 10.9). d is the request's <destroy/>.
	Destroy(ctx context.Context, d *wire.Element) error

	// Affiliation returns a person's affiliation. who may be a full address. It runs on any goroutine.
	Affiliation(ctx context.Context, who jid.JID) (string, error)

	// Affiliations returns everyone with an affiliation, by bare address; a whole domain may be an outcast. The map
	// belongs to the caller. It runs on any goroutine.
	Affiliations(ctx context.Context) (map[jid.JID]string, error)

	// List gives those with one affiliation, in any order, with reserved nicks and reasons where there are such.
	List(ctx context.Context, affiliation string) ([]store.Affiliation, error)

	// Since returns when a person was added to the room; ok is false for a visitor, who never was. It runs on any
	// goroutine.
	Since(ctx context.Context, who jid.JID) (at time.Time, ok bool, err error)

	// Affiliate changes affiliations: all, or none if one is refused. It returns the changes that the room itself has
	// to show. A keeper that calls Room.Affiliated later returns none.
	Affiliate(ctx context.Context, by acts.Actor, cs []Change) (show []Change, err error)

	// Register answers jabber:iq:register (section 7.10).
	Register(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error)

	// Answer takes the answer to a request for membership (section 9.9). o is nil if the sender is not in the room.
	Answer(ctx context.Context, o *Occupant, st *wire.Stanza, f form.Form) error

	// Nick returns the nick that a person has in this room without asking for one (section 6.6); "" for no such nick.
	// It runs on any goroutine.
	Nick(who jid.JID) string

	// Reserved says whether another person has reserved this nick, or one that looks like it.
	Reserved(nick string, who jid.JID) bool

	// Enter returns the affiliation of a person who wants to enter, and may make them a member. With seat the person
	// gets in although the room is full.
	Enter(ctx context.Context, who jid.JID) (affiliation string, seat bool, err error)

	// Knows returns an error if a person must not learn of the room. With banned, outcasts may learn of it. It runs on
	// any goroutine.
	Knows(ctx context.Context, who jid.JID, banned bool) error

	// Reads returns an error if a person must not read the room's messages. affiliation is the person's. It runs on any
	// goroutine.
	Reads(ctx context.Context, who jid.JID, affiliation string) error

	// Visits says whether a person may be in the room and has no place of their own in it, by which a search finds the
	// room. It runs on any goroutine.
	Visits(ctx context.Context, who jid.JID) bool

	// Items gives what service discovery lists of the room (section 6.5). It runs on any goroutine.
	Items(ctx context.Context, who jid.JID) ([]server.Item, error)

	// Commands gives the room's ad-hoc commands (XEP-0050). It runs on any goroutine.
	Commands() []server.Command

	// Picture returns the room's vCard, an empty one if the room has none. It runs on any goroutine.
	Picture(ctx context.Context) (*wire.Element, error)

	// SetPicture takes an owner's vCard; ReadPhotos reads its pictures. It runs on any goroutine.
	SetPicture(ctx context.Context, st *wire.Stanza, card *wire.Element) error
}

// Keepers finds the keepers of rooms that are not free. Its methods run on any goroutine.
type Keepers interface {
	// Keeps says whether this one keeps a room, given the room's row in the store.
	Keeps(row store.Room) bool

	// Keeper makes the keeper of a room that Keeps is true of. The room is being loaded: its goroutine has not started.
	Keeper(ctx context.Context, r *Room, row store.Room) (Keeper, error)

	// Listed gives the configuration of a room that Keeps is true of for the service's list and search; ok is false if
	// who must not find it there. Its affiliations and history are not asked for.
	Listed(ctx context.Context, row store.Room, who jid.JID) (c RoomConfig, ok bool, err error)

	// Create is asked before a free room is created by st. If the address is reserved for kept rooms, taken is true and
	// the room is there or err says why not.
	Create(ctx context.Context, st *wire.Stanza) (taken bool, err error)

	// Commands gives the service's ad-hoc commands (XEP-0050).
	Commands() []server.Command
}

// Change is a change of one person's affiliation.
type Change struct {
	Who         jid.JID // bare; a whole domain may be banned
	Affiliation string
	Nick        string // values that the owner reserved together with the nick
	SetNick     bool   // Nick replaces the reserved nick, and "" frees it (section 9.5)
	Reason      string
}
