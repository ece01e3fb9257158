package pubsub

import (
	"context"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// accounts is personal eventing: every account is a service of its own (XEP-0163).
type accounts struct{ engine }

// NewAccounts returns the feature that gives every account of h its nodes. It looks for the nodes of other features of
// the host when one is first asked for.
func NewAccounts(h *server.Host, st Store, l Limits) *server.Feature {
	s := &accounts{engine{h: h, st: st, limits: l.withDefaults(200), def: accountDefault, accounts: true}}
	h.SetPEP(s)
	q := func(typ, space string) server.Query {
		return server.Query{To: server.ToAccount, Type: typ, Space: space, Local: "pubsub"}
	}
	host := func(typ, space string) server.Query {
		return server.Query{To: server.ToHost, Type: typ, Space: space, Local: "pubsub"}
	}
	return &server.Feature{
		Name: "pep",
		XEP: []server.XEP{
			{Number: 163, Title: "Personal Eventing Protocol", Version: "1.2.2"},
			{
				Number:  60,
				Title:   "Publish-Subscribe",
				Version: "1.30.0",
				Notes:   "no collections; one subscription an address",
			},
			{Number: 222, Title: "Persistent Storage of Public Data via PubSub", Version: "1.0"},
			{Number: 223, Title: "Persistent Storage of Private Data via PubSub", Version: "1.1.1"},
		},
		Account:           features(true),
		AccountIdentities: []server.Identity{{Category: "pubsub", Type: "pep"}},
		AccountNode:       server.Node{Info: s.nodeInfo, Items: s.nodeItems},
		// The account announces what it can do (XEP-0163, section 6.1). COMPAT: Psi before 2.0 looks for the identity
		// at the host, Smack for the feature (onHost). Remove after 2030.
		Disco:      []string{wire.NSPubSub},
		Identities: []server.Identity{{Category: "pubsub", Type: "pep"}},
		IQ: map[server.Query]server.IQFunc{
			q("get", wire.NSPubSub):    s.iq,
			q("set", wire.NSPubSub):    s.iq,
			q("get", nsOwner):          s.iq,
			q("set", nsOwner):          s.iq,
			host("get", wire.NSPubSub): onHost,
			host("set", wire.NSPubSub): onHost,
			host("get", nsOwner):       onHost,
			host("set", nsOwner):       onHost,
		},
		Steps: []server.Step{
			{Stage: server.ReceivedCheck, Kind: wire.Message, Do: s.answer},
			{Stage: server.Announce, Do: s.offline},
		},
		Wants:     s.wants,
		WantsFrom: s.wantsFrom,
		Granted:   s.granted,
		Run:       func(ctx context.Context) error { return s.expire(ctx, h.Domain) },
		Commands:  []server.Command{s.getPending(s.asker)},
	}
}

// collect finds the nodes that features keep themselves. The host's features are complete only after the host was made.
func (s *accounts) collect() map[string]*server.PEPNode {
	m := make(map[string]*server.PEPNode)
	for _, f := range s.h.Features {
		for i := range f.PEP {
			m[f.PEP[i].Name] = &f.PEP[i]
		}
	}
	return m
}

func (s *accounts) of(account string, from jid.JID) (ask, error) {
	j, err := jid.New(account, s.h.Domain, "")
	if err != nil {
		return ask{}, err
	}
	e := s.engine
	e.virtual = s.collect()
	return ask{
		engine: &e,
		place:  place{jid: j, host: s.h.Domain, owner: account},
		from:   from,
		self:   from.Bare() == j,
	}, nil
}

// own returns a request of the account itself.
func (s *accounts) own(account string) (ask, error) {
	a, err := s.of(account, jid.JID{})
	a.from, a.self = a.jid, true
	return a, err
}

// asker returns a request of somebody who runs a command about their own nodes.
func (s *accounts) asker(who jid.JID) (ask, error) {
	if who.Domain() != s.h.Domain || who.Local() == "" {
		return ask{}, server.Forbidden
	}
	return s.of(who.Local(), who)
}

func (s *accounts) iq(ctx context.Context, r *server.Request) (*wire.Element, error) {
	a, err := s.of(r.Account, r.From)
	if err != nil {
		return nil, err
	}
	return a.do(ctx, r.Stanza.Type, r.Payload)
}

func (s *accounts) nodeInfo(ctx context.Context, r *server.Request, node string) (*wire.Element, error) {
	a, err := s.of(r.Account, r.From)
	if err != nil {
		return nil, err
	}
	e, err := a.info(ctx, node)
	if isNotFound(err) {
		return nil, store.ErrNotFound
	}
	return e, err
}

func (s *accounts) nodeItems(ctx context.Context, r *server.Request, node string) (*wire.Element, error) {
	a, err := s.of(r.Account, r.From)
	if err != nil {
		return nil, err
	}
	if node != "" {
		e, err := a.itemsOf(ctx, node)
		if isNotFound(err) {
			return nil, store.ErrNotFound
		}
		return e, err
	}
	items, _, err := a.nodes(ctx, "", server.MaxUnpaged)
	return server.ItemsElement("", append(items, a.virtualNodes(ctx)...)), err
}

func isNotFound(err error) bool {
	e, _ := server.Refusal(err)
	return e.Condition == stanza.ItemNotFound
}

// answer takes the owner's answer to a subscription request, which comes as a message to the account itself.
func (s *accounts) answer(ctx context.Context, p *server.Pass) error {
	x := p.Stanza.Element(wire.NSForm, "x")
	if x == nil || x.Attr("type") != form.Submit && x.Attr("type") != form.Cancel ||
		p.Stanza.From.Bare() != p.Stanza.To || p.Stanza.To.Local() == "" {
		return nil
	}
	a, err := s.of(p.Account, p.Stanza.From)
	if err != nil {
		return err
	}
	if f, err := form.Parse(x); err != nil || f.About() != nsSubAuth { // for another client of the account
		return nil
	}
	if err := a.approve(ctx, x); err != nil {
		return err
	}
	return server.ErrHandled
}

// wants sends a client the newest items of the nodes that it now follows: those of its own account and of contacts
// whose presence it gets (XEP-0163, section 4.3.4).
func (s *accounts) wants(ctx context.Context, to *server.Session, added []string) {
	a, err := s.own(to.JID.Local())
	if err != nil {
		return
	}
	cs, err := s.h.Contacts(ctx, a.owner)
	if err != nil {
		s.failed(ctx, "contacts", err)
		return
	}
	owners := map[string][]string{s.h.Domain: {a.owner}}
	for _, c := range cs.To {
		if h := s.h.Router.Host(c.Domain()); h != nil {
			owners[h.Domain] = append(owners[h.Domain], c.Local())
		}
	}
	for domain, locals := range owners {
		h := s.h.Router.Host(domain)
		if p, ok := h.PEP().(*accounts); ok {
			if err := p.lastOf(ctx, to, locals, added); err != nil {
				s.failed(ctx, "last items", err)
			}
		}
	}
}

// failed logs a fault, unless the server is stopping.
func (s *accounts) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.h.Log.Error("publish-subscribe", "what", what, "err", err)
	}
}

