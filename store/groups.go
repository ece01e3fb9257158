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
	Deleted     time.Time // zero: the group exists
	GroupSettings
}

// GroupSettings are the other settings of a group; package org defines the values and their meaning.
type GroupSettings struct {
	Kind      string // "": private or public, as Private says
	Mandatory string // "": no, "everyone", or a team's id
	MentionBy string // who may mention the whole group
	ReactBy   string // who may react to messages
	Guests    bool   // themes may have guests from outside the group
	SinceJoin bool   // members read only messages from after they were added
	Emoji     string
	PhotoHash string // SHA-1 in hex of its photo; "": none. Only SetGroupPhoto writes it
}

// Photo is a group's photo.
type Photo struct {
	Type string // image/png, image/jpeg …
	Hash string // SHA-1 in hex
	Data []byte
}

// GroupRequest is a person's request to become a member.
type GroupRequest struct {
	JID    string // bare
	Reason string
	Since  time.Time
}

// RoleMember and the others are the roles of a group's members.
const (
	RoleMember    = "member"
	RoleModerator = "moderator"
	RoleOwner     = "owner"
	RoleBanned    = "banned"
	RoleGuest     = "guest" // in a theme, but not in its group
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
	Restricted       bool // only people in its list (and in the group) may enter
	Creator          string
	Created          time.Time
	Closed           time.Time // zero: open
	Archived         bool      // closed, and not listed any more
	Source           Source
	First            *RoomEntry // the first message of its room, when it is made; not read back
}

// Source is the message or thread a theme began with; the zero value: none.
type Source struct {
	Room   string // localpart of the room where it was said
	ID     ID     // its stanza-id
	Thread string
}

// OwnGroups and OtherGroups, as a filter's Whose, choose among the groups that the asker may know of.
const (
	OwnGroups   = "own"   // the asker is a member
	OtherGroups = "other" // the asker is not a member
)

// GroupFilter chooses groups; the zero value chooses all that exist.
type GroupFilter struct {
	Words     []string // each must occur in the name or slug, in any case
	Described bool     // or in the description
	Slugs     []string // only these; at most 200
	Mandatory string   // only groups that are mandatory for everyone ("everyone") or for a team (its id)
	Optional  bool     // only groups that are not mandatory for everyone

	// Asker is a bare JID: only groups that this person may know of, by org's rules. "": all groups.
	Asker   string
	Foreign bool   // the asker is of another server, and finds no listed groups
	Sees    bool   // the asker may know of all groups except those they are banned from
	Whose   string // OwnGroups, OtherGroups, or "" for both
	Puts    bool   // only groups that the asker may add people to, by their role or because the group is open

	DeletedAfter time.Time // not zero: groups deleted after this, instead of existing ones
	Offset       int
	Limit        int // 0: only count
}

