package server

import (
	"context"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// PEPItem is an item of a node (XEP-0060): its payload is one self-contained element, nil if there is none.
type PEPItem struct {
	ID        string
	Payload   []byte
	Publisher jid.JID   // zero: not known
	At        time.Time // when it was published; zero: not known
}

// PEPNode is a node that every account has (XEP-0163) and a feature keeps in its own way, such as bookmarks. It is as
// private as its Access says, cannot be configured or deleted, and its feature tells of changes by PEP.Notify.
type PEPNode struct {
	Name   string
	Access string // "whitelist": the account alone; "presence"; "open"
	Single bool   // one item at most
	Like   string // who wants the events of that node gets this one's too; "" for none
	Items  func(ctx context.Context, account string) ([]PEPItem, error)
	// Publish keeps an item that the account's owner publishes; the id is not empty.
	Publish func(ctx context.Context, account, id string, payload *wire.Element) error
	// Retract takes an item away; ItemNotFound if there is none.
	Retract func(ctx context.Context, account, id string) error
}

// PEPEvent is what subscribers of a node are told.
type PEPEvent struct {
	Items   []PEPItem
	Retract []string
	Purge   bool
	Delete  bool
}

// PEP is the accounts' personal eventing service for features that publish by themselves.
type PEP interface {
	// Notify tells who may see the node and wants to.
	Notify(ctx context.Context, account, node string, e PEPEvent) error
	// Publish keeps and tells an item in an account's name; a node that is not there is made with this access model
	// ("" for the default: presence; "whitelist": for many items that none but the account's clients see, XEP-0223).
	Publish(ctx context.Context, account, node, access string, it PEPItem) error
	// Last gives a node's newest item; ItemNotFound if there is none.
	Last(ctx context.Context, account, node string) (PEPItem, error)
	// Remove deletes a node and tells; nothing if it is not there.
	Remove(ctx context.Context, account, node string) error
}

// SetPEP names the host's PEP service; PEP gives it, nil if the host has none.
func (h *Host) SetPEP(p PEP) { h.pep = p }

func (h *Host) PEP() PEP { return h.pep }

// PrivateView is an element of private XML storage (XEP-0049) that a feature keeps in its own way.
type PrivateView struct {
	Get func(ctx context.Context, account string) (*wire.Element, error)
	Set func(ctx context.Context, account string, e *wire.Element) error
}
