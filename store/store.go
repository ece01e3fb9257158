// Package store says what is kept, and how it is asked for; sqlstore keeps it.
//
// Every key begins with the hosted domain. Times are UTC and kept in microseconds. Accounts and rooms are named by
// their localpart. All methods are safe from any goroutine. A method that finds nothing gives ErrNotFound where one
// thing was asked for, and an empty slice where a list was.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	ErrNotFound = errors.New("store: not found")
	ErrExists   = errors.New("store: exists already")
	ErrConflict = errors.New("store: changed meanwhile") // an epoch or version did not match
	ErrLimit    = errors.New("store: limit reached")
	ErrFull     = errors.New("store: full") // of what takes no more where other things of its kind make room
	ErrShare    = fmt.Errorf("store: one person's share is used up (%w)", ErrLimit)
	ErrLast     = errors.New("store: it is the last one")
	ErrReserved = errors.New("store: the name was somebody else's until lately")
)

// Store is everything that is kept. Features ask for the part they need, by its interface.
type Store interface {
	Atomics
	Committer
	Users
	Formers
	People
	ProfileFields
	Tokens
	Rosters
	Archive
	Retentions
	Offline
	Private
	Bookmarks
	Nodes
	Uploads
	Blocklist
	Reports
	DomainRules
	Settings
	Invitations
	Rooms
	Groups
	Teams
	Follows
	WebSessions
	Audit
	Outbox
	Digests
	Quiet
	Factors
	APITokens
	Places
	Unread
	Webhooks
	Sharing
	Search
	KV
	Marks

	Ping(ctx context.Context) error
	Close() error
}

// Marks say where ids of a new start begin.
type Marks interface {
	// HighestID gives an ID that none is above which was kept since the store was made, whatever has been removed since. It
	// may be a second above the highest.
	HighestID(ctx context.Context) (ID, error)
}

// Committer is the group commit: what many sessions write at the same time goes in one transaction.
type Committer interface {
	// Commit returns when all of ws is durable, or with the error that kept it from being so (then none of ws is
	// kept). Writes of one call are in one transaction, together with those of other callers. An archive or offline
	// entry whose owner and ID are there already is left as it is; a room's number that is taken is ErrExists. If ctx ends
	// before the batch is begun nothing is kept; otherwise Commit waits for it: ws is not read after it returns.
	Commit(ctx context.Context, ws ...Write) error
}

// Write is something that Commit can keep: *ArchiveEntry, *OfflineEntry, *RoomEntry.
type Write interface{ write() }

// User is an account.
type User struct {
	Host, Name string
	Keys       []byte // auth.Keys in its binary form; nil: nobody can sign in with a password
	Disabled   bool
	Admin      bool // may administer the host
	FullName   string
	Created    time.Time
	LastSeen   time.Time // zero: never
	LastStatus string    // the status text of the last unavailable presence (XEP-0012)

	// FreeSince is asked for when an account is made, and not kept: a name whose last account was deleted after this moment
	// is not given again. Zero: only a name that nobody has had.
	FreeSince time.Time
}

// Lived says whether the account was there at a moment: what was said before that under its address, another has said.
func (u User) Lived(at time.Time) bool { return !at.Before(u.Created.Truncate(time.Millisecond)) }

type Users interface {
	// CreateUser makes an account, which is a member of the groups that everyone is in from its first moment, and has
	// their rooms bookmarked; ErrExists, or ErrReserved (User.FreeSince). The other ways of making one do the same.
	CreateUser(ctx context.Context, u User) error
	User(ctx context.Context, host, name string) (User, error)
	Users(ctx context.Context, host, after string, limit int) ([]User, error) // in order of Name
	// FindUsers gives the page of the accounts that are not disabled and which have all of these words in their name, full
	// name, or values of profile fields that people are found by and everybody sees, whatever their case, by name; how
	// many there are in all; and how many come before the page.
	FindUsers(ctx context.Context, host string, words []string, p UserPage) (us []User, total, before int, err error)
	CountUsers(ctx context.Context, host string) (int, error)
	// SetKeys sets what a password is known by; tokens and web sessions of who knew the one before are no more.
	SetKeys(ctx context.Context, host, name string, keys []byte) error
	// UpgradeKeys puts other keys of the same password in the place of old; tokens stay. ErrConflict if old are no longer
	// what is kept.
	UpgradeKeys(ctx context.Context, host, name string, old, now []byte) error
	SetDisabled(ctx context.Context, host, name string, disabled bool) error
	SetAdmin(ctx context.Context, host, name string, admin bool) error
	SetFullName(ctx context.Context, host, name, full string) error
	SetLastSeen(ctx context.Context, host, name string, at time.Time, status string) error
	// DeleteUser removes the account with all that is its own, and what its address is in anything of others, on every host:
	// affiliations, memberships, subscriptions. A tombstone stays (Formers).
	DeleteUser(ctx context.Context, host, name string) error
}

