// Package mam archives every account's messages and lets clients query them (XEP-0313), by ids that the messages carry
// (XEP-0359).
package mam

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/internal/changes"
	"parley/internal/memo"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config of the archive; zero values mean the defaults.
type Config struct {
	Default string // "always" (the default), "roster" or "never": for accounts without preferences
	PageMax int    // entries of one page; default 250
	Search  bool   // clients may search by words (XEP-0431)
	// older entries are removed unless the account has its own setting; 0: never. It may change
	Retention func() time.Duration
}

type archive struct {
	h     *server.Host
	st    Store
	cfg   Config
	prefs memo.Map[string, *prefs] // by account
}

// New makes the feature.
func New(h *server.Host, st Store, cfg Config) *server.Feature {
	if cfg.PageMax <= 0 {
		cfg.PageMax = 250
	}
	if cfg.Default == "" {
		cfg.Default = "always"
	}
	a := &archive{h: h, st: st, cfg: cfg}
	for _, t := range []changes.Topic{changes.Own, changes.Account} {
		h.On(t, memo.Forgetting(&a.prefs))
	}
	q := func(typ, local string) server.Query {
		return server.Query{To: server.ToSelf, Type: typ, Space: wire.NSMAM, Local: local}
	}
	return &server.Feature{
		Name: "mam",
		XEP: []server.XEP{
			{Number: 313, Title: "Message Archive Management", Version: "1.1.3"},
			{Number: 441, Title: "Message Archive Management Preferences", Version: "0.2.0"},
			{Number: 359, Title: "Unique and Stable Stanza IDs", Version: "0.7.0"},
			{
				Number:  424,
				Title:   "Message Retraction",
				Version: "0.4.2",
				Notes:   "tombstones in archives; also for retractions of before 0.4, fastened (XEP-0422)",
			},
			{Number: 334, Title: "Message Processing Hints", Version: "1.0.0"},
			{Number: 59, Title: "Result Set Management", Version: "1.0", Notes: "no page by index"},
		},
		Account: []string{
			wire.NSRetract + "#tombstone", wire.NSMAM, wire.NSMAM + "#extended",
			wire.NSMAM + "#groupchat-field", wire.NSSID,
		},
		Disco: []string{wire.NSMAM, wire.NSMAM + "#extended", wire.NSRSM},
		IQ: map[server.Query]server.IQFunc{
			q("set", "query"):    a.query,
			q("get", "query"):    a.fields,
			q("get", "metadata"): a.metadata,
			q("get", "prefs"):    a.getPrefs,
			q("set", "prefs"):    a.setPrefs,
			// Somebody else's archive.
			{To: server.ToAccount, Type: "set", Space: wire.NSMAM, Local: "query"}:    forbidden,
			{To: server.ToAccount, Type: "get", Space: wire.NSMAM, Local: "query"}:    forbidden,
			{To: server.ToAccount, Type: "get", Space: wire.NSMAM, Local: "metadata"}: forbidden,
			{To: server.ToAccount, Type: "get", Space: wire.NSMAM, Local: "prefs"}:    forbidden,
			{To: server.ToAccount, Type: "set", Space: wire.NSMAM, Local: "prefs"}:    forbidden,
		},
		Commands: []server.Command{{
			Node:    retentionNode,
			Name:    "How long my messages are kept",
			Allowed: a.local,
			Form:    a.retentionForm,
			Do:      a.setRetention,
		}},
		Inline:  []server.Inline{{Do: a.bound}},
		Run:     a.expire,
		Deleted: a.deleted,
		Steps: []server.Step{
			{Stage: server.SentArchive, Kind: wire.Message, Do: a.sentRetraction},
			{Stage: server.SentArchive, Kind: wire.Message, Do: a.sent},
			{Stage: server.ReceivedArchive, Kind: wire.Message, Do: a.receivedRetraction},
			{Stage: server.ReceivedArchive, Kind: wire.Message, Do: a.received},
			{Stage: server.ReceivedStamp, Kind: wire.Message, Do: a.stamp},
		},
	}
}

// sent archives the sender's side. A message to one's own account is archived once, as received.
func (a *archive) sent(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if !meaningful(st) || st.To.Bare() == p.Session.JID.Bare() {
		return nil
	}
	if ok, err := a.wanted(ctx, p.Account, st.To); err != nil || !ok {
		return err
	}
	a.keep(p, st.To, false)
	return nil
}

