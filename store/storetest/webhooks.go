package storetest

import (
	"fmt"

	"parley/store"
)

// webhookRows: made within a limit, found by their token, gone with what waits for them.
func webhookRows(s *suite) {
	in := store.Webhook{
		Host:      host,
		ID:        "a",
		Direction: store.HookIn,
		Name:      "CI",
		Group:     "g",
		Theme:     "t",
		Token:     []byte{1, 0, 2},
		Creator:   "romeo@example.org",
		Created:   at(1),
	}
	out := store.Webhook{
		Host:      host,
		ID:        "b",
		Direction: store.HookOut,
		Name:      "Log",
		Group:     "g",
		URL:       "https://x.example/",
		Secret:    "s",
		Events:    "message theme",
		Creator:   "romeo@example.org",
		Created:   at(2),
		Last:      7,
	}
	s.ok(s.st.CreateWebhook(s.ctx, in, 2))
	s.ok(s.st.CreateWebhook(s.ctx, out, 2))
	s.is(s.st.CreateWebhook(s.ctx, in, 9), store.ErrExists)
	s.is(s.st.CreateWebhook(s.ctx, store.Webhook{Host: host, ID: "c", Group: "g", Created: at(3)}, 2), store.ErrLimit)
	s.ok(s.st.CreateWebhook(s.ctx, store.Webhook{Host: host, ID: "c", Group: "other", Created: at(3)}, 2))
	s.same(must[store.Webhook](s)(s.st.Webhook(s.ctx, host, "a")), in)
	s.same(must[store.Webhook](s)(s.st.WebhookByToken(s.ctx, []byte{1, 0, 2})), in)
	_, err := s.st.WebhookByToken(s.ctx, []byte{})
	s.is(err, store.ErrNotFound)
	s.same(must[[]store.Webhook](s)(s.st.Webhooks(s.ctx, host))[:2], []store.Webhook{in, out})
	s.ok(s.st.SetWebhookDisabled(s.ctx, host, "b", true, 0))
	out.Disabled = true
	s.same(must[store.Webhook](s)(s.st.Webhook(s.ctx, host, "b")), out)
	s.ok(s.st.SetWebhookDisabled(s.ctx, host, "b", false, 8))
	s.same(must[store.Webhook](s)(s.st.Webhook(s.ctx, host, "b")).Last, store.ID(8))
	s.is(s.st.SetWebhookDisabled(s.ctx, host, "none", true, 0), store.ErrNotFound)
	s.ok(s.st.AddDeliveries(s.ctx, store.Delivery{
		Host:    host,
		Hook:    "b",
		Room:    "r",
		ID:      9,
		Event:   "message",
		Body:    []byte("x"),
		Updated: at(4),
	}))
	_, _, err = s.st.BeginHookKey(s.ctx, host, "a", "k", 5)
	s.ok(err)
	s.ok(s.st.SetHookKey(s.ctx, host, "a", "k", 5))
	s.ok(s.st.DeleteWebhook(s.ctx, host, "a"))
	_, fresh, err := s.st.BeginHookKey(s.ctx, host, "a", "k", 6)
	s.ok(err)
	s.same(fresh, true)
	s.ok(s.st.DeleteWebhook(s.ctx, host, "b"))
	s.is(s.st.DeleteWebhook(s.ctx, host, "b"), store.ErrNotFound)
	_, err = s.st.HookKey(s.ctx, host, "a", "k")
	s.is(err, store.ErrNotFound)
	s.same(len(must[[]store.Lane](s)(s.st.WaitingLanes(s.ctx, host))), 0)
}

