package server

import (
	"context"
	"fmt"

	"parley/wire"
	"parley/wire/jid"
)

// Feature is one XEP, or one chapter of RFC 6121, as a value. A host consists of a list of features.
type Feature struct {
	Name    string   // for configuration, logs and metrics
	XEP     []XEP    // what docs/xeps.md and the console list
	Disco   []string // the features that the host announces
	Account []string // the features that its accounts announce

	Identities        []Identity      // of the host, besides server/im
	AccountIdentities []Identity      // of accounts, besides account/registered
	Forms             []*wire.Element // in the host's disco#info (XEP-0128)
	Stream            []*wire.Element // stream features after authentication
	Node              Node            // disco nodes of the host
	AccountNode       Node            // disco nodes of accounts; its Items of "" lists what else an account has

	Commands   []Command            // of the host (XEP-0050)
	Responders map[string]Responder // by localpart: addresses that are not accounts

	IQ      map[Query]IQFunc // requests that the feature answers
	Steps   []Step
	Bound   func(ctx context.Context, s *Session)
	Unbound func(ctx context.Context, s *Session) // called after the session's unavailable presence was sent
	Run     func(ctx context.Context) error       // background work, which ends with the context

	PEP       []PEPNode                 // nodes of accounts that it keeps itself
	Private   map[wire.Name]PrivateView // elements of private storage that it keeps itself
	Published func(ctx context.Context, account, node string, it PEPItem)
	// Views are nodes of accounts whose items look different to each reader, by the name of the node.
	Views map[string]ItemView
	// Blocks reports whether an account has blocked somebody. It is called for every stanza and must be cheap.
	Blocks func(ctx context.Context, account string, who jid.JID) bool
	// Created is called after an account of the host was created.
	Created func(ctx context.Context, account string)
	// Changed is called after an account was created, or after an administrator or its owner changed its name or its
	// rights. Caches are told apart (see Host.On).
	Changed func(account string)
	// Deleted is called after an account and all its data were deleted. Caches are told apart (see Host.On).
	Deleted func(ctx context.Context, account string)
	// Asleep is called when a stanza is kept for a client that lost its connection and may resume. It returns at once
	// and sends nothing itself.
	Asleep func(s *Session, st *wire.Stanza)
	// Elsewhere is called when a session that an account has at another node came, changed or ended.
	Elsewhere func(account string)
	// Waiting is called when another node has kept a message for an account because it knew of no client, although this
	// session takes messages.
	Waiting func(ctx context.Context, s *Session) error
	// Inline lists what the feature does for a client while that binds (XEP-0386).
	Inline []Inline
	// Wants is called when the server learns which nodes a session's client follows (XEP-0163, section 4), and when
	// that changes. added lists the nodes that the client did not follow before.
	Wants func(ctx context.Context, s *Session, added []string)
	// WantsFrom is called like Wants, for another server's client that the account shows its presence to.
	WantsFrom func(ctx context.Context, account string, who jid.JID, added []string)
	// Granted is called when the bare address contact may see an account's presence from now on, after the presence was
	// sent to it.
	Granted func(ctx context.Context, account string, contact jid.JID)
}

// XEP says which specification a feature implements, in which version, and what is missing.
type XEP struct {
	Number  int    // 0 for an RFC
	Title   string // as the specification names itself
	Version string
	Notes   string // notes for readers
	Partial bool   // a server's part of it is missing; Notes says which
}

// Target says whom a request addresses.
type Target uint8

const (
	ToHost    Target = iota // the domain itself
	ToAccount               // a bare address, from anyone: the handler decides what the asker may know
	ToSelf                  // the asker's own account (no `to`, or its bare address); from others: service-unavailable
)

// Inline is a part of binding: the server does it before the client gets anything else, and reports it together with
// the address.
type Inline struct {
	Announce string // its name in the stream's features; "" for a part that every client gets
	// Do is called after the resource was bound, with the client's whole <bind/>. Its result goes into <bound/>; nil
	// adds nothing.
	Do func(ctx context.Context, s *Session, bind *wire.Element) *wire.Element
}

// Query names a kind of request: whom it addresses, get or set, and the payload.
type Query struct {
	To    Target
	Type  string // "get" or "set"
	Space string
	Local string
}

// Request is an iq request for a feature to answer.
type Request struct {
	Host    *Host
	Session *Session // the asker's session; nil if it is not on this node
	From    jid.JID
	Account string // localpart of the account that the request addresses; "" for the host
	Stanza  *wire.Stanza
	Payload *wire.Element // the request's only child
}

// Self reports whether the asker asks their own account.
func (r *Request) Self() bool {
	return r.Account != "" && r.From.Local() == r.Account && r.From.Domain() == r.Host.Domain
}

// IQFunc answers a request. It returns the payload of the result, nil for an empty result, or an error: the asker gets
// a stanza.Error or an *AppError as it is; any other error is logged and becomes internal-server-error. ErrReplied says
// that the func sent its answer itself.
type IQFunc func(ctx context.Context, r *Request) (*wire.Element, error)

// Step is what a feature does at a stage. An error stops the stanza: ErrHandled silently, a stanza.Error with an answer
// to the sender.
type Step struct {
	Stage Stage
	Kind  wire.Kind // 0: any kind
	Do    func(ctx context.Context, p *Pass) error
}

// Identity is a service discovery identity (XEP-0030).
type Identity struct{ Category, Type, Name string }

// Item is an entry of disco#items.
type Item struct {
	JID        jid.JID
	Node, Name string
	While      func() bool // the item is listed while it returns true; nil: always
}

func (h *Host) install(fs []*Feature) error {
	for _, f := range fs {
		for q, fn := range f.IQ {
			if other, ok := h.iq[q]; ok {
				return fmt.Errorf("features %s and %s both answer %+v", other.feature, f.Name, q)
			}
			h.iq[q] = handler{f.Name, fn}
		}
		if f.Blocks != nil {
			h.blocks = append(h.blocks, f.Blocks)
		}
		if err := h.installResponders(f); err != nil {
			return err
		}
		for _, s := range f.Steps {
			h.steps[s.Stage] = append(h.steps[s.Stage], s)
		}
	}
	h.Features = fs
	return nil
}

type handler struct {
	feature string
	do      IQFunc
}

// Feature returns the host's feature of this name, or nil.
func (h *Host) Feature(name string) *Feature {
	for _, f := range h.Features {
		if f.Name == name {
			return f
		}
	}
	return nil
}
