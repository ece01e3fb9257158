// Package lastactivity says how long a server has run and when a person was last there (XEP-0012).
package lastactivity

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
)

const ns = "jabber:iq:last"

type last struct {
	h       *server.Host
	started time.Time
	gone    chan departure
}

type departure struct {
	user, status string
	at           time.Time
}

// maxWaiting is how many departures may wait to be written; more are not remembered.
const maxWaiting = 10_000

// New makes the feature.
func New(h *server.Host) *server.Feature {
	l := &last{h: h, started: time.Now(), gone: make(chan departure, maxWaiting)}
	return &server.Feature{
		Name:    "lastactivity",
		XEP:     []server.XEP{{Number: 12, Title: "Last Activity", Version: "2.0"}},
		Disco:   []string{ns},
		Account: []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "get", Space: ns, Local: "query"}:    l.uptime,
			{To: server.ToAccount, Type: "get", Space: ns, Local: "query"}: l.account,
		},
		Steps: []server.Step{{Stage: server.Announce, Do: l.leave}, {Stage: server.ReceivedCheck, Kind: wire.IQ, Do: l.guard}},
		Run:   l.run,
	}
}

func seconds(d time.Duration, status string) *wire.Element {
	return wire.T(ns, "query", status).Set("seconds", strconv.FormatInt(int64(max(d, 0)/time.Second), 10))
}

func (l *last) uptime(context.Context, *server.Request) (*wire.Element, error) {
	return seconds(time.Since(l.started), ""), nil
}

// account is section 4: for those who see the account's presence anyway.
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
		if s.Available() || r.Self() { // to others a client without presence is not there
			return seconds(0, ""), nil
		}
	}
	u, err := l.h.Store.User(ctx, l.h.Domain, r.Account)
	if err != nil {
		return nil, err
	}
	if u.LastSeen.IsZero() {
		return nil, server.ServiceUnavailable
	}
	return seconds(time.Since(u.LastSeen), u.LastStatus), nil
}

// guard is section 4: who does not see the account's presence cannot ask one of its clients either.
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

// leave remembers when an account's last client went away; it is written down later, off the stream's path.
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
	select {
	case l.gone <- departure{p.Account, status, time.Now()}:
	default:
	}
	return nil
}

// run writes departures down, of each account the latest of those that wait.
func (l *last) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			l.write(context.WithoutCancel(ctx))
			return nil
		case d := <-l.gone:
			l.gather(ctx, d)
		}
	}
}

func (l *last) gather(ctx context.Context, d departure) {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	all := map[string]departure{d.user: d}
	for {
		select {
		case d := <-l.gone:
			all[d.user] = d
			continue
		case <-t.C:
		case <-ctx.Done():
		}
		l.keep(context.WithoutCancel(ctx), all)
		return
	}
}

// write takes what is left at the end.
func (l *last) write(ctx context.Context) {
	all := map[string]departure{}
	for len(l.gone) > 0 {
		d := <-l.gone
		all[d.user] = d
	}
	l.keep(ctx, all)
}

func (l *last) keep(ctx context.Context, all map[string]departure) {
	for _, d := range all {
		if err := l.h.Store.SetLastSeen(ctx, l.h.Domain, d.user, d.at, d.status); err != nil && !errors.Is(err, store.ErrNotFound) {
			l.h.Log.Error("last activity is not written", "err", err)
		}
	}
}
