// Package blocking lets people block addresses (XEP-0191): nothing passes between an account and the addresses that it
// blocks.
package blocking

import (
	"context"
	"errors"
	"strings"

	"mellium.im/xmpp/stanza"

	"parley/internal/changes"
	"parley/internal/memo"
	"parley/internal/slot"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	ns        = "urn:xmpp:blocking"
	nsErrors  = "urn:xmpp:blocking:errors"
	nsReports = "urn:xmpp:reporting:1"
)

// Config of blocking; zero values mean the defaults.
type Config struct {
	Max int // addresses per account, default 1000
}

type blocking struct {
	h     *server.Host
	st    Store
	cfg   Config
	lists memo.Map[string, map[jid.JID]struct{}] // by account; nil: nothing is blocked

	writing slot.Keyed[string] // by account
}

// New makes the feature. It must be the first feature, so that a blocked stanza reaches no other.
func New(h *server.Host, st Store, c Config) *server.Feature {
	if c.Max <= 0 {
		c.Max = 1000
	}
	b := &blocking{h: h, st: st, cfg: c}
	for _, t := range []changes.Topic{changes.Blocklist, changes.Account} {
		h.Changes.Host(h.Domain).Follow(t, b.changed)
	}
	// A later owner of a deleted account's address is somebody else, whom nobody on any host has blocked.
	h.Changes.On(changes.Deleted, func(string) { b.lists.DropAll() })
	q := func(typ, local string) server.Query {
		return server.Query{To: server.ToSelf, Type: typ, Space: ns, Local: local}
	}
	return &server.Feature{
		Name: "blocking",
		XEP: []server.XEP{
			{Number: 191, Title: "Blocking Command", Version: "1.3"},
			{
				Number:  377,
				Title:   "Blocking Command Reports",
				Version: "0.4.1",
				Notes:   "reports are kept for administrators: parley report list",
			},
		},
		// The host announces it, as section 3.1 requires.
		Disco: []string{ns, nsReports},
		IQ: map[server.Query]server.IQFunc{
			q("get", "blocklist"): b.list,
			q("set", "block"):     b.block,
			q("set", "unblock"):   b.unblock,
		},
		Blocks: b.surely,
		Bound:  b.bound,
		Steps: []server.Step{
			{Stage: server.SentCheck, Do: b.sent},
			{Stage: server.ReceivedCheck, Do: b.received},
		},
	}
}

// bound has the list in memory before a room with hundreds of occupants asks for it. Without it the client would miss
// what nobody can find out about: it connects again instead.
func (b *blocking) bound(ctx context.Context, s *server.Session) {
	if _, err := b.listOf(ctx, s.JID.Local()); err != nil {
		b.h.Log.Error("cannot read a blocklist", "account", s.JID.Local(), "err", err)
		s.Close(&wire.StreamError{Condition: "internal-server-error", Text: "your blocklist cannot be read"})
	}
}

// changed reads a list again that has changed, of an account that has clients here: see bound.
func (b *blocking) changed(ctx context.Context, account string) error {
	memo.Forgetting(&b.lists)(account)
	if account != "" && b.h.Account(account) != nil {
		_, _ = b.listOf(ctx, account) // what cannot be read counts as blocked, until it can
	}
	return nil
}

// listOf gives the addresses that an account blocks; nil if none.
func (b *blocking) listOf(ctx context.Context, account string) (map[jid.JID]struct{}, error) {
	if l, ok := b.lists.Get(account); ok {
		return l, nil
	}
	drops := b.lists.Drops()
	js, err := b.st.Blocked(ctx, b.h.Domain, account)
	if err != nil {
		return nil, err
	}
	var l map[jid.JID]struct{}
	for _, s := range js {
		if j, err := jid.Parse(s); err == nil {
			if l == nil {
				l = make(map[jid.JID]struct{})
			}
			l[j] = struct{}{}
		}
	}
	b.lists.PutUnless(account, l, drops)
	return l, nil
}