// Groups keeps groups with their members, themes and requests.
type Groups interface {
	// CreateGroup makes a group, its main room and its first members in one transaction, with the bookmarks of those
	// members who are users of g.Host. ErrExists if the slug or the room is taken.
	CreateGroup(ctx context.Context, g Group, r Room, ms []Member, bookmark Bookmark) error
	// Group gives a group, existing or deleted, by its id; ErrNotFound if there is none.
	Group(ctx context.Context, host, id string) (Group, error)
	// GroupBySlug gives a group, existing or deleted, by its slug; ErrNotFound if there is none.
	GroupBySlug(ctx context.Context, host, slug string) (Group, error)
	// Groups gives existing groups in order of slug, at most limit, beginning behind after.
	Groups(ctx context.Context, host, after string, limit int) ([]Group, error)
	// FindGroups gives the groups that a filter chooses, in order of slug, and how many it chooses in all.
	FindGroups(ctx context.Context, host string, f GroupFilter) ([]Group, int, error)
	// GroupsOf gives the groups of which jid is a member, not those that ban jid.
	GroupsOf(ctx context.Context, host, jid string) ([]Group, error)
	// OwnedGroups counts the groups that jid owns, and those it owned that were deleted after since.
	OwnedGroups(ctx context.Context, host, jid string, since time.Time) (int, error)
	// UpdateGroup writes a group's name, description, privacy, ThemesBy and settings.
	UpdateGroup(ctx context.Context, g Group) error
	// DeleteGroup marks a group as deleted and its rooms as destroyed, and removes the bookmarks of its rooms.
	DeleteGroup(ctx context.Context, host, id string, at time.Time) error
	// DeletedGroups gives groups that were deleted after since, in order of slug.
	DeletedGroups(ctx context.Context, host string, since time.Time) ([]Group, error)
	// RestoreGroup brings back a deleted group with the rooms that were destroyed with it, and writes the bookmarks of
	// its members; ErrNotFound if the group is not deleted.
	RestoreGroup(ctx context.Context, host, id string, users []string, bookmarks []Bookmark) error
	// SetGroupPhoto writes a photo and its hash; a photo without Data removes it.
	SetGroupPhoto(ctx context.Context, host, id string, p Photo) error
	// GroupPhoto gives a group's photo; ErrNotFound if it has none.
	GroupPhoto(ctx context.Context, host, id string) (Photo, error)

	// PutGroupRequest keeps a request; it replaces an earlier one of the same person. ErrLimit if there would be more
	// than max.
	PutGroupRequest(ctx context.Context, host, id string, r GroupRequest, max int) error
	// GroupRequests gives the requests of a group in order of time.
	GroupRequests(ctx context.Context, host, id string) ([]GroupRequest, error)
	// DropGroupRequest removes a request; ErrNotFound if there is none.
	DropGroupRequest(ctx context.Context, host, id, jid string) error

	// Members gives all members of a group, with those it bans.
	Members(ctx context.Context, host, id string) ([]Member, error)
	// Member gives one member of a group; ErrNotFound if jid has no role in it.
	Member(ctx context.Context, host, id, jid string) (Member, error)
	// Memberships gives the rows of a person (bare address) in all groups, by group, also in those that ban the person.
	Memberships(ctx context.Context, host, jid string) (map[string]Member, error)
	// SetMembers adds, changes or (role "") removes members in one transaction. New members who are users of host get
	// the given bookmarks; members who leave lose the bookmarks of all rooms of the group.
	SetMembers(ctx context.Context, host, id string, ms []Member, bookmarks []Bookmark) error

	// CreateTheme makes a theme, its room, its list and the bookmarks of those followers (bare JIDs) who are users of
	// the host, in one transaction.
	CreateTheme(ctx context.Context, t Theme, r Room, followers []string, bookmark Bookmark, list ...Member) error
	// Theme gives a theme by its key; ErrNotFound if there is none.
	Theme(ctx context.Context, host, key string) (Theme, error)
	// Themes gives the themes of a group in order of creation.
	Themes(ctx context.Context, host, group string) ([]Theme, error)
	// UpdateTheme writes a theme's name, Restricted, Closed and Archived.
	UpdateTheme(ctx context.Context, t Theme) error
	// ThemeList gives the people of a restricted theme and those who are banned from a theme.
	ThemeList(ctx context.Context, host, key string) ([]Member, error)
	// SetThemeList adds, changes or (role "") removes entries of a theme's list.
	SetThemeList(ctx context.Context, host, key string, ms ...Member) error
	// ChangeThemeList changes a theme's list (role "" removes) in one transaction. The users in come get the bookmark,
	// the users in gone lose theirs.
	ChangeThemeList(ctx context.Context, host, key string, ms []Member, come, gone []string, bookmark Bookmark) error
	// Bookmarkers gives the users who have a bookmark of a room under this name, in order.
	Bookmarkers(ctx context.Context, host, room, name string) (users []string, err error)
	// RenameBookmarks renames the bookmarks of a room that still have its old name, of these users (at most 1000), and
	// gives their owners.
	RenameBookmarks(ctx context.Context, host, room, old, name string, users []string) (renamed []string, err error)
	// DropBookmarks removes all bookmarks of a room and gives their owners.
	DropBookmarks(ctx context.Context, host, room string) (users []string, err error)
}
