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
	Share             int    // how many of the owner's nodes its creator may have made; 0: no limit. It is not kept
}

// Upkeep is what becomes of a node's items without anybody asking for it.
type Upkeep struct {
	Expire       time.Duration // how long an item is kept; 0: no limit
	PurgeOffline bool          // items go when who has published them does
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

// NodeRole is an affiliation seen from the person's side.
type NodeRole struct{ Node, Affiliation string }

// NodeAffiliation is one person's long-lived relation to a node.
type NodeAffiliation struct{ JID, Affiliation string }

// NodeSubscription is who wants to be told; State is "subscribed" or "pending".
type NodeSubscription struct {
	Node, JID string // JID bare or full
	SubID     string
	State     string
	Options   []byte    // pubsub's own JSON; nil: none
	Expires   time.Time // zero: never
}

// ItemPage asks for a part of a node's items, in the order in which they were published.
type ItemPage struct {
	IDs           []string // these only
	After, Before string   // ids, exclusive; "" for none; not there: ErrNotFound
	Backwards     bool     // the last Max before Before (or of all), still given in order
	Max           int      // at least 1
	Since         ID       // published at this moment or later; total counts only those
}

// Keep is how much is kept of what is published.
type Keep struct {
	Items  int   // of the node: the newest
	Refuse bool  // ErrFull where the node would have more of them
	Bytes  int64 // of the payloads of all the owner's nodes: ErrLimit where there would be more; 0: no limit
	Share  int64 // of a service, those in all nodes that the node's creator has made: ErrShare where there would be more; 0: no limit
}

type Nodes interface {
	// CreateNode makes it with its first affiliations; ErrExists, or ErrLimit if its owner would have more than max, or its creator
	// more than the node's Share.
	CreateNode(ctx context.Context, n Node, max int, as ...NodeAffiliation) error
	Node(ctx context.Context, host, owner, name string) (Node, error)
	Nodes(ctx context.Context, host, owner, after string, limit int) ([]Node, error) // in order of name
	// SetNodeConfig writes Config and Upkeep; ErrNotFound.
	SetNodeConfig(ctx context.Context, n Node) error
	// DeleteNode removes it with all that belongs to it; ErrNotFound. A redirect, if it is not empty, stays in its place,
	// among the newest max of its owner, until a node of that name is made.
	DeleteNode(ctx context.Context, host, owner, name, redirect string, max int) error
	// NodeRedirect gives what was left in a deleted node's place; ErrNotFound.
	NodeRedirect(ctx context.Context, host, owner, name string) (string, error)

	// Publish keeps items under their ids, as far as they are to be kept. ErrNotFound if the node is gone.
	Publish(ctx context.Context, host, owner, node string, k Keep, items ...NodeItem) error
	// Items gives a page, and how many items there are in all.
	Items(ctx context.Context, host, owner, node string, p ItemPage) (items []NodeItem, total int, err error)
	// LastItems gives the newest item of each of the nodes with one of these names, of these owners.
	LastItems(ctx context.Context, host string, owners, nodes []string) ([]OwnedItem, error)
	// Retract removes items and gives those that were there.
	Retract(ctx context.Context, host, owner, node string, ids ...string) ([]string, error)
	Purge(ctx context.Context, host, owner, node string) error
	// PurgeOffline removes what a publisher (bare JID) has in those of an owner's nodes that want it so, and gives it,
	// without payloads.
	PurgeOffline(ctx context.Context, host, owner, publisher string) ([]OwnedItem, error)
	// ExpireNodes removes items that are older than their nodes keep them, and subscriptions whose time is over.
	ExpireNodes(ctx context.Context, host string, now time.Time) error

	NodeAffiliations(ctx context.Context, host, owner, node string) ([]NodeAffiliation, error)
	// SetNodeAffiliations writes all in one transaction; "none" or "" removes. ErrLimit if there would be more than max.
	SetNodeAffiliations(ctx context.Context, host, owner, node string, max int, as ...NodeAffiliation) error
	// NodeRoles gives a person's (bare JID) affiliations to all nodes of an owner, in order of node.
	NodeRoles(ctx context.Context, host, owner, jid string) ([]NodeRole, error)
	// NodeSubscriptions gives those of a node, in order of JID.
	NodeSubscriptions(ctx context.Context, host, owner, node string) ([]NodeSubscription, error)
	// SubscriptionsOf gives those of a person (bare JID) and its resources, at all nodes of an owner.
	SubscriptionsOf(ctx context.Context, host, owner, jid string) ([]NodeSubscription, error)
	// SetNodeSubscriptions writes all in one transaction; State "none" or "" removes. ErrLimit as above.
	SetNodeSubscriptions(ctx context.Context, host, owner string, max int, ss ...NodeSubscription) error
}
