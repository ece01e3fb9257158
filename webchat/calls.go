package webchat

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"parley/internal/fault"
	"parley/messages"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// What one finds after an absence: calls that nobody took, and invitations to meetings that were made a little while
// ago. Both are read from the archives that are there; nothing is kept besides.

const (
	nsJingleMessage = "urn:xmpp:jingle-message:0" // XEP-0353
	nsCallInvites   = "urn:xmpp:call-invites:0"   // XEP-0482

	callsSpan = 7 * 24 * time.Hour // how far back calls are looked for
	callsMost = 1000               // and in how many of the newest entries of the archive
	callsPage = 250
	callsMax  = 50              // how many are given
	ringing   = 2 * time.Minute // how long a call may still be taken

	meetingsSpan  = 2 * time.Hour
	meetingsRooms = 20  // the conversations with the newest messages that are looked at
	meetingsPage  = 100 // and how many of their messages
)

// MissedCall is a call that somebody made and nobody took.
type MissedCall struct {
	ID           string    `json:"id" doc:"of the call in the caller's archive"`
	Conversation string    `json:"conversation"`
	By           Author    `json:"by"`
	At           time.Time `json:"at"`
	Video        bool      `json:"video"`
}

// MissedCalls are the calls that somebody has missed, the newest first.
type MissedCalls struct {
	Calls []MissedCall `json:"calls"`
}

// HeldMeetings are invitations to meetings, the newest first.
type HeldMeetings struct {
	Meetings []Hit `json:"meetings"`
}

// MissedCalls gives the calls of the last week, among the newest entries of a person's archive, that no client of the
// person took or declined, and after which the person has neither written to the caller nor read on in the
// conversation.
func (s *Service) MissedCalls(ctx context.Context, account string) (MissedCalls, error) {
	out := MissedCalls{Calls: []MissedCall{}}
	now := s.cfg.Host.IDs.Now()
	es, err := s.newest(ctx, account, now.Add(-callsSpan))
	if err != nil {
		return out, err
	}
	read, err := s.marks(ctx, account)
	if err != nil {
		return out, err
	}
	log := callLog{self: account + "@" + s.cfg.Host.Domain, calls: make(map[callKey]*call)}
	for i := range es {
		log.take(&es[i])
	}
	var missed []*call
	for k, c := range log.calls {
		if c.id > read[k.with] && (c.over || now.Sub(c.id.Time()) > ringing) {
			missed = append(missed, c)
		}
	}
	slices.SortFunc(missed, func(a, b *call) int { return cmp.Compare(b.id, a.id) })
	for _, c := range missed[:min(len(missed), callsMax)] {
		out.Calls = append(out.Calls, MissedCall{
			ID:           c.id.String(),
			Conversation: c.with,
			By:           s.author(ctx, messages.Author{Address: c.with}, scene{addressed: true}),
			At:           c.id.Time(),
			Video:        c.video,
		})
	}
	return out, nil
}

// newest gives the newest entries of an archive since a time, in order.
func (s *Service) newest(ctx context.Context, account string, since time.Time) (all []store.Archived, err error) {
	p := store.Page{Start: since, Backwards: true, Max: callsPage}
	for len(all) < callsMost {
		es, complete, _, err := s.cfg.Store.ReadArchive(ctx, s.cfg.Host.Domain, account, p)
		if store.KindOf(err) == fault.NotFound { // the entry before which the page ends is gone
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(es, all...)
		if complete || len(es) == 0 {
			break
		}
		p.Before = es[0].ID
	}
	return all, nil
}

// callKey names a call: two people may use the same id.
type callKey struct{ with, id string }

// call is a call that may have been missed.
type call struct {
	with  string
	id    store.ID
	video bool
	over  bool // the caller has given up
}

// callLog follows an archive for calls that are missed.
type callLog struct {
	self  string
	calls map[callKey]*call
}

// take reads the next entry.
func (l *callLog) take(e *store.Archived) {
	st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)})
	if err != nil || st.Kind != wire.Message || st.Type == "groupchat" || st.Type == "error" {
		return
	}
	from, to := st.From.Bare().String(), st.To.Bare().String()
	with := from
	own := from == l.self
	if own {
		with = to
	}
	if with == l.self {
		return
	}
	if bytes.Contains(e.Stanza, []byte(nsJingleMessage)) || bytes.Contains(e.Stanza, []byte(nsCallInvites)) {
		l.signal(st, e.ID, with, own)
	}
	if own && (server.Said(st) || st.Has(nsJingleMessage, "propose")) {
		l.answered(with)
	}
}

