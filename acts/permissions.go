package acts

import "parley/store"

// Deed is something that an actor does to a person.
type Deed uint8

const (
	See     Deed = iota + 1 // see the person's page in the console
	Create                  // create the account, and invite
	Edit                    // change fields, except the role
	SetRole                 // target has the new role
	Disable                 // and enable, archive, restore, sign out
	// Delete removes the account.
	Delete
	Reset // make a link for a new password
)

var rank = map[string]int{store.RoleMember: 0, store.RoleSupervisor: 1, store.RoleAdmin: 2, store.RoleOwner: 3}

// May says whether an actor's role allows a deed; target is the person as they are, or will be. It is the only place
// that decides this.
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

// supervises says whether the actor supervises the target's department.
func (a Actor) supervises(target store.Person) bool {
	return a.Role == store.RoleSupervisor && a.Department != "" && a.Department == target.Department
}

// Console says whether an actor may use the console.
func (a Actor) Console() bool { return rank[a.Role] >= rank[store.RoleSupervisor] }

// Runs says whether an actor administers the organization: groups, settings, audit, system.
func (a Actor) Runs() bool { return rank[a.Role] >= rank[store.RoleAdmin] }

// Filter narrows a filter to the people whom an actor sees in lists.
func (a Actor) Filter(f store.PeopleFilter) store.PeopleFilter {
	if a.Role == store.RoleSupervisor {
		f.Department = a.Department
		if f.Department == "" {
			f.Department = "\x01" // matches nobody; not NUL, which PostgreSQL does not take
		}
	}
	return f
}

// Grants gives the roles that an actor may give.
func (a Actor) Grants() (roles []string) {
	for _, r := range []string{store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner} {
		if a.May(SetRole, store.Person{Role: r}) {
			roles = append(roles, r)
		}
	}
	return roles
}
