// Package push wakes clients that are not connected, through the push service of their app (XEP-0357).
package push

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/changes"
	"parley/internal/everywhere"
	"parley/internal/memo"
	"parley/internal/slot"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	ns        = "urn:xmpp:push:0"
	nsSummary = "urn:xmpp:push:summary"
	nsOptions = wire.NSPubSub + "#publish-options"
	// nsPriority: with it an app asks to be told which pushes are urgent.
	nsPriority = "tigase:push:priority:0"
)

// Config of push; zero values mean the defaults.
type Config struct {
	Max int // registrations per account, default 20
	// the text of last-message-body for an important message; default "New message". Never the message's own text
	Body    string
	Timeout time.Duration // how long a push service may take to answer, default 1 min
	Errors  int           // temporary errors in a row after which a registration is dropped, default 5
	Sender  bool          // tell push services who sent the message
	// Silent says whether an account must not be disturbed at a moment: then nothing is pushed, not later either. nil:
	// never.
	Silent func(ctx context.Context, account string, at time.Time) (bool, error)
	// Wish gives what a person wants to be notified of in a room; nil: everything.
	Wish func(ctx context.Context, account string, room jid.JID) (Wish, error)
}

// registration is one app of an account. Registrations read from the store are shared and never changed.
type registration struct {
	Service string `json:"service"`
	Node    string `json:"node,omitempty"`
	Options []byte `json:"options,omitempty"` // the form of publish options
	Device  string `json:"device"`            // resource of the client that enabled it
	Errors  int    `json:"errors,omitempty"`
	Urgency bool   `json:"urgency,omitempty"` // wants nsPriority
}

type key struct{ account, service, node string }

// Push is the feature, with methods for other parts of the server that push.
type Push struct {
	h   *server.Host
	st  Store
	cfg Config

	known memo.Map[string, []registration] // by account
	write slot.Keyed[string]               // by account: one change of registrations at a time
	on    sync.Map                         // accounts with registrations
	users atomic.Int64
	slept chan slept

	mu      sync.Mutex
	waiting map[key]*note    // pushes to be sent, one for each registration
	busy    map[string]int   // workers that send an account's pushes
	later   map[string][]key // for accounts that use all their workers
	told    map[key]store.ID // for each registration, the latest message of a room that it was woken for
	called  map[message]struct{}
	kept    map[message]struct{}
	queue   chan key
}

// note is the content of a push.
type note struct {
	count  int
	from   string
	urgent bool
	at     time.Time // of the latest message
}

const (
	maxKnown = 100_000
	maxQueue = 10_000
	workers  = 64
	// perAccount is how many workers may send one account's pushes. A push service that an app has named may never
	// answer; the pushes of others must not wait for it.
	perAccount = 2
)

// New makes the Push of a host.
func New(h *server.Host, st Store, c Config) *Push {
	if c.Max <= 0 {
		c.Max = 20
	}
	if c.Body == "" {
		c.Body = "New message"
	}
	if c.Timeout <= 0 {
		c.Timeout = time.Minute
	}
	if c.Errors <= 0 {
		c.Errors = 5
	}
	p := &Push{
		h:       h,
		st:      st,
		cfg:     c,
		waiting: make(map[key]*note),
		busy:    make(map[string]int),
		later:   make(map[string][]key),
		told:    make(map[key]store.ID),
		called:  make(map[message]struct{}),
		kept:    make(map[message]struct{}),
		slept:   make(chan slept, maxQueue),
		queue:   make(chan key, maxQueue),
	}
	for _, t := range []changes.Topic{changes.Push, changes.Deleted} {
		h.On(t, memo.Forgetting(&p.known))
	}
	h.Changes.Host(h.Domain).Follow(changes.Push, p.loadUser)
	everywhere.On(h.Everywhere, mentionName, p.mentioned)
	return p
}

