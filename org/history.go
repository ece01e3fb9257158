package org

import (
	"context"
	"errors"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// ReadsFrom says from when on a person whose Access this is may read what was said: zero is from the beginning. Where
// members read only what was said since they were added, who is in the group by no row of their own finds nothing, as in a
// search; ok is false then, and wherever nothing may be read.
func (o *Org) ReadsFrom(ctx context.Context, g store.Group, a Access, who jid.JID) (from time.Time, ok bool, err error) {
	if !a.Read {
		return from, false, nil
	}
	if !g.SinceJoin || a.Manages() {
		return from, true, nil
	}
	m, err := o.st.Member(ctx, g.Host, g.ID, who.Bare().String())
	if errors.Is(err, store.ErrNotFound) {
		return from, false, nil
	}
	return m.Since, err == nil, err
}
