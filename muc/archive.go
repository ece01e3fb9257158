package muc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Who may read the room's messages: values of RoomConfig.HistoryFor.
const (
	historyForMembers = "members"
	historyForAdmins  = "admins"
)

// reading returns a person's affiliation, and the time from which on they may read the room's messages; an error if
// they may read none. The history on entering follows the same rules.
func (r *Room) reading(ctx context.Context, who jid.JID) (affiliation string, from time.Time, err error) {
	if affiliation, err = r.affiliation(ctx, who); err != nil {
		return affiliation, from, err
	}
	if err = r.keeper.Reads(ctx, who, affiliation); err != nil {
		return affiliation, from, err
	}
	from, err = r.readsFrom(ctx, who, affiliation)
	return affiliation, from, err
}

// readsFrom returns the time from which on a person may read. In rooms where people read only messages since they were
// added, it is when that was; for a visitor it is when they entered. Administrators read everything.
func (r *Room) readsFrom(ctx context.Context, who jid.JID, affiliation string) (time.Time, error) {
	if !r.Config().SinceJoin || rank[affiliation] >= rank[Admin] {
		return time.Time{}, nil
	}
	since, ok, err := r.keeper.Since(ctx, who)
	if err == nil && !ok {
		return r.cameAt(ctx, who)
	}
	return since, err
}

// cameAt returns when a person entered the room; an error if they are not in it.
func (r *Room) cameAt(ctx context.Context, who jid.JID) (at time.Time, err error) {
	err = r.ask(ctx, func(_ context.Context, r *Room) error {
		for _, o := range r.order {
			if o.bare == who.Bare() && (at.IsZero() || o.came.Before(at)) {
				at = o.came
			}
		}
		if at.IsZero() {
			return server.Forbidden
		}
		return nil
	})
	return at, err
}

// shownFrom returns the time from which on the history is shown to somebody who enters; ok is false if they are shown
// nothing.
func (r *Room) shownFrom(ctx context.Context, o *Occupant) (from time.Time, ok bool) {
	switch {
	case r.cfg.HistoryFor != "" && !mayRead(&r.cfg, o.affiliation):
		return from, false
	case !r.cfg.SinceJoin || rank[o.affiliation] >= rank[Admin]:
		return from, true
	case o.affiliation == None:
		return o.came, true
	}
	from, ok, err := r.keeper.Since(ctx, o.bare)
	return from, ok && err == nil
}

// bounds returns the first and last message that may be read; zero for no bound.
func (r *Room) bounds(ctx context.Context, from time.Time) (first, last store.ID, err error) {
	first, last, err = r.s.st.RoomBounds(ctx, r.s.cfg.Domain, r.name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return 0, 0, nil
	case err != nil || !first.Time().Before(from):
		return first, last, err
	}
	es, _, _, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name, store.Page{Start: from, Max: 1})
	if err != nil || len(es) == 0 {
		return 0, 0, err
	}
	return es[0].ID, last, nil
}

// archive answers XEP-0313 queries to the room, for people who could read its messages live.
func (r *Room) archive(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	a, from, err := r.reading(ctx, st.From)
	if err != nil {
		return nil, err
	}
	c := r.Config()
	switch {
	case st.Type == "get" && q.Name.Local == "query":
		return server.ArchiveForm(r.s.cfg.Search), nil
	case st.Type == "get" && q.Name.Local == "metadata":
		first, last, err := r.bounds(ctx, from)
		if err != nil {
			return nil, err
		}
		return server.ArchiveMetadata(first, last), nil
	case st.Type == "set" && q.Name.Local == "query":
	default:
		return nil, server.ServiceUnavailable
	}
	aq, err := server.ParseArchiveQuery(q, r.s.cfg.PageMax, r.s.cfg.Search)
	if err != nil {
		return nil, err
	}
	real := c.NonAnonymous || rank[a] >= rank[Admin]
	switch {
	case aq.With == "":
	case !real: // section 4.1.1: it would reveal people's addresses
		return nil, server.Forbidden
	case strings.Contains(aq.With, "/"):
		return nil, server.WithText(server.NotAcceptable, "use a bare address: a room's archive does not know clients")
	}
	if from.After(aq.Start) {
		aq.Start = from
	}
	if slices.ContainsFunc(aq.IDs, func(id store.ID) bool { return id.Time().Before(from) }) {
		return nil, server.ItemNotFound
	}
	return r.page(ctx, st, aq, real)
}

// page sends one page; real addresses go to those who see them live.
func (r *Room) page(ctx context.Context, st *wire.Stanza, q server.ArchiveQuery, real bool) (*wire.Element, error) {
	q.Count = q.OnlyMax
	if q.OnlyMax {
		q.Max = 1
	}
	es, complete, total, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name, q.Page)
	if err != nil {
		return nil, err
	}
	if q.OnlyMax {
		return server.ArchiveFin(nil, total == 0, total), nil
	}
	es, complete = q.Trim(es, complete)
	for i := range es {
		k := i
		if q.Flip {
			k = len(es) - 1 - i
		}
		kept := es[k].Stanza
		if real && es[k].Sender != "" {
			kept = withSender(kept, es[k].Sender)
		}
		r.s.host.Router.Send(ctx, server.ArchiveResult(r.jid, st.From, q.QueryID, es[k].ID, kept))
	}
	return server.ArchiveFin(es, complete, -1), nil
}

// withSender adds who it was, as XEP-0313, section 6.1.2 (archives of rooms) says it.
func withSender(kept []byte, sender string) []byte {
	st, err := wire.ParseStanza(kept, wire.Limits{Stanza: len(kept)})
	if err != nil {
		return kept
	}
	st.Add(userX(wire.E(wire.NSMUCUser, "item").Set("jid", sender)))
	return st.AppendXML(nil, jid.JID{}, wire.Client)
}
