package org

import (
	"context"
	"errors"

	"parley/acts"
)

// Hidden says whether somebody gets to know nothing of a group, or with a key of a theme in it; what is not there is
// hidden from everybody. Doors ask it before anything else is looked at, so that no other error tells. The
// administrators of the organization look after groups that were deleted as well, and are told by what they ask for.
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
