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
}

// Roles of a group's members.
const (
	RoleMember    = "member"
	RoleModerator = "moderator"
	RoleOwner     = "owner"
	RoleBanned    = "banned"
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
}

type Groups interface {
	// CreateGroup makes the group, its main room and its first members in one transaction; ErrExists if slug or room
	// are taken. Bookmarks of the members are written in the same transaction (users of g.Host only).
	CreateGroup(ctx context.Context, g Group, r Room, ms []Member, bookmark Bookmark) error
	Group(ctx context.Context, host, id string) (Group, error)
	GroupBySlug(ctx context.Context, host, slug string) (Group, error)
	Groups(ctx context.Context, host, after string, limit int) ([]Group, error) // living ones, in order of slug
	GroupsOf(ctx context.Context, host, jid string) ([]Group, error)            // where jid is a member (not banned)
	UpdateGroup(ctx context.Context, g Group) error                             // name, description, private, themesBy
	// DeleteGroup marks the group deleted, its rooms destroyed; bookmarks of its rooms go from members' lists.
	DeleteGroup(ctx context.Context, host, id string, at time.Time) error

	Members(ctx context.Context, host, id string) ([]Member, error)
	Member(ctx context.Context, host, id, jid string) (Member, error)
	// SetMembers adds or changes members (role "" removes), with the bookmarks of the group's rooms for those who are
	// new (users of host only), and without any of the group's rooms for those who leave; one transaction.
	SetMembers(ctx context.Context, host, id string, ms []Member, bookmarks []Bookmark) error

	// CreateTheme makes the theme, its room and the bookmarks of followers (bare JIDs; those of host only) in one transaction.
	CreateTheme(ctx context.Context, t Theme, r Room, followers []string, bookmark Bookmark) error
	Theme(ctx context.Context, host, key string) (Theme, error)
	Themes(ctx context.Context, host, group string) ([]Theme, error)   // in order of creation
	UpdateTheme(ctx context.Context, t Theme) error                    // name, restricted, closed
	ThemeList(ctx context.Context, host, key string) ([]Member, error) // a restricted theme's list, and who is banned in it
	SetThemeList(ctx context.Context, host, key string, ms ...Member) error
}
