package store

import (
	"context"
	"time"
)

// Group is a department, project or topic: members, one main room, themes. Host is the organization's domain.
type Group struct {
	Host, ID    string // ID is opaque and never changes
	Slug        string // for links and, if public, the room's address; unique on the host
	Room        string // localpart of the main room
	Name        string
	Description string
	Private     bool
	ThemesBy    string // who may create themes: "members" or "moderators"
	Created     time.Time
	Deleted     time.Time // zero: lives
	GroupSettings
}

// GroupSettings is what else a group's owners decide; the values and what they mean are org's.
type GroupSettings struct {
	Kind      string // "": private or public, as Private says
	Mandatory string // "": no, "everyone", or a team's id
	MentionBy string // who may mention all of it
	ReactBy   string // who may react to what is said in it
	Guests    bool   // themes may have people of outside
	SinceJoin bool   // members read only what was said since they were added
	Emoji     string
	PhotoHash string // SHA-1 in hex of its photo; "": none. Written by SetGroupPhoto only
}

// Photo of a group.
type Photo struct {
	Type string // image/png, image/jpeg …
	Hash string // SHA-1 in hex
	Data []byte
}

// GroupRequest is somebody who wants to be a member.
type GroupRequest struct {
	JID    string // bare
	Reason string
	Since  time.Time
}

// Roles of a group's members.
const (
	RoleMember    = "member"
	RoleModerator = "moderator"
	RoleOwner     = "owner"
	RoleBanned    = "banned"
	RoleGuest     = "guest" // in a theme, and not in its group
)

// Member is a person in a group.
type Member struct {
	JID   string // bare
	Role  string
	Since time.Time
}

// Theme is a focused conversation in a group: a room of its own.
type Theme struct {
	Host, Group, Key string // Key: 6 to 8 base32 characters, never changes, unique on the host
	Slug             string
	Room             string // localpart: slug.key
	Name             string
	Restricted       bool // only who is in its list (and in the group)
	Creator          string
	Created          time.Time
	Closed           time.Time // zero: open
	Archived         bool      // closed, and in no list any more
	Source           Source
	First            *RoomEntry // what its room begins with, when it is made; not read back
}

// Source is the message or thread a theme began with; the zero value: none.
type Source struct {
	Room   string // localpart of the room it was said in
	ID     ID     // its stanza-id
	Thread string
}

// Whose groups a filter chooses, of those that the asker knows of.
const (
	OwnGroups   = "own"   // in which the asker is
	OtherGroups = "other" // in which the asker is not
)

// GroupFilter chooses groups; zero values choose all that live.
type GroupFilter struct {
	Words     []string // each in name or slug, whatever the case
	Described bool     // or in the description
	Slugs     []string // of these only; at most 200
	Mandatory string   // those that everyone has to be in ("everyone"), or a team (its id)
	Optional  bool     // those that not everyone has to be in

	// Asker is a bare JID: those that this one may know of, as org says. "" chooses whatever the asker.
	Asker   string
	Foreign bool   // the asker is of another server, and finds nothing that is listed
	Sees    bool   // the asker may know of all but where they are kept out
	Whose   string // OwnGroups, OtherGroups, "": both
	Puts    bool   // instead: those that the asker may put people into, by a role in them or because everyone may come in

	DeletedAfter time.Time // not zero: instead of those that live, those that were deleted after this
	Offset       int
	Limit        int // 0: they are only counted
}

type Groups interface {
	// CreateGroup makes the group, its main room and its first members in one transaction; ErrExists if slug or room
	// are taken. Bookmarks of the members are written in the same transaction (users of g.Host only).
	CreateGroup(ctx context.Context, g Group, r Room, ms []Member, bookmark Bookmark) error
	Group(ctx context.Context, host, id string) (Group, error)
	GroupBySlug(ctx context.Context, host, slug string) (Group, error)
	Groups(ctx context.Context, host, after string, limit int) ([]Group, error) // living ones, in order of slug
	// FindGroups gives those that the filter chooses, in order of slug, and how many they are in all.
	FindGroups(ctx context.Context, host string, f GroupFilter) ([]Group, int, error)
	GroupsOf(ctx context.Context, host, jid string) ([]Group, error) // where jid is a member (not banned)
	// OwnedGroups counts those that jid owns, with those deleted after since.
	OwnedGroups(ctx context.Context, host, jid string, since time.Time) (int, error)
	UpdateGroup(ctx context.Context, g Group) error // name, description, private, themesBy, settings
	// DeleteGroup marks the group deleted, its rooms destroyed; bookmarks of its rooms go from members' lists.
	DeleteGroup(ctx context.Context, host, id string, at time.Time) error
	// DeletedGroups gives those that were deleted after since, in order of slug.
	DeletedGroups(ctx context.Context, host string, since time.Time) ([]Group, error)
	// RestoreGroup has a deleted group live again, with the rooms that were destroyed with it, and writes the bookmarks
	// of its members; ErrNotFound if it is not deleted.
	RestoreGroup(ctx context.Context, host, id string, users []string, bookmarks []Bookmark) error
	// SetGroupPhoto keeps a photo and its hash; one without Data takes it away.
	SetGroupPhoto(ctx context.Context, host, id string, p Photo) error
	GroupPhoto(ctx context.Context, host, id string) (Photo, error)

	// PutGroupRequest keeps a request; one of the same person takes the place of an earlier one. ErrLimit if there would
	// be more than max.
	PutGroupRequest(ctx context.Context, host, id string, r GroupRequest, max int) error
	GroupRequests(ctx context.Context, host, id string) ([]GroupRequest, error) // in order of time
	DropGroupRequest(ctx context.Context, host, id, jid string) error           // ErrNotFound

	Members(ctx context.Context, host, id string) ([]Member, error)
	Member(ctx context.Context, host, id, jid string) (Member, error)
	// SetMembers adds or changes members (role "" removes), with the bookmarks of the group's rooms for those who are
	// new (users of host only), and without any of the group's rooms for those who leave; one transaction.
	SetMembers(ctx context.Context, host, id string, ms []Member, bookmarks []Bookmark) error

	// CreateTheme makes the theme, its room, its list and the bookmarks of followers (bare JIDs; those of host only) in
	// one transaction.
	CreateTheme(ctx context.Context, t Theme, r Room, followers []string, bookmark Bookmark, list ...Member) error
	Theme(ctx context.Context, host, key string) (Theme, error)
	Themes(ctx context.Context, host, group string) ([]Theme, error)   // in order of creation
	UpdateTheme(ctx context.Context, t Theme) error                    // name, restricted, closed, archived
	ThemeList(ctx context.Context, host, key string) ([]Member, error) // a restricted theme's list, and who is banned in it
	SetThemeList(ctx context.Context, host, key string, ms ...Member) error
	// ChangeThemeList changes a theme's list (role "" removes), and writes the bookmark for the users who come, and takes
	// it from those who go; one transaction.
	ChangeThemeList(ctx context.Context, host, key string, ms []Member, come, gone []string, bookmark Bookmark) error
	// Bookmarkers says who has a bookmark of a room by a name, in order.
	Bookmarkers(ctx context.Context, host, room, name string) (users []string, err error)
	// RenameBookmarks gives those bookmarks of a room that have its old name the new one, of some users, at most 1000, and
	// says whose they were.
	RenameBookmarks(ctx context.Context, host, room, old, name string, users []string) (renamed []string, err error)
	// DropBookmarks removes all bookmarks of a room, and says whose they were.
	DropBookmarks(ctx context.Context, host, room string) (users []string, err error)
}
