package org

import (
	"context"

	"parley/store"
	"parley/wire/jid"
)

// FindGroups returns the groups that a filter chooses among those that the person who may know of, in order of slug,
// and how many it chooses in all. With the zero address it chooses among all groups. The query applies the same rules
// as Access.
func (o *Org) FindGroups(ctx context.Context, host string, who jid.JID,
	f store.GroupFilter) ([]store.Group, int, error) {
	if who.IsZero() {
		f.Asker, f.Foreign, f.Sees = "", false, false
		return o.st.FindGroups(ctx, host, f)
	}
	f.Asker, f.Foreign, f.Sees = who.Bare().String(), who.Domain() != host, false
	if !f.Foreign && !o.cfg.Apart {
		var err error
		if f.Sees, err = o.administers(ctx, host, who); err != nil {
			return nil, 0, err
		}
	}
	return o.st.FindGroups(ctx, host, f)
}

// CountGroups counts the existing groups of a host.
func (o *Org) CountGroups(ctx context.Context, host string) (int, error) {
	_, n, err := o.st.FindGroups(ctx, host, store.GroupFilter{})
	return n, err
}

// FindDeleted gives a page of the groups that can still be restored, and how many there are in all.
func (o *Org) FindDeleted(ctx context.Context, host string, f store.GroupFilter) ([]store.Group, int, error) {
	f.DeletedAfter = o.now().Add(-Restorable)
	return o.st.FindGroups(ctx, host, f)
}
