package store

import (
	"context"
	"time"

	"parley/wire/jid"
)

// RoleAdmin and RoleSupervisor, with RoleOwner and RoleMember, are the roles of accounts in the organization. Package
// people says what each role may do.
const (
	RoleAdmin      = "admin"
	RoleSupervisor = "supervisor"
)

// StateActive and the others are the states of an account.
const (
	StateActive   = "active"
	StateInvited  = "invited" // has no password yet
	StateDisabled = "disabled"
	StateArchived = "archived"
)

// Person is an account with its profile in the organization.
type Person struct {
	User
	Role       string // owner, admin, supervisor, member; owner and admin go with User.Admin
	Email      string // at work, unique on the host in any case; "": none
	Phone      string
	Title      string
	Department string
	Lang       string    // "en", "fr"; "": not known
	Archived   time.Time // zero: not archived
	Shown      Shown
	Fields     map[string]string // values of ProfileFields by key, in their canonical form; none is ""
}

// ShownToTeam and ShownToAdmins say who sees a field of a person; "" is everybody of the organization.
const (
	ShownToTeam   = "team"
	ShownToAdmins = "admins"
)

// Shown says who sees each field of a person. Everybody sees the full name. Package people applies it.
type Shown struct{ Email, Phone, Title, Department string }

// State gives the state of the account.
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

// Address gives the person's bare JID.
func (p Person) Address() string { return p.Name + "@" + p.Host }

// Display gives the full name or, without one, the unescaped localpart.
func (p Person) Display() string {
	if p.FullName != "" {
		return p.FullName
	}
	return jid.Unescape(p.Name)
}

// PeopleFilter chooses people; the zero value chooses all.
type PeopleFilter struct {
	// each must occur in name, full name, e-mail, title, department or a searchable field, in any case
	Words      []string
	Open       bool // Words and Department look only at what everybody of the organization sees
	State      string
	Here       bool // only active or invited people
	Role       string
	Department string // exact
	Group      string // a group's id: its members, or those with GroupRole
	GroupRole  string // a role, or OutsideGroup
	Team       string // a team's id: its people or, with OutsideTeam, everybody else

	OutsideTeam bool
	But         string // the name of a person to leave out
	Offset      int
	Limit       int // at least 1
}

// OutsideGroup, as a filter's GroupRole, chooses people who are neither members of the group nor banned from it.
const OutsideGroup = "outside"

// People keeps accounts with their profiles.
type People interface {
	// Person gives a person by account name; ErrNotFound if there is none.
	Person(ctx context.Context, host, name string) (Person, error)
	// PersonByEmail gives the person with an e-mail address, in any case; ErrNotFound if there is none.
	PersonByEmail(ctx context.Context, host, email string) (Person, error)
	// People gives the people that a filter chooses, in order of name, and how many it chooses in all.
	People(ctx context.Context, host string, f PeopleFilter) ([]Person, int, error)
	// CountPeople gives how many of the chosen people are in each state; it ignores the filter's State.
	CountPeople(ctx context.Context, host string, f PeopleFilter) (map[string]int, error)
	// CountByDepartment gives how many of the chosen people are in each department; people without one are left out.
	CountByDepartment(ctx context.Context, host string, f PeopleFilter) (map[string]int, error)
	// CountByTeam gives how many of the chosen people are in each team, by its id.
	CountByTeam(ctx context.Context, host string, f PeopleFilter) (map[string]int, error)
	// Departments gives the departments that people have, each once, in order.
	Departments(ctx context.Context, host string) ([]string, error)
	// CreatePerson makes an account with its profile in one transaction; ErrExists if the name or the e-mail address is
	// taken.
	CreatePerson(ctx context.Context, p Person) error
	// UpdatePerson changes a person in a transaction. f may change everything but Host, Name, Keys and Created, and may
	// be called again. It gives the person before and after. ErrExists if somebody else has the e-mail address.
	UpdatePerson(ctx context.Context, host, name string, f func(p *Person) error) (was, is Person, err error)
	// UpdateOwner is UpdatePerson for a change that may remove an owner: ErrLast if the host would lose its last active
	// owner.
	UpdateOwner(ctx context.Context, host, name string, f func(p *Person) error) (was, is Person, err error)
}

// UserPage is a page of search results of at most Max: behind the account After or behind Offset results, or with Last
// the last page before the account Before.
type UserPage struct {
	After, Before string
	Last          bool // the end of the results, or of those before Before
	Offset, Max   int
}