// write changes the list of an account in the store, and gives the list before. No node goes by that any more when it
// returns, and the new list is in memory where the account has clients, for those who must not wait for it.
func (b *blocking) write(ctx context.Context, account string,
	store func() error) (was map[jid.JID]struct{}, err error) {
	if err := b.writing.Take(ctx, account); err != nil {
		return nil, err
	}
	defer b.writing.Free(account)
	if was, err = b.listOf(ctx, account); err != nil {
		return nil, err
	}
	err = store()
	// also after an error: it may be kept, and only the answer be lost
	if err := errors.Join(err, b.h.Tell(ctx, changes.Blocklist, account)); err != nil {
		return nil, err
	}
	return was, nil
}

// surely is blocks for those who cannot wait for an answer: what cannot be found out counts as blocked.
func (b *blocking) surely(ctx context.Context, account string, who jid.JID) bool {
	yes, err := b.blocks(ctx, account, who)
	if err != nil {
		b.h.Log.Error("cannot read a blocklist", "account", account, "err", err)
		return true
	}
	return yes
}

// blocks says whether an account blocks an address: itself, its bare form, its domain with the resource, or its domain
// (section 3.2).
func (b *blocking) blocks(ctx context.Context, account string, who jid.JID) (bool, error) {
	l, err := b.listOf(ctx, account)
	if err != nil || l == nil || who.IsZero() || who.Local() == account && who.Domain() == b.h.Domain {
		return false, err
	}
	if in(l, who) || in(l, who.Bare()) {
		return true, nil
	}
	if d, err := jid.New("", who.Domain(), who.Resource()); err == nil && in(l, d) {
		return true, nil
	}
	d, err := jid.New("", who.Domain(), "")
	return err == nil && in(l, d), nil
}

func in(l map[jid.JID]struct{}, j jid.JID) bool { _, ok := l[j]; return ok }

// errBlocked is the answer to an account that writes to an address it blocks (section 3.3).
var errBlocked = &server.AppError{
	Stanza: stanza.Error{Type: stanza.Cancel, Condition: stanza.NotAcceptable},
	App:    wire.E(nsErrors, "blocked"),
}

func (b *blocking) sent(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if st.To.IsZero() {
		return nil
	}
	if yes, err := b.blocks(ctx, p.Account, st.To); err != nil || !yes {
		return err
	}
	if st.Kind == wire.Presence && st.Type == "unavailable" {
		return nil // everyone is told that the client leaves
	}
	return errBlocked
}

// received refuses blocked senders: messages and requests are answered as if the account did not exist, presence is not
// answered (section 3.2).
func (b *blocking) received(ctx context.Context, p *server.Pass) error {
	if yes, err := b.blocks(ctx, p.Account, p.Stanza.From); err != nil || !yes {
		return err
	}
	if p.Stanza.Kind == wire.Presence || p.Stanza.Type == "groupchat" || p.Stanza.Type == "headline" {
		return server.ErrHandled
	}
	return server.ServiceUnavailable
}

func (b *blocking) list(ctx context.Context, r *server.Request) (*wire.Element, error) {
	js, err := b.st.Blocked(ctx, b.h.Domain, r.Account)
	if err != nil {
		return nil, err
	}
	if r.Session != nil {
		r.Session.Set(server.Blocklist)
	}
	return items("blocklist", js), nil
}

func items(local string, js []string) *wire.Element {
	e := wire.E(ns, local)
	for _, j := range js {
		e.Add(wire.E(ns, "item").Set("jid", j))
	}
	return e
}

// read gives the addresses of a request.
func (b *blocking) read(q *wire.Element) ([]jid.JID, []string, error) {
	var js []jid.JID
	var ss []string
	for _, it := range q.Elements() {
		if it.Name != (wire.Name{Space: ns, Local: "item"}) {
			return nil, nil, server.BadRequest
		}
		j, err := jid.Parse(it.Attr("jid"))
		if err != nil {
			return nil, nil, server.MalformedJID
		}
		js, ss = append(js, j), append(ss, j.String())
	}
	return js, ss, nil
}

