package transfer

import (
	"strings"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	nsForward  = "urn:xmpp:forward:0"
	timeFormat = "2006-01-02T15:04:05.000000Z"

	batch = 200 // archived messages per commit
	page  = 250 // entries per read
)

// archive imports archived messages one by one (section 3.11): there may be millions.
func (u *incoming) archive() error {
	var ws []store.Write
	var last store.ID
	flush := func() error {
		if len(ws) == 0 {
			return nil
		}
		err := u.Store.Commit(u.ctx, ws...)
		u.report.Messages += len(ws)
		u.report.count(kindMessages, len(ws), 0)
		ws = ws[:0]
		return err
	}
	for {
		s, ok, err := u.r.next()
		if err != nil {
			return err
		}
		if !ok {
			if err := flush(); err != nil {
				return err
			}
			return u.Store.ForgetIndex(u.ctx, u.h.Domain, u.name) // the messages may be older than those in the index
		}
		e, err := u.r.element(s)
		if err != nil {
			return err
		}
		entry, err := u.archived(e, last)
		if err != nil {
			u.report.problem(kindMessages, "%s: an archived message: %v", u.self, err)
			continue
		}
		if entry == nil {
			continue
		}
		last = entry.ID
		if ws = append(ws, entry); len(ws) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// archived makes an archive entry from a result; nil for messages that accounts do not archive here.
func (u *incoming) archived(e *wire.Element, last store.ID) (*store.ArchiveEntry, error) {
	f := e.Child(nsForward, "forwarded")
	at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(f.Child(wire.NSDelay, "delay").Attr("stamp")))
	if err != nil || at.After(u.h.Clock.Now().Add(24*time.Hour)) {
		return nil, errValue
	}
	st, err := u.message(f.Child(wire.NSClient, "message"), nil)
	if err != nil {
		return nil, err
	}
	if st.Type == "groupchat" {
		return nil, nil // rooms have their own archives
	}
	entry := &store.ArchiveEntry{Host: u.h.Domain, Owner: u.name, OriginID: st.ID, Refers: store.RefersOf(st)}
	with := st.To
	if st.From.Bare() != u.self || st.To.Bare() == u.self {
		entry.Incoming, with = true, st.From
	}
	if with.IsZero() {
		with = u.self
	}
	entry.With, entry.WithRes = with.Bare().String(), with.Resource()
	newest := u.h.IDs.Next()
	ahead := store.FirstID(at) > newest
	if ahead && entry.OriginID != "" { // it gets an id of now, a different one at each import
		if _, err := u.Store.FindArchived(u.ctx, u.h.Domain, u.name, entry.With,
			entry.OriginID, entry.Incoming); err == nil {
			return nil, nil
		}
	}
	entry.ID = place(e.Attr("id"), at, last, newest)
	if ahead || at.Before(store.Epoch) { // its id has another time, so the message itself carries the time
		st.Add(wire.E(wire.NSDelay, "delay").Set("from", u.h.Domain).Set("stamp", at.UTC().Format(timeFormat)))
	}
	entry.Stanza = st.AppendXML(nil, st.To, wire.Client)
	return entry, nil
}

// place chooses an id: its former id if that was one of ours, otherwise one of its time, after the last one. The same
// file gives the same ids, so that importing it again duplicates nothing. Messages from a clock that is ahead get the
// newest id there is: a higher id would hide what is written until then.
func place(was string, at time.Time, last, newest store.ID) store.ID {
	if id, err := store.ParseID(was); err == nil && id > last && id < newest {
		if d := id.Time().Sub(at); d > -time.Second && d < time.Second {
			return id
		}
	}
	id := min(store.FirstID(at), newest)
	if id <= last {
		id = last + 1<<12
	}
	return max(id, 1<<12)
}

// message reads a message and removes the marks that its old server has added for this account. keep says which ids it
// may keep.
func (u *incoming) message(e *wire.Element, keep func(id string) bool) (*wire.Stanza, error) {
	if e == nil {
		return nil, errValue
	}
	b := e.AppendXML(nil, "")
	st, err := wire.ParseStanza(b, wire.Limits{Stanza: max(len(b), 1)})
	if err != nil || st.Kind != wire.Message || st.Malformed || st.From.IsZero() && st.To.IsZero() {
		return nil, errValue
	}
	return st.Remove(func(c wire.Child) bool {
		switch c.Name {
		case wire.Name{Space: "urn:xmpp:mam:tmp", Local: "archived"}:
			return true
		case wire.Name{Space: wire.NSSID, Local: "stanza-id"}:
			id, err := wire.ParseElement(st.Raw(c), wire.NSClient)
			if err != nil {
				return true
			}
			by, err := jid.Parse(id.Attr("by"))
			return err != nil || by == u.self && (keep == nil || !keep(id.Attr("id")))
		}
		return false
	}), nil
}

// has says whether the archive has a message with this id.
func (u *incoming) has(id string) bool {
	n, err := store.ParseID(id)
	if err != nil {
		return false
	}
	_, _, _, err = u.Store.ReadArchive(u.ctx, u.h.Domain, u.name, store.Page{IDs: []store.ID{n}, Max: 1})
	return err == nil
}

// offline imports messages that were not delivered (section 3.5).
func (u *incoming) offline() error {
	n, left, had := 0, 0, 0
	for {
		s, ok, err := u.r.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		e, err := u.r.element(s)
		if err != nil {
			return err
		}
		st, err := u.message(e, u.has)
		if err != nil {
			u.report.problem(kindWaiting, "%s: a waiting message: %v", u.self, err)
			continue
		}
		if !u.made { // the account would get them twice
			had++
			continue
		}
		if n >= u.MaxOffline {
			left++
			continue
		}
		n++
		o := &store.OfflineEntry{
			Host:    u.h.Domain,
			Owner:   u.name,
			Stanza:  st.AppendXML(nil, u.self, wire.Client),
			Expires: u.h.Clock.Now().Add(u.OfflineExpiry),
		}
		if err := u.Store.Commit(u.ctx, o); err != nil {
			return err
		}
	}
	if n > 0 {
		u.report.count(kindWaiting, n, 0)
	}
	if left > 0 {
		u.report.problem(kindWaiting,
			"%s: %d waiting messages are left out: more may not wait for an account; raise accounts.offline_messages "+
				"before you import", u.self, left)
		u.report.count(kindWaiting, 0, left-1)
	}
	if had > 0 {
		u.report.problem(kindWaiting,
			"%s: %d waiting messages are left out: the account was here already, and may have had them", u.self, had)
		u.report.count(kindWaiting, 0, had-1)
	}
	return nil
}
