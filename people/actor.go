package people

import (
	"parley/acts"
	"parley/internal/fault"
	"parley/store"
)

// Actor makes a change: see acts.Actor.
type Actor = acts.Actor

// Deeds of an actor on a person: see acts.Deed.
const (
	See     = acts.See
	Create  = acts.Create
	Edit    = acts.Edit
	SetRole = acts.SetRole
	Disable = acts.Disable
	Delete  = acts.Delete
	Reset   = acts.Reset
)

// System is the server itself.
var System = acts.System

// As is acts.As.
func As(u store.Person, door acts.Door, remote string) Actor { return acts.As(u, door, remote) }

// may returns an error if a role does not allow a deed.
func may(a Actor, deed acts.Deed, target store.Person) error {
	if a.May(deed, target) {
		return nil
	}
	return fault.ErrRole
}
