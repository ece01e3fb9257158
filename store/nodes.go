package store

import (
	"context"
	"time"
)

// Node is a node of publish-subscribe (XEP-0060). Host is the service's domain with Owner "", or the hosted domain with
// the localpart of the account whose node it is (XEP-0163).
type Node struct {
	Host, Owner, Name string
	Config            []byte // pubsub's own JSON
	Creator           string // bare JID
	Created           time.Time
}

// NodeItem is something published.
type NodeItem struct {
	ID        string
	Seq       ID     // when it was last published; the order of items
	Publisher string // bare JID
	Payload   []byte // one self-contained element; nil: none
}

// OwnedItem is an item with where it was found.
type OwnedItem struct {
	Owner, Node string
	Config      []byte // of its node
	NodeItem
}

// NodeAffiliation is one person's long-lived relation to a node.
type NodeAffiliation struct{ JID, Affiliation string }

// NodeSubscription is who wants to be told; State is "subscribed" or "pending".
type NodeSubscription struct {
	Node, JID string // JID bare or full
	SubID     string
	State     string
}

// ItemPage asks for a part of a node's items, in the order in which they were published.
type ItemPage struct {
	IDs           []string // these only
	After, Before string   // ids, exclusive; "" for none; not there: ErrNotFound
	Backwards     bool     // the last Max before Before (or of all), still given in order
	Max           int      // at least 1
}

type Nodes interface {
	// CreateNode makes it with its first affiliations; ErrExists, or ErrLimit if its owner would have more than max.
	CreateNode(ctx context.Context, n Node, max int, as ...NodeAffiliation) error
	Node(ctx context.Context, host, owner, name string) (Node, error)
	Nodes(ctx context.Context, host, owner, after string, limit int) ([]Node, error) // in order of name
	SetNodeConfig(ctx context.Context, host, owner, name string, config []byte) error
	// DeleteNode removes it with all that belongs to it; ErrNotFound.
	DeleteNode(ctx context.Context, host, owner, name string) error

	// Publish keeps items under their ids, and of all only the newest max. ErrNotFound if the node is gone.
	Publish(ctx context.Context, host, owner, node string, max int, items ...NodeItem) error
	// Items gives a page, and how many items there are in all.
	Items(ctx context.Context, host, owner, node string, p ItemPage) (items []NodeItem, total int, err error)
	// LastItems gives the newest item of each of the nodes with one of these names, of these owners.
	LastItems(ctx context.Context, host string, owners, nodes []string) ([]OwnedItem, error)
	// Retract removes items and gives those that were there.
	Retract(ctx context.Context, host, owner, node string, ids ...string) ([]string, error)
	Purge(ctx context.Context, host, owner, node string) error

	NodeAffiliations(ctx context.Context, host, owner, node string) ([]NodeAffiliation, error)
	// SetNodeAffiliations writes all in one transaction; "none" or "" removes. ErrLimit if there would be more than max.
	SetNodeAffiliations(ctx context.Context, host, owner, node string, max int, as ...NodeAffiliation) error
	// NodeSubscriptions gives those of a node, in order of JID.
	NodeSubscriptions(ctx context.Context, host, owner, node string) ([]NodeSubscription, error)
	// SubscriptionsOf gives those of a person (bare JID) and its resources, at all nodes of an owner.
	SubscriptionsOf(ctx context.Context, host, owner, jid string) ([]NodeSubscription, error)
	// SetNodeSubscriptions writes all in one transaction; State "none" or "" removes. ErrLimit as above.
	SetNodeSubscriptions(ctx context.Context, host, owner string, max int, ss ...NodeSubscription) error
}
