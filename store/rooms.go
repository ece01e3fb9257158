package store

import (
	"context"
	"time"
)

// Room is a MUC room (XEP-0045): host is the MUC service's domain.
type Room struct {
	Host, Name string
	Group      string     // id of the group it belongs to ("" for a free room)
	Theme      string     // key of the theme; "" in a group's main room
	Epoch      int64      // raised by who takes the room over
	LastSeq    int64      // newest in its archive, read from there by Room and TakeRoom; 0 in a list
	Config     []byte     // muc's own JSON
	Access     RoomAccess // of a free room; written, not read back
	Subject    []byte     // the message that set it, as broadcast; nil: none was ever set
	Created    time.Time
	Destroyed  time.Time // zero: lives. A name is never used again: the row stays as a tombstone
}

// RoomAccess is what a search has to know of a free room's configuration.
type RoomAccess struct {
	Readers string // ReadersAnyone …; "": members
	Since   bool   // members read only what was said since they were added; who just visits is not searched for then
	Named   bool   // everyone in it sees who the others are
}

// Who finds messages of a free room by a search.
const (
	ReadersAnyone  = "anyone"  // everyone of the host: the room is listed, and all may come in
	ReadersKnown   = "known"   // the same, but the room is not listed: nobody finds it who has not bookmarked it
	ReadersMembers = "members" // and administrators and owners
	ReadersAdmins  = "admins"  // and owners
)

// Affiliation is one person's long-lived relation to a room: owner, admin, member, outcast.
type Affiliation struct {
	JID         string // bare
	Affiliation string
	Nick        string // reserved nick, "" if none
	Reason      string
	Since       time.Time // when they were added: the first that was written counts, until one is zero
}

// RoomRequest is somebody's wish to be a member of a free room, until an administrator has answered.
type RoomRequest struct {
	JID   string // bare
	Nick  string // that they want reserved
	Since time.Time
}

// Occupant is who is in a room, kept so that another node can go on with it.
type Occupant struct {
	JID      string // full, real
	Nick     string
	Presence []byte
}

type Rooms interface {
	// CreateRoom makes the row with its first affiliations; ErrExists also for a destroyed one's name.
	CreateRoom(ctx context.Context, r Room, as ...Affiliation) error
	// ReviveRoom makes a destroyed free room (of no group) anew under its old name, with its archive and affiliations
	// gone and its epoch raised; ErrExists if the name belongs to a living room or to a group's.
	ReviveRoom(ctx context.Context, r Room, as ...Affiliation) error
	// Room gives the row; a destroyed one is ErrNotFound.
	Room(ctx context.Context, host, name string) (Room, error)
	RoomExisted(ctx context.Context, host, name string) (bool, error)
	// Rooms lists living rooms in order of name.
	Rooms(ctx context.Context, host, after string, limit int) ([]Room, error)
	SaveRoomConfig(ctx context.Context, host, name string, config []byte, a RoomAccess) error
	SaveRoomSubject(ctx context.Context, host, name string, subject []byte) error
	// TakeRoom raises the epoch and gives the row as it is then.
	TakeRoom(ctx context.Context, host, name string) (Room, error)
	DestroyRoom(ctx context.Context, host, name string, at time.Time) error

	Affiliations(ctx context.Context, host, room string) ([]Affiliation, error)
	// SetAffiliations writes all in one transaction; one with Affiliation "none" or "" is removed.
	SetAffiliations(ctx context.Context, host, room string, as ...Affiliation) error
	// RoomsOwned counts the living free rooms that somebody owns.
	RoomsOwned(ctx context.Context, host, jid string) (int, error)

	// AddRoomRequest keeps a request, in place of an earlier one of the same person; ErrLimit if the room has max of others
	// (it is its room's goroutine that asks: two at once may both be the last).
	AddRoomRequest(ctx context.Context, host, room string, q RoomRequest, max int) error
	// RoomRequests gives those of a room, the oldest first.
	RoomRequests(ctx context.Context, host, room string) ([]RoomRequest, error)
	DeleteRoomRequest(ctx context.Context, host, room, jid string) error
}
