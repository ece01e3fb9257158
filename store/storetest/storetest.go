// Package storetest is the contract of package store, to be run on every engine.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/store"
)

const (
	host  = "example.org"
	other = "second.example"
	rooms = "groups.example.org"
)

// Run tests a store; open gives an empty one, closed by the test that has asked for it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		test func(*suite)
	}{
		{"Users", users}, {"DeleteUser", deleteUser}, {"Roster", roster}, {"RosterVersions", rosterVersions},
		{"Commit", commit}, {"CommitOrder", commitOrder}, {"Archive", archive}, {"Retentions", retentions},
		{"RoomsExpire", roomsExpire},
		{"Replace", replace}, {"ArchivePages", archivePages}, {"Offline", offline}, {"Private", private},
		{"Bookmarks", bookmarks}, {"Nodes", nodes}, {"Items", items}, {"NodeUpkeep", nodeUpkeep},
		{"NodeBytes", nodeBytes}, {"NodeBytesAtOnce", nodeBytesAtOnce}, {"NodeShares", nodeShares},
		{"Written", written}, {"NodePeople", nodePeople}, {"Rooms", roomRows}, {"RoomPeople", roomPeople},
		{"GroupSince", groupSince}, {"RoomArchive", roomArchive}, {"TakeRoom", takeRoom}, {"Groups", groups},
		{"Themes", themes}, {"Referrals", referrals}, {"Displayed", displayedUpTo}, {"RoomNews", roomNews},
		{"NewsOf", newsOf}, {"Chats", chats},
		{"ManyChats", manyChats}, {"Mentions", mentions}, {"Webhooks", webhookRows}, {"HookDeliveries", hookDeliveries},
		{"Sharing", sharing}, {"Search", search}, {"SearchGone", searchGone},
		{"Look", look}, {"LookMentioned", lookMentioned}, {"LookAcross", lookAcross},
		{"Readers", readers}, {"Places", places},
		{"KV", kv}, {"Blocklist", blocklist}, {"Reports", reports}, {"Tokens", tokens}, {"Uploads", uploads},
		{"RetractedUploads", retractedUploads}, {"ManyAtOnce", many}, {"Limits", limits},
		{"LoweredLimits", loweredLimits}, {"FirstWins", firstWins}, {"Fence", fence}, {"Takers", takers},
		{"Invitations", invitations}, {"Names", exactNames}, {"FindUsers", findUsers}, {"Hosts", hosts},
		{"Pages", pages}, {"Again", again}, {"Revived", revived}, {"GroupSettings", groupSettings},
		{"FindGroups", findGroups}, {"GroupRequests", groupRequests}, {"RestoreGroup", restoreGroup},
		{"ThemeDetails", themeDetails}, {"ThemePeople", themePeople}, {"Teams", teams}, {"GroupTeams", groupTeams},
		{"Mandatory", mandatory}, {"Follows", follows}, {"MandatoryRooms", mandatoryRooms},
		{"InvitedAccounts", invitedAccounts}, {"People", people}, {"ProfileFields", profileFields},
		{"WebSessions", webSessions}, {"PushSubscriptions", pushSubscriptions},
		{"Audit", audit}, {"Outbox", outbox}, {"Factors", factors},
		{"Links", links}, {"Actions", actions},
		{"LastOwner", lastOwner}, {"AppTokens", appTokens}, {"DomainRules", domainRules}, {"Settings", settings},
		{"APITokens", apiTokens}, {"Atomic", atomic}, {"Digests", digests}, {"QuietHours", quiet},
		{"FreeRooms", freeRooms}, {"Several", several}, {"HighestID", highest}, {"Formers", formers},
		{"Tasks", tasks}, {"TasksOfDeparted", tasksOfDeparted}, {"SavedMessages", savedMessages}, {"Pins", pins},
		{"Scheduled", scheduled}, {"Desks", desks},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			st := open(t)
			defer func() {
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			}()
			c.test(&suite{t, st, context.Background()})
		})
	}
}

