package messages

import (
	"context"
	"slices"
	"time"

	"parley/store"
)

// Store is what this package asks of the store.
type Store interface {
	store.Referrals

	// ReadArchive gives a page of an account's archive in order of time, and whether nothing follows in that direction.
	ReadArchive(ctx context.Context, host, owner string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	// ReadRoom gives a page of a room's archive, as ReadArchive does.
	ReadRoom(ctx context.Context, host, room string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	// Former gives the tombstone of a name.
	Former(ctx context.Context, host, name string) (store.Former, error)
}

// Reader reads messages from archives. Who may read is the caller's to know.
type Reader struct {
	Store Store
	// Since is the time from which on the person may read; zero: all. Nothing of an earlier message is shown, not even
	// where another one replies to it.
	Since time.Time
}

// MaxPage is how many messages a page has at most.
const MaxPage = 250

// How much is read on, where a page of entries has few messages: most of it are reactions, or marks of who has read.
const (
	moreEntries = 250
	moreReads   = 5  // for a page that is filled up
	mostReads   = 40 // for a page that has nothing yet
	mostBytes   = 16 << 20
)

// Room gives a page of a room's messages in order of time, and whether nothing follows in its direction. Of the page
// Start, After, Before, Backwards and Max count, and With; it begins after or before the id of any entry. A page with
// few messages is filled up from what follows.
func (r Reader) Room(ctx context.Context, domain, room string, p store.Page) (ms []Message, complete bool, err error) {
	c := r.conversation(store.Conversation{Host: domain, Room: room}, p.Start)
	return c.page(ctx, p)
}

// Chat gives a page of what an account and another address (bare) have said to each other, as Room does.
func (r Reader) Chat(ctx context.Context, host, owner, with string,
	p store.Page) (ms []Message, complete bool, err error) {
	c := r.conversation(store.Conversation{Host: host, Owner: owner, With: with}, p.Start)
	return c.page(ctx, p)
}

// InRoom gives one message of a room. The id may be that of a correction, a reaction or a retraction: then it is the
// message that this changes. store.ErrNotFound if there is none that is shown.
func (r Reader) InRoom(ctx context.Context, domain, room string, id store.ID) (Message, error) {
	return r.conversation(store.Conversation{Host: domain, Room: room}, time.Time{}).one(ctx, id)
}

// InChat gives one message of a chat, as InRoom does.
func (r Reader) InChat(ctx context.Context, host, owner, with string, id store.ID) (Message, error) {
	return r.conversation(store.Conversation{Host: host, Owner: owner, With: with}, time.Time{}).one(ctx, id)
}

// These gives those messages of a conversation that have one of some ids, in order of time.
func (r Reader) These(ctx context.Context, in store.Conversation, ids []store.ID) ([]Message, error) {
	c := r.conversation(in, time.Time{})
	es, err := c.st.Entries(ctx, in, ids)
	if err != nil {
		return nil, err
	}
	var parts []*part
	for _, e := range es {
		if p := c.parse(e); e.ID >= c.since && p.is == says {
			parts = append(parts, p)
		}
	}
	return c.fold(ctx, parts)
}

func (r Reader) conversation(in store.Conversation, start time.Time) *conversation {
	if r.Since.After(start) {
		start = r.Since
	}
	c := &conversation{st: r.Store, in: in, start: start}
	if !start.IsZero() {
		c.since = store.FirstID(start)
	}
	return c
}

// page reads entries until they have enough messages, and folds them together.
func (c *conversation) page(ctx context.Context, p store.Page) (ms []Message, complete bool, err error) {
	want := min(max(p.Max, 1), MaxPage)
	p.Start, p.Max, p.Text, p.IDs, p.Count = c.start, want, "", nil, false
	if !c.isRoom() {
		p.With = c.in.With
	}
	var parts []*part
	for reads, found, size := 0, 0, 0; ; reads++ {
		es, all, err := c.read(ctx, p)
		if err != nil {
			return nil, false, err
		}
		some := make([]*part, 0, len(es))
		for _, e := range es {
			size += len(e.Stanza)
			some = append(some, c.parse(e))
			if some[len(some)-1].is == says { // a correction may be shown as well, and is not counted
				found++
			}
		}
		complete = all
		if p.Backwards {
			parts = append(some, parts...)
		} else {
			parts = append(parts, some...)
		}
		if complete || len(es) == 0 || 2*found >= want || size >= mostBytes ||
			reads >= moreReads && found > 0 || reads >= mostReads {
			break
		}
		p.Max = moreEntries
		if p.Backwards {
			p.Before = parts[0].e.ID
		} else {
			p.After = parts[len(parts)-1].e.ID
		}
	}
	if ms, err = c.fold(ctx, parts); err != nil || len(ms) <= want {
		return ms, complete, err
	}
	if p.Backwards {
		return ms[len(ms)-want:], false, nil
	}
	return ms[:want], false, nil
}

func (c *conversation) read(ctx context.Context, p store.Page) (es []store.Archived, complete bool, err error) {
	if c.isRoom() {
		es, complete, _, err = c.st.ReadRoom(ctx, c.in.Host, c.in.Room, p)
	} else {
		es, complete, _, err = c.st.ReadArchive(ctx, c.in.Host, c.in.Owner, p)
	}
	return es, complete, err
}

// one finds the message that an entry is or changes.
func (c *conversation) one(ctx context.Context, id store.ID) (Message, error) {
	es, err := c.st.Entries(ctx, c.in, []store.ID{id})
	if err != nil {
		return Message{}, err
	}
	if len(es) == 0 || id < c.since {
		return Message{}, store.ErrNotFound
	}
	p, err := c.changed(ctx, c.parse(es[0]))
	if err != nil {
		return Message{}, err
	}
	ms, err := c.fold(ctx, []*part{p})
	if err == nil && len(ms) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return Message{}, err
	}
	return ms[0], nil
}

// changed gives the message that p changes: of a message p itself, and of a correction of nothing, too.
func (c *conversation) changed(ctx context.Context, p *part) (*part, error) {
	if p.refers == "" || p.is == says {
		return p, nil
	}
	var found []*part
	if id, err := store.ParseID(p.refers); err == nil && c.isRoom() && p.is != corrects {
		es, err := c.st.Entries(ctx, c.in, []store.ID{id})
		if err != nil {
			return p, err
		}
		for _, e := range es {
			found = append(found, c.parse(e))
		}
	}
	if len(found) == 0 {
		var err error
		if found, err = c.named(ctx, []string{p.refers}, p.e.ID); err != nil {
			return p, err
		}
	}
	if len(found) == 0 && !c.isRoom() {
		var err error
		if found, err = c.byOrigin(ctx, p); err != nil {
			return p, err
		}
	}
	for _, t := range slices.Backward(found) {
		if t.is == says && t.e.ID >= c.since && (p.is == reacts || c.same(t, p) || p.is == undoes) {
			return t, nil
		}
	}
	if p.is == corrects {
		return p, nil
	}
	return p, store.ErrNotFound
}

// byOrigin finds what p names by its origin-id, among the last messages before it. Nearly all name the id attribute.
func (c *conversation) byOrigin(ctx context.Context, p *part) (found []*part, err error) {
	es, _, err := c.read(ctx, store.Page{With: c.in.With, Before: p.e.ID, Backwards: true, Max: MaxPage})
	for _, e := range es {
		if t := c.parse(e); t.m.Origin == p.refers {
			found = append(found, t)
		}
	}
	return found, err
}
