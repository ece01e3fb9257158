// Package webhooks connects rooms with programs elsewhere. A program's posts appear in a room, and events of a group
// are posted to a program: in order, signed, and repeated until they are taken.
package webhooks

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
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

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/internal/slot"
	"parley/org"
	"parley/server"
	"parley/store"
)

// Events that a webhook can ask for.
const (
	EventMessage = "message"
	EventTheme   = "theme"  // a theme is new, renamed, closed
	EventMember  = "member" // somebody joins, leaves, has another role
	EventGroup   = "group"  // the group is renamed
)

// Events lists all of them.
var Events = []string{EventMessage, EventTheme, EventMember, EventGroup}

// Config of the webhooks of one host; zero values mean the defaults.
type Config struct {
	Host  *server.Host
	Store Store
	Org   *org.Org
	Acts  *acts.Log // records all changes; default: a log of its own
	// Post posts a message in a group's room (a localpart) in the name of a program, and gives its stanza-id.
	Post func(ctx context.Context, room string, p Post) (store.ID, error)

	// URL gives the URL to post to for the secret of an incoming webhook.
	URL func(secret string) string

	Max      int           // per group; default 50
	Rate     float64       // requests a second for an incoming webhook; default 1
	Burst    int           // default 20
	Retry    time.Duration // delay before the second attempt, doubled each time; default 10 s, at most 1 h
	Attempts int           // after which a delivery is given up; default 12, about half a day
	Timeout  time.Duration // per request; default 10 s
	Allow    []netip.Prefix
	Kept     time.Duration // retention of the log of deliveries; default 7 days
}

// Post is a message that a program posts.
type Post struct {
	Hook, Name string // the webhook's id, and the name that the message shows
	Body       string
	File       string // URL to show as a file

	// Once is the id of a message that must be posted only once, however often the request is repeated. With Since, it
	// may have been posted already, after that moment.
	Once  string
	Since store.ID
}

// Webhooks manages and runs the webhooks of a host.
type Webhooks struct {
	cfg Config
	h   *server.Host
	st  Store
	o   *org.Org

	out    atomic.Pointer[map[string][]store.Webhook] // outgoing ones, by group
	loads  slot.Slot                                  // taken from reading the store until out is set
	waits  backlog
	client *http.Client
	seats  *seats // of deliveries
	asks   *seats // of questions, for whose answers people wait

	mu    sync.Mutex
	run   context.Context     // the context of Run; nil: Run is not running
	lanes map[store.Lane]bool // lanes that a goroutine delivers now
	paces map[string]*pace    // of incoming webhooks
	wg    sync.WaitGroup
}

type pace struct {
	keyed   slot.Slot // taken while a post with an idempotency key looks it up and keeps it
	limiter *rate.Limiter
}

// New makes the Webhooks of a host. Subscribe before anything changes.
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
	if c.Acts == nil {
		c.Acts = acts.NewLog(c.Store, c.Host.Changes, func(string) store.ID { return c.Host.IDs.Next() })
	}
	w := &Webhooks{
		cfg:   c,
		h:     c.Host,
		st:    c.Store,
		o:     c.Org,
		waits: backlog{wake: make(chan struct{}, 1)},
		seats: newSeats(),
		asks:  newSeats(),
		lanes: make(map[store.Lane]bool),
		loads: slot.New(),
		paces: make(map[string]*pace),
	}
	w.out.Store(&map[string][]store.Webhook{})
	w.client = w.newClient()
	c.Org.Subscribe(w.note)
	c.Host.Changes.Host(c.Host.Domain).Follow(changes.Webhooks, func(ctx context.Context, _ string) error {
		return w.load(ctx)
	})
	return w
}

// NewHook describes a webhook to be made.
type NewHook struct {
	Direction string
	Name      string
	Group     string // id
	Theme     string // key
	URL       string
	Events    []string
}

// MaxAddress is the maximum length of an address that is posted to, in bytes.
const MaxAddress = 2048

// MaxName is the maximum length of a webhook's name, in characters.
const MaxName = 50

