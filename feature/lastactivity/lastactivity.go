// Package lastactivity says how long a server has run and when a person was last online (XEP-0012).
package lastactivity

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"parley/internal/changes"
	"parley/internal/everywhere"
	"parley/server"
	"parley/store"
	"parley/wire"
)

const ns = "jabber:iq:last"

// last is the feature. Departures that a node has not written are lost with it: then the one before counts.
type last struct {
	h       *server.Host
	st      Store
	started time.Time
	wake    chan struct{} // of size 1: something waits

	mu   sync.Mutex
	gone map[string]departure // by account: departures that are not written yet, and those at other nodes
}

type departure struct {
	status    string
	at        time.Time
	elsewhere bool // another node writes it
}

// departed says to other nodes who has gone offline, since they may be asked before it is written.
type departed struct {
	Account, Status string
	At              time.Time
}

// departedName is the name under which other nodes hear of departures.
const departedName = "lastactivity"

// maxWaiting is how many departures may wait to be written; more are dropped.
const maxWaiting = 10_000

// New makes the feature.
func New(h *server.Host, st Store) *server.Feature {
	l := &last{h: h, st: st, started: time.Now(), wake: make(chan struct{}, 1), gone: make(map[string]departure)}
	everywhere.On(h.Everywhere, departedName, func(_ context.Context, d departed) (any, error) {
		l.note(d.Account, departure{d.Status, d.At, true})
		l.wakeUp()
		return nil, nil
	})
	h.On(changes.Deleted, l.forget)
	return &server.Feature{
		Name:    "lastactivity",
		XEP:     []server.XEP{{Number: 12, Title: "Last Activity", Version: "2.0"}},
		Disco:   []string{ns},
		Account: []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "get", Space: ns, Local: "query"}:    l.uptime,
			{To: server.ToAccount, Type: "get", Space: ns, Local: "query"}: l.account,
		},
		Steps: []server.Step{
			{Stage: server.Announce, Do: l.leave},
			{Stage: server.ReceivedCheck, Kind: wire.IQ, Do: l.guard},
		},
		Run: l.run,
	}
}

// forget forgets the departure of an account that is deleted; with "" nothing is known of one.
func (l *last) forget(account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.gone, account)
}

// note notes a departure.
func (l *last) note(account string, d departure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.gone[account]; known || len(l.gone) < maxWaiting {
		l.gone[account] = d
	}
}

func seconds(d time.Duration, status string) *wire.Element {
	return wire.T(ns, "query", status).Set("seconds", strconv.FormatInt(int64(max(d, 0)/time.Second), 10))
}

func (l *last) uptime(context.Context, *server.Request) (*wire.Element, error) {
	return seconds(time.Since(l.started), ""), nil
}

// account answers for an account (section 4), to people who see its presence.
func (l *last) account(ctx context.Context, r *server.Request) (*wire.Element, error) {
	if !r.Self() {
		cs, err := l.h.Contacts(ctx, r.Account)
		if err != nil {
			return nil, err
		}
		if !cs.SubscribedFrom(r.From.Bare()) {
			return nil, server.Forbidden
		}
	}
	for _, s := range l.h.Account(r.Account).Sessions() {
		if s.Available() || r.Self() { // a client without presence is invisible to others
			return seconds(0, ""), nil
		}
	}
	l.mu.Lock()
	d, waits := l.gone[r.Account]
	l.mu.Unlock()
	if waits {
		return seconds(l.h.Clock.Now().Sub(d.at), d.status), nil
	}
	u, err := l.st.User(ctx, l.h.Domain, r.Account)
	if err != nil {
		return nil, err
	}
	if u.LastSeen.IsZero() {
		return nil, server.ServiceUnavailable
	}
	return seconds(l.h.Clock.Now().Sub(u.LastSeen), u.LastStatus), nil
}

// guard refuses requests to a client of an account from people who do not see its presence (section 4).
func (l *last) guard(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if st.Type != "get" || st.To.IsBare() || !st.Has(ns, "query") || st.From.Bare() == st.To.Bare() {
		return nil
	}
	cs, err := l.h.Contacts(ctx, p.Account)
	if err != nil {
		return err
	}
	if !cs.SubscribedFrom(st.From.Bare()) {
		return server.Forbidden
	}
	return nil
}

// leave notes when an account's last client leaves. It is written later, so that the stream does not wait.
func (l *last) leave(_ context.Context, p *server.Pass) error {
	if p.Stanza.Type != "unavailable" {
		return nil
	}
	for _, s := range l.h.Account(p.Account).Sessions() {
		if s.Available() {
			return nil
		}
	}
	status := p.Stanza.Element(wire.NSClient, "status").Text()
	if len(status) > 1024 {
		status = ""
	}
	now := l.h.Clock.Now()
	l.note(p.Account, departure{status: status, at: now})
	l.h.Everywhere.Tell(departedName, departed{p.Account, status, now})
	l.wakeUp()
	return nil
}

// wakeUp has run look at what waits.
func (l *last) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run writes departures once a second, the latest of each account.
func (l *last) run(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.wake:
			t := time.NewTimer(time.Second)
			select {
			case <-ctx.Done():
				t.Stop()
			case <-t.C:
				if l.write(ctx) {
					l.wakeUp()
				}
			}
		}
	}
	l.write(context.WithoutCancel(ctx))
	return nil
}

// write writes waiting departures of this node, and forgets those that another one has written. They stay readable
// until they are written, and stay waiting after an error. It returns whether some of the latter are left.
func (l *last) write(ctx context.Context) (left bool) {
	l.mu.Lock()
	all := maps.Clone(l.gone)
	l.mu.Unlock()
	for _, user := range slices.Sorted(maps.Keys(all)) { // in an order that a simulation repeats
		d := all[user]
		if d.elsewhere && l.h.Clock.Now().Sub(d.at) < elsewhereTime {
			left = true
			continue
		}
		if d.elsewhere {
			l.drop(user, d)
			continue
		}
		if err := l.st.SetLastSeen(ctx, l.h.Domain, user, d.at, d.status); err != nil &&
			!errors.Is(err, store.ErrNotFound) {
			if ctx.Err() == nil {
				l.h.Log.Error("cannot write the last activity", "err", err)
			}
			continue
		}
		l.drop(user, d)
	}
	return left
}

// elsewhereTime is how long another node may take to write a departure.
const elsewhereTime = 10 * time.Second

// drop forgets a departure that is written, unless there is a later one.
func (l *last) drop(account string, d departure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone[account] == d {
		delete(l.gone, account)
	}
}
