package store

import (
	"context"
	"time"
)

// Directions of a webhook.
const (
	HookIn  = "in"
	HookOut = "out"
)

// Webhook joins a group's room, or a theme's, with a program elsewhere: what it posts is said in the room, or what happens
// in the group is posted to it.
type Webhook struct {
	Host, ID  string
	Direction string
	Name      string
	Group     string // id
	Theme     string // key; "": the group's room, and going out all of the group
	Token     []byte // of HookIn: SHA-256 of what its URL ends with
	URL       string // of HookOut
	Secret    string // of HookOut: what requests are signed with
	Events    string // of HookOut: the kinds of events it wants, with spaces between
	Creator   string
	Created   time.Time
	Disabled  bool
	Last      ID // of HookOut: the newest message that was queued for it
}

// States of a delivery.
const (
	DeliveryWaiting = "waiting"
	DeliveryDone    = "done"
	DeliveryDead    = "dead" // given up
)

// Delivery is one event on its way to a program, or that was.
type Delivery struct {
	Host, Hook, Room string // Room: a localpart; what is of one room goes in order
	ID               ID     // of a message its stanza-id
	Event            string
	Body             []byte
	State            string
	Attempts         int
	Status           int    // of the last answer; 0: none came
	Error            string // of the last attempt
	Updated          time.Time
}

// Lane is a webhook's deliveries of one room.
type Lane struct{ Hook, Room string }

type Webhooks interface {
	// CreateWebhook makes it; ErrLimit if the group would have more than max.
	CreateWebhook(ctx context.Context, w Webhook, max int) error
	Webhook(ctx context.Context, host, id string) (Webhook, error)
	// WebhookByToken finds one of HookIn; ErrNotFound.
	WebhookByToken(ctx context.Context, token []byte) (Webhook, error)
	Webhooks(ctx context.Context, host string) ([]Webhook, error) // in order of creation
	// SetWebhookDisabled has it rest, or begin again with what comes after last.
	SetWebhookDisabled(ctx context.Context, host, id string, disabled bool, last ID) error
	// DeleteWebhook removes it with its deliveries.
	DeleteWebhook(ctx context.Context, host, id string) error

	// AddDeliveries queues events, and keeps the newest message of each webhook in its Last. One that is there already is
	// left as it is; one of a webhook that is gone is not kept.
	AddDeliveries(ctx context.Context, ds ...Delivery) error
	// NextDelivery gives the oldest of a lane that waits; ErrNotFound.
	NextDelivery(ctx context.Context, host string, l Lane) (Delivery, error)
	// SetDelivery keeps what has become of one: State, Attempts, Status, Error, Updated.
	SetDelivery(ctx context.Context, d Delivery) error
	// Redeliver has what was given up of a webhook wait again, as if it had never been tried, and says how much that is.
	Redeliver(ctx context.Context, host, hook string, at time.Time) (int, error)
	// WaitingLanes gives the lanes in which something waits.
	WaitingLanes(ctx context.Context, host string) ([]Lane, error)
	// Deliveries gives a webhook's newest that are older than before (0: the newest of all), the newest first; state "" is any.
	Deliveries(ctx context.Context, host, hook, state string, before ID, limit int) ([]Delivery, error)
	// ExpireDeliveries forgets those that wait no more and are older than before, at most limit, and says how many.
	ExpireDeliveries(ctx context.Context, host string, before time.Time, limit int) (int, error)

	// HookKey gives the message that was posted under an idempotency key; ErrNotFound.
	HookKey(ctx context.Context, host, hook, key string) (ID, error)
	// BeginHookKey keeps that a post under a key has begun at a moment, before it is said; fresh is false if it had begun
	// before, at since.
	BeginHookKey(ctx context.Context, host, hook, key string, at ID) (since ID, fresh bool, err error)
	// SetHookKey keeps the message, when it has been said. ExpireHookKeys forgets keys that are older.
	SetHookKey(ctx context.Context, host, hook, key string, id ID) error
	ExpireHookKeys(ctx context.Context, host string, before ID, limit int) (int, error)
}