// Create makes a webhook and returns its secret, which cannot be shown again: the end of an incoming one's URL, or the
// key that signs an outgoing one's requests.
func (w *Webhooks) Create(ctx context.Context, by acts.Actor,
	n NewHook) (hook store.Webhook, secret string, err error) {
	err = w.cfg.Acts.Do(ctx, w.h.Domain, by, func(ctx context.Context, a *acts.Act) error {
		if hook, secret, err = w.plan(ctx, by, n); err != nil {
			return err
		}
		err := w.st.CreateWebhook(ctx, hook, w.cfg.Max)
		if errors.Is(err, store.ErrLimit) {
			return fault.New(fault.Limit, "", "the group cannot have more webhooks")
		}
		if err != nil {
			return err
		}
		g, err := w.o.GroupByID(ctx, w.h.Domain, hook.Group)
		if err != nil {
			return err
		}
		a.Note(acts.SystemWebhook, hook.ID,
			acts.Detail{"name": hook.Name, "direction": hook.Direction, "group": g.Slug})
		a.Changed(changes.Webhooks, "")
		return nil
	})
	return hook, secret, err
}

// plan makes a webhook with its secret, if the actor may have it.
func (w *Webhooks) plan(ctx context.Context, by acts.Actor, n NewHook) (hook store.Webhook, secret string, err error) {
	hook = store.Webhook{
		Host:      w.h.Domain,
		ID:        token(8),
		Direction: n.Direction,
		Name:      strings.TrimSpace(n.Name),
		Group:     n.Group,
		Theme:     n.Theme,
		URL:       n.URL,
		Created:   w.h.Clock.Now().UTC(),
	}
	if !by.Who.IsZero() {
		hook.Creator = by.Who.Bare().String()
	}
	if err := w.may(ctx, by, n.Group); err != nil {
		return hook, "", err
	}
	if hook.Name == "" || utf8.RuneCountInString(hook.Name) > MaxName ||
		strings.ContainsFunc(hook.Name, func(r rune) bool { return r < ' ' }) {
		return hook, "", fault.At(fault.Invalid, "name",
			fmt.Sprintf("is missing, or longer than %d characters", MaxName))
	}
	if n.Theme != "" {
		if t, err := w.o.Theme(ctx, w.h.Domain, n.Theme); err != nil {
			return hook, "", err
		} else if t.Group != n.Group {
			return hook, "", fault.At(fault.NotFound, "theme", "there is no theme "+n.Theme+" in this group")
		}
	}
	secret = token(32)
	switch n.Direction {
	case store.HookIn:
		if len(n.Events) > 0 {
			return hook, "", fault.At(fault.Invalid, "events", "are only for outgoing webhooks, which have a URL")
		}
		sum := sha256.Sum256([]byte(secret))
		hook.Token = sum[:]
	case store.HookOut:
		if err := w.checkOut(&hook, n.Events); err != nil {
			return hook, "", err
		}
		hook.Secret, hook.Last = secret, w.h.IDs.Next()
	default:
		return hook, "", fault.At(fault.Invalid, "direction", "is in or out")
	}
	return hook, secret, nil
}

// may returns an error unless the actor may have webhooks in a group: its owners and administrators may.
func (w *Webhooks) may(ctx context.Context, by acts.Actor, group string) error {
	if _, err := w.o.GroupByID(ctx, w.h.Domain, group); err != nil {
		return err
	}
	if by.Machine() || by.Runs() && by.Who.Domain() == w.h.Domain {
		return nil
	}
	a, err := w.o.Affiliation(ctx, w.h.Domain, group, "", by.Who)
	if err == nil && a != org.Owner {
		err = fault.New(fault.Forbidden, "", "only owners of the group change its webhooks")
	}
	return err
}

// CheckAddress returns an error unless programs can be asked at an address. With inside, some networks of one's own are
// allowed (webhooks.allow), and http is good enough there.
func CheckAddress(address string, inside bool) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > MaxAddress ||
		u.Scheme != "https" && u.Scheme != "http" {
		return fault.At(fault.Invalid, "url", "is not an address like https://example.org/hook")
	}
	if u.Scheme == "http" && !inside {
		return fault.At(fault.Invalid, "url", "must be https; http is only for the networks in webhooks.allow")
	}
	return nil
}