func (s *accounts) lastOf(ctx context.Context, to *server.Session, locals, nodes []string) error {
	return s.eachLast(ctx, to.JID, locals, nodes, func(st *wire.Stanza) {
		if to.Host.MayReceive(ctx, st, to.JID) {
			_ = to.SendTo(st, to.JID)
		}
	})
}

// granted sends a new contact's clients the items that they would have got when they came online.
func (s *accounts) granted(ctx context.Context, account string, contact jid.JID) {
	h := s.h.Router.Host(contact.Domain())
	if h == nil {
		for who, nodes := range s.h.Watchers(contact) {
			s.wantsFrom(ctx, account, who, nodes)
		}
		return
	}
	for _, to := range h.Account(contact.Local()).Sessions() {
		if !to.Available() || len(to.Wanted()) == 0 {
			continue
		}
		if err := s.lastOf(ctx, to, []string{account}, to.Wanted()); err != nil {
			s.failed(ctx, "last items", err)
		}
	}
}

// wantsFrom is wants for a contact on another server whose presence came to one account.
func (s *accounts) wantsFrom(ctx context.Context, account string, who jid.JID, added []string) {
	cs, err := s.h.Contacts(ctx, account)
	if err != nil || !cs.SubscribedFrom(who.Bare()) || s.h.Blocked(ctx, account, who) {
		return
	}
	err = s.eachLast(ctx, who, []string{account}, added, func(st *wire.Stanza) {
		st.To = who
		s.h.Router.Send(ctx, st)
	})
	if err != nil {
		s.failed(ctx, "last items", err)
	}
}

// eachLast makes events from the newest items of nodes that somebody may see and that send them to new clients.
func (s *accounts) eachLast(ctx context.Context, to jid.JID, locals, nodes []string, do func(*wire.Stanza)) error {
	items, err := s.st.LastItems(ctx, s.h.Domain, locals, nodes)
	if err != nil {
		return err
	}
	for _, it := range items {
		a, err := s.of(it.Owner, to)
		if err != nil {
			continue
		}
		n := &node{ask: a, name: it.Node}
		if n.cfg, err = parseConfig(it.Config, a.def); err != nil {
			return err
		}
		if it.Seq < n.cfg.since(n.h.Clock.Now()) || !n.cfg.Notify || n.cfg.Last != "on_sub_and_presence" ||
			n.cfg.Access == "authorize" && !a.self || n.maySee(ctx, to) != nil {
			continue
		}
		items := n.viewed(ctx, to, []server.PEPItem{pepItem(it.NodeItem)})
		if len(items) == 0 {
			continue
		}
		st := n.message(n.event(server.PEPEvent{Items: items}))
		do(delayed(st, n, it.Seq.Time()))
	}
	return nil
}
