// Package store defines what the server keeps and how it is read and written; package sqlstore implements it.
//
// Every key begins with the hosted domain. Times are UTC with microseconds. Accounts and rooms are named by their
// localpart. All methods are safe from any goroutine. A method that is asked for one thing and finds none returns
// ErrNotFound; a method that is asked for a list returns an empty slice.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/internal/fault"
)

var (
	// ErrNotFound is returned when nothing is kept under the name, id or filter that was asked for.
	ErrNotFound = errors.New("store: not found")
	// ErrExists is returned when a name, address or id is taken.
	ErrExists = errors.New("store: exists already")
	// ErrInDoubt is returned when a transaction got no answer: it may be kept or not.
	ErrInDoubt = errors.New("store: the database did not say whether it is kept")
	// ErrConflict is returned when an epoch or version is not the expected one: another node or call was faster.
	ErrConflict = errors.New("store: changed meanwhile")
	// ErrFenced is returned when another process has the place of this one at the database: nothing is kept, and
	// nothing will be. The process ends.
	ErrFenced = errors.New("store: another process has this one's place at the database")
	// ErrLimit is returned when there would be more than the caller's limit.
	ErrLimit = errors.New("store: limit reached")
	// ErrFull is returned when a node takes no more and does not remove older items to make room.
	ErrFull = errors.New("store: full")
	// ErrShare is the ErrLimit of one person's share of something common.
	ErrShare = fmt.Errorf("store: one person's share is used up (%w)", ErrLimit)
	// ErrLast is returned when the last active owner would be lost.
	ErrLast = errors.New("store: it is the last one")
	// ErrReserved is returned when the name belonged to an account that was deleted too recently.
	ErrReserved = errors.New("store: the name was somebody else's until lately")
)

// KindOf says what an error of this package means to the person or program that caused it, where a door has not decided
// that: ErrNotFound, ErrExists, ErrConflict, ErrLimit or ErrFenced. It gives 0 for all other errors.
func KindOf(err error) fault.Kind {
	switch {
	case errors.Is(err, ErrNotFound):
		return fault.NotFound
	case errors.Is(err, ErrExists), errors.Is(err, ErrConflict):
		return fault.Exists
	case errors.Is(err, ErrLimit):
		return fault.Limit
	case errors.Is(err, ErrFenced): // the server that has the place takes it
		return fault.Busy
	}
	return 0
}

// Store is everything that is kept. Features ask for the part they need, by its interface.
type Store interface {
	Atomics
	Committer
	Users
	Formers
	People
	ProfileFields
	Links
	Actions
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
	Tasks
	SavedMessages
	Pins
	Later
	Desks
	DomainRules
	Settings
	Invitations
	Rooms
	Conversations
	Groups
	Teams
	Follows
	WebSessions
	PushSubscriptions
	Audit
	Outbox
	Digests
	Quiet
	Factors
	APITokens
	Places
	Referrals
	Unread
	Webhooks
	Sharing
	Search
	KV
	Marks

	// Ping says whether the database answers.
	Ping(ctx context.Context) error
	// Close writes what is queued and closes the database.
	Close() error
}

// Marks gives where the ids of a new start begin.
type Marks interface {
	// HighestID gives an ID that is not below any ID kept since the store was made, whatever has been removed since. It
	// may be up to a second above the highest one.
	HighestID(ctx context.Context) (ID, error)
}

// Committer is the group commit: writes that many sessions make at the same time share one transaction.
type Committer interface {
	// Commit returns when all of ws is durable; on an error none of ws is kept. The writes of one call are in one
	// transaction, together with those of other callers. An archive or offline entry whose owner and ID exist already
	// is left as it is; a room's number that is taken is ErrExists. If ctx ends before the transaction begins, nothing
	// is kept; otherwise Commit waits for the transaction: it does not read ws after it returns.
	//
	// An archive or offline entry whose ID is 0 gets one, which the caller finds in it afterwards. In each archive the
	// order of these IDs is the order of commits: a reader that goes on after the last ID that it has read misses
	// nothing. After an error the ID means nothing.
	Commit(ctx context.Context, ws ...Write) error
}