// Feature gives the feature to install in the host.
func (p *Push) Feature() *server.Feature {
	return &server.Feature{
		Name: "push",
		XEP: []server.XEP{{
			Number:  357,
			Title:   "Push Notifications",
			Version: "0.4.1",
			Notes:   "and tigase:push:priority:0",
		}},
		Account: []string{ns, nsPriority},
		Disco:   []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToSelf, Type: "set", Space: ns, Local: "enable"}:  p.enable,
			{To: server.ToSelf, Type: "set", Space: ns, Local: "disable"}: p.disable,
		},
		Steps: []server.Step{
			{Stage: server.ReceivedCopy, Kind: wire.Message, Do: p.received},
		},
		Asleep:  p.asleep,
		Deleted: func(_ context.Context, account string) { p.turned(account, false) },
		Run:     p.run,
	}
}

// enable handles XEP-0357, section 5.
func (p *Push) enable(ctx context.Context, r *server.Request) (*wire.Element, error) {
	service, err := jid.Parse(r.Payload.Attr("jid"))
	if err != nil || r.Session == nil {
		return nil, server.BadRequest
	}
	reg := registration{
		Service: service.String(),
		Node:    r.Payload.Attr("node"),
		Device:  r.From.Resource(),
		Urgency: r.Payload.Child(nsPriority, "priority") != nil,
	}
	if len(reg.Node) > 1024 {
		return nil, server.NotAcceptable
	}
	if x := r.Payload.Child(wire.NSForm, "x"); x != nil {
		f, err := form.Parse(x)
		if err != nil || f.About() != nsOptions {
			return nil, server.BadRequest
		}
		if reg.Options = x.AppendXML(nil, ""); len(reg.Options) > 4096 {
			return nil, server.NotAcceptable
		}
	}
	return nil, p.change(ctx, r.Account, func(rs []registration) ([]registration, error) {
		had := len(rs)
		rs = slices.DeleteFunc(rs, func(o registration) bool { return o.Service == reg.Service && o.Node == reg.Node })
		if len(rs) == had && had >= p.cfg.Max { // an existing registration can always be renewed
			return nil, server.WithText(server.ResourceConstraint, "too many apps have asked for push notifications")
		}
		return append(rs, reg), nil
	})
}

// disable handles XEP-0357, section 6.
func (p *Push) disable(ctx context.Context, r *server.Request) (*wire.Element, error) {
	service, err := jid.Parse(r.Payload.Attr("jid"))
	if err != nil {
		return nil, server.BadRequest
	}
	node := r.Payload.Attr("node")
	return nil, p.change(ctx, r.Account, func(rs []registration) ([]registration, error) {
		return slices.DeleteFunc(rs, func(o registration) bool {
			return o.Service == service.String() && (node == "" || node == o.Node)
		}), nil
	})
}

// Registrations are kept in the account's private data, and are deleted with it.
const (
	keptSpace = "parley:push"
	keptName  = "registrations"
)

func (p *Push) registrations(ctx context.Context, account string) ([]registration, error) {
	if rs, ok := p.known.Get(account); ok {
		return rs, nil
	}
	drops := p.known.Drops()
	b, err := p.st.Private(ctx, p.h.Domain, account, keptSpace, keptName)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	var rs []registration
	if e, perr := wire.ParseElement(b, ""); err == nil && perr == nil {
		_ = json.Unmarshal([]byte(e.Text()), &rs) // not written by this feature: it has no registrations
	}
	p.known.PutUnless(account, rs, drops)
	return rs, nil
}

func (p *Push) change(ctx context.Context, account string, f func([]registration) ([]registration, error)) error {
	if err := p.write.Take(ctx, account); err != nil {
		return err
	}
	defer p.write.Free(account)
	rs, err := p.registrations(ctx, account)
	if err != nil {
		return err
	}
	now, err := f(slices.Clone(rs))
	if err != nil {
		return err
	}
	b, err := json.Marshal(now)
	if err != nil {
		return err
	}
	err = p.st.SetPrivate(ctx, p.h.Domain, account, keptSpace, keptName,
		wire.T(keptSpace, keptName, string(b)).AppendXML(nil, ""), 0)
	// also after an error: they may be kept, and only the answer be lost
	return errors.Join(err, p.h.Tell(ctx, changes.Push, account))
}

