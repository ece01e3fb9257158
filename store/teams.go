package store

import (
	"context"
	"time"
)

// Team is a named set of accounts of a host.
type Team struct {
	Host, ID    string // ID is opaque and never changes
	Slug        string // for links and mentions; unique on the host for ever
	Name        string
	Emoji       string
	Description string
	MentionBy   string // who may mention it; org's to say
	Created     time.Time
	Deleted     time.Time // zero: lives
}

// TeamMember is an account in a team.
type TeamMember struct {
	Team     string // id
	Name     string // localpart
	FullName string
	Since    time.Time
}

// GroupTeam is a team that is in a group as one: its people have that role there.
type GroupTeam struct{ Group, Team, Role string }

// GroupMember is a person's row in a group: what they are there, and, where teams have a part in it, what they are of
// their own.
type GroupMember struct {
	Group string
	Member
	Own    string // "": nothing
	ByTeam bool
}

// OrgChange is a change of teams and groups: all of it is one transaction.
type OrgChange struct {
	Host       string
	Team       *Team    // made, or changed
	TeamID     string   // whose people In and Out are
	In, Out    []string // localparts
	Defaults   []string // ids of groups, in the place of those there were; nil: stay
	GroupTeams []GroupTeam
	Members    []GroupMember
	Bookmarks  map[string][]Bookmark // by group: for users of host who are new there
	Fill       string                // a group whose teams' people are not all members yet: a job is kept until FillDone
}

type Teams interface {
	// ChangeOrg makes a change; ErrExists if the slug of a new team is taken, ErrNotFound if a group of it is gone.
	ChangeOrg(ctx context.Context, c OrgChange) error
	Teams(ctx context.Context, host string) ([]Team, error)             // living ones, in order of slug
	TeamMembers(ctx context.Context, host string) ([]TeamMember, error) // of all living teams, in order of name
	TeamDefaults(ctx context.Context, host, team string) (groups []string, err error)
	GroupTeams(ctx context.Context, host, group string) ([]GroupTeam, error)
	TeamGroups(ctx context.Context, host, team string) ([]GroupTeam, error) // of living groups
	// Grants gives what people are of their own in a group, for those who are something there by a team.
	Grants(ctx context.Context, host, group string) (own map[string]string, err error)
	// Outside lists accounts that have no row in a group, in order of name.
	Outside(ctx context.Context, host, group, after string, limit int) ([]string, error)
	CountOutside(ctx context.Context, host, group string) (int, error)
	// ToFill lists the groups that have a job, and FillDone ends one.
	ToFill(ctx context.Context, host string) (groups []string, err error)
	FillDone(ctx context.Context, host, group string) error
}