func (w *Webhooks) checkOut(hook *store.Webhook, events []string) error {
	if err := CheckAddress(hook.URL, len(w.cfg.Allow) > 0); err != nil {
		return err
	}
	if len(events) == 0 {
		events = []string{EventMessage}
	}
	for _, e := range events {
		if !slices.Contains(Events, e) {
			return fault.At(fault.Invalid, "events", "are "+strings.Join(Events, ", "))
		}
	}
	hook.Events = strings.Join(events, " ")
	return nil
}

// Hooks gives the webhooks of a group, or with "" all.
func (w *Webhooks) Hooks(ctx context.Context, group string) ([]store.Webhook, error) {
	all, err := w.st.Webhooks(ctx, w.h.Domain)
	if group != "" {
		all = slices.DeleteFunc(all, func(h store.Webhook) bool { return h.Group != group })
	}
	return all, err
}

// change changes a webhook that the actor may change, with an audit entry.
func (w *Webhooks) change(ctx context.Context, by acts.Actor, id, do string,
	f func(ctx context.Context, hook store.Webhook, detail acts.Detail) error) error {
	return w.cfg.Acts.Do(ctx, w.h.Domain, by, func(ctx context.Context, a *acts.Act) error {
		hook, err := w.st.Webhook(ctx, w.h.Domain, id)
		if err != nil {
			return noHook(err, id)
		}
		if err := w.may(ctx, by, hook.Group); err != nil {
			return err
		}
		detail := acts.Detail{"do": do, "name": hook.Name}
		if err := f(ctx, hook, detail); err != nil {
			return noHook(err, id)
		}
		a.Note(acts.SystemWebhook, id, detail)
		a.Changed(changes.Webhooks, "")
		a.After(w.again)
		return nil
	})
}

// Delete deletes a webhook.
func (w *Webhooks) Delete(ctx context.Context, by acts.Actor, id string) error {
	return w.change(ctx, by, id, "delete", func(ctx context.Context, _ store.Webhook, _ acts.Detail) error {
		return w.st.DeleteWebhook(ctx, w.h.Domain, id)
	})
}

// SetDisabled disables or enables a webhook. It does not get messages from while it was disabled.
func (w *Webhooks) SetDisabled(ctx context.Context, by acts.Actor, id string, disabled bool) error {
	do := map[bool]string{true: "disable", false: "enable"}[disabled]
	return w.change(ctx, by, id, do, func(ctx context.Context, _ store.Webhook, _ acts.Detail) error {
		var last store.ID
		if !disabled {
			last = w.h.IDs.Next()
		}
		return w.st.SetWebhookDisabled(ctx, w.h.Domain, id, disabled, last)
	})
}

// Redeliver tries given-up deliveries again, and gives how many.
func (w *Webhooks) Redeliver(ctx context.Context, by acts.Actor, id string) (n int, err error) {
	err = w.change(ctx, by, id, "redeliver", func(ctx context.Context, _ store.Webhook, detail acts.Detail) error {
		n, err = w.st.Redeliver(ctx, w.h.Domain, id, w.h.Clock.Now())
		detail["count"] = n
		return err
	})
	return n, err
}

// Log gives a webhook's newest deliveries, the newest first.
func (w *Webhooks) Log(ctx context.Context, id, state string, before store.ID, limit int) ([]store.Delivery, error) {
	if _, err := w.st.Webhook(ctx, w.h.Domain, id); err != nil {
		return nil, noHook(err, id)
	}
	return w.st.Deliveries(ctx, w.h.Domain, id, state, before, limit)
}

func noHook(err error, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "", "there is no webhook "+id)
	}
	return err
}

// again delivers what waits, after a change.
func (w *Webhooks) again(ctx context.Context) {
	if err := w.resume(ctx); err != nil {
		w.h.Log.Error("webhooks: cannot deliver waiting events", "err", err)
	}
}

// load reads the outgoing webhooks.
func (w *Webhooks) load(ctx context.Context) error {
	if err := w.loads.Take(ctx); err != nil {
		return err
	}
	defer w.loads.Free()
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