// received archives the recipient's side.
func (a *archive) received(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if !meaningful(st) {
		return nil
	}
	if ok, err := a.wanted(ctx, p.Account, st.From); err != nil || !ok {
		return err
	}
	a.keep(p, st.From, true)
	return nil
}

// stamp marks an archived message with its id, for those whom it is delivered to.
func (a *archive) stamp(_ context.Context, p *server.Pass) error {
	if id := p.ID(); id != 0 {
		p.Stanza = stamped(p.Stanza, p.Account+"@"+a.h.Domain, id)
	}
	return nil
}

func (a *archive) keep(p *server.Pass, with jid.JID, incoming bool) {
	p.Archive(&store.ArchiveEntry{
		Host:     a.h.Domain,
		Owner:    p.Account,
		With:     with.Bare().String(),
		WithRes:  with.Resource(),
		Incoming: incoming,
		OriginID: p.Stanza.ID,
		Refers:   store.RefersOf(p.Stanza),
		Stanza:   p.Serialized(),
	})
}

// stamped gives a copy with the archive's id (XEP-0359, section 3).
func stamped(st *wire.Stanza, by string, id store.ID) *wire.Stanza {
	c := st.Copy()
	b := make([]byte, len(st.Payload), len(st.Payload)+96)
	copy(b, st.Payload)
	start := len(b)
	b = append(b, `<stanza-id xmlns='urn:xmpp:sid:0' by='`...)
	b = wire.AppendEscaped(b, by)
	b = append(b, `' id='`...)
	b = append(b, id.String()...)
	b = append(b, `'/>`...)
	c.Payload = b
	c.Children = append(slices.Clip(st.Children),
		wire.Child{Name: wire.Name{Space: wire.NSSID, Local: "stanza-id"}, Start: start, End: len(b)})
	return c
}

// meaningful says whether accounts archive such a message; rooms archive theirs.
func meaningful(st *wire.Stanza) bool {
	switch st.Type {
	case "error", "headline", "groupchat":
		return false
	}
	return server.Meaningful(st)
}

func forbidden(context.Context, *server.Request) (*wire.Element, error) { return nil, server.Forbidden }

func (a *archive) query(ctx context.Context, r *server.Request) (*wire.Element, error) {
	if r.Session == nil {
		return nil, server.ServiceUnavailable
	}
	q, err := server.ParseArchiveQuery(r.Payload, a.cfg.PageMax, a.cfg.Search)
	if err != nil {
		return nil, err
	}
	q.Count = q.OnlyMax
	if q.OnlyMax {
		q.Max = 1
	}
	es, complete, total, err := a.st.ReadArchive(ctx, a.h.Domain, r.Account, q.Page)
	if err != nil {
		return nil, err
	}
	if q.OnlyMax {
		return server.ArchiveFin(nil, total == 0, total), nil
	}
	es, complete = q.Trim(es, complete)
	from := r.From.Bare()
	for i := range es {
		k := i
		if q.Flip {
			k = len(es) - 1 - i
		}
		if err := r.Session.Send(server.ArchiveResult(from, r.From, q.QueryID, es[k].ID, es[k].Stanza)); err != nil {
			return nil, server.ErrReplied // the stream is gone
		}
	}
	return server.ArchiveFin(es, complete, -1), nil
}

func (a *archive) fields(context.Context, *server.Request) (*wire.Element, error) {
	return server.ArchiveForm(a.cfg.Search), nil
}

// bound tells a client at binding where its archive ends (XEP-0386, section 3.2).
func (a *archive) bound(ctx context.Context, s *server.Session, _ *wire.Element) *wire.Element {
	first, last, err := a.bounds(ctx, s.JID.Local())
	if err != nil {
		a.h.Log.Error("cannot tell a client where its archive ends", "err", err)
		return nil
	}
	s.TellArchive(first, last)
	return server.ArchiveMetadata(first, last)
}

func (a *archive) metadata(ctx context.Context, r *server.Request) (*wire.Element, error) {
	first, last, err := a.bounds(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	return server.ArchiveMetadata(first, last), nil
}

// bounds gives the ids of the first and last entry; zeros if there is none.
func (a *archive) bounds(ctx context.Context, account string) (first, last store.ID, err error) {
	first, last, err = a.st.ArchiveBounds(ctx, a.h.Domain, account)
	if errors.Is(err, store.ErrNotFound) {
		return 0, 0, nil
	}
	return first, last, err
}
