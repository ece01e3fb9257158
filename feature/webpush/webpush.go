// Package webpush wakes browsers in which nobody looks at the chat (RFC 8030): through the push service of the
// browser's maker, which sees neither text nor names (RFC 8291).
package webpush

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/changes"
	"parley/internal/slot"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config is what a WebPush needs.
type Config struct {
	Host    *server.Host
	Store   Store
	Secret  []byte // the server's key is made of it: a new one ends all subscriptions
	Contact string // a URL or e-mail address by which the makers of browsers reach the operator
	Metrics *Metrics
	// Silent says whether an account must not be disturbed at a moment.
	Silent func(ctx context.Context, account string, at time.Time) (bool, error)
	// Mentions says whether a person wants to be notified of mentions in a room.
	Mentions func(ctx context.Context, account string, room jid.JID) (bool, error)
	// Awake says whether a person looks at the chat in a browser. It is cheap.
	Awake func(account string) bool
	// Show gives what a person is told of a message; a fault if the person may not read it, or it is gone.
	Show func(ctx context.Context, account string, conversation jid.JID, id store.ID) (Content, error)
	// Idle is for how long a browser's session lasts without use.
	Idle func() time.Duration

	Retry time.Duration // until the second attempt; then it doubles. Default 30 s
	// Allow names networks besides the public internet that may be reached, and TLS how; for tests.
	Allow []netip.Prefix
	TLS   *tls.Config
}

// Content is what a browser shows of a message.
type Content struct {
	Conversation string `json:"conversation"` // the id of the conversation
	Name         string `json:"name"`         // of the conversation
	By           string `json:"by,omitempty"` // who says it; "" where that is the name
	Text         string `json:"text"`         // in short
	ID           string `json:"id"`           // of the message
}

// WebPush wakes the browsers of one host's people. It is safe from any goroutine.
type WebPush struct {
	cfg    Config
	keys   keys
	client *http.Client

	change slot.Slot // taken while subscriptions change
	on     sync.Map  // accounts that may have subscriptions
	users  atomic.Int64
	told   atomic.Int64 // counts what was told of subscriptions

	mu      sync.Mutex
	piles   map[string]pile // what is to be sent, by account; one worker has an account at a time
	retries map[place]retry
	queue   chan string // accounts with a pile
}

// New makes the WebPush of a host.
func New(c Config) *WebPush {
	if c.Retry <= 0 {
		c.Retry = 30 * time.Second
	}
	p := &WebPush{
		cfg:     c,
		change:  slot.New(),
		keys:    newKeys(c.Secret),
		piles:   make(map[string]pile),
		retries: make(map[place]retry),
		queue:   make(chan string, maxQueue),
	}
	p.client = p.newClient()
	c.Host.Changes.Host(c.Host.Domain).Follow(changes.Push, p.changed)
	return p
}

// Feature gives the feature to install in the host.
func (p *WebPush) Feature() *server.Feature {
	return &server.Feature{
		Name:    "webpush",
		Steps:   []server.Step{{Stage: server.ReceivedCopy, Kind: wire.Message, Do: p.received}},
		Deleted: func(_ context.Context, account string) { p.turned(account, false) },
		Run:     p.run,
	}
}

// Key gives the server's public key, with which browsers subscribe.
func (p *WebPush) Key() string { return p.keys.public }

// Any says whether somebody of the host may have a subscription. It costs nothing.
func (p *WebPush) Any() bool { return p.users.Load() > 0 }

// On says whether an account may have a subscription. It costs nothing.
func (p *WebPush) On(account string) bool { _, ok := p.on.Load(account); return ok }

// turned notes whether an account may have subscriptions.
func (p *WebPush) turned(account string, on bool) {
	if on {
		if _, was := p.on.LoadOrStore(account, true); !was {
			p.users.Add(1)
		}
	} else if _, was := p.on.LoadAndDelete(account); was {
		p.users.Add(-1)
	}
}

// changed notes that an account may have a subscription now, of which another node was told; with "" it finds out which
// accounts have.
func (p *WebPush) changed(ctx context.Context, account string) error {
	p.told.Add(1)
	if account == "" {
		return p.load(ctx)
	}
	p.turned(account, true)
	return nil
}

// load finds the accounts that have subscriptions.
func (p *WebPush) load(ctx context.Context) error {
	if err := p.change.Take(ctx); err != nil {
		return err
	}
	defer p.change.Free()
	names, err := p.cfg.Store.PushSubscribers(ctx, p.cfg.Host.Domain)
	for _, name := range names {
		p.turned(name, true)
	}
	return err
}

// Subscribe has a browser woken from now on. It replaces what the browser's session had.
func (p *WebPush) Subscribe(ctx context.Context, s store.PushSubscription) error {
	if err := p.valid(&s); err != nil {
		return err
	}
	if err := p.change.Take(ctx); err != nil {
		return err
	}
	defer p.change.Free()
	err := p.cfg.Store.SetPushSubscription(ctx, p.cfg.Host.Domain, s)
	// also after an error: it may be kept, and only the answer be lost
	return errors.Join(err, p.cfg.Host.Tell(ctx, changes.Push, s.Owner))
}

// Unsubscribe ends that a browser is woken. It is no error if the browser was not.
func (p *WebPush) Unsubscribe(ctx context.Context, account, session string) error {
	err := p.cfg.Store.DeletePushSubscription(ctx, p.cfg.Host.Domain, account, session, "")
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Subscribed says whether a browser is woken.
func (p *WebPush) Subscribed(ctx context.Context, account, session string) (bool, error) {
	all, err := p.subscriptions(ctx, account)
	for _, s := range all {
		if s.Session == session {
			return true, nil
		}
	}
	return false, err
}

func (p *WebPush) subscriptions(ctx context.Context, account string) ([]store.PushSubscription, error) {
	now := p.cfg.Host.Clock.Now()
	return p.cfg.Store.PushSubscriptionsOf(ctx, p.cfg.Host.Domain, account, now, now.Add(-p.cfg.Idle()))
}

// received takes note of a message to an account, after it was given to the account's clients.
func (p *WebPush) received(_ context.Context, ps *server.Pass) error {
	if !p.On(ps.Account) || ps.ID() == 0 || !server.Said(ps.Stanza) {
		return nil
	}
	switch ps.Stanza.Type {
	case "chat", "normal", "":
	default:
		return nil
	}
	from := ps.Stanza.From.Bare()
	if from.Local() == "" || from.Local() == ps.Account && from.Domain() == p.cfg.Host.Domain {
		return nil
	}
	p.add(ps.Account, place{conversation: from}, note{id: ps.ID(), urgent: true})
	return nil
}

// Heard tells an account of a message in a room. The caller has checked that the person wants to know.
func (p *WebPush) Heard(_ context.Context, account string, room jid.JID, id store.ID) error {
	if id != 0 && p.On(account) {
		p.add(account, place{conversation: room}, note{id: id})
	}
	return nil
}

// Mention tells an account of a message in a room that mentions it.
func (p *WebPush) Mention(ctx context.Context, account string, room jid.JID, id store.ID) error {
	if !p.On(account) {
		return nil
	}
	wanted, err := p.cfg.Mentions(ctx, account, room)
	if err == nil && wanted {
		p.add(account, place{conversation: room}, note{id: id, urgent: true})
	}
	return err
}
