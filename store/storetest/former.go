package storetest

import (
	"time"

	"parley/store"
)

// formers: a name is given again when it may be, and not before what its last account was to others is ended.
func formers(s *suite) {
	s.user("romeo", "juliet")
	_, err := s.st.Former(s.ctx, host, "romeo")
	s.is(err, store.ErrNotFound)

	s.ok(s.st.CreateRoom(s.ctx, store.Room{Host: "groups." + host, Name: "his", Created: at(1)},
		store.Affiliation{JID: "romeo@" + host, Affiliation: "owner"}))
	s.ok(s.st.CreateRoom(s.ctx, store.Room{
		Host:    "groups." + other,
		Name:    "theirs",
		Created: at(1),
		Config:  []byte("{}"),
	}, store.Affiliation{JID: "romeo@" + host, Affiliation: "owner", Since: at(1)},
		store.Affiliation{JID: "juliet@" + host, Affiliation: "owner"}))
	s.ok(s.st.CreateNode(s.ctx,
		store.Node{Host: "pubsub." + host, Name: "his", Creator: "romeo@" + host, Created: at(1)}, 0,
		store.NodeAffiliation{JID: "romeo@" + host, Affiliation: "owner"}))
	s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "juliet", Name: "hers", Created: at(1)}, 0,
		store.NodeAffiliation{JID: "romeo@" + host, Affiliation: "publisher"}))
	s.ok(s.st.SetNodeSubscriptions(s.ctx, host, "juliet", 0, store.NodeSubscription{
		Node:    "hers",
		JID:     "romeo@" + host + "/phone",
		State:   "subscribed",
		Options: []byte("{}"),
	}, store.NodeSubscription{Node: "hers", JID: "romeo@" + host + ".example", State: "subscribed"}))
	_, err = s.st.UpdateContact(s.ctx, host, "juliet", "romeo@"+host,
		10, func(c *store.Contact) (bool, error) { c.InRoster = true; return false, nil })
	s.ok(err)
	link := store.Invitation{
		Host:     host,
		ID:       "i",
		Kind:     store.KindReset,
		Username: "romeo",
		State:    store.InviteOpen,
		MaxUses:  1,
		Created:  at(1),
		Expires:  time.Now().Add(time.Hour),
	}
	s.ok(s.st.CreateInvitation(s.ctx, link, 0, store.InvitationEvent{ID: 1, Kind: "created"}))
	s.same(must[[]string](s)(s.st.Holders(s.ctx, host, "romeo@"+host)), []string{"juliet"})
	s.same(must[[]string](s)(s.st.RoomsWithoutOwner(s.ctx, "groups."+host, "romeo@"+host)), []string{"his"})
	s.same(len(must[[]string](s)(s.st.RoomsWithoutOwner(s.ctx, "groups."+host, "juliet@"+host))), 0)

	before := time.Now().Add(-time.Second)
	s.ok(s.st.DeleteUser(s.ctx, host, "romeo"))
	s.same(must[[]string](s)(s.st.RoomsWithoutOwner(s.ctx, "groups."+host, "")), []string{"his"})
	s.same(must[[]string](s)(s.st.NodesWithoutOwner(s.ctx, "pubsub."+host, "")), []string{"his"})
	s.same(len(must[[]string](s)(s.st.RoomsWithoutOwner(s.ctx, "groups."+other, ""))), 0)
	s.same(len(must[[]store.Affiliation](s)(s.st.Affiliations(s.ctx, "groups."+other, "theirs"))), 1)
	s.same(len(must[[]store.NodeAffiliation](s)(s.st.NodeAffiliations(s.ctx, host, "juliet", "hers"))), 0)
	subs := must[[]store.NodeSubscription](s)(s.st.NodeSubscriptions(s.ctx, host, "juliet", "hers"))
	if len(subs) != 1 || subs[0].JID != "romeo@"+host+".example" {
		s.Errorf("subscriptions that are left: %+v", subs)
	}
	_, err = s.st.Invitation(s.ctx, host, "i")
	s.is(err, store.ErrNotFound)
	s.same(must[[]store.Room](s)(s.st.RoomConfigs(s.ctx, "groups."+other, "", 10))[0].Name, "theirs")

	again := store.User{Host: host, Name: "romeo", Created: at(1), FreeSince: time.Now().Add(time.Minute)}
	s.is(s.st.CreateUser(s.ctx, again), store.ErrReserved) // the deletion has not been done yet
	if u := must[[]store.Former](s)(s.st.Untold(s.ctx)); len(u) != 1 || u[0].Name != "romeo" || u[0].Host != host {
		s.Errorf("not told of: %+v", u)
	}
	s.ok(s.st.MarkTold(s.ctx, host, "romeo"))
	s.same(len(must[[]store.Former](s)(s.st.Untold(s.ctx))), 0)
	again.FreeSince = before
	s.is(s.st.CreateUser(s.ctx, again), store.ErrReserved)
	again.FreeSince = time.Time{}
	s.is(s.st.CreatePerson(s.ctx, store.Person{User: again, Role: store.RoleMember}), store.ErrReserved)
	_, err = s.st.User(s.ctx, host, "romeo")
	s.is(err, store.ErrNotFound)
	again.FreeSince = time.Now().Add(time.Minute)
	s.ok(s.st.CreateUser(s.ctx, again))
	s.deleted(host, "romeo")
	f := must[store.Former](s)(s.st.Former(s.ctx, host, "romeo"))
	if f.Times != 2 || f.Deleted.Before(before) {
		s.Errorf("it is noted as %+v", f)
	}
	s.same(len(must[[]store.Former](s)(s.st.Formers(s.ctx, host))), 1)
	s.ok(s.st.FreeName(s.ctx, host, "romeo"))
	again.FreeSince = before
	s.ok(s.st.CreateUser(s.ctx, again))
}
