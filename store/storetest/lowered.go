package storetest

import (
	"errors"
	"fmt"

	"parley/store"
)

// loweredLimits checks that rows beyond a lowered limit can be changed and removed, but not added.
func loweredLimits(s *suite) {
	s.user("romeo")
	for name, f := range map[string]func(i, limit int) error{
		"bookmarks": func(i, limit int) error {
			return s.st.SetBookmarks(s.ctx, host, "romeo", limit,
				store.Bookmark{Room: fmt.Sprint("r", i, "@c"), Name: fmt.Sprint(limit)})
		},
		"private": func(i, limit int) error {
			return s.st.SetPrivate(s.ctx, host, "romeo", "ns", fmt.Sprint("e", i), []byte("<e/>"), limit)
		},
		"blocked": func(i, limit int) error {
			return s.st.Block(s.ctx, host, "romeo", limit, fmt.Sprint("x", i, "@y"))
		},
		"displayed": func(i, limit int) error {
			return s.st.SetDisplayed(s.ctx, host, "romeo", limit,
				store.Displayed{Chat: fmt.Sprint("x", i, "@y"), ID: store.ID(100 - limit)})
		},
		"domains": func(i, limit int) error {
			return s.st.SetDomainRules(s.ctx, limit, store.DomainRule{
				Domain: fmt.Sprint("x", i, ".example"),
				Action: store.DomainBlock,
				Note:   fmt.Sprint(limit),
			})
		},
		"requests": func(i, limit int) error {
			return s.st.PutGroupRequest(s.ctx, host, "g",
				store.GroupRequest{JID: fmt.Sprint("x", i, "@y"), Since: at(1)}, limit)
		},
		"room requests": func(i, limit int) error {
			return s.st.AddRoomRequest(s.ctx, rooms, "r",
				store.RoomRequest{JID: fmt.Sprint("x", i, "@y"), Since: at(1)}, limit)
		},
		"shared": func(i, limit int) error {
			return s.st.PutShared(s.ctx, store.Shared{
				Host:    host,
				Team:    "t",
				Kind:    store.SharedSnippet,
				Name:    fmt.Sprint("x", i),
				Text:    fmt.Sprint(limit),
				Updated: at(1),
			}, limit)
		},
		"affiliations": func(i, limit int) error {
			return s.st.SetNodeAffiliations(s.ctx, host, "romeo", "n", limit,
				store.NodeAffiliation{JID: fmt.Sprint("x", i, "@y"), Affiliation: "member"})
		},
		"subscriptions": func(i, limit int) error {
			return s.st.SetNodeSubscriptions(s.ctx, host, "romeo", limit,
				store.NodeSubscription{Node: "n", JID: fmt.Sprint("x", i, "@y"), State: "subscribed"})
		},
		"contacts": func(i, limit int) error {
			_, err := s.st.UpdateContact(s.ctx, host, "romeo", fmt.Sprint("x", i, "@y"),
				limit, func(c *store.Contact) (bool, error) { c.InRoster = true; return false, nil })
			return err
		},
	} {
		for i := range 4 {
			s.ok(f(i, 4))
		}
		if err := f(2, 2); err != nil {
			s.Errorf("%s: what is there cannot be changed: %v", name, err)
		}
		if err := f(9, 2); !errors.Is(err, store.ErrLimit) {
			s.Errorf("%s: one more gives %v, want ErrLimit", name, err)
		}
	}
	member := func(i int, affiliation string) store.NodeAffiliation {
		return store.NodeAffiliation{JID: fmt.Sprint("x", i, "@y"), Affiliation: affiliation}
	}
	// one contact is removed, another is added
	s.ok(s.st.SetNodeAffiliations(s.ctx, host, "romeo", "n", 2, member(1, "owner"),
		member(2, "none"), member(7, "member")))
	s.is(s.st.SetNodeAffiliations(s.ctx, host, "romeo", "n", 2, member(8, "member")), store.ErrLimit)
	s.itemsAboveLimits()
}

// itemsAboveLimits is loweredLimits for the items of nodes and their bytes.
func (s *suite) itemsAboveLimits() {
	s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "romeo", Name: "items", Created: at(1)}, 0))
	seq := store.ID(0)
	publish := func(id string, size int, k store.Keep) error {
		seq++
		return s.st.Publish(s.ctx, host, "romeo", "items", k,
			store.NodeItem{ID: id, Seq: seq, Payload: make([]byte, size)})
	}
	for i := range 4 {
		s.ok(publish(fmt.Sprint(i), 100, store.Keep{Items: 4, Refuse: true, Bytes: 400}))
	}
	lowered := store.Keep{Items: 2, Refuse: true, Bytes: 200}
	s.ok(publish("1", 100, lowered))
	s.ok(publish("1", 60, lowered))
	s.is(publish("1", 61, lowered), store.ErrLimit)
	s.is(publish("9", 1, store.Keep{Items: 2, Refuse: true}), store.ErrFull)
	_, n, err := s.st.Items(s.ctx, host, "romeo", "items", store.ItemPage{Max: 9})
	s.ok(err)
	s.same(n, 4)
	s.ok(publish("9", 100, store.Keep{Items: 2, Bytes: 200})) // where the oldest give way, it comes down to the limit
	_, n, err = s.st.Items(s.ctx, host, "romeo", "items", store.ItemPage{Max: 9})
	s.ok(err)
	s.same(n, 2)
}
