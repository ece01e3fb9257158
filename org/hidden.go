package org

import (
	"context"

	"parley/acts"
	"parley/internal/fault"
)

// Hidden says whether an actor may not know that a group or, with a key, a theme in it exists; a missing group or theme
// is hidden from everybody. Doors ask it first, so that no other error reveals it. Administrators of the organization
// also see deleted groups: the functions they call tell them.
func (o *Org) Hidden(ctx context.Context, by acts.Actor, host, slug, key string) (bool, error) {
	if by.Runs() {
		return false, nil
	}
	g, err := o.Group(ctx, host, slug)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if key != "" {
		t, err := o.Theme(ctx, host, key)
		if fault.Is(err, fault.NotFound) || err == nil && t.Group != g.ID {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	a, err := o.Access(ctx, host, g.ID, key, by.Who)
	return !a.Know, err
}
