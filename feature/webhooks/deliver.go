package webhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"parley/internal/netaddr"
	"parley/server"
	"parley/store"
	"parley/wire"
)

// queueOld queues a message from the archive if the webhook is older and wants it.
func (w *Webhooks) queueOld(ctx context.Context, s said, a age) error {
	st, err := wire.ParseStanza(s.entry.Stanza, wire.Limits{Stanza: len(s.entry.Stanza)})
	if err != nil || !server.Said(st) {
		return nil
	}
	return w.queue(ctx, s, a)
}

// resume starts the delivery of every lane with waiting events.
func (w *Webhooks) resume(ctx context.Context) error {
	ls, err := w.st.WaitingLanes(ctx, w.h.Domain)
	for _, l := range ls {
		w.start(l)
	}
	return err
}

// start starts the delivery of a lane, unless it is running.
func (w *Webhooks) start(l store.Lane) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run == nil || w.run.Err() != nil || w.lanes[l] {
		return
	}
	w.lanes[l] = true
	run := w.run
	w.wg.Go(func() { w.lane(run, l) })
}

// lane delivers the waiting events of one webhook and room, one after the other.
func (w *Webhooks) lane(ctx context.Context, l store.Lane) {
	for {
		d, hook, err := w.next(ctx, l)
		if err != nil {
			w.end(ctx, l, err)
			if errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
				w.look(ctx, l) // an event may have come after the last look
			}
			return
		}
		wait := w.attempt(ctx, hook, &d)
		if ctx.Err() != nil {
			w.end(ctx, l, ctx.Err())
			return
		}
		if err := w.st.SetDelivery(ctx, d); err != nil {
			w.end(ctx, l, err)
			return
		}
		if wait > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
	}
}

var errRests = errors.New("webhooks: it rests")

func (w *Webhooks) next(ctx context.Context, l store.Lane) (d store.Delivery, hook store.Webhook, err error) {
	if hook, err = w.st.Webhook(ctx, w.h.Domain, l.Hook); err != nil {
		return d, hook, err
	}
	if hook.Disabled {
		return d, hook, errRests
	}
	d, err = w.st.NextDelivery(ctx, w.h.Domain, l)
	return d, hook, err
}

func (w *Webhooks) end(ctx context.Context, l store.Lane, err error) {
	w.mu.Lock()
	delete(w.lanes, l)
	w.mu.Unlock()
	if ctx.Err() == nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, errRests) {
		w.h.Log.Error("webhook: cannot deliver", "hook", l.Hook, "err", err)
	}
}

// look starts the lane again if an event waits in it.
func (w *Webhooks) look(ctx context.Context, l store.Lane) {
	if _, err := w.st.NextDelivery(ctx, w.h.Domain, l); err == nil {
		if hook, err := w.st.Webhook(ctx, w.h.Domain, l.Hook); err == nil && !hook.Disabled {
			w.start(l)
		}
	}
}

const maxBackoff = time.Hour

// attempt posts an event once and notes the result. It gives how long to wait before the next attempt.
func (w *Webhooks) attempt(ctx context.Context, hook store.Webhook, d *store.Delivery) (wait time.Duration) {
	done := w.seats.take(ctx, hook.URL)
	if done == nil {
		return 0
	}
	d.Attempts++
	d.Status, d.Error = 0, ""
	status, err := w.send(ctx, hook, d)
	done(status != 0 || err == nil) // success means that any answer came in time
	d.Status, d.Updated = status, w.h.Clock.Now()
	switch {
	case err == nil:
		d.State = store.DeliveryDone
		return 0
	case d.Attempts >= w.cfg.Attempts || status == http.StatusGone || errors.Is(err, errPrivate):
		d.State = store.DeliveryDead
		w.h.Log.Info("webhook: giving up a delivery", "hook", hook.ID, "attempts", d.Attempts, "err", err)
	default:
		wait = min(maxBackoff, w.cfg.Retry<<min(d.Attempts-1, 20))
		wait += time.Duration(rand.Int64N(int64(wait)/4 + 1))
	}
	if d.Error = err.Error(); len(d.Error) > 500 {
		d.Error = d.Error[:500]
	}
	return wait
}

// send posts an event.
func (w *Webhooks) send(ctx context.Context, hook store.Webhook, d *store.Delivery) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	res, err := w.call(ctx, signed{hook.URL, hook.Secret, d.Event, d.Hook + "-" + d.ID.String(), d.Body})
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	return res.StatusCode, refusedBy(res)
}

// signed is what is posted to a program, with a signature.
type signed struct {
	url, secret string
	event, id   string // of headers
	body        []byte // JSON
}

// call makes one request. The signature covers the time, a dot and the body; receivers should refuse old times.
func (w *Webhooks) call(ctx context.Context, r signed) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	at := strconv.FormatInt(w.h.Clock.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "parley-webhook")
	req.Header.Set("Parley-Event", r.event)
	req.Header.Set("Parley-Delivery", r.id)
	req.Header.Set("Parley-Timestamp", at)
	req.Header.Set("Parley-Signature", "v1="+Sign(r.secret, at, r.body))
	return w.client.Do(req)
}

// refusedBy returns an error unless a program has taken what was posted.
func refusedBy(res *http.Response) error {
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("the answer was %s", res.Status)
	}
	return nil
}

// Sign gives the signature of a body sent at a moment (Unix seconds): HMAC-SHA256 in hex.
func Sign(secret, at string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(at + "."))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

var errPrivate = errors.New("the address is not one of the public internet; webhooks.allow may name its network")

// newClient makes a client that does not connect to private addresses, whatever names resolve to, and does not follow
// redirects.
func (w *Webhooks) newClient() *http.Client {
	d := &net.Dialer{Timeout: w.cfg.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if a := at.Addr(); !netaddr.Within(a, w.cfg.Allow) && !netaddr.Public(a) {
			return errPrivate
		}
		return nil
	}}
	return &http.Client{
		Timeout:       w.cfg.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         d.DialContext,
			TLSHandshakeTimeout: w.cfg.Timeout,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     time.Minute,
			MaxConnsPerHost:     maxOfHost,
		},
	}
}

func (w *Webhooks) expire(ctx context.Context) error {
	before := w.h.Clock.Now().Add(-w.cfg.Kept)
	if _, err := w.st.ExpireDeliveries(ctx, w.h.Domain, before, 10_000); err != nil {
		return err
	}
	_, err := w.st.ExpireHookKeys(ctx, w.h.Domain, store.FirstID(before), 10_000)
	return err
}