// Write is something that Commit can keep: an *ArchiveEntry, *OfflineEntry or *RoomEntry.
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

	// FreeSince is used when an account is made, and not kept: a name whose last account was deleted after this moment
	// is not available. Zero: only a name that nobody has had is.
	FreeSince time.Time
}

// Lived says whether the account existed at a moment. Earlier messages under its address come from another person.
func (u User) Lived(at time.Time) bool { return !at.Before(u.Created.Truncate(time.Millisecond)) }

// Users keeps accounts.
type Users interface {
	// CreateUser makes an account. From its first moment it is a member of the groups that everyone is in, and has
	// bookmarks of their rooms; other methods that make accounts do the same. ErrExists if there is such an account,
	// ErrReserved by User.FreeSince.
	CreateUser(ctx context.Context, u User) error
	// User gives an account; ErrNotFound if there is none.
	User(ctx context.Context, host, name string) (User, error)
	// Users gives accounts in order of Name, at most limit, beginning behind after.
	Users(ctx context.Context, host, after string, limit int) ([]User, error)
	// FindUsers gives a page of enabled accounts in order of name, how many there are in all, and how many come before
	// the page. Each of the words must occur, in any case, in the name, the full name or the value of a profile field
	// that is searchable and visible to everybody.
	FindUsers(ctx context.Context, host string, words []string, p UserPage) (us []User, total, before int, err error)
	// HaveWaiting gives those of the named accounts for which messages wait.
	HaveWaiting(ctx context.Context, host string, names []string) ([]string, error)
	// FullNames gives the full names, which may be "", of those of the named accounts that exist and are enabled.
	FullNames(ctx context.Context, host string, names []string) (map[string]string, error)
	// CountUsers counts the accounts of a host.
	CountUsers(ctx context.Context, host string) (int, error)
	// SetKeys sets the keys of a new password and removes the account's tokens and web sessions.
	SetKeys(ctx context.Context, host, name string, keys []byte) error
	// UpgradeKeys replaces the keys old by other keys of the same password; tokens stay. ErrConflict if old are not the
	// keys that are kept.
	UpgradeKeys(ctx context.Context, host, name string, old, now []byte) error
	// SetDisabled disables or enables an account; ErrNotFound if there is none.
	SetDisabled(ctx context.Context, host, name string, disabled bool) error
	// SetAdmin says whether an account may administer the host; ErrNotFound if there is none.
	SetAdmin(ctx context.Context, host, name string, admin bool) error
	// SetFullName sets an account's full name; ErrNotFound if there is none.
	SetFullName(ctx context.Context, host, name, full string) error
	// SetLastSeen notes when an account was last online, and its last status text (XEP-0012).
	SetLastSeen(ctx context.Context, host, name string, at time.Time, status string) error
	// DeleteUser removes an account with all that is its own, and its address from what others own, on every host:
	// affiliations, memberships, subscriptions. A tombstone stays (Formers).
	DeleteUser(ctx context.Context, host, name string) error
}

// SubNone and the others are the subscription states of a contact (RFC 6121, section 2.1.2.5).
const (
	SubNone = "none"
	SubTo   = "to"
	SubFrom = "from"
	SubBoth = "both"
)

// Contact is a roster item, with the pending requests in both directions that the roster hides.
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

// Removed names a roster item that was removed since a version.
type Removed struct {
	JID     string
	Version int64
}

// Rosters keeps contact lists.
type Rosters interface {
	// Roster gives all contacts, also those not InRoster, and the current version (0: never changed).
	Roster(ctx context.Context, host, user string) ([]Contact, int64, error)
	// RosterSince gives what changed after a version; ok is false if the changes since then are no longer known.
	RosterSince(ctx context.Context, host, user string,
		version int64) (changed []Contact, removed []Removed, now int64, ok bool, err error)
	// Contact gives one contact; ErrNotFound if there is none.
	Contact(ctx context.Context, host, user, jid string) (Contact, error)
	// UpdateContact changes one contact in a transaction. f gets the contact (a zero Contact with JID if there is none)
	// and changes it; f may be called again; with remove the contact leaves the roster. There may be max contacts and
	// max pending requests: ErrLimit; as many removed contacts are remembered. It gives the contact afterwards with its
	// new version (0 if f returned ErrNoChange).
	UpdateContact(ctx context.Context, host, user, jid string, max int,
		f func(c *Contact) (remove bool, err error)) (Contact, error)
}

