package store

import (
	"context"
	"time"
)

// Room is a MUC room (XEP-0045). Host is the MUC service's domain.
type Room struct {
	Host, Name string
	Group      string     // id of the group it belongs to ("" for a free room)
	Theme      string     // key of the theme; "" in a group's main room
	Epoch      int64      // raised by each node that takes the room over
	LastSeq    int64      // newest number in its archive, filled in by Room and TakeRoom; 0 in lists
	Config     []byte     // muc's own JSON
	Access     RoomAccess // of a free room; written, not read back
	Subject    []byte     // the message that set it, as broadcast; nil: never set
	Created    time.Time
	Destroyed  time.Time // zero: exists. A name is never used again: the row stays as a tombstone
}

// RoomAccess is the part of a free room's configuration that searches need.
type RoomAccess struct {
	Readers string // ReadersAnyone …; "": members
	Since   bool   // members read only messages from after they were added; visitors find nothing
	Named   bool   // everyone in it sees the others' addresses
	// Several says that the room is a conversation of a few people, and Title is the name that they gave it.
	Several bool
	Title   string
}

// ReadersAnyone and the others say who finds a free room's messages by searching.
const (
	ReadersAnyone  = "anyone"  // everyone of the host: the room is listed and open
	ReadersKnown   = "known"   // as ReadersAnyone, but the room is not listed: only people who have bookmarked it
	ReadersMembers = "members" // members, administrators and owners
	ReadersAdmins  = "admins"  // administrators and owners
)

// Affiliation is one person's long-lived relation to a room: owner, admin, member, outcast.
type Affiliation struct {
	JID         string // bare
	Affiliation string
	Nick        string // reserved nick, "" if none
	Reason      string
	Since       time.Time // when they were added; the first date written counts, until a zero date resets it
}

// RoomRequest is a person's request to become a member of a free room, until an administrator answers.
type RoomRequest struct {
	JID   string // bare
	Nick  string // the nick that they want reserved
	Since time.Time
}

// Occupant is a person in a room, kept so that another node can take the room over.
type Occupant struct {
	JID      string // full, real
	Nick     string
	Presence []byte
}

// RoomOwner is the node that has a room: it alone keeps and shows what is said there.
type RoomOwner struct {
	Node        string
	Incarnation int64
}

// OwnedError says that another node has a room.
type OwnedError struct{ Owner RoomOwner }

func (e *OwnedError) Error() string { return "store: another node has the room: " + e.Owner.Node }

// Rooms keeps rooms with their affiliations and requests.
type Rooms interface {
	// CreateRoom makes a room with its first affiliations; ErrExists if the name is taken, also by a destroyed room.
	CreateRoom(ctx context.Context, r Room, as ...Affiliation) error
	// ReviveRoom makes a destroyed free room (of no group) anew under its old name. Its archive and affiliations are
	// gone and its epoch is raised. ErrExists if the name belongs to an existing room or to a group's.
	ReviveRoom(ctx context.Context, r Room, as ...Affiliation) error
	// Room gives a room; ErrNotFound if there is none or it is destroyed.
	Room(ctx context.Context, host, name string) (Room, error)
	// RoomExisted says whether a room of this name exists or existed.
	RoomExisted(ctx context.Context, host, name string) (bool, error)
	// Rooms gives existing rooms in order of name.
	Rooms(ctx context.Context, host, after string, limit int) ([]Room, error)
	// SaveRoomConfig writes a room's configuration and what searches need of it; ErrNotFound if there is no such room.
	SaveRoomConfig(ctx context.Context, host, name string, config []byte, a RoomAccess) error
	// SaveRoomSubject writes the message that set a room's subject; ErrNotFound if there is no such room.
	SaveRoomSubject(ctx context.Context, host, name string, subject []byte) error
	// TakeRoom raises a room's epoch and gives the room as it is then.
	TakeRoom(ctx context.Context, host, name string) (Room, error)
	// ClaimRoom is TakeRoom for a node beside others: the room is the node's from then on. If another living node has
	// the room it returns an *OwnedError, unless that node is from, which gives it away.
	ClaimRoom(ctx context.Context, host, name string, by, from RoomOwner) (Room, error)
	// ReleaseRoom says that whoever claimed a room last has it no more, if that gave it this epoch.
	ReleaseRoom(ctx context.Context, host, name string, epoch int64) error
	// DestroyRoom marks a room as destroyed.
	DestroyRoom(ctx context.Context, host, name string, at time.Time) error

	// Affiliations gives the affiliations of a room.
	Affiliations(ctx context.Context, host, room string) ([]Affiliation, error)
	// SetAffiliations writes affiliations in one transaction; "none" or "" removes.
	SetAffiliations(ctx context.Context, host, room string, as ...Affiliation) error
	// RoomsOwned counts the existing free rooms that a person owns.
	RoomsOwned(ctx context.Context, host, jid string) (int, error)

	// AddRoomRequest keeps a request; it replaces an earlier one of the same person. ErrLimit if the room has max from
	// others. Only the room's goroutine may call it: two calls at once could both pass the limit.
	AddRoomRequest(ctx context.Context, host, room string, q RoomRequest, max int) error
	// RoomRequests gives the requests of a room, the oldest first.
	RoomRequests(ctx context.Context, host, room string) ([]RoomRequest, error)
	// DeleteRoomRequest removes a person's request.
	DeleteRoomRequest(ctx context.Context, host, room, jid string) error
}
