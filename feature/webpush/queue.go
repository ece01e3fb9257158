package webpush

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// place is where something is shown: a conversation in all browsers of an account, or in that of one session.
type place struct {
	account      string // set in retries only: a pile is an account's
	conversation jid.JID
	session      string // "": all
}

// note is the newest message of a place.
type note struct {
	id     store.ID
	urgent bool // to the person, not only to a room
	tries  int
}

type pile map[place]note

// retry is a note for one browser whose push service was not there.
type retry struct {
	note
	due time.Time
}

// Bounds of what waits.
const (
	maxQueue   = 10_000 // accounts
	maxPile    = 50     // conversations of one account
	maxRetries = 10_000
	maxTries   = 5
	workers    = 16
)

// add has an account's browsers told of a message, unless one of them is looked at. A newer message of the same
// conversation takes the place of an older one.
func (p *WebPush) add(account string, at place, n note) {
	if p.cfg.Awake(account) {
		p.cfg.Metrics.count("awake")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	all, waits := p.piles[account]
	if old, ok := all[at]; ok {
		n.urgent = n.urgent || old.urgent
		n.id = max(n.id, old.id)
	} else if len(all) >= maxPile {
		p.cfg.Metrics.count("dropped")
		return
	}
	if !waits {
		select {
		case p.queue <- account:
		default:
			p.cfg.Metrics.count("dropped")
			return
		}
		all = make(pile)
		p.piles[account] = all
	}
	all[at] = n
}

// take gives what waits for an account; nil if nothing does, and then the next message queues the account again.
func (p *WebPush) take(account string) pile {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.piles[account]
	if len(all) == 0 {
		delete(p.piles, account)
		return nil
	}
	p.piles[account] = make(pile)
	return all
}

// run sends what is queued until ctx ends.
func (p *WebPush) run(ctx context.Context) error {
	if err := p.load(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { p.work(ctx) })
	}
	wg.Go(func() { p.again(ctx) })
	wg.Wait()
	p.client.CloseIdleConnections()
	return nil
}

func (p *WebPush) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case account := <-p.queue:
			for all := p.take(account); all != nil; all = p.take(account) {
				p.sendAll(ctx, account, all)
			}
		}
	}
}

// sendAll tells an account's browsers what waits for it, the oldest first. Nothing is sent if somebody looks at one of
// them by now, or must not be disturbed.
func (p *WebPush) sendAll(ctx context.Context, account string, all pile) {
	places := slices.SortedFunc(maps.Keys(all), func(a, b place) int { return int(all[a].id - all[b].id) })
	for _, at := range places {
		n := all[at]
		if ctx.Err() != nil {
			return
		}
		if p.cfg.Awake(account) {
			p.cfg.Metrics.count("awake")
			continue
		}
		if p.silent(ctx, account, n.id.Time()) {
			p.cfg.Metrics.count("silent")
			continue
		}
		if err := p.sendOne(ctx, account, at, n); err != nil && ctx.Err() == nil {
			p.cfg.Host.Log.Error("cannot wake browsers", "account", account, "err", err)
		}
	}
}

// silent says whether an account must not be disturbed now, or must not have been when the message came.
func (p *WebPush) silent(ctx context.Context, account string, came time.Time) bool {
	for _, at := range []time.Time{came, p.cfg.Host.IDs.Now()} {
		silent, err := p.cfg.Silent(ctx, account, at)
		if err != nil && ctx.Err() == nil {
			p.cfg.Host.Log.Error("cannot find out whether somebody must not be disturbed",
				"account", account, "err", err)
		}
		if silent {
			return true
		}
	}
	return false
}

// sendOne tells an account's browsers of one message.
func (p *WebPush) sendOne(ctx context.Context, account string, at place, n note) error {
	subs, err := p.subscribed(ctx, account)
	if err != nil {
		return err
	}
	if len(subs) == 0 {
		p.cfg.Metrics.count("nobody")
		return nil
	}
	content, err := p.cfg.Show(ctx, account, at.conversation, n.id)
	if fault.Of(err) != nil {
		return nil // it is gone, or not for this person any more
	}
	if err != nil {
		return err
	}
	for _, s := range subs {
		if at.session != "" && at.session != s.Session {
			continue
		}
		to := place{account, at.conversation, s.Session}
		p.supersede(to, n)
		p.settle(ctx, to, n, s, p.post(ctx, s, content, n.urgent))
	}
	return nil
}

// subscribed gives an account's subscriptions, and notes if there are none.
func (p *WebPush) subscribed(ctx context.Context, account string) ([]store.PushSubscription, error) {
	told := p.told.Load()
	subs, err := p.subscriptions(ctx, account)
	if err != nil || len(subs) > 0 {
		return subs, err
	}
	if err = p.change.Take(ctx); err != nil {
		return nil, err
	}
	defer p.change.Free()
	if subs, err = p.subscriptions(ctx, account); err == nil && len(subs) == 0 {
		p.turned(account, false)
		if p.told.Load() != told { // there may be one now, of another node
			p.turned(account, true)
		}
	}
	return subs, err
}

// settle notes what has become of a message.
func (p *WebPush) settle(ctx context.Context, to place, n note, s store.PushSubscription, o outcome) {
	if ctx.Err() != nil {
		return
	}
	p.cfg.Metrics.count(o.what)
	switch o.what {
	case gone:
		err := p.cfg.Store.DeletePushSubscription(ctx, p.cfg.Host.Domain, s.Owner, s.Session, s.Endpoint)
		if err != nil && !isMissing(err) {
			p.cfg.Host.Log.Error("cannot remove a browser's subscription", "account", s.Owner, "err", err)
		}
	case later:
		p.mu.Lock()
		defer p.mu.Unlock()
		if n.tries++; n.tries >= maxTries || len(p.retries) >= maxRetries {
			p.cfg.Metrics.count("dropped")
			return
		}
		wait := max(p.cfg.Retry<<(n.tries-1), o.wait)
		p.retries[to] = retry{n, time.Now().Add(wait)}
	}
}

// supersede forgets an older message that waits for another attempt.
func (p *WebPush) supersede(to place, n note) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.retries[to]; ok && r.id <= n.id {
		delete(p.retries, to)
	}
}

// again queues what is to be tried again.
func (p *WebPush) again(ctx context.Context) {
	t := time.NewTicker(max(time.Millisecond, p.cfg.Retry/10))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			for to, r := range p.due(now) {
				p.add(to.account, place{conversation: to.conversation, session: to.session}, r.note)
			}
		}
	}
}

// due takes out what is to be tried again by now.
func (p *WebPush) due(now time.Time) map[place]retry {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[place]retry)
	for to, r := range p.retries {
		if !r.due.After(now) {
			all[to] = r
			delete(p.retries, to)
		}
	}
	return all
}
