package messages

import (
	"context"
	"slices"

	"parley/store"
)

// Found gives the messages of search results, one for each, as they are now: without their reactions. A correction is
// the message that it corrects. A result that shows nothing, or the same message as an earlier one, is a Message
// without an ID. Where a result hides its sender, the message hides addresses. host and rooms are the domains of the
// organization and of its rooms, owner is the localpart of the person who has searched.
func (r Reader) Found(ctx context.Context, host, rooms, owner string, fs []store.Found) ([]Message, error) {
	out := make([]Message, len(fs))
	places := make(map[store.Conversation][]int)
	for i, f := range fs {
		in := store.Conversation{Host: host, Owner: owner, With: f.With}
		if f.Room != "" {
			in = store.Conversation{Host: rooms, Room: f.Room}
		}
		places[in] = append(places[in], i)
	}
	for in, list := range places {
		c := r.conversation(in, r.Since)
		c.since = max(c.since, fs[list[0]].From)
		if err := c.found(ctx, fs, list, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// found fills in the results of one conversation, which list names.
func (c *conversation) found(ctx context.Context, fs []store.Found, list []int, out []Message) error {
	parts := make(map[int]*part)
	var names []string
	newest := store.ID(0)
	for _, i := range list {
		p := c.parse(store.Archived{ID: fs[i].ID, Stanza: fs[i].Stanza, Sender: fs[i].Sender})
		if parts[i] = p; p.is == corrects {
			names, newest = append(names, p.refers), max(newest, p.e.ID)
		}
	}
	if len(names) > 0 {
		corrected, err := c.named(ctx, names, newest)
		if err != nil {
			return err
		}
		for i, p := range parts {
			if p.is == corrects {
				if o := c.original(corrected, p); o != nil {
					parts[i] = o
				}
			}
		}
	}
	distinct := make(map[store.ID]*part)
	for _, p := range parts {
		distinct[p.e.ID] = p
	}
	f := c.folding(nil)
	for _, p := range distinct {
		f.parts = append(f.parts, p)
		f.orphans[p] = p.is == corrects
	}
	slices.SortFunc(f.parts, byID)
	ms, err := f.messages(ctx, f.findTargets, f.findCorrections)
	if err != nil {
		return err
	}
	for _, i := range list {
		for k, m := range ms {
			if m.ID == parts[i].e.ID {
				if c.isRoom() && fs[i].Sender == "" {
					m = m.WithoutAddresses()
				}
				out[i] = m
				ms = slices.Delete(ms, k, k+1)
				break
			}
		}
	}
	return nil
}
