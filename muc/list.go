package muc

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strconv"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// maxListed is how many rooms a page names at most.
const maxListed = 500

// eachListed calls f for the rooms that somebody may know of, in order of their addresses, from after one of them.
func (s *Service) eachListed(
	ctx context.Context, who jid.JID, after string, f func(row store.Room, it server.Item, c RoomConfig) (more bool),
) error {
	for {
		rows, err := s.st.Rooms(ctx, s.cfg.Domain, after, 200)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Name
			it, c, ok, err := s.listed(ctx, row, who)
			if err != nil {
				return err
			}
			if ok && !s.isLocked(row.Name) && !f(row, it, c) {
				return nil
			}
		}
		if len(rows) < 200 {
			return nil
		}
	}
}

// isLocked says that a room is not there yet for anybody but its owner. It is in memory for as long.
func (s *Service) isLocked(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.rooms[name]
	return r != nil && r.locked.Load()
}

// unlocked gives item-not-found for a room that its owner has not configured yet (section 10.1.3): it
// is not there for others.
func (r *Room) unlocked(ctx context.Context, who jid.JID) error {
	if !r.locked.Load() {
		return nil
	}
	a, err := r.affiliation(ctx, who)
	if err == nil && a != Owner {
		err = server.ItemNotFound
	}
	return err
}

// list names the rooms that the asker may know of (section 6.3). If it is not all of them it says so (XEP-0059), and
// from where the rest is asked for.
func (s *Service) list(ctx context.Context, who jid.JID, set *wire.Element) (*wire.Element, error) {
	n, after := server.MaxUnpaged, ""
	if set != nil {
		n = maxListed
		if set.Child(wire.NSRSM, "before") != nil || set.Child(wire.NSRSM, "index") != nil {
			return nil, server.FeatureNotImplemented
		}
		if m, err := strconv.Atoi(set.ChildText(wire.NSRSM, "max")); err == nil && m >= 0 {
			n = min(n, m)
		}
		after = set.ChildText(wire.NSRSM, "after")
	}
	var items []server.Item
	more := false
	err := s.eachListed(ctx, who, after, func(_ store.Room, it server.Item, _ RoomConfig) bool {
		if more = len(items) == n; !more {
			items = append(items, it)
		}
		return !more
	})
	if err != nil {
		return nil, err
	}
	e := server.ItemsElement("", items)
	if set != nil || more {
		page := wire.E(wire.NSRSM, "set")
		if len(items) > 0 {
			page.Add(wire.T(wire.NSRSM, "first", items[0].JID.Local()),
				wire.T(wire.NSRSM, "last", items[len(items)-1].JID.Local()))
		}
		e.Add(page)
	}
	return e, nil
}

// unique gives a name that no room has had (XEP-0307, once section 10.1.4).
func (s *Service) unique(ctx context.Context, who jid.JID) (*wire.Element, error) {
	if err := s.mayCreate(ctx, who); err != nil {
		return nil, err
	}
	for range 10 {
		var b [10]byte
		rand.Read(b[:])
		name := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
		used, err := s.st.RoomExisted(ctx, s.cfg.Domain, name)
		if err != nil {
			return nil, err
		}
		if !used {
			return wire.T(nsUnique, "unique", name), nil
		}
	}
	return nil, errors.New("muc: ten random names were all taken")
}

// tells says whether people of an affiliation may see the room's subject and its owners: section 13.4.
func (c RoomConfig) tells(affiliation string) bool {
	return !c.MembersOnly && c.Password == "" || AtLeast(affiliation, Member)
}

// tellMore adds information about a room that not everyone may have.
func (r *Room) tellMore(f *form.Form, c RoomConfig, mine string) {
	if !c.tells(mine) {
		return
	}
	r.mu.RLock()
	subject := r.topic
	r.mu.RUnlock()
	f.Add("muc#roominfo_subject", form.TextSingle, "Subject", subject)
	if len(c.Hats) > 0 {
		f.Add("hats#hash", form.TextSingle, "Hash of the hats", hatsHash(c.Hats))
	}
	if c.PubSub != "" {
		f.Add(prefix+"pubsub", form.TextSingle, "Node that belongs to the room", c.PubSub)
	}
}
