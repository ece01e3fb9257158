package org

import (
	"context"
	"errors"

	"parley/acts"
)

// Hidden says whether an actor may not know that a group or, with a key, a theme in it exists; one that does not exist
// is hidden from everybody. Doors ask it first, so that no other error reveals it. Administrators of the organization
// also see deleted groups: the functions they call tell them.
func (o *Org) Hidden(ctx context.Context, by acts.Actor, host, slug, key string) (bool, error) {
	if by.Runs() {
		return false, nil
	}
	g, err := o.Group(ctx, host, slug)
	if missing(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if key != "" {
		t, err := o.Theme(ctx, host, key)
		if missing(err) || err == nil && t.Group != g.ID {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	a, err := o.Access(ctx, host, g.ID, key, by.Who)
	return !a.Know, err
}

func missing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == NotFound
}
