package storetest

import (
	"time"

	"parley/store"
)

// highest: the ids after a restart are above every id of the node that was ever kept, even if its entry is gone.
func highest(s *suite) {
	s.ok(s.st.CreateRoom(s.ctx, roomRow("r")))
	epoch := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r")).Epoch
	s.user("romeo")
	s.ok(s.st.CreateNode(s.ctx, store.Node{
		Host:    host,
		Owner:   "romeo",
		Name:    "n",
		Config:  []byte("{}"),
		Created: at(1),
	}, 0))
	group := store.Group{Host: host, ID: "g", Slug: "g", Room: "g", Name: "G", ThemesBy: "members", Created: at(1)}
	s.ok(s.st.CreateGroup(s.ctx, group, store.Room{Host: rooms, Name: "g", Group: "g", Created: at(1)},
		[]store.Member{{JID: "romeo@" + host, Role: "owner", Since: at(1)}}, store.Bookmark{Room: "g@" + rooms}))
	if id := must[store.ID](s)(s.st.HighestID(s.ctx)); id != 0 {
		s.Fatalf("an empty store begins at %v", id.Time())
	}
	hook := store.Webhook{
		Host:      host,
		ID:        "h",
		Direction: store.HookOut,
		Name:      "H",
		Group:     "g",
		URL:       "https://x.example",
		Secret:    "s",
		Events:    "message",
		Creator:   "romeo@" + host,
		Created:   at(1),
	}
	for i, w := range []struct {
		what string
		keep func(id store.ID) error
	}{
		{"archive", func(id store.ID) error {
			return s.st.Commit(s.ctx, &store.ArchiveEntry{
				Host:   host,
				Owner:  "romeo",
				ID:     id,
				With:   "x@y",
				Stanza: []byte("<m/>"),
			})
		}},
		{"room", func(id store.ID) error {
			return s.st.Commit(s.ctx, &store.RoomEntry{
				Host:   rooms,
				Room:   "r",
				Epoch:  epoch,
				Seq:    1,
				ID:     id,
				Stanza: []byte("<m/>"),
			})
		}},
		{"both at once", func(id store.ID) error {
			return s.st.Commit(s.ctx, &store.ArchiveEntry{
				Host:   host,
				Owner:  "romeo",
				ID:     id,
				With:   "x@y",
				Stanza: []byte("<m/>"),
			}, &store.RoomEntry{Host: rooms, Room: "r", Epoch: epoch, Seq: 2, ID: id - 7, Stanza: []byte("<m/>")})
		}},
		{"offline", func(id store.ID) error {
			return s.st.Commit(s.ctx, &store.OfflineEntry{
				Host:    host,
				Owner:   "romeo",
				ID:      id,
				Stanza:  []byte("<m/>"),
				Expires: at(1000),
			})
		}},
		{"the first message of a theme", func(id store.ID) error {
			t := store.Theme{
				Host:    host,
				Key:     "k",
				Group:   "g",
				Slug:    "k",
				Room:    "k",
				Name:    "K",
				Creator: "romeo@" + host,
				Created: at(1),
				First:   &store.RoomEntry{Host: rooms, Room: "k", Seq: 1, ID: id, Stanza: []byte("<m/>")},
			}
			return s.st.CreateTheme(s.ctx, t,
				store.Room{Host: rooms, Name: "k", Group: "g", Theme: "k", Created: at(1)}, nil,
				store.Bookmark{Room: "k@" + rooms})
		}},
		{"an item", func(id store.ID) error {
			return s.st.Publish(s.ctx, host, "romeo", "n", store.Keep{Items: 9}, store.NodeItem{ID: "a", Seq: id},
				store.NodeItem{ID: "b", Seq: id - 1})
		}},
		{"audit", func(id store.ID) error {
			return s.st.AddAudit(s.ctx, host, store.AuditEntry{ID: id, Action: "x", Detail: "{}"})
		}},
		{"a report", func(id store.ID) error {
			return s.st.AddReport(s.ctx, store.Report{Host: host, ID: id, Reporter: "romeo", Who: "x@y"}, 9)
		}},
		{"a mail", func(id store.ID) error {
			return s.st.AddMail(s.ctx, store.Mail{Host: host, ID: id, To: "x@y", State: store.MailWaiting})
		}},
		{"an invitation", func(id store.ID) error {
			i := store.Invitation{
				Host:    host,
				ID:      "i",
				Kind:    "account",
				State:   store.InviteOpen,
				MaxUses: 1,
				Created: at(1),
				Expires: at(1000),
			}
			return s.st.CreateInvitation(s.ctx, i, 9, store.InvitationEvent{ID: id, Kind: "created"})
		}},
		{"what becomes of it", func(id store.ID) error {
			return s.st.AddInvitationEvent(s.ctx, host, "i", store.InvitationEvent{ID: id, Kind: "sent"})
		}},
		{"a webhook", func(id store.ID) error {
			h := hook
			h.Last = id
			return s.st.CreateWebhook(s.ctx, h, 9)
		}},
		{"a webhook that is on again", func(id store.ID) error {
			return s.st.SetWebhookDisabled(s.ctx, host, "h", false, id)
		}},
		{"a delivery", func(id store.ID) error {
			return s.st.AddDeliveries(s.ctx, store.Delivery{
				Host:    host,
				Hook:    "h",
				Room:    "g",
				ID:      id,
				Event:   "message",
				Body:    []byte("{}"),
				Updated: at(1),
			})
		}},
	} {
		id := store.FirstID(at(100*(i+1))) + 5
		if err := w.keep(id); err != nil {
			s.Fatalf("%s: %v", w.what, err)
		}
		got := must[store.ID](s)(s.st.HighestID(s.ctx))
		if got < id || got.Time().After(id.Time().Add(time.Second)) {
			s.Errorf("%s of %v: the highest is of %v", w.what, id.Time(), got.Time())
		}
	}
	last := must[store.ID](s)(s.st.HighestID(s.ctx))
	// as imports do
	s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
		Host:   host,
		Owner:  "romeo",
		ID:     store.FirstID(at(1)),
		With:   "x@y",
		Stanza: []byte("<m/>"),
	}))
	s.same(must[store.ID](s)(s.st.HighestID(s.ctx)), last)
	s.ok(s.st.DeleteUser(s.ctx, host, "romeo"))
	s.same(must[store.ID](s)(s.st.HighestID(s.ctx)), last)
}