// signal reads what a message says of a call.
func (l *callLog) signal(st *wire.Stanza, id store.ID, with string, own bool) {
	for i := range st.Children {
		c := &st.Children[i]
		if c.Name.Space != nsJingleMessage && c.Name.Space != nsCallInvites {
			continue
		}
		e := st.Element(c.Name.Space, c.Name.Local)
		k := callKey{with, e.Attr("id")}
		switch c.Name.Local {
		case "propose":
			l.begins(k, id, own, video(e))
		case "invite": // of the message that it is in; a meeting has an address, and rings nowhere
			if k.id = st.ID; e.Child(nsCallInvites, "jingle") != nil {
				l.begins(k, id, own, e.Attr("video") == "true")
			}
		case "retract":
			if known := l.calls[k]; known != nil && !own {
				known.over = true
			}
		case "accept", "proceed", "reject", "left":
			if own { // one of the person's clients
				delete(l.calls, k)
			}
		case "finish": // whoever says it: there was a call
			delete(l.calls, k)
		}
	}
}

func (l *callLog) begins(k callKey, id store.ID, own, video bool) {
	if !own && k.id != "" && l.calls[k] == nil {
		l.calls[k] = &call{with: k.with, id: id, video: video}
	}
}

// video says whether a call is proposed with pictures.
func video(propose *wire.Element) bool {
	return slices.ContainsFunc(propose.Elements(), func(e *wire.Element) bool { return e.Attr("media") == "video" })
}

// answered forgets the calls of somebody to whom the person has written, or whom they have called back.
func (l *callLog) answered(with string) {
	for k := range l.calls {
		if k.with == with {
			delete(l.calls, k)
		}
	}
}

// Meetings gives the invitations to meetings of the last two hours in the conversations of a person that have the
// newest messages. Whether a meeting goes on is not known here: it is held elsewhere.
func (s *Service) Meetings(ctx context.Context, account string) (HeldMeetings, error) {
	out := HeldMeetings{Meetings: []Hit{}}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return out, err
	}
	all, err := s.cfg.Inbox.Conversations(ctx, account)
	if err != nil {
		return out, err
	}
	since := s.cfg.Host.IDs.Now().Add(-meetingsSpan)
	for i := range all[:min(len(all), meetingsRooms)] {
		if all[i].Last.Time().Before(since) {
			break
		}
		hits, err := s.meetingsIn(ctx, who, all[i].With, since)
		if err != nil {
			return out, err
		}
		out.Meetings = append(out.Meetings, hits...)
	}
	slices.SortFunc(out.Meetings, func(a, b Hit) int { return b.Message.At.Compare(a.Message.At) })
	return out, nil
}

func (s *Service) meetingsIn(ctx context.Context, who, id jid.JID, since time.Time) (hits []Hit, err error) {
	f, err := s.find(ctx, who, id)
	if fault.Of(err) != nil { // a right has ended meanwhile
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	page := store.Page{Start: since, Backwards: true, Max: meetingsPage}
	ms, _, err := s.read(ctx, who.Local(), id, &f, page)
	if err != nil {
		return nil, err
	}
	for i := range ms {
		if m := &ms[i]; m.Kind == messages.Meeting && m.Link != "" && m.Removed == nil {
			hits = append(hits, Hit{id.String(), s.placeName(&f), s.message(ctx, m, f.scene)})
		}
	}
	return hits, nil
}
