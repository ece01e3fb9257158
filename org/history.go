package org

import (
	"context"
	"errors"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// ReadsFrom gives the moment from which a person with an Access may read messages; zero is from the beginning. ok is
// false if they may read nothing: also where members read only messages from after they were added and the person has
// no row of their own in the group. Searches apply the same rule.
func (o *Org) ReadsFrom(ctx context.Context, g store.Group, a Access,
	who jid.JID) (from time.Time, ok bool, err error) {
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