// Subscription states of a contact (RFC 6121, section 2.1.2.5).
const (
	SubNone = "none"
	SubTo   = "to"
	SubFrom = "from"
	SubBoth = "both"
)

// Contact is a roster item, and what the roster item hides: requests in both directions.
type Contact struct {
	JID          string // bare
	Name         string
	Subscription string // SubNone …
	Ask          bool   // we have asked, the answer is pending ("pending out")
	Groups       []string
	Approved     bool   // pre-approved (RFC 6121, section 3.4)
	Request      []byte // a pending subscription request as it came, serialised ("pending in"); nil if there is none
	InRoster     bool   // false: only a pending request in or a pre-approval, not shown in the roster
	Version      int64  // the roster version that last changed it
}

// Removed tells a roster item that is gone since a version.
type Removed struct {
	JID     string
	Version int64
}

type Rosters interface {
	// Roster gives all contacts, those not InRoster too, and the current version (0: never changed).
	Roster(ctx context.Context, host, user string) ([]Contact, int64, error)
	// RosterSince gives what has changed after version; ok is false if that is no longer known.
	RosterSince(ctx context.Context, host, user string, version int64) (changed []Contact, removed []Removed, now int64, ok bool, err error)
	Contact(ctx context.Context, host, user, jid string) (Contact, error)
	// UpdateContact changes one contact in a transaction: f gets what is there (a zero Contact with JID if nothing is)
	// and changes it; f may be called again. remove takes it out of the roster. max is the most contacts there may be, and
	// the most who ask to be: ErrLimit; of those that were removed as many are remembered. It gives the contact as it is afterwards with its new version (0 if f returned ErrNoChange).
	UpdateContact(ctx context.Context, host, user, jid string, max int, f func(c *Contact) (remove bool, err error)) (Contact, error)
}

// ErrNoChange is returned by an update function that leaves everything as it was.
var ErrNoChange = errors.New("store: no change")

// ArchiveEntry is one message in the archive of one account (XEP-0313).
type ArchiveEntry struct {
	Host, Owner string
	ID          ID     // also the stanza-id (XEP-0359); ordered by time
	With        string // the other side, bare
	WithRes     string // its resource, "" if the address was bare
	Incoming    bool
	OriginID    string // the message's id attribute, for look-ups; may be empty
	Stanza      []byte // the <message xmlns='jabber:client' …> as it is forwarded
}

// OfflineEntry is a message that waits for its recipient (XEP-0160).
type OfflineEntry struct {
	Host, Owner string
	ID          ID
	Stanza      []byte // with its delay
	Expires     time.Time
}

// RoomEntry is one message in a room's archive. It fails with ErrConflict if the room has another epoch: another node
// has taken it over.
type RoomEntry struct {
	Host, Room string
	Epoch      int64
	Seq        int64 // the room's next number; (room, seq) is the key
	ID         ID    // stanza-id
	Nick       string
	OccupantID string
	Sender     string // real bare JID of who said it; "" for the room itself
	OriginID   string
	Subject    bool   // it changes the subject
	Quiet      bool   // nothing to read, so it does not count as unread: a reaction, a marker, a correction; a Subject is so too
	Stanza     []byte // as broadcast, from room@service/nick, without to
}

func (*ArchiveEntry) write() {}
func (*OfflineEntry) write() {}
func (*RoomEntry) write()    {}

// Page asks for a part of an archive: XEP-0313 filters and XEP-0059 paging.
type Page struct {
	With          string // bare or full; "" for all. In a room: the sender's bare address
	Start, End    time.Time
	After, Before ID // exclusive; 0: none
	IDs           []ID
	Backwards     bool   // the last Max before Before (or of all), still given in order of time
	Max           int    // at least 1; the caller has bounded it
	Count         bool   // total is wanted
	Text          string // only messages with these words (fulltext.Parse; fulltext.ErrTooMuch); "" for all
}

