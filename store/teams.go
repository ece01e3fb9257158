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
	// MentionBy says who may mention the team; package org defines the values.
	MentionBy string
	Created   time.Time
	Deleted   time.Time // zero: exists
}

// TeamMember is an account in a team.
type TeamMember struct {
	Team     string // id
	Name     string // localpart
	FullName string
	Since    time.Time
}

// GroupTeam is a team that is in a group: its people have the role there.
type GroupTeam struct{ Group, Team, Role string }

// GroupMember is a person's row in a group: their role and, if teams give them one, the role they have without the
// teams.
type GroupMember struct {
	Group string
	Member
	Own    string // "": nothing
	ByTeam bool
}

// OrgChange is a change of teams and groups. It is made in one transaction.
type OrgChange struct {
	Host       string
	Team       *Team    // made or changed
	TeamID     string   // the team of In and Out
	In, Out    []string // localparts
	Defaults   []string // ids of the team's groups for new people, replacing the former ones; nil: unchanged
	GroupTeams []GroupTeam
	Members    []GroupMember
	Bookmarks  map[string][]Bookmark // by group: for users of host who are new in it
	// a group whose teams' people are not all members yet: it is in ToFill until FillDone
	Fill string
}

// Teams keeps teams and their part in groups.
type Teams interface {
	// ChangeOrg makes a change; ErrExists if the slug of a new team is taken, ErrNotFound if one of the groups is gone.
	ChangeOrg(ctx context.Context, c OrgChange) error
	// Teams gives the existing teams of a host in order of slug.
	Teams(ctx context.Context, host string) ([]Team, error)
	// TeamMembers gives the people of all existing teams in order of name.
	TeamMembers(ctx context.Context, host string) ([]TeamMember, error)
	// TeamDefaults gives the ids of the groups that new people of a team are added to.
	TeamDefaults(ctx context.Context, host, team string) (groups []string, err error)
	// GroupTeams gives the teams that are in a group.
	GroupTeams(ctx context.Context, host, group string) ([]GroupTeam, error)
	// TeamGroups gives the existing groups that a team is in.
	TeamGroups(ctx context.Context, host, team string) ([]GroupTeam, error)
	// Grants returns the people to whom a team gives a role in a group, and the role that each would have without the
	// team.
	Grants(ctx context.Context, host, group string) (own map[string]string, err error)
	// Outside gives accounts that have no row in a group, in order of name.
	Outside(ctx context.Context, host, group, after string, limit int) ([]string, error)
	// CountOutside counts the accounts that have no row in a group.
	CountOutside(ctx context.Context, host, group string) (int, error)
	// ToFill gives the groups that still have to be filled with their teams' people.
	ToFill(ctx context.Context, host string) (groups []string, err error)
	// FillDone notes that a group has been filled.
	FillDone(ctx context.Context, host, group string) error
}
