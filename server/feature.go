package server

import (
	"context"
	"fmt"

	"parley/wire"
	"parley/wire/jid"
)

// Feature is one XEP, or one chapter of RFC 6121, as a value. A host is made of a list of them.
type Feature struct {
	Name    string   // for configuration, logs, metrics
	XEP     []XEP    // docs/xeps.md and the console are generated from it
	Disco   []string // what the host announces
	Account []string // what its users' accounts announce

	Identities        []Identity      // of the host, besides server/im
	AccountIdentities []Identity      // of accounts, besides account/registered
	Forms             []*wire.Element // in the host's disco#info (XEP-0128)
	Stream            []*wire.Element // stream features after authentication
	Node              Node            // disco nodes of the host
	AccountNode       Node            // disco nodes of accounts; Items of "" are what else an account has

	Commands []Command        // of the host (XEP-0050)
	Voices   map[string]Voice // by localpart: addresses that are no accounts

	IQ      map[Query]IQFunc // requests it answers
	Steps   []Step
	Bound   func(ctx context.Context, s *Session)
	Unbound func(ctx context.Context, s *Session) // after its unavailable presence went out
	Run     func(ctx context.Context) error       // background work, ends with the context

	PEP       []PEPNode                 // nodes of accounts that it keeps by itself
	Private   map[wire.Name]PrivateView // elements of private storage that it keeps by itself
	Published func(ctx context.Context, account, node string, it PEPItem)
	// Shows are nodes of accounts whose items are not the same to everybody: what somebody gets of a payload, nil for
	// nothing. It is asked for what is read and for what is told, also for the owner.
	Shows map[string]func(ctx context.Context, account string, to jid.JID, payload []byte) ([]byte, error)
	// Blocks says that an account wants nothing of somebody. It is asked for every stanza and has to be cheap.
	Blocks func(ctx context.Context, account string, who jid.JID) bool
	// Created is called when an account of the host has been made.
	Created func(ctx context.Context, account string)
	// Changed is called when an account has been made, or changed by an administrator or its owner: its name, its rights.
	Changed func(account string)
	// Deleted is called when an account and all that was kept of it are gone: what a feature remembers of it has to go, too.
	Deleted func(ctx context.Context, account string)
	// Departed is called when an account of any host of this deployment is gone, and what it was to others: what a feature
	// remembers of it under its address has to go, too.
	Departed func(who jid.JID)
	// Asleep is called when a stanza is kept for a client whose connection is gone and which may come back to it. It
	// returns at once and sends nothing itself.
	Asleep func(s *Session, st *wire.Stanza)
	// Inline are what it does for a client while that binds (XEP-0386).
	Inline []Inline
	// Wants is called when it is known which nodes a session's client wants to be told of (XEP-0163, section 4), and
	// when that has changed; added are those that it did not want before.
	Wants func(ctx context.Context, s *Session, added []string)
	// WantsFrom is the same for a client of another server, of somebody who sees the account's presence.
	WantsFrom func(ctx context.Context, account string, who jid.JID, added []string)
	// Granted is called when somebody (bare) may see an account's presence from now on, and has been shown it.
	Granted func(ctx context.Context, account string, contact jid.JID)
}

// XEP is what a feature implements of which extension, in which version, and what of it is not there.
type XEP struct {
	Number  int    // 0 for an RFC
	Title   string // as the specification names itself
	Version string
	Notes   string // what a reader should know
	Partial bool   // something that servers do by it is not done; Notes say what
}

// Target says whom a request is for.
type Target uint8

const (
	ToHost    Target = iota // the domain itself
	ToAccount               // a bare JID, from anyone: the handler decides what the asker may know
	ToSelf                  // the asker's own account (no `to`, or its bare JID); from others: service-unavailable
)

// Inline is a part of binding: done before anything else reaches the client, told to it together with its address.
type Inline struct {
	Announce string // what the stream's features call it; "" for what is done for every client that binds this way
	// Do is called when the resource is bound, with the client's whole <bind/>. What it gives goes into <bound/>; nil is
	// nothing.
	Do func(ctx context.Context, s *Session, bind *wire.Element) *wire.Element
}

// Query names a request: for whom, get or set, and its payload.
type Query struct {
	To    Target
	Type  string // "get" or "set"
	Space string
	Local string
}

// Request is an iq that a feature answers.
type Request struct {
	Host    *Host
	Session *Session // the asker's session; nil if it is not of this node's own
	From    jid.JID
	Account string // localpart of the account that is asked; "" for the host
	Stanza  *wire.Stanza
	Payload *wire.Element // the request's only child
}

// Self says that the asker is the account that is asked.
func (r *Request) Self() bool {
	return r.Account != "" && r.From.Local() == r.Account && r.From.Domain() == r.Host.Domain
}

// IQFunc answers a request: a payload for the result (nil: an empty one), or an error (a stanza.Error or *AppError goes to
// the asker, anything else is logged and becomes internal-server-error). ErrReplied: it has answered by itself.
type IQFunc func(ctx context.Context, r *Request) (*wire.Element, error)

// Step is what a feature does at a stage. An error stops the stanza: ErrHandled silently, a stanza.Error by telling
// the sender.
type Step struct {
	Stage Stage
	Kind  wire.Kind // 0: any
	Do    func(ctx context.Context, p *Pass) error
}

// Identity is a service discovery identity (XEP-0030).
type Identity struct{ Category, Type, Name string }

// Item is an entry of disco#items.
type Item struct {
	JID        jid.JID
	Node, Name string
	While      func() bool // it is there while this is so; nil: always
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
		if err := h.installVoices(f); err != nil {
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

// feature finds a feature by its name; nil if the host has none such.
func (h *Host) Feature(name string) *Feature {
	for _, f := range h.Features {
		if f.Name == name {
			return f
		}
	}
	return nil
}