// ErrNoChange is returned by an update function that changes nothing.
var ErrNoChange = errors.New("store: no change")

// ArchiveEntry is one message in the archive of one account (XEP-0313).
type ArchiveEntry struct {
	Host, Owner string
	ID          ID     // also the stanza-id (XEP-0359); 0: Commit gives one
	With        string // the other side, bare
	WithRes     string // its resource, "" if the address was bare
	Incoming    bool
	OriginID    string // the message's id attribute, for look-ups; may be empty
	Refers      string // the id of the message that it corrects or reacts to; "": it does neither
	Stanza      []byte // the <message xmlns='jabber:client' …> as it is forwarded
	Keeper      Keeper // nil: nobody asks
}

// Keeper is told that an entry is kept, before its Commit returns: of entries of one archive in the order of their IDs.
// It does not wait for anything.
type Keeper interface{ Kept() }

// OfflineEntry is a message that waits for its recipient (XEP-0160).
type OfflineEntry struct {
	Host, Owner string
	ID          ID     // 0: Commit gives one
	Stanza      []byte // with its delay
	Expires     time.Time
}

// RoomEntry is one message in a room's archive. Commit fails with ErrConflict if the room has another epoch: another
// node has taken it over.
type RoomEntry struct {
	Host, Room string
	Epoch      int64
	Seq        int64 // the room's next number; (room, seq) is the key
	ID         ID    // stanza-id, which Stanza has too: above that of the entry before
	Nick       string
	OccupantID string
	Sender     string // the sender's real bare JID; "" for the room itself
	OriginID   string
	Refers     string // the id of the message that it corrects or reacts to; "": it does neither
	Subject    bool   // it changes the subject
	Quiet      bool   // does not count as unread: a reaction, a marker, a correction. A Subject does not count either
	Stanza     []byte // as broadcast, from room@service/nick, without to
}

func (*ArchiveEntry) write() {}
func (*OfflineEntry) write() {}
func (*RoomEntry) write()    {}

// Page asks for a part of an archive with the filters of XEP-0313 and the paging of XEP-0059.
type Page struct {
	With          string // bare or full; "" for all. In a room: the sender's bare address
	Start, End    time.Time
	After, Before ID // exclusive; 0: none
	IDs           []ID
	Backwards     bool   // the last Max before Before (or of all), still given in order of time
	Max           int    // at least 1; the caller limits it
	Count         bool   // total is wanted
	Text          string // only messages with these words (fulltext.Parse; fulltext.ErrTooMuch); "": all
}

// Archived is an entry as it is read back.
type Archived struct {
	ID     ID
	Stanza []byte
	Sender string // rooms only
	Seq    int64  // rooms only
	Refers string // ArchiveEntry.Refers; also of an entry that was replaced by a tombstone. Not in search results
}

