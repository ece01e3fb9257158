package store

import (
	"context"
	"time"

	"parley/wire/jid"
)

// Roles of accounts in the organization. What each may do is people's to say. RoleOwner and RoleMember are those of
// groups too.
const (
	RoleAdmin      = "admin"
	RoleSupervisor = "supervisor"
)

// States of an account.
const (
	StateActive   = "active"
	StateInvited  = "invited" // has no password yet
	StateDisabled = "disabled"
	StateArchived = "archived"
)

// Person is an account with what the organization knows of it.
type Person struct {
	User
	Role       string // owner, admin, supervisor, member; owner and admin go with User.Admin
	Email      string // for work, unique on the host whatever its case; "" if none
	Phone      string
	Title      string
	Department string
	Lang       string    // "en", "fr"; "" if not known
	Archived   time.Time // zero: not
	Shown      Shown
	Fields     map[string]string // values of ProfileFields by key, in their canonical form; none is ""
}

// Whom a field of a person is shown to; "" is everybody of the organization.
const (
	ShownToTeam   = "team"
	ShownToAdmins = "admins"
)

// Shown says whom what is known of a person is shown to. The full name is everybody's to see. What follows from it is
// people's to say.
type Shown struct{ Email, Phone, Title, Department string }

// State says which of the states it is in.
func (p Person) State() string {
	switch {
	case !p.Archived.IsZero():
		return StateArchived
	case p.Disabled:
		return StateDisabled
	case len(p.Keys) == 0:
		return StateInvited
	}
	return StateActive
}

// Address is the bare JID.
func (p Person) Address() string { return p.Name + "@" + p.Host }

// Display is the full name, or else the localpart as people read it.
func (p Person) Display() string {
	if p.FullName != "" {
		return p.FullName
	}
	return jid.Unescape(p.Name)
}

// PeopleFilter chooses people; zero values choose all.
type PeopleFilter struct {
	Words      []string // each in name, full name, e-mail, title, department or a field that is searched, whatever the case
	Open       bool     // the words only in what is shown to everybody of the organization
	State      string
	Here       bool // active, or invited
	Role       string
	Department string // with Open, of those only who show it to everybody
	Group      string // id of one: those who are in it, or have the GroupRole in it
	GroupRole  string // a role, or OutsideGroup
	Team       string // id of one: those who are in it, or, with OutsideTeam, who are not

	OutsideTeam bool
	But         string // the name of somebody who is not chosen
	Offset      int
	Limit       int // at least 1
}

// OutsideGroup, as a filter's GroupRole, chooses who is not in the group and not kept out of it.
const OutsideGroup = "outside"

type People interface {
	Person(ctx context.Context, host, name string) (Person, error)
	PersonByEmail(ctx context.Context, host, email string) (Person, error)
	// People gives those that the filter chooses, in order of name, and how many they are in all.
	People(ctx context.Context, host string, f PeopleFilter) ([]Person, int, error)
	// CountPeople gives how many of the chosen there are of each state; the filter's State is not looked at.
	CountPeople(ctx context.Context, host string, f PeopleFilter) (map[string]int, error)
	Departments(ctx context.Context, host string) ([]string, error)
	// CreatePerson makes the account and what is known of it in one transaction; ErrExists, also for an e-mail address.
	CreatePerson(ctx context.Context, p Person) error
	// UpdatePerson changes one in a transaction: f gets what is there and changes it, all but Host, Name, Keys and
	// Created; it may be called again. ErrExists if another has the e-mail address. It gives what was and what is.
	UpdatePerson(ctx context.Context, host, name string, f func(p *Person) error) (was, is Person, err error)
	// UpdateOwner is UpdatePerson for a change that may take an owner away: ErrLast if it would leave the host without one
	// that is active, and it had one.
	UpdateOwner(ctx context.Context, host, name string, f func(p *Person) error) (was, is Person, err error)
}

// UserPage is a part of what is found: at most Max, beginning after an account or behind so many; or the last before one.
type UserPage struct {
	After, Before string
	Last          bool // the end of what is found, or of what is before Before
	Offset, Max   int
}
