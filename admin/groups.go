package admin

import (
	"context"
	"time"
)

// Groups are the organization's groups and their themes. A group is named by its slug, a theme by its key or slug.
type Groups interface {
	CreateGroup(ctx context.Context, g NewGroup) (Group, error)
	Groups(ctx context.Context, host, after string, limit int) ([]Group, error)
	// Group gives it with members and themes.
	Group(ctx context.Context, host, slug string) (Group, error)
	ChangeGroup(ctx context.Context, host, slug string, c GroupChange) (Group, error)
	// DeletedGroups are those that can be restored.
	DeletedGroups(ctx context.Context, host string) ([]Group, error)
	RestoreGroup(ctx context.Context, host, slug string) (Group, error)
	// SetPhoto takes an image; one of no bytes takes the photo away.
	SetPhoto(ctx context.Context, host, slug string, image []byte) error
	// SetMember adds a person or changes their role.
	SetMember(ctx context.Context, host, slug, address, role string) (Member, error)
	RemoveMember(ctx context.Context, host, slug, address string) error
	DeleteGroup(ctx context.Context, host, slug string) error
	// SetMandatory has everyone in a group ("everyone") or everyone of a team (its slug); "" ends it.
	SetMandatory(ctx context.Context, host, slug, whom string) error
	// SetGroupTeam has a team in a group as one, as member or moderator; "" takes it out.
	SetGroupTeam(ctx context.Context, host, slug, team, role string) error
	// Requests lists who asks to be a member.
	Requests(ctx context.Context, host, slug string) ([]Request, error)
	AnswerRequest(ctx context.Context, host, slug, address string, yes bool) error

	CreateTheme(ctx context.Context, host, slug string, t NewTheme) (Theme, error)
	// ChangeTheme renames, opens, closes, archives.
	ChangeTheme(ctx context.Context, host, slug, theme string, c ThemeChange) (Theme, error)
	CloseTheme(ctx context.Context, host, slug, theme string) error
	// SetThemePerson has somebody in a restricted theme, or as a guest, or not any more (role "").
	SetThemePerson(ctx context.Context, host, slug, theme, address, role string) error
}

// Group is a group as administrators see it.
type Group struct {
	Host        string    `json:"host"`
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Emoji       string    `json:"emoji,omitempty"`
	Kind        string    `json:"kind"`    // private, public, large, request, announcement, federated
	Private     bool      `json:"private"` // people do not find it by themselves
	ThemesBy    string    `json:"themes_by"`
	MentionBy   string    `json:"mention_by"`
	Guests      bool      `json:"guests"`
	SinceJoin   bool      `json:"since_join"` // members read only what was said since they were added
	Room        string    `json:"room"`       // address of its main room
	Created     time.Time `json:"created"`
	Deleted     time.Time `json:"deleted,omitzero"`
	Photo       string    `json:"photo,omitempty"`     // SHA-1 of its photo, in hex
	Mandatory   string    `json:"mandatory,omitempty"` // "everyone", or a team's slug
	Adding      *Progress `json:"adding,omitempty"`    // of people to a group that has become mandatory
	Teams       []InTeam  `json:"teams,omitempty"`
	Members     []Member  `json:"members,omitempty"`
	Themes      []Theme   `json:"themes,omitempty"`
}

// Progress of what is done in the background.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// InTeam is a team in a group.
type InTeam struct {
	Slug string `json:"slug"`
	Role string `json:"role"`
}

// Request is somebody who asks to be a member.
type Request struct {
	Address string    `json:"address"`
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since"`
}

// NewGroup is a group to be made.
type NewGroup struct {
	Host        string `json:"host,omitempty"`
	Slug        string `json:"slug"`
	Name        string `json:"name,omitempty"` // "": the slug
	Description string `json:"description,omitempty"`
	Kind        string `json:"kind,omitempty"`    // "": public, or private
	Private     bool   `json:"private,omitempty"` // without a kind: private; of an announcement: people do not find it
	Emoji       string `json:"emoji,omitempty"`
	Owner       string `json:"owner"`
}

// GroupChange changes what is not nil.
type GroupChange struct {
	Name        *string `json:"name,omitempty"`
	Description *string `json:"description,omitempty"`
	Kind        *string `json:"kind,omitempty"`
	Hidden      *bool   `json:"hidden,omitempty"`
	ThemesBy    *string `json:"themes_by,omitempty"`
	MentionBy   *string `json:"mention_by,omitempty"`
	Emoji       *string `json:"emoji,omitempty"`
	Guests      *bool   `json:"guests,omitempty"`
	SinceJoin   *bool   `json:"since_join,omitempty"`
}

// Member is a person in a group.
type Member struct {
	Address string    `json:"address"`
	Role    string    `json:"role"` // member, moderator, owner, banned
	Since   time.Time `json:"since,omitzero"`
}

// Theme is a conversation in a group.
type Theme struct {
	Key        string    `json:"key"`
	Slug       string    `json:"slug"`
	Name       string    `json:"name"`
	Room       string    `json:"room"`
	Restricted bool      `json:"restricted"`
	Creator    string    `json:"creator"`
	Created    time.Time `json:"created"`
	Closed     time.Time `json:"closed,omitzero"`
	State      string    `json:"state"` // open, closed, archived
	Link       string    `json:"link"`
	Source     string    `json:"source,omitempty"` // the message it began with: room/stanza-id
	People     []Member  `json:"people,omitempty"` // of a restricted one, and guests
}

// ThemeChange changes what is not nil.
type ThemeChange struct {
	Name  *string `json:"name,omitempty"`
	State *string `json:"state,omitempty"`
}

// NewTheme is a theme to be made.
type NewTheme struct {
	Name       string   `json:"name"`
	Creator    string   `json:"creator,omitempty"` // "": the administrator
	Restricted bool     `json:"restricted,omitempty"`
	People     []string `json:"people,omitempty"` // of a restricted one
}
