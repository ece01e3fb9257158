package messages

import (
	"context"
	"slices"
	"time"

	"parley/store"
)

// maxVersions is how many versions of a message are given: the first, and the newest.
const maxVersions = 100

// Versions gives what a message was at first, and what its author has made of it, in order of time. It is empty for a
// message that was taken back: nothing of it is to be seen. store.ErrNotFound if there is no such message.
func (r Reader) Versions(ctx context.Context, in store.Conversation, id store.ID) ([]Message, error) {
	c := r.conversation(in, time.Time{})
	es, err := c.st.Entries(ctx, in, []store.ID{id})
	if err != nil {
		return nil, err
	}
	if len(es) == 0 || id < c.since {
		return nil, store.ErrNotFound
	}
	p := c.parse(es[0])
	if p.is != says {
		return nil, store.ErrNotFound
	}
	if p.m.Removed != nil {
		return nil, nil
	}
	f := c.folding([]*part{p})
	if err := f.findCorrections(ctx); err != nil {
		return nil, err
	}
	all := []Message{p.m}
	for _, x := range f.changes[p.m.Own] {
		if x.is != corrects && x.is != buried || x.e.ID <= p.e.ID || !f.same(x, p) {
			continue
		}
		if theirs, err := f.sameAccount(ctx, p); err != nil || !theirs {
			return all, err
		}
		if x.is == buried {
			return nil, nil
		}
		all = append(all, x.m)
	}
	if len(all) > maxVersions {
		all = slices.Delete(all, 1, len(all)-maxVersions+1)
	}
	return all, nil
}