type suite struct {
	*testing.T
	st  store.Store
	ctx context.Context
}

func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) is(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("got %v, want %v", err, want)
	}
}

func (s *suite) same(got, want any) {
	s.Helper()
	if !reflect.DeepEqual(got, want) {
		s.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func must[T any](s *suite) func(T, error) T {
	return func(v T, err error) T {
		s.Helper()
		s.ok(err)
		return v
	}
}

// at is a moment, as stores keep it.
func at(n int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

func (s *suite) user(names ...string) {
	s.Helper()
	for _, n := range names {
		s.ok(s.st.CreateUser(s.ctx, store.User{
			Host:      host,
			Name:      n,
			Keys:      []byte{1},
			Created:   at(1),
			FreeSince: time.Now(),
		}))
	}
}

// deleted removes an account to the end.
func (s *suite) deleted(host, name string) {
	s.Helper()
	s.ok(s.st.DeleteUser(s.ctx, host, name))
	s.ok(s.st.MarkTold(s.ctx, host, name))
}

func users(s *suite) {
	u := store.User{
		Host:     host,
		Name:     "romeo",
		Keys:     []byte{1, 0, 255},
		Admin:    true,
		FullName: "Romeo Montague ♥",
		Created:  at(1),
	}
	s.ok(s.st.CreateUser(s.ctx, u))
	s.same(must[store.User](s)(s.st.User(s.ctx, host, "romeo")), u)
	s.is(s.st.CreateUser(s.ctx, u), store.ErrExists)
	_, err := s.st.User(s.ctx, other, "romeo")
	s.is(err, store.ErrNotFound)
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: other, Name: "romeo", Created: at(1)}))
	s.user("juliet", "nurse", "a")
	names := func(us []store.User) (ns []string) {
		for _, u := range us {
			ns = append(ns, u.Name)
		}
		return ns
	}
	s.same(names(must[[]store.User](s)(s.st.Users(s.ctx, host, "", 2))), []string{"a", "juliet"})
	s.same(names(must[[]store.User](s)(s.st.Users(s.ctx, host, "juliet", 10))), []string{"nurse", "romeo"})
	s.same(must[int](s)(s.st.CountUsers(s.ctx, host)), 4)
	find := func(words ...string) []string {
		us, _, _, err := s.st.FindUsers(s.ctx, host, words, store.UserPage{Max: 10})
		s.ok(err)
		return names(us)
	}
	s.same(find("MONTAGUE"), []string{"romeo"})
	s.same(find("rom", "mont"), []string{"romeo"})
	s.same(len(find("%"))+len(find("_"))+len(find("x", "romeo")), 0)
	s.same(len(find()), 4)
	s.ok(s.st.SetKeys(s.ctx, host, "romeo", []byte{9}))
	s.ok(s.st.SetDisabled(s.ctx, host, "romeo", true))
	s.same(len(find("romeo")), 0)
	s.ok(s.st.SetAdmin(s.ctx, host, "romeo", false))
	s.ok(s.st.SetFullName(s.ctx, host, "romeo", "R"))
	s.ok(s.st.SetLastSeen(s.ctx, host, "romeo", at(5), "bye"))
	u.Keys, u.Disabled, u.Admin, u.FullName, u.LastSeen, u.LastStatus = []byte{9}, true, false, "R", at(5), "bye"
	s.same(must[store.User](s)(s.st.User(s.ctx, host, "romeo")), u)
	s.is(s.st.SetKeys(s.ctx, host, "nobody", nil), store.ErrNotFound)
	s.is(s.st.UpgradeKeys(s.ctx, host, "romeo", []byte{8}, []byte{10}), store.ErrConflict)
	s.ok(s.st.UpgradeKeys(s.ctx, host, "romeo", []byte{9}, []byte{11}))
	if u, err := s.st.User(s.ctx, host, "romeo"); err != nil || len(u.Keys) != 1 || u.Keys[0] != 11 {
		s.Errorf("upgraded keys: %v %v", u.Keys, err)
	}
	s.is(s.st.SetDisabled(s.ctx, host, "nobody", true), store.ErrNotFound)
	s.is(s.st.SetLastSeen(s.ctx, host, "nobody", at(1), ""), store.ErrNotFound)
	s.is(s.st.DeleteUser(s.ctx, host, "nobody"), store.ErrNotFound)
}

