package store

import (
	"context"
	"time"
)

// HookIn and HookOut are the directions of a webhook.
const (
	HookIn  = "in"
	HookOut = "out"
)

// Webhook connects the room of a group or theme with a program elsewhere. Incoming, the program posts messages that
// appear in the room; outgoing, the server posts events of the group to the program.
type Webhook struct {
	Host, ID  string
	Direction string
	Name      string
	Group     string // id
	Theme     string // key; "": the group's room; outgoing: the whole group
	Token     []byte // of HookIn: SHA-256 of the last part of its URL
	URL       string // of HookOut
	Secret    string // of HookOut: the key that signs requests
	Events    string // of HookOut: the kinds of events to send, separated by spaces
	Creator   string
	Created   time.Time
	Disabled  bool
	Last      ID // of HookOut: the newest message that was queued for it
}

// DeliveryWaiting and the others are the states of a delivery.
const (
	DeliveryWaiting = "waiting"
	DeliveryDone    = "done"
	DeliveryDead    = "dead" // given up
)

// Delivery is one event for a program, waiting or done.
type Delivery struct {
	Host, Hook, Room string // Room: a localpart; the events of one room go in order
	ID               ID     // of a message: its stanza-id
	Event            string
	Body             []byte
	State            string
	Attempts         int
	Status           int    // of the last answer; 0: no answer
	Error            string // of the last attempt
	Updated          time.Time
}

// Lane names the deliveries of one webhook for one room.
type Lane struct{ Hook, Room string }

// Webhooks keeps webhooks and their deliveries.
type Webhooks interface {
	// CreateWebhook makes a webhook; ErrLimit if the group would have more than max.
	CreateWebhook(ctx context.Context, w Webhook, max int) error
	// Webhook gives a webhook by its id; ErrNotFound if there is none.
	Webhook(ctx context.Context, host, id string) (Webhook, error)
	// WebhookByToken gives the HookIn with a token; ErrNotFound if there is none.
	WebhookByToken(ctx context.Context, token []byte) (Webhook, error)
	// Webhooks gives all webhooks of a host in order of creation.
	Webhooks(ctx context.Context, host string) ([]Webhook, error)
	// SetWebhookDisabled disables a webhook, or enables it for events after last.
	SetWebhookDisabled(ctx context.Context, host, id string, disabled bool, last ID) error
	// DeleteWebhook removes a webhook with its deliveries.
	DeleteWebhook(ctx context.Context, host, id string) error

	// AddDeliveries queues events and writes the newest message of each webhook to its Last. A delivery that exists
	// stays as it is; one for a webhook that is gone is dropped.
	AddDeliveries(ctx context.Context, ds ...Delivery) error
	// NextDelivery gives the oldest waiting delivery of a lane; ErrNotFound if there is none.
	NextDelivery(ctx context.Context, host string, l Lane) (Delivery, error)
	// SetDelivery writes State, Attempts, Status, Error and Updated.
	SetDelivery(ctx context.Context, d Delivery) error
	// Redeliver puts all given-up deliveries of a webhook back into the queue, as if never tried, and gives how many.
	Redeliver(ctx context.Context, host, hook string, at time.Time) (int, error)
	// WaitingLanes gives the lanes with waiting deliveries.
	WaitingLanes(ctx context.Context, host string) ([]Lane, error)
	// Deliveries gives a webhook's deliveries older than before (0: the newest of all), the newest first; state "" is
	// any.
	Deliveries(ctx context.Context, host, hook, state string, before ID, limit int) ([]Delivery, error)
	// ExpireDeliveries forgets deliveries that are not waiting and are older than before, at most limit, and gives how
	// many.
	ExpireDeliveries(ctx context.Context, host string, before time.Time, limit int) (int, error)

	// HookKey gives the message that was posted under an idempotency key; ErrNotFound if there is none.
	HookKey(ctx context.Context, host, hook, key string) (ID, error)
	// BeginHookKey notes, before the message is sent, that a post under a key began at a moment. fresh is false if one
	// began before, at since.
	BeginHookKey(ctx context.Context, host, hook, key string, at ID) (since ID, fresh bool, err error)
	// SetHookKey keeps the message that was sent under a key.
	SetHookKey(ctx context.Context, host, hook, key string, id ID) error
	// ExpireHookKeys forgets keys that began before a moment, at most limit, and gives how many.
	ExpireHookKeys(ctx context.Context, host string, before ID, limit int) (int, error)
}