// hookDeliveries: in order within a room, each once, and what becomes of them.
func hookDeliveries(s *suite) {
	s.ok(s.st.CreateWebhook(s.ctx, store.Webhook{
		Host:      host,
		ID:        "b",
		Direction: store.HookOut,
		Group:     "g",
		Created:   at(1),
	}, 9))
	d := func(room string, id int) store.Delivery {
		return store.Delivery{
			Host:    host,
			Hook:    "b",
			Room:    room,
			ID:      store.ID(id),
			Event:   "message",
			Body:    fmt.Appendf(nil, "%s%d", room, id),
			State:   store.DeliveryWaiting,
			Updated: at(id),
		}
	}
	s.ok(s.st.AddDeliveries(s.ctx, d("r", 3), d("q", 2), d("r", 1)))
	s.ok(s.st.AddDeliveries(s.ctx, d("r", 3), store.Delivery{Host: host, Hook: "gone", Room: "r", ID: 4}))
	s.same(must[store.Webhook](s)(s.st.Webhook(s.ctx, host, "b")).Last, store.ID(3))
	s.same(must[[]store.Lane](s)(s.st.WaitingLanes(s.ctx, host)),
		[]store.Lane{{Hook: "b", Room: "q"}, {Hook: "b", Room: "r"}})
	first := must[store.Delivery](s)(s.st.NextDelivery(s.ctx, host, store.Lane{Hook: "b", Room: "r"}))
	s.same(first, d("r", 1))
	first.State, first.Attempts, first.Status, first.Error, first.Updated = store.DeliveryDead, 3, 500, "no", at(10)
	s.ok(s.st.SetDelivery(s.ctx, first))
	next := must[store.Delivery](s)(s.st.NextDelivery(s.ctx, host, store.Lane{Hook: "b", Room: "r"}))
	s.same(next.ID, store.ID(3))
	next.State = store.DeliveryDone
	s.ok(s.st.SetDelivery(s.ctx, next))
	_, err := s.st.NextDelivery(s.ctx, host, store.Lane{Hook: "b", Room: "r"})
	s.is(err, store.ErrNotFound)
	s.same(must[[]store.Delivery](s)(s.st.Deliveries(s.ctx, host, "b",
		store.DeliveryDead, 0, 9)), []store.Delivery{first})
	s.same(len(must[[]store.Delivery](s)(s.st.Deliveries(s.ctx, host, "b", "", 0, 2))), 2)
	all := must[[]store.Delivery](s)(s.st.Deliveries(s.ctx, host, "b", "", 0, 9))
	s.same(must[[]store.Delivery](s)(s.st.Deliveries(s.ctx, host, "b", "", all[0].ID, 9)), all[1:])
	s.is(s.st.SetDelivery(s.ctx, d("none", 1)), store.ErrNotFound)
	s.same(must[int](s)(s.st.Redeliver(s.ctx, host, "b", at(11))), 1)
	again := must[store.Delivery](s)(s.st.NextDelivery(s.ctx, host, store.Lane{Hook: "b", Room: "r"}))
	s.same([]any{again.ID, again.Attempts, again.Error, again.Updated}, []any{first.ID, 0, "", at(11)})
	s.same(must[int](s)(s.st.Redeliver(s.ctx, host, "b", at(11))), 0)
	s.ok(s.st.SetDelivery(s.ctx, first))
	s.same(must[int](s)(s.st.ExpireDeliveries(s.ctx, host, at(5), 9)), 1)
	s.same(must[int](s)(s.st.ExpireDeliveries(s.ctx, host, at(99), 9)), 1)
	s.same(len(must[[]store.Delivery](s)(s.st.Deliveries(s.ctx, host, "b", "", 0, 9))), 1)

	begin := func(hook, key string, at store.ID) (since store.ID, fresh bool) {
		since, fresh, err := s.st.BeginHookKey(s.ctx, host, hook, key, at)
		s.ok(err)
		return since, fresh
	}
	for _, try := range []struct {
		key       string
		at, since store.ID
		fresh     bool
	}{{"k", 4, 4, true}, {"k", 7, 4, false}, {"other", 8, 8, true}} {
		since, fresh := begin("b", try.key, try.at)
		s.same(since, try.since)
		s.same(fresh, try.fresh)
	}
	s.ok(s.st.SetHookKey(s.ctx, host, "b", "k", 5))
	s.ok(s.st.SetHookKey(s.ctx, host, "b", "k", 6))
	s.same(must[store.ID](s)(s.st.HookKey(s.ctx, host, "b", "k")), store.ID(5))
	s.same(must[int](s)(s.st.ExpireHookKeys(s.ctx, host, 6, 9)), 1)
	if since, fresh := begin("b", "k", 9); since != 9 || !fresh {
		s.Errorf("a key that is forgotten has begun at %v", since)
	}
	if since, fresh := begin("b", "other", 9); since != 8 || fresh {
		s.Errorf("a key that is not forgotten begins anew at %v", since)
	}
	_, err = s.st.HookKey(s.ctx, host, "b", "k")
	s.is(err, store.ErrNotFound)
}