// deleteUser checks that nothing of a deleted account is left for a later account of its name.
func deleteUser(s *suite) {
	s.user("romeo")
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: other, Name: "romeo", Created: at(1)}))
	fill := func(h string) {
		_, err := s.st.UpdateContact(s.ctx, h, "romeo", "juliet@example.org",
			10, func(c *store.Contact) (bool, error) { c.InRoster = true; return false, nil })
		s.ok(err)
		s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
			Host:   h,
			Owner:  "romeo",
			ID:     1,
			With:   "juliet@example.org",
			Stanza: []byte("<message/>"),
		}, &store.OfflineEntry{
			Host:    h,
			Owner:   "romeo",
			ID:      2,
			Stanza:  []byte("<message/>"),
			Expires: time.Now().Add(time.Hour),
		}))
		s.ok(s.st.SetPrivate(s.ctx, h, "romeo", "a", "b", []byte("<b/>"), 0))
		s.ok(s.st.SetBookmarks(s.ctx, h, "romeo", 0, store.Bookmark{Room: "r@c"}))
		s.ok(s.st.CreateNode(s.ctx, store.Node{Host: h, Owner: "romeo", Name: "n", Created: at(1)}, 0))
	}
	fill(host)
	fill(other)
	s.deleted(host, "romeo")
	s.user("romeo")
	left := func(h string) (n int) {
		cs, _, err := s.st.Roster(s.ctx, h, "romeo")
		s.ok(err)
		es, _, _, err := s.st.ReadArchive(s.ctx, h, "romeo", store.Page{Max: 10})
		s.ok(err)
		off := s.waiting(h, "romeo")
		bs := must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, h, "romeo"))
		ns := must[[]store.Node](s)(s.st.Nodes(s.ctx, h, "romeo", "", 10))
		n = len(cs) + len(es) + off + len(bs) + len(ns)
		if _, err := s.st.Private(s.ctx, h, "romeo", "a", "b"); err == nil {
			n++
		}
		return n
	}
	s.same(left(host), 0)
	s.same(left(other), 6)
}

func roster(s *suite) {
	s.user("romeo")
	set := func(jid string, max int, f func(*store.Contact) (bool, error)) (store.Contact, error) {
		return s.st.UpdateContact(s.ctx, host, "romeo", jid, max, f)
	}
	c, err := set("juliet@example.org", 2, func(c *store.Contact) (bool, error) {
		s.same(c.JID, "juliet@example.org")
		c.Name, c.Groups, c.Subscription, c.InRoster, c.Ask = "Juliet", []string{"Friends", "a,b\nc"},
			store.SubBoth, true, true
		return false, nil
	})
	s.ok(err)
	got, version, err := s.st.Roster(s.ctx, host, "romeo")
	s.ok(err)
	s.same(got, []store.Contact{c})
	s.same(version, c.Version)
	s.same(c.Groups, []string{"Friends", "a,b\nc"})
	// No change is no new version.
	c, err = set("juliet@example.org", 2, func(*store.Contact) (bool, error) { return false, store.ErrNoChange })
	s.ok(err)
	s.same(c.Version, int64(0))
	_, now, _ := s.st.Roster(s.ctx, host, "romeo")
	s.same(now, version)
	// An error changes nothing.
	boom := errors.New("boom")
	_, err = set("juliet@example.org", 2, func(c *store.Contact) (bool, error) { c.Name = "X"; return false, boom })
	s.is(err, boom)
	c = must[store.Contact](s)(s.st.Contact(s.ctx, host, "romeo", "juliet@example.org"))
	s.same(c.Name, "Juliet")
	add := func(c *store.Contact) (bool, error) { c.InRoster = true; return false, nil }
	_, err = set("b@example.org", 2, add)
	s.ok(err)
	_, err = set("c@example.org", 2, add)
	s.is(err, store.ErrLimit)
	_, err = s.st.Contact(s.ctx, host, "romeo", "c@example.org")
	s.is(err, store.ErrNotFound)
	_, err = set("b@example.org", 2, func(*store.Contact) (bool, error) { return true, nil })
	s.ok(err)
	_, err = s.st.Contact(s.ctx, host, "romeo", "b@example.org")
	s.is(err, store.ErrNotFound)
	_, err = set("c@example.org",
		2, func(c *store.Contact) (bool, error) { c.Request = []byte("<presence/>"); return false, nil })
	s.ok(err)
	c = must[store.Contact](s)(s.st.Contact(s.ctx, host, "romeo", "c@example.org"))
	s.same(string(c.Request), "<presence/>")
	s.same(c.InRoster, false)
	empty, version, err := s.st.Roster(s.ctx, other, "romeo")
	s.ok(err)
	s.same(len(empty)+int(version), 0)
}

