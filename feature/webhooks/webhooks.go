// Package webhooks joins rooms with programs elsewhere: what a program posts is said in a room, and what happens in a
// group is posted to a program, in order, signed, and again until it is taken.
package webhooks

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// Events that a webhook may want.
const (
	EventMessage = "message"
	EventTheme   = "theme"  // a theme is new, renamed, closed
	EventMember  = "member" // somebody joins, leaves, has another role
	EventGroup   = "group"  // the group is renamed
)

// Events lists them.
var Events = []string{EventMessage, EventTheme, EventMember, EventGroup}

// Config of the webhooks of one host; zero values mean the defaults.
type Config struct {
	Host *server.Host
	Org  *org.Org
	// Post says something in a group's room (a localpart) in the name of a program, and gives its stanza-id.
	Post func(ctx context.Context, room string, p Post) (store.ID, error)

	Max      int           // of one group; default 50
	Rate     float64       // requests a second that one takes; default 1
	Burst    int           // default 20
	Retry    time.Duration // before the second attempt, twice that before the third; default 10 s, at most 1 h
	Attempts int           // default 12: given up after about half a day
	Timeout  time.Duration // of one request; default 10 s
	Allow    []netip.Prefix
	Kept     time.Duration // how long the log of deliveries is kept; default 7 days
}

// Post is what a program says.
type Post struct {
	Hook, Name string // id, and under which name it says it
	Body       string
	File       string // URL of something to be shown as a file

	// Once is what a message has as its id that is said once, however often it is posted: with Since it may have been said
	// already, after that.
	Once  string
	Since store.ID
}

// Webhooks are those of a host.
type Webhooks struct {
	cfg Config
	h   *server.Host
	st  store.Store
	o   *org.Org

	out    atomic.Pointer[map[string][]store.Webhook] // going out, by group
	change sync.Mutex                                 // one change of webhooks at a time
	waits  backlog
	client *http.Client
	seats  chan struct{} // requests at once

	mu    sync.Mutex
	run   context.Context     // of Run; nil: it does not run
	lanes map[store.Lane]bool // in which a goroutine delivers
	paces map[string]*pace    // of those that come in
	wg    sync.WaitGroup
}

type pace struct {
	mu      sync.Mutex // held while one posts under an idempotency key: it is looked up and kept under it
	limiter *rate.Limiter
}

const maxSeats = 16

