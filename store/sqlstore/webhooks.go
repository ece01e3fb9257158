package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"time"

	"parley/store"
)

const hookColumns = "host, id, direction, name, group_id, theme, token, url, secret, events, creator, " +
	"created, disabled, last"

// CreateWebhook makes a webhook.
func (s *Store) CreateWebhook(ctx context.Context, w store.Webhook, limit int) error {
	if err := s.raise(ctx, w.Last); err != nil {
		return err
	}
	if w.Token == nil {
		w.Token = []byte{}
	}
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx,
				"INSERT INTO webhooks ("+hookColumns+
					") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
				w.Host, w.ID, w.Direction, w.Name, w.Group, w.Theme, w.Token, w.URL, w.Secret, w.Events, w.Creator,
				micros(w.Created), bit(w.Disabled), int64(w.Last))
			return translate(err)
		}, "SELECT COUNT(*) FROM webhooks WHERE host = $1 AND group_id = $2", w.Host, w.Group)
	})
}

func (s *Store) webhooks(ctx context.Context, where string, args ...any) (ws []store.Webhook, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var w store.Webhook
		var created int64
		err := r.Scan(&w.Host, &w.ID, &w.Direction, &w.Name, &w.Group, &w.Theme, &w.Token, &w.URL, &w.Secret, &w.Events,
			&w.Creator, &created, &w.Disabled, &w.Last)
		if w.Created = when(created); len(w.Token) == 0 { // none: engines give nil or an empty one
			w.Token = nil
		}
		ws = append(ws, w)
		return err
	}, "SELECT "+hookColumns+" FROM webhooks WHERE "+where, args...)
	return ws, err
}

func (s *Store) webhook(ctx context.Context, where string, args ...any) (store.Webhook, error) {
	ws, err := s.webhooks(ctx, where, args...)
	if err != nil || len(ws) == 0 {
		return store.Webhook{}, orNotFound(err)
	}
	return ws[0], nil
}

// Webhook gives a webhook by its id.
func (s *Store) Webhook(ctx context.Context, host, id string) (store.Webhook, error) {
	return s.webhook(ctx, "host = $1 AND id = $2", host, id)
}

// WebhookByToken gives the HookIn with a token.
func (s *Store) WebhookByToken(ctx context.Context, token []byte) (store.Webhook, error) {
	return s.webhook(ctx, "token = $1 AND direction = $2", token, store.HookIn)
}

// Webhooks gives all webhooks of a host in order of creation.
func (s *Store) Webhooks(ctx context.Context, host string) ([]store.Webhook, error) {
	return s.webhooks(ctx, "host = $1 ORDER BY created, id", host)
}

// SetWebhookDisabled disables a webhook, or enables it for events after last.
func (s *Store) SetWebhookDisabled(ctx context.Context, host, id string, disabled bool, last store.ID) error {
	if err := s.raise(ctx, last); err != nil {
		return err
	}
	return s.one(ctx, "UPDATE webhooks SET disabled = $3, last = CASE WHEN last < $4 THEN $4 ELSE last END "+
		"WHERE host = $1 AND id = $2", host, id, bit(disabled), int64(last))
}

// DeleteWebhook removes a webhook with its deliveries.
func (s *Store) DeleteWebhook(ctx context.Context, host, id string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM webhooks WHERE host = $1 AND id = $2", host, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return orNotFound(err)
		}
		for _, table := range []string{"deliveries", "hook_keys", "hook_begun"} {
			if _, err := tx.ExecContext(ctx,
				"DELETE FROM "+table+" WHERE host = $1 AND hook = $2", host, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddDeliveries queues events and writes the newest message of each webhook to its Last.
func (s *Store) AddDeliveries(ctx context.Context, ds ...store.Delivery) error {
	for _, d := range ds {
		if err := s.raise(ctx, d.ID); err != nil {
			return err
		}
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, d := range ds {
			res, err := tx.ExecContext(ctx,
				"UPDATE webhooks SET last = CASE WHEN last < $3 THEN $3 ELSE last END WHERE host = $1 AND id = $2",
				d.Host, d.Hook, int64(d.ID))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				continue
			}
			if _, err := tx.ExecContext(ctx,
				`INSERT INTO deliveries (host, hook, room, id, event, body, state, attempts, status, error, updated)
				VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, '', $8) ON CONFLICT (host, hook, room, id) DO NOTHING`,
				d.Host, d.Hook, d.Room, int64(d.ID), d.Event, d.Body, store.DeliveryWaiting,
				micros(d.Updated)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) deliveries(ctx context.Context, where string, args ...any) (ds []store.Delivery, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var d store.Delivery
		var updated int64
		err := r.Scan(&d.Host, &d.Hook, &d.Room, &d.ID, &d.Event, &d.Body, &d.State, &d.Attempts,
			&d.Status, &d.Error, &updated)
		d.Updated = when(updated)
		ds = append(ds, d)
		return err
	}, "SELECT host, hook, room, id, event, body, state, attempts, status, error, updated FROM deliveries WHERE "+where,
		args...)
	return ds, err
}

// NextDelivery gives the oldest waiting delivery of a lane.
func (s *Store) NextDelivery(ctx context.Context, host string, l store.Lane) (store.Delivery, error) {
	ds, err := s.deliveries(ctx, "host = $1 AND hook = $2 AND room = $3 AND state = $4 ORDER BY id LIMIT 1",
		host, l.Hook, l.Room, store.DeliveryWaiting)
	if err != nil || len(ds) == 0 {
		return store.Delivery{}, orNotFound(err)
	}
	return ds[0], nil
}

// SetDelivery writes State, Attempts, Status, Error and Updated.
func (s *Store) SetDelivery(ctx context.Context, d store.Delivery) error {
	return s.one(ctx,
		"UPDATE deliveries SET state = $5, attempts = $6, status = $7, error = $8, updated = $9 "+
			"WHERE host = $1 AND hook = $2 AND room = $3 AND id = $4",
		d.Host, d.Hook, d.Room, int64(d.ID), d.State, d.Attempts, d.Status, d.Error, micros(d.Updated))
}

// Redeliver puts all given-up deliveries of a webhook back into the queue, as if never tried, and gives how many.
func (s *Store) Redeliver(ctx context.Context, host, hook string, at time.Time) (int, error) {
	n, err := s.exec(ctx,
		"UPDATE deliveries SET state = $4, attempts = 0, error = '', updated = $5 WHERE host = $1 AND hook = $2 "+
			"AND state = $3", host, hook, store.DeliveryDead, store.DeliveryWaiting, micros(at))
	return int(n), err
}

// WaitingLanes gives the lanes with waiting deliveries.
func (s *Store) WaitingLanes(ctx context.Context, host string) (ls []store.Lane, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var l store.Lane
		err := r.Scan(&l.Hook, &l.Room)
		ls = append(ls, l)
		return err
	}, "SELECT DISTINCT hook, room FROM deliveries WHERE host = $1 AND state = $2 ORDER BY hook, room",
		host, store.DeliveryWaiting)
	return ls, err
}