func rosterVersions(s *suite) {
	s.user("romeo")
	var versions []int64
	change := func(jid string, remove bool) {
		c, err := s.st.UpdateContact(s.ctx, host, "romeo", jid, 10, func(c *store.Contact) (bool, error) {
			c.InRoster = true
			c.Name += "x"
			return remove, nil
		})
		s.ok(err)
		if len(versions) > 0 && c.Version <= versions[len(versions)-1] {
			s.Fatalf("version %d after %d", c.Version, versions[len(versions)-1])
		}
		versions = append(versions, c.Version)
	}
	change("a@x", false)
	change("b@x", false)
	change("c@x", false)
	change("a@x", false)
	change("b@x", true)
	changed, removed, now, ok, err := s.st.RosterSince(s.ctx, host, "romeo", versions[0])
	s.ok(err)
	if !ok || now != versions[4] || len(changed) != 2 || changed[0].JID != "c@x" || changed[1].JID != "a@x" ||
		changed[1].Name != "xx" {
		s.Errorf("%v %v %v", changed, now, ok)
	}
	s.same(removed, []store.Removed{{JID: "b@x", Version: versions[4]}})
	changed, removed, _, ok, err = s.st.RosterSince(s.ctx, host, "romeo", versions[4])
	s.ok(err)
	if !ok || len(changed)+len(removed) > 0 {
		s.Errorf("%v %v %v", changed, removed, ok)
	}
	if _, _, _, ok, err = s.st.RosterSince(s.ctx, host, "romeo", versions[4]+1000); err != nil || ok {
		s.Errorf("a version that never was: %v %v", ok, err)
	}
	change("b@x", false) // and back
	changed, removed, _, _, err = s.st.RosterSince(s.ctx, host, "romeo", versions[4])
	s.ok(err)
	if len(changed) != 1 || len(removed) != 0 {
		s.Errorf("%v %v", changed, removed)
	}
	// The newest removed contacts are remembered: a client that missed others gets the whole roster.
	before := versions[len(versions)-1]
	for i := range 25 {
		jid := fmt.Sprintf("%d@y", i)
		change(jid, false)
		change(jid, true)
	}
	for _, since := range []int64{versions[0], before} {
		if changed, removed, _, ok, err := s.st.RosterSince(s.ctx, host, "romeo", since); err != nil || ok ||
			len(changed)+len(removed) > 0 {
			s.Errorf("since %d: %v %v %v %v", since, changed, removed, ok, err)
		}
	}
	_, removed, _, ok, err = s.st.RosterSince(s.ctx, host, "romeo", versions[len(versions)-21])
	s.ok(err)
	s.same([]any{ok, len(removed), removed[0].JID}, []any{true, 10, "15@y"})
	all, _, err := s.st.Roster(s.ctx, host, "romeo")
	s.ok(err)
	s.same(len(all), 3)
}

