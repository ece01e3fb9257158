package acts

import "parley/store"

// Deed is something that is done to a person.
type Deed uint8

const (
	See     Deed = iota + 1 // the person's page in the console
	Create                  // and invite
	Edit                    // fields, but the role
	SetRole                 // to what the person has afterwards
	Disable                 // and enable, archive, restore, sign out
	Delete
	Reset // give a link for a new password
)

var rank = map[string]int{store.RoleMember: 0, store.RoleSupervisor: 1, store.RoleAdmin: 2, store.RoleOwner: 3}

// May is the one place that says what a role may do to a person; target is as the person is, or will be.
func (a Actor) May(act Deed, target store.Person) bool {
	own, theirs := rank[a.Role], rank[target.Role]
	switch {
	case a.Role == store.RoleOwner:
		return true
	case act == SetRole:
		return a.Role == store.RoleAdmin && theirs < rank[store.RoleAdmin]
	case act == See:
		return a.Role == store.RoleAdmin || a.supervises(target)
	case a.Role == store.RoleAdmin:
		return theirs < own || act == Edit && a.Name == target.Name
	case act == Create || act == Edit || act == Reset || act == Disable:
		return a.supervises(target) && theirs < own
	}
	return false
}

// supervises: a supervisor looks after the own department.
func (a Actor) supervises(target store.Person) bool {
	return a.Role == store.RoleSupervisor && a.Department != "" && a.Department == target.Department
}

// Console says whether a role has a console at all.
func (a Actor) Console() bool { return rank[a.Role] >= rank[store.RoleSupervisor] }

// Runs says whether a role runs the organization: groups, settings, audit, system.
func (a Actor) Runs() bool { return rank[a.Role] >= rank[store.RoleAdmin] }

// Filter narrows what a role gets to see in lists.
func (a Actor) Filter(f store.PeopleFilter) store.PeopleFilter {
	if a.Role == store.RoleSupervisor {
		f.Department = a.Department
		if f.Department == "" {
			f.Department = "\x01" // nobody's; not NUL, which PostgreSQL takes in no text
		}
	}
	return f
}

// Grants are the roles that an actor may give.
func (a Actor) Grants() (roles []string) {
	for _, r := range []string{store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner} {
		if a.May(SetRole, store.Person{Role: r}) {
			roles = append(roles, r)
		}
	}
	return roles
}
