package server

import (
	"context"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// PEPItem is an item of a node (XEP-0060). Its payload is one self-contained element, or nil.
type PEPItem struct {
	ID        string
	Payload   []byte
	Publisher jid.JID   // zero: unknown
	At        time.Time // when it was published; zero: unknown
}

// PEPNode is a node that every account has (XEP-0163) and that a feature keeps in its own way, such as bookmarks.
// Access limits who sees it. Nobody can configure or delete it, and the feature announces changes with PEP.Notify.
type PEPNode struct {
	Name   string
	Access string // "whitelist" (the account alone), "presence" or "open"
	Single bool   // one item at most
	Like   string // whoever follows that node gets this one's events too; "" for none
	Items  func(ctx context.Context, account string) ([]PEPItem, error)
	// Publish keeps an item that the account's owner publishes; the id is not empty. Errors are stanza errors.
	Publish func(ctx context.Context, account, id string, payload *wire.Element) error
	// Retract removes an item. It returns ItemNotFound if there is none.
	Retract func(ctx context.Context, account, id string) error
}

// ItemView returns what the reader to gets of an account's item: a payload, or nil for nothing. It is called for items
// that are fetched and for notifications, also when the owner is the reader.
type ItemView func(ctx context.Context, account string, to jid.JID, payload []byte) ([]byte, error)

// PEPEvent is a change of a node, as its subscribers get it.
type PEPEvent struct {
	Items   []PEPItem
	Retract []string
	Purge   bool
	Delete  bool
}

// PEP is the personal eventing service of the accounts, for features that publish items themselves.
type PEP interface {
	// Notify sends the event to everyone who follows the node and may see it.
	Notify(ctx context.Context, account, node string, e PEPEvent) error
	// Publish keeps an item in an account's name and announces it. It makes a missing node with this access model: ""
	// is the default, presence; "whitelist" is for many items that only the account's own clients see (XEP-0223).
	Publish(ctx context.Context, account, node, access string, it PEPItem) error
	// Last returns a node's newest item, or ItemNotFound if there is none.
	Last(ctx context.Context, account, node string) (PEPItem, error)
	// Remove deletes a node and announces that. It does nothing if there is no such node.
	Remove(ctx context.Context, account, node string) error
}

// SetPEP sets the host's PEP service. Call it before the host serves.
func (h *Host) SetPEP(p PEP) { h.pep = p }

// PEP returns the host's PEP service, or nil if it has none.
func (h *Host) PEP() PEP { return h.pep }

// PrivateView is an element of private XML storage (XEP-0049) that a feature keeps in its own way.
type PrivateView struct {
	Get func(ctx context.Context, account string) (*wire.Element, error)
	Set func(ctx context.Context, account string, e *wire.Element) error
}