func kv(s *suite) {
	_, err := s.st.Get(s.ctx, host, "k")
	s.is(err, store.ErrNotFound)
	s.ok(s.st.Put(s.ctx, host, "k", []byte{0, 1}))
	s.ok(s.st.Put(s.ctx, host, "k", []byte{2}))
	s.ok(s.st.Put(s.ctx, other, "k", []byte{3}))
	s.same(must[[]byte](s)(s.st.Get(s.ctx, host, "k")), []byte{2})
	s.ok(s.st.Delete(s.ctx, host, "k"))
	s.ok(s.st.Delete(s.ctx, host, "k"))
	_, err = s.st.Get(s.ctx, host, "k")
	s.is(err, store.ErrNotFound)
	s.same(must[[]byte](s)(s.st.Get(s.ctx, other, "k")), []byte{3})
	s.same(must[bool](s)(s.st.Take(s.ctx, other, "k", []byte{4})), false)
	s.same(race(8, func(int) error {
		took, err := s.st.Take(s.ctx, other, "k", []byte{3})
		if err == nil && !took {
			err = store.ErrNotFound
		}
		return err
	}), map[string]int{"ok": 1, store.ErrNotFound.Error(): 7})
	first := make(chan string, 8)
	s.same(race(8, func(i int) error {
		v, err := s.st.PutFirst(s.ctx, host, "first", []byte{byte('a' + i)})
		first <- string(v)
		return err
	}), map[string]int{"ok": 8})
	kept := string(must[[]byte](s)(s.st.Get(s.ctx, host, "first")))
	for range 8 {
		s.same(<-first, kept)
	}
	s.ok(s.st.Ping(s.ctx))
}

func uploads(s *suite) {
	u := store.Upload{
		Host:        host,
		ID:          "id1",
		Owner:       "romeo",
		Name:        "très.jpg",
		ContentType: "image/jpeg",
		Size:        60,
		Created:     at(1),
		Expires:     at(100),
	}
	s.ok(s.st.CreateUpload(s.ctx, u, 0, 100))
	s.same(must[store.Upload](s)(s.st.Upload(s.ctx, host, "id1")), u)
	v := u
	v.ID = "id2"
	s.is(s.st.CreateUpload(s.ctx, v, 0, 100), store.ErrLimit)
	_, err := s.st.Upload(s.ctx, host, "id2")
	s.is(err, store.ErrNotFound)
	v.Size, v.Expires = 40, time.Time{}
	s.ok(s.st.CreateUpload(s.ctx, v, 0, 100))
	s.ok(s.st.FinishUpload(s.ctx, host, "id1"))
	s.is(s.st.FinishUpload(s.ctx, host, "id1"), store.ErrConflict)
	ids := func(us []store.Upload) (is []string) {
		for _, u := range us {
			is = append(is, u.ID)
		}
		slices.Sort(is)
		return is
	}
	s.same(ids(must[[]store.Upload](s)(s.st.UploadsOf(s.ctx, host, "romeo"))), []string{"id1", "id2"})
	s.same(len(must[[]store.Upload](s)(s.st.ExpiredUploads(s.ctx, host, at(99), at(0), 10))), 0)
	s.same(ids(must[[]store.Upload](s)(s.st.ExpiredUploads(s.ctx, host, at(100), at(0), 10))), []string{"id1"})
	// never used
	s.same(ids(must[[]store.Upload](s)(s.st.ExpiredUploads(s.ctx, host, at(2), at(2), 10))), []string{"id2"})
	s.ok(s.st.DeleteUpload(s.ctx, host, "id1"))
	s.is(s.st.DeleteUpload(s.ctx, host, "id1"), store.ErrNotFound)
}