// received wakes the apps that are not connected, after a message was given to the connected clients.
func (p *Push) received(ctx context.Context, ps *server.Pass) error {
	if !important(ps.Stanza) {
		return nil
	}
	rs, err := p.registrations(ctx, ps.Account)
	if err != nil || len(rs) == 0 {
		return err
	}
	a := p.h.Account(ps.Account)
	for _, r := range rs {
		if a.Session(r.Device) == nil {
			p.wake(ps.Account, r, ps.Stanza.From, 0, ps.Stanza.Type != "groupchat")
		}
	}
	return nil
}

// important says whether a person wants to know of a message now.
func important(st *wire.Stanza) bool {
	if st.Kind != wire.Message || st.Type == "error" || st.Type == "headline" {
		return false
	}
	for i := range st.Children {
		switch n := &st.Children[i].Name; n.Space {
		case wire.NSClient:
			if n.Local == "body" {
				return true
			}
		case "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "urn:xmpp:jingle-message:0", "jabber:x:conference",
			"urn:xmpp:call-invites:0":
			return true
		case wire.NSMUCUser:
			if st.Type != "groupchat" && st.Element(wire.NSMUCUser, "x").Child(wire.NSMUCUser, "invite") != nil {
				return true
			}
		}
	}
	return false
}

// wake queues a push; further messages are counted in one that waits. A room's message wakes once, whoever calls first.
// urgent: the message is addressed to the person, not only to a room.
func (p *Push) wake(account string, r registration, from jid.JID, id store.ID, urgent bool) {
	k := key{account, r.Service, r.Node}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.waiting[k]
	if id != 0 && p.told[k] == id {
		if n != nil {
			n.urgent = n.urgent || urgent
		}
		return
	}
	if n == nil {
		select {
		case p.queue <- k:
		default:
			return // thousands wait: the next message will wake the app
		}
		n = &note{}
		p.waiting[k] = n
	}
	if id != 0 {
		if len(p.told) >= maxKnown {
			clear(p.told)
		}
		p.told[k] = id
	}
	n.count++
	n.from = from.Bare().String()
	n.at = p.h.IDs.Now()
	n.urgent = n.urgent || urgent
}

func (p *Push) take(k key) *note {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.waiting[k]
	delete(p.waiting, k)
	return n
}

