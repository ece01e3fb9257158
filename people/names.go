package people

import (
	"context"
	"errors"
	"time"

	"parley/internal/fault"
	"parley/store"
)

// The name of a deleted account is not given to somebody else for a time (setting retention.names): people would take
// the new person for the old one, and write to them.

// FreeSince gives the moment before which the last account of a name must have been deleted for the name to be
// available. With again, an owner makes any name available at once.
func (p *People) FreeSince(a Actor, again bool) (time.Time, error) {
	now := p.h.Clock.Now().UTC()
	if !again {
		return now.Add(-p.Policy().Names), nil
	}
	if a.Role != store.RoleOwner {
		return time.Time{}, fault.New(fault.Forbidden, "name",
			"Only an owner can have the name of a deleted account given again so soon")
	}
	return now, nil
}

const textReserved = "{{.Name}} was the address of an account that was deleted on {{.When}}. It can be given again from {{.Until}} on; an owner can give it sooner."

// IsReserved says whether an account was not made because its name belonged to somebody else until lately.
func IsReserved(err error) bool {
	f := fault.Of(err)
	return f != nil && f.Text == textReserved
}

// Reserved returns an error that says until when a name is not available; nil if it is.
func (p *People) Reserved(ctx context.Context, name string, since time.Time) error {
	f, err := p.st.Former(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || !f.Deleted.After(since) {
		return err
	}
	until := f.Deleted.Add(p.Policy().Names)
	return fault.New(fault.Exists, "name", textReserved,
		"Name", name+"@"+p.h.Domain, "When", f.Deleted.Format(time.DateOnly), "Until", until.Format(time.DateOnly))
}

// whyReserved is Reserved for a name that the store has just refused: the deletion may not be finished yet.
func (p *People) whyReserved(ctx context.Context, name string, since time.Time) error {
	if err := p.Reserved(ctx, name, since); err != nil {
		return err
	}
	return fault.New(fault.Exists, "name", "An account with this name is being deleted: try again in a minute")
}

// RefusedName turns the store's error about a name into an error for people; other errors stay as they are.
func (p *People) RefusedName(ctx context.Context, u store.User, err error) error {
	if errors.Is(err, store.ErrReserved) {
		return p.whyReserved(ctx, u.Name, u.FreeSince)
	}
	return err
}