func (b *blocking) block(ctx context.Context, r *server.Request) (*wire.Element, error) {
	js, ss, err := b.read(r.Payload)
	if err != nil {
		return nil, err
	}
	if len(js) == 0 {
		return nil, server.BadRequest // section 3.3
	}
	b.report(ctx, r)
	self := r.From.Bare()
	for i, j := range js {
		if j == self {
			return nil, server.WithText(server.NotAllowed, "you cannot block "+ss[i]+", which is you")
		}
		if was, err := b.blocks(ctx, r.Account, j); err != nil {
			return nil, err
		} else if !was {
			b.show(ctx, r.Account, j, false) // before the block takes effect
		}
	}
	_, err = b.write(ctx, r.Account, func() error {
		return b.st.Block(ctx, b.h.Domain, r.Account, b.cfg.Max, ss...)
	})
	if errors.Is(err, store.ErrLimit) {
		return nil, server.WithText(server.ResourceConstraint, "too many addresses are blocked")
	}
	if err != nil {
		return nil, err
	}
	b.push(r.Account, items("block", ss))
	return nil, nil
}

func (b *blocking) unblock(ctx context.Context, r *server.Request) (*wire.Element, error) {
	js, ss, err := b.read(r.Payload)
	if err != nil {
		return nil, err
	}
	was, err := b.write(ctx, r.Account, func() error {
		return b.st.Unblock(ctx, b.h.Domain, r.Account, ss...)
	})
	if err != nil {
		return nil, err
	}
	if len(js) == 0 {
		for j := range was {
			js = append(js, j)
		}
	}
	for _, j := range js {
		if in(was, j) {
			b.show(ctx, r.Account, j, true)
		}
	}
	b.push(r.Account, items("unblock", ss))
	return nil, nil
}

// push sends the change to the clients of the account that have asked for the list.
func (b *blocking) push(account string, e *wire.Element) {
	for _, s := range b.h.Account(account).Sessions() {
		if s.Is(server.Blocklist) {
			st := &wire.Stanza{
				Kind: wire.IQ,
				Name: wire.Name{Space: wire.NSClient, Local: "iq"},
				Type: "set",
				ID:   b.h.NewID(),
				To:   s.JID,
			}
			_ = s.Send(st.Add(e)) // a client that is gone needs no push
		}
	}
}

// show makes the account's clients available or unavailable to the contacts that match j and see its presence (sections
// 3.3 and 3.4).
func (b *blocking) show(ctx context.Context, account string, j jid.JID, available bool) {
	cs, err := b.h.Contacts(ctx, account)
	if err != nil {
		b.h.Log.Error("cannot tell of a block", "account", account, "err", err)
		return
	}
	for _, c := range cs.From {
		if c != j.Bare() && (j.Local() != "" || c.Domain() != j.Domain()) {
			continue
		}
		for _, s := range b.h.Account(account).Sessions() {
			pr, _ := s.Presence()
			if pr == nil {
				continue
			}
			st := pr.Copy()
			if !available {
				st = &wire.Stanza{Kind: wire.Presence, Name: pr.Name, Type: "unavailable", From: s.JID}
			}
			st.To = c
			b.h.Router.Send(ctx, st)
		}
	}
}

// maxReports is how many reports of one person are kept; maxReported is how many messages a report may name.
const (
	maxReports  = 100
	maxReported = 20
)

// report keeps a report about a blocked person (XEP-0377) for administrators.
func (b *blocking) report(ctx context.Context, r *server.Request) {
	for _, it := range r.Payload.Elements() {
		said := it.Child(nsReports, "report")
		who, err := jid.Parse(it.Attr("jid"))
		if said == nil || err != nil {
			continue
		}
		rep := store.Report{
			Host:     b.h.Domain,
			ID:       b.h.IDs.Next(),
			Reporter: r.Account,
			Who:      who.String(),
			Reason:   short(strings.TrimPrefix(said.Attr("reason"), "urn:xmpp:reporting:"), 50),
			Text:     short(said.ChildText(nsReports, "text"), 2000),
		}
		for _, c := range said.Elements() {
			if c.Name != (wire.Name{Space: wire.NSSID, Local: "stanza-id"}) || c.Attr("by") != r.From.Bare().String() ||
				len(rep.Messages) == maxReported {
				continue
			}
			if id, err := store.ParseID(c.Attr("id")); err == nil {
				rep.Messages = append(rep.Messages, id)
			}
		}
		b.h.Log.Info("reported", "by", r.From.Bare().String(), "whom", rep.Who, "reason", rep.Reason)
		// the person is blocked all the same
		if err := b.st.AddReport(ctx, rep, maxReports); err != nil && !errors.Is(err, store.ErrLimit) {
			b.h.Log.Error("cannot keep a report", "err", err)
		}
	}
}

func short(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