// run sends queued pushes.
func (p *Push) run(ctx context.Context) error {
	if err := p.loadUsers(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { p.wakeSleepers(ctx) })
	for range workers {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case k := <-p.queue:
					for ok := p.begin(k); ok; k, ok = p.done(k.account) {
						p.send(ctx, k, p.take(k))
					}
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// begin says whether a worker may send a push now; if not, another worker of the account sends it later.
func (p *Push) begin(k key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[k.account] >= perAccount {
		p.later[k.account] = append(p.later[k.account], k)
		return false
	}
	p.busy[k.account]++
	return true
}

// done gives the next push of an account that has waited for a worker.
func (p *Push) done(account string) (next key, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ks := p.later[account]; len(ks) > 1 {
		p.later[account] = ks[1:]
		return ks[0], true
	} else if len(ks) == 1 {
		delete(p.later, account)
		return ks[0], true
	}
	if p.busy[account]--; p.busy[account] == 0 {
		delete(p.busy, account)
	}
	return key{}, false
}

// send publishes to the push service (section 7). A registration whose service keeps failing is dropped.
func (p *Push) send(ctx context.Context, k key, n *note) {
	rs, err := p.registrations(ctx, k.account)
	i := slices.IndexFunc(rs, func(r registration) bool { return r.Service == k.service && r.Node == k.node })
	to, jerr := jid.Parse(k.service)
	from, ferr := jid.New(k.account, p.h.Domain, "")
	if err != nil || i < 0 || n == nil || jerr != nil || ferr != nil || p.silent(ctx, k.account, n.at) {
		return
	}
	st := &wire.Stanza{
		Kind: wire.IQ,
		Name: wire.Name{Space: wire.NSClient, Local: "iq"},
		Type: "set",
		From: from,
		To:   to,
	}
	answer, err := p.h.Ask(ctx, st.Add(p.payload(rs[i], n)), p.cfg.Timeout)
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, server.ErrNoAnswer) { // the push may have arrived although the answer did not
		return
	}
	if o := outcome(answer, err); o != done || rs[i].Errors > 0 {
		if err := p.settle(ctx, k, o); err != nil && ctx.Err() == nil {
			p.h.Log.Error("cannot note the outcome of a push", "account", k.account, "err", err)
		}
	}
}

// silent says whether an account must not be disturbed now, or must not have been when the message came. Workers ask
// this, so that messages do not wait for it.
func (p *Push) silent(ctx context.Context, account string, came time.Time) bool {
	if p.cfg.Silent == nil {
		return false
	}
	for _, at := range []time.Time{came, p.h.IDs.Now()} {
		silent, err := p.cfg.Silent(ctx, account, at)
		if err != nil && ctx.Err() == nil {
			p.h.Log.Error("cannot find out whether somebody must not be disturbed", "account", account, "err", err)
		}
		if silent {
			return true
		}
	}
	return false
}

func (p *Push) payload(r registration, n *note) *wire.Element {
	f := form.New(form.Submit, nsSummary)
	f.Add("message-count", "", "", strconv.Itoa(n.count))
	if p.cfg.Sender {
		f.Add("last-message-sender", "", "", n.from)
	}
	f.Add("last-message-body", "", "", p.cfg.Body)
	notification := wire.E(ns, "notification", f.Element())
	if r.Urgency {
		level := "low"
		if n.urgent {
			level = "high"
		}
		notification.Add(wire.T(nsPriority, "priority", level))
	}
	item := wire.E(wire.NSPubSub, "item", notification)
	e := wire.E(wire.NSPubSub, "pubsub", wire.E(wire.NSPubSub, "publish", item).Set("node", r.Node))
	if len(r.Options) > 0 {
		e.Add(wire.E(wire.NSPubSub, "publish-options").AddRaw(r.Options))
	}
	return e
}

// Results of a push.
type result uint8

const (
	done  result = iota
	later        // a later push may succeed
	never        // the service refuses the registration
)

// outcome reads an answer (section 7.1).
func outcome(answer *wire.Stanza, err error) result {
	if err != nil { // the service could not be reached
		return later
	}
	if answer.Type != "error" {
		return done
	}
	e := answer.Element(wire.NSClient, "error")
	if e.Attr("type") == "wait" {
		return later
	}
	for _, c := range []string{
		"service-unavailable", "remote-server-not-found", "remote-server-timeout", "internal-server-error",
		"resource-constraint", "recipient-unavailable",
	} {
		if e.Child(wire.NSStanzas, c) != nil {
			return later
		}
	}
	return never
}

// settle drops a registration that its service refuses, or that failed several times in a row.
func (p *Push) settle(ctx context.Context, k key, o result) error {
	return p.change(ctx, k.account, func(rs []registration) ([]registration, error) {
		for i := range rs {
			if rs[i].Service != k.service || rs[i].Node != k.node {
				continue
			}
			if o == done {
				rs[i].Errors = 0
			} else if rs[i].Errors++; o == never || rs[i].Errors >= p.cfg.Errors {
				p.h.Log.Info("a push service refuses: dropping the registration",
					"account", k.account, "service", k.service)
				return slices.Delete(rs, i, i+1), nil
			}
			break
		}
		return rs, nil
	})
}
