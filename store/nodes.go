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
	Upkeep            Upkeep // written with the node and its configuration, never read back
	Share             int    // how many of the owner's nodes its creator may have made; 0: no limit. Not kept
}

// Upkeep says how a node's items are removed without anybody asking for it.
type Upkeep struct {
	Expire       time.Duration // how long an item is kept; 0: no limit
	PurgeOffline bool          // items go when their publisher goes offline
}

// NodeItem is a published item.
type NodeItem struct {
	ID        string
	Seq       ID     // when it was last published; the order of items
	Publisher string // bare JID
	Payload   []byte // one self-contained element; nil: none
}

// OwnedItem is an item with the owner and node where it was found.
type OwnedItem struct {
	Owner, Node string
	Config      []byte // of its node
	NodeItem
}

// NodeRole is an affiliation seen from the person's side.
type NodeRole struct{ Node, Affiliation string }

// NodeAffiliation is one person's long-lived relation to a node.
type NodeAffiliation struct{ JID, Affiliation string }

// NodeSubscription is a subscription to a node; State is "subscribed" or "pending".
type NodeSubscription struct {
	Node, JID string // JID bare or full
	SubID     string
	State     string
	Options   []byte    // pubsub's own JSON; nil: none
	Expires   time.Time // zero: never
}

// ItemPage asks for a part of a node's items, in the order in which they were published.
type ItemPage struct {
	IDs           []string // only these
	After, Before string   // ids, exclusive; "": none. ErrNotFound if there is no such item
	Backwards     bool     // the last Max before Before (or of all), still given in order
	Max           int      // at least 1
	Since         ID       // only items published at this moment or later; total counts only those
}

// Keep says how much of what is published is kept.
type Keep struct {
	Items  int   // how many items of the node: the newest
	Refuse bool  // ErrFull if the node would have more than Items
	Bytes  int64 // of the payloads of all the owner's nodes: ErrLimit if there would be more; 0: no limit
	// bytes in all nodes of a service made by the node's creator: ErrShare if there would be more; 0: no limit
	Share int64
}

// Nodes keeps publish-subscribe nodes with their items, affiliations and subscriptions.
type Nodes interface {
	// CreateNode makes a node with its first affiliations; ErrExists, or ErrLimit if its owner would have more than max
	// nodes or its creator more than the node's Share.
	CreateNode(ctx context.Context, n Node, max int, as ...NodeAffiliation) error
	// Node gives a node; ErrNotFound if there is none.
	Node(ctx context.Context, host, owner, name string) (Node, error)
	// Nodes gives an owner's nodes in order of name, at most limit, beginning behind after.
	Nodes(ctx context.Context, host, owner, after string, limit int) ([]Node, error)
	// SetNodeConfig writes Config and Upkeep; ErrNotFound if there is no such node.
	SetNodeConfig(ctx context.Context, n Node) error
	// DeleteNode removes a node with all that belongs to it; ErrNotFound if there is none. A redirect that is not empty
	// stays in its place, among the newest max of its owner, until a node of that name is made.
	DeleteNode(ctx context.Context, host, owner, name, redirect string, max int) error
	// NodeRedirect gives the redirect that a deleted node left; ErrNotFound if there is none.
	NodeRedirect(ctx context.Context, host, owner, name string) (string, error)

	// Publish keeps items under their ids, as far as k says; ErrNotFound if the node is gone.
	Publish(ctx context.Context, host, owner, node string, k Keep, items ...NodeItem) error
	// Items gives a page of items, and how many items there are in all.
	Items(ctx context.Context, host, owner, node string, p ItemPage) (items []NodeItem, total int, err error)
	// LastItems gives the newest item of each node that has one of these names and owners.
	LastItems(ctx context.Context, host string, owners, nodes []string) ([]OwnedItem, error)
	// Retract removes items and gives the ids of those that existed.
	Retract(ctx context.Context, host, owner, node string, ids ...string) ([]string, error)
	// Purge removes all items of a node.
	Purge(ctx context.Context, host, owner, node string) error
	// PurgeOffline removes the items of a publisher (bare JID) in those of an owner's nodes that have PurgeOffline set,
	// and gives them without payloads.
	PurgeOffline(ctx context.Context, host, owner, publisher string) ([]OwnedItem, error)
	// ExpireNodes removes items older than their nodes' Expire, and subscriptions past their Expires.
	ExpireNodes(ctx context.Context, host string, now time.Time) error

	// NodeAffiliations gives the affiliations of a node, in order of JID.
	NodeAffiliations(ctx context.Context, host, owner, node string) ([]NodeAffiliation, error)
	// SetNodeAffiliations writes affiliations in one transaction; "none" or "" removes. ErrLimit if the node would have
	// more than max.
	SetNodeAffiliations(ctx context.Context, host, owner, node string, max int, as ...NodeAffiliation) error
	// NodeRoles gives a person's (bare JID) affiliations to all nodes of an owner, in order of node.
	NodeRoles(ctx context.Context, host, owner, jid string) ([]NodeRole, error)
	// NodeSubscriptions gives the subscriptions of a node, in order of JID.
	NodeSubscriptions(ctx context.Context, host, owner, node string) ([]NodeSubscription, error)
	// SubscriptionsOf gives the subscriptions of a person (bare JID) and of its resources at all nodes of an owner.
	SubscriptionsOf(ctx context.Context, host, owner, jid string) ([]NodeSubscription, error)
	// SetNodeSubscriptions writes subscriptions in one transaction; State "none" or "" removes. ErrLimit if the node
	// would have more than max.
	SetNodeSubscriptions(ctx context.Context, host, owner string, max int, ss ...NodeSubscription) error
}