// many: concurrent writes are all kept, and versions of one roster stay apart.
func many(s *suite) {
	s.user("romeo")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				n := i*10 + j
				if err := s.st.Commit(s.ctx, &store.ArchiveEntry{
					Host:   host,
					Owner:  "romeo",
					ID:     store.ID(n + 1),
					With:   "x@y",
					Stanza: fmt.Appendf(nil, "<m>%d</m>", n),
				}); err != nil {
					s.Error(err)
				}
				if _, err := s.st.UpdateContact(s.ctx, host, "romeo", fmt.Sprintf("c%d@x", n),
					0, func(c *store.Contact) (bool, error) { c.InRoster = true; return false, nil }); err != nil {
					s.Error(err)
				}
			}
		})
	}
	wg.Wait()
	es, _, total, err := s.st.ReadArchive(s.ctx, host, "romeo", store.Page{Max: 100, Count: true})
	s.ok(err)
	s.same([]int{len(es), total}, []int{80, 80})
	cs, _, err := s.st.Roster(s.ctx, host, "romeo")
	s.ok(err)
	seen := make(map[int64]bool)
	for _, c := range cs {
		seen[c.Version] = true
	}
	s.same([]int{len(cs), len(seen)}, []int{80, 80})
}

func blocklist(s *suite) {
	s.user("romeo")
	s.ok(s.st.Block(s.ctx, host, "romeo", 2, "b@x", "a@x", "b@x"))
	s.is(s.st.Block(s.ctx, host, "romeo", 2, "c@x"), store.ErrLimit)
	s.same(must[[]string](s)(s.st.Blocked(s.ctx, host, "romeo")), []string{"a@x", "b@x"})
	s.same(len(must[[]string](s)(s.st.Blocked(s.ctx, other, "romeo"))), 0)
	s.ok(s.st.Unblock(s.ctx, host, "romeo", "a@x", "never@x"))
	s.same(must[[]string](s)(s.st.Blocked(s.ctx, host, "romeo")), []string{"b@x"})
	s.ok(s.st.Unblock(s.ctx, host, "romeo"))
	s.same(len(must[[]string](s)(s.st.Blocked(s.ctx, host, "romeo"))), 0)
}

func tokens(s *suite) {
	s.user("romeo")
	tok := func(client string, n byte) store.Token {
		return store.Token{
			Host:      host,
			Owner:     "romeo",
			Client:    client,
			Fresh:     true,
			Mechanism: "HT",
			Salt:      []byte{n},
			Issued:    at(int(n)),
			Expires:   at(1000 + int(n)),
		}
	}
	one := tok("a", 1)
	s.ok(s.st.PutToken(s.ctx, one, 2))
	s.same(must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "a")), []store.Token{one})
	s.ok(s.st.UseToken(s.ctx, one, 5))
	one.Fresh, one.Uses = false, 5
	s.same(must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "a")), []store.Token{one})
	s.is(s.st.UseToken(s.ctx, one, 5), store.ErrConflict)
	s.ok(s.st.UseToken(s.ctx, one, 6))
	// A fresh one stands beside it until it is used.
	two := tok("a", 2)
	s.ok(s.st.PutToken(s.ctx, two, 2))
	s.same(len(must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "a"))), 2)
	s.ok(s.st.UseToken(s.ctx, two, 0))
	s.is(s.st.UseToken(s.ctx, one, 7), store.ErrConflict)
	s.same(len(must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "a"))), 1)
	// At most two installations; the ones that expire first are dropped.
	s.ok(s.st.PutToken(s.ctx, tok("b", 3), 2))
	s.ok(s.st.PutToken(s.ctx, tok("c", 4), 2))
	s.same(len(must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "a"))), 0)
	s.ok(s.st.DeleteTokens(s.ctx, host, "romeo", "b"))
	s.same(len(must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "b"))), 0)
	s.ok(s.st.SetKeys(s.ctx, host, "romeo", []byte{7})) // a new password
	s.same(len(must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "c"))), 0)
}