// New makes them. Subscribe before anything changes.
func New(c Config) *Webhooks {
	if c.Max <= 0 {
		c.Max = 50
	}
	if c.Rate <= 0 {
		c.Rate = 1
	}
	if c.Burst <= 0 {
		c.Burst = 20
	}
	if c.Retry <= 0 {
		c.Retry = 10 * time.Second
	}
	if c.Attempts <= 0 {
		c.Attempts = 12
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Kept <= 0 {
		c.Kept = 7 * 24 * time.Hour
	}
	w := &Webhooks{cfg: c, h: c.Host, st: c.Host.Store, o: c.Org, waits: backlog{wake: make(chan struct{}, 1)}, seats: make(chan struct{}, maxSeats),
		lanes: make(map[store.Lane]bool), paces: make(map[string]*pace)}
	w.out.Store(&map[string][]store.Webhook{})
	w.client = w.newClient()
	c.Org.Subscribe(w.note)
	return w
}

// NewHook is what a webhook is made of.
type NewHook struct {
	Direction string
	Name      string
	Group     string // id
	Theme     string // key
	URL       string
	Events    []string
	Creator   jid.JID
}

// Create makes one. Its secret is told this once: what the URL of one that comes in ends with, or what requests of one
// that goes out are signed with.
func (w *Webhooks) Create(ctx context.Context, n NewHook) (store.Webhook, string, error) {
	hook := store.Webhook{Host: w.h.Domain, ID: token(8), Direction: n.Direction, Name: strings.TrimSpace(n.Name), Group: n.Group, Theme: n.Theme, URL: n.URL,
		Creator: n.Creator.Bare().String(), Created: time.Now().UTC()}
	if n.Creator.IsZero() {
		hook.Creator = ""
	}
	if hook.Name == "" || utf8.RuneCountInString(hook.Name) > 50 || strings.ContainsFunc(hook.Name, func(r rune) bool { return r < ' ' }) {
		return hook, "", &org.Error{Kind: org.Invalid, Field: "name", Text: "is missing, or longer than 50 characters"}
	}
	if _, err := w.o.GroupByID(ctx, w.h.Domain, n.Group); err != nil {
		return hook, "", err
	}
	if n.Theme != "" {
		if t, err := w.o.Theme(ctx, w.h.Domain, n.Theme); err != nil {
			return hook, "", err
		} else if t.Group != n.Group {
			return hook, "", &org.Error{Kind: org.NotFound, Field: "theme", Text: "there is no theme " + n.Theme + " in this group"}
		}
	}
	secret := token(32)
	switch n.Direction {
	case store.HookIn:
		sum := sha256.Sum256([]byte(secret))
		hook.Token = sum[:]
	case store.HookOut:
		if err := w.checkOut(&hook, n.Events); err != nil {
			return hook, "", err
		}
		hook.Secret, hook.Last = secret, w.h.IDs.Next()
	default:
		return hook, "", &org.Error{Kind: org.Invalid, Field: "direction", Text: "is in or out"}
	}
	w.change.Lock()
	defer w.change.Unlock()
	err := w.st.CreateWebhook(ctx, hook, w.cfg.Max)
	if errors.Is(err, store.ErrLimit) {
		err = &org.Error{Kind: org.Forbidden, Text: "the group has as many webhooks as it may have"}
	}
	if err != nil {
		return hook, "", err
	}
	return hook, secret, w.load(ctx)
}

func (w *Webhooks) checkOut(hook *store.Webhook, events []string) error {
	u, err := url.Parse(hook.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(hook.URL) > 2048 || u.Scheme != "https" && u.Scheme != "http" {
		return &org.Error{Kind: org.Invalid, Field: "url", Text: "is no address like https://example.org/hook"}
	}
	if u.Scheme == "http" && len(w.cfg.Allow) == 0 {
		return &org.Error{Kind: org.Invalid, Field: "url", Text: "has to be https; http is for the networks in webhooks.allow"}
	}
	if len(events) == 0 {
		events = []string{EventMessage}
	}
	for _, e := range events {
		if !slices.Contains(Events, e) {
			return &org.Error{Kind: org.Invalid, Field: "events", Text: "are " + strings.Join(Events, ", ")}
		}
	}
	hook.Events = strings.Join(events, " ")
	return nil
}

// Hooks gives those of a group, or with "" all.
func (w *Webhooks) Hooks(ctx context.Context, group string) ([]store.Webhook, error) {
	all, err := w.st.Webhooks(ctx, w.h.Domain)
	if group != "" {
		all = slices.DeleteFunc(all, func(h store.Webhook) bool { return h.Group != group })
	}
	return all, err
}

// Delete removes one, and SetDisabled has it rest.
func (w *Webhooks) Delete(ctx context.Context, id string) error {
	w.change.Lock()
	defer w.change.Unlock()
	if err := w.st.DeleteWebhook(ctx, w.h.Domain, id); err != nil {
		return noHook(err, id)
	}
	return w.load(ctx)
}

func (w *Webhooks) SetDisabled(ctx context.Context, id string, disabled bool) error {
	w.change.Lock()
	defer w.change.Unlock()
	var last store.ID
	if !disabled {
		last = w.h.IDs.Next()
	}
	if err := w.st.SetWebhookDisabled(ctx, w.h.Domain, id, disabled, last); err != nil {
		return noHook(err, id)
	}
	if err := w.load(ctx); err != nil || disabled {
		return err
	}
	return w.resume(ctx)
}

// Log gives a webhook's newest deliveries, the newest first.
func (w *Webhooks) Log(ctx context.Context, id, state string, limit int) ([]store.Delivery, error) {
	if _, err := w.st.Webhook(ctx, w.h.Domain, id); err != nil {
		return nil, noHook(err, id)
	}
	return w.st.Deliveries(ctx, w.h.Domain, id, state, limit)
}

// Redeliver has what was given up tried again, and says how much that is.
func (w *Webhooks) Redeliver(ctx context.Context, id string) (int, error) {
	ds, err := w.Log(ctx, id, store.DeliveryDead, 1000)
	if err != nil {
		return 0, err
	}
	for _, d := range ds {
		d.State, d.Attempts, d.Error, d.Updated = store.DeliveryWaiting, 0, "", time.Now()
		if err := w.st.SetDelivery(ctx, d); err != nil {
			return 0, err
		}
	}
	return len(ds), w.resume(ctx)
}

func noHook(err error, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return &org.Error{Kind: org.NotFound, Text: "there is no webhook " + id}
	}
	return err
}

// load reads which webhooks go out.
func (w *Webhooks) load(ctx context.Context) error {
	all, err := w.st.Webhooks(ctx, w.h.Domain)
	if err != nil {
		return err
	}
	m := make(map[string][]store.Webhook)
	for _, h := range all {
		if h.Direction == store.HookOut && !h.Disabled {
			m[h.Group] = append(m[h.Group], h)
		}
	}
	w.out.Store(&m)
	return nil
}

func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	if n < 16 {
		return hex.EncodeToString(b)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