// Archived is an entry read back.
type Archived struct {
	ID     ID
	Stanza []byte
	Sender string // rooms only
	Seq    int64  // rooms only
}

type Archive interface {
	// ReadArchive gives a page in order of time, whether it is complete (nothing further in that direction), and with
	// Count the total number for the filters without After/Before. An After, Before or one of IDs that is not in the
	// archive: ErrNotFound.
	ReadArchive(ctx context.Context, host, owner string, p Page) (es []Archived, complete bool, total int, err error)
	// ArchiveBounds gives the first and last entry; ErrNotFound if there is none.
	ArchiveBounds(ctx context.Context, host, owner string) (first, last ID, err error)
	// FindArchived gives the newest entry with this id attribute and that other side (bare); ErrNotFound.
	FindArchived(ctx context.Context, host, owner, with, originID string, incoming bool) (Archived, error)
	// ReplaceArchived puts another stanza in the place of an entry's, which is gone then; ErrNotFound.
	ReplaceArchived(ctx context.Context, host, owner string, id ID, stanza []byte) error
	// ReplaceInRoom does so in a room; what is there instead is Quiet.
	ReplaceInRoom(ctx context.Context, host, room string, id ID, stanza []byte) error
	// ExpireArchive removes entries of an account older than before, at most limit, and says how many.
	ExpireArchive(ctx context.Context, host, owner string, before time.Time, limit int) (int, error)

	// ExpireRooms removes what is older than before in the archives of a service's rooms, little by little, also in those
	// of rooms that have ended, and says how much.
	ExpireRooms(ctx context.Context, host string, before time.Time) (int, error)

	ReadRoom(ctx context.Context, host, room string, p Page) (es []Archived, complete bool, total int, err error)
	RoomBounds(ctx context.Context, host, room string) (first, last ID, err error)
}

type Offline interface {
	// CountOffline gives how many messages wait, and their bytes.
	CountOffline(ctx context.Context, host, user string) (n int, bytes int64, err error)
	// TakeOffline gives waiting messages in order, at most limit; they stay until DropOffline.
	TakeOffline(ctx context.Context, host, user string, limit int) ([]OfflineEntry, error)
	// DropOffline removes those with these ids, and what has expired: one with a lower id may have been kept meanwhile.
	DropOffline(ctx context.Context, host, user string, ids ...ID) error
}

// Private is XEP-0049: one XML element for each name.
type Private interface {
	Private(ctx context.Context, host, user, space, local string) ([]byte, error)
	// SetPrivate keeps data; ErrLimit if the account would have more than max elements of its own, not of the server's.
	SetPrivate(ctx context.Context, host, user, space, local string, data []byte, max int) error
	// PrivateOwners gives the accounts of a host that have an element of this name.
	PrivateOwners(ctx context.Context, host, space, local string) ([]string, error)
	// AllPrivate gives every element of an account, in order of namespace and name.
	AllPrivate(ctx context.Context, host, user string) ([][]byte, error)
}

// Bookmark is a room a person wants to have at hand (XEP-0402): one row, however a client writes or reads it.
type Bookmark struct {
	Room       string // bare JID
	Name       string
	Nick       string
	Password   string
	Autojoin   bool
	Extensions []byte // the <extensions/> element as last written, self-contained; nil if none
	Updated    time.Time
}

type Bookmarks interface {
	Bookmarks(ctx context.Context, host, user string) ([]Bookmark, error)
	// SetBookmarks writes some; ErrLimit if there would be more than max of the person's own: those of rooms of groups that
	// they are in do not count, as the server writes them.
	SetBookmarks(ctx context.Context, host, user string, max int, bs ...Bookmark) error
	DeleteBookmarks(ctx context.Context, host, user string, rooms ...string) error // those there are
}

// KV is small values of features that need no table of their own; keys are theirs to prefix.
type KV interface {
	Get(ctx context.Context, host, key string) ([]byte, error)
	Put(ctx context.Context, host, key string, value []byte) error
	Delete(ctx context.Context, host, key string) error
	// Take removes what is kept under a key, if it is this value; of many who do so at once only one is told true.
	Take(ctx context.Context, host, key string, value []byte) (bool, error)
}