// Deliveries gives a webhook's deliveries older than before (0: the newest of all), the newest first.
func (s *Store) Deliveries(ctx context.Context, host, hook, state string, before store.ID,
	limit int) ([]store.Delivery, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return s.deliveries(ctx, "host = $1 AND hook = $2 AND ($3 = '' OR state = $3) AND id < $4 "+
		"ORDER BY id DESC LIMIT $5", host, hook, state, int64(before), limit)
}

// ExpireDeliveries forgets deliveries that are not waiting and are older than before, at most limit, and gives how
// many.
func (s *Store) ExpireDeliveries(ctx context.Context, host string, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, `DELETE FROM deliveries WHERE host = $1 AND (hook, room, id) IN
		(SELECT hook, room, id FROM deliveries WHERE host = $1 AND state <> $2 AND updated < $3
		ORDER BY hook, room, id LIMIT $4)`,
		host, store.DeliveryWaiting, micros(before), limit)
	return int(n), err
}

// HookKey gives the message that was posted under an idempotency key.
func (s *Store) HookKey(ctx context.Context, host, hook, key string) (id store.ID, err error) {
	err = s.row(ctx, []any{&id},
		"SELECT id FROM hook_keys WHERE host = $1 AND hook = $2 AND idem = $3", host, hook, key)
	return id, err
}

// BeginHookKey notes, before the message is sent, that a post under a key began at a moment.
func (s *Store) BeginHookKey(ctx context.Context, host, hook, key string,
	at store.ID) (since store.ID, fresh bool, err error) {
	n, err := s.exec(ctx, "INSERT INTO hook_begun (host, hook, idem, since) VALUES ($1, $2, $3, $4) "+
		"ON CONFLICT (host, hook, idem) DO NOTHING", host, hook, key, int64(at))
	if err != nil || n > 0 {
		return at, true, err
	}
	err = s.row(ctx, []any{&since},
		"SELECT since FROM hook_begun WHERE host = $1 AND hook = $2 AND idem = $3", host, hook, key)
	return since, false, err
}

// SetHookKey keeps the message that was sent under a key.
func (s *Store) SetHookKey(ctx context.Context, host, hook, key string, id store.ID) error {
	_, err := s.exec(ctx, "INSERT INTO hook_keys (host, hook, idem, id) VALUES ($1, $2, $3, $4) "+
		"ON CONFLICT (host, hook, idem) DO NOTHING", host, hook, key, int64(id))
	return err
}

// ExpireHookKeys forgets keys that began before a moment, at most limit, and gives how many.
func (s *Store) ExpireHookKeys(ctx context.Context, host string, before store.ID, limit int) (int, error) {
	n, err := s.exec(ctx, `DELETE FROM hook_keys WHERE host = $1 AND (hook, idem) IN
		(SELECT hook, idem FROM hook_keys WHERE host = $1 AND id < $2 ORDER BY hook, idem LIMIT $3)`,
		host, int64(before), limit)
	if err != nil {
		return int(n), err
	}
	_, err = s.exec(ctx, `DELETE FROM hook_begun WHERE host = $1 AND (hook, idem) IN
		(SELECT hook, idem FROM hook_begun WHERE host = $1 AND since < $2 ORDER BY hook, idem LIMIT $3)`,
		host, int64(before), limit)
	return int(n), err
}