// Archive keeps the archives of accounts and rooms (XEP-0313).
type Archive interface {
	// ReadArchive gives a page of an account's archive in order of time, whether nothing follows in that direction, and
	// with Count how many entries the filters choose without After and Before. ErrNotFound if After, Before or one of
	// IDs is not in the archive.
	ReadArchive(ctx context.Context, host, owner string, p Page) (es []Archived, complete bool, total int, err error)
	// ArchiveBounds gives the ids of an archive's first and last entry; ErrNotFound if it is empty.
	ArchiveBounds(ctx context.Context, host, owner string) (first, last ID, err error)
	// FindArchived gives the newest entry with this id attribute, other side (bare) and direction; ErrNotFound if there
	// is none.
	FindArchived(ctx context.Context, host, owner, with, originID string, incoming bool) (Archived, error)
	// ReplaceArchived replaces the stanza of an entry; ErrNotFound if there is none.
	ReplaceArchived(ctx context.Context, host, owner string, id ID, stanza []byte) error
	// ReplaceInRoom replaces the stanza of an entry in a room's archive and makes it Quiet; ErrNotFound if there is
	// none.
	ReplaceInRoom(ctx context.Context, host, room string, id ID, stanza []byte) error
	// ExpireArchive removes entries of an account older than before, at most limit, and gives how many.
	ExpireArchive(ctx context.Context, host, owner string, before time.Time, limit int) (int, error)

	// ExpireRooms removes entries older than before from the archives of a service's rooms, also of destroyed rooms, in
	// small steps, and gives how many.
	ExpireRooms(ctx context.Context, host string, before time.Time) (int, error)

	// ReadRoom gives a page of a room's archive, as ReadArchive does.
	ReadRoom(ctx context.Context, host, room string, p Page) (es []Archived, complete bool, total int, err error)
	// RoomBounds gives the ids of a room's first and last entry; ErrNotFound if there is none.
	RoomBounds(ctx context.Context, host, room string) (first, last ID, err error)
}

// Offline keeps messages that wait for their recipient (XEP-0160).
type Offline interface {
	// CountOffline gives how many messages wait, and their bytes.
	CountOffline(ctx context.Context, host, user string) (n int, bytes int64, err error)
	// TakeOffline gives waiting messages in order, at most limit; they stay until DropOffline.
	TakeOffline(ctx context.Context, host, user string, limit int) ([]OfflineEntry, error)
	// DropOffline removes the messages with these ids and those that have expired.
	DropOffline(ctx context.Context, host, user string, ids ...ID) error
}

// Private keeps one XML element for each name of an account (XEP-0049).
type Private interface {
	// Private gives the element of a name; ErrNotFound if there is none.
	Private(ctx context.Context, host, user, space, local string) ([]byte, error)
	// SetPrivate keeps an element; ErrLimit if the account would have more than max. Elements of the server itself do
	// not count.
	SetPrivate(ctx context.Context, host, user, space, local string, data []byte, max int) error
	// PrivateOwners gives the accounts of a host that have an element of this name.
	PrivateOwners(ctx context.Context, host, space, local string) ([]string, error)
	// AllPrivate gives every element of an account, in order of namespace and name.
	AllPrivate(ctx context.Context, host, user string) ([][]byte, error)
}

// Bookmark is a room that a person keeps in their list (XEP-0402). It is one row, by whichever protocol clients read or
// write it.
type Bookmark struct {
	Room       string // bare JID
	Name       string
	Nick       string
	Password   string
	Autojoin   bool
	Extensions []byte // the <extensions/> element as last written, self-contained; nil if none
	Updated    time.Time
}

// Bookmarks keeps people's bookmarks.
type Bookmarks interface {
	// Bookmarks gives all bookmarks of a user.
	Bookmarks(ctx context.Context, host, user string) ([]Bookmark, error)
	// SetBookmarks writes bookmarks; ErrLimit if the person would have more than max. Rooms of the person's groups do
	// not count, because the server bookmarks them.
	SetBookmarks(ctx context.Context, host, user string, max int, bs ...Bookmark) error
	// DeleteBookmarks removes bookmarks, and ignores rooms that are not bookmarked.
	DeleteBookmarks(ctx context.Context, host, user string, rooms ...string) error
}

// KV keeps small values of features that need no table of their own. Each feature prefixes its keys.
type KV interface {
	// Get gives the value of a key; ErrNotFound if there is none.
	Get(ctx context.Context, host, key string) ([]byte, error)
	// Put writes the value of a key.
	Put(ctx context.Context, host, key string, value []byte) error
	// PutFirst writes the value of a key that has none, and returns the value that the key has then: this one, or that
	// of another process that came first.
	PutFirst(ctx context.Context, host, key string, value []byte) ([]byte, error)
	// Delete removes a key.
	Delete(ctx context.Context, host, key string) error
	// Take removes a key if it has this value, and says whether it did. Of several calls at once only one gets true.
	Take(ctx context.Context, host, key string, value []byte) (bool, error)
}
