// Package inbox keeps how far people have read each conversation, as their clients report it (XEP-0490, XEP-0333), and
// lists the conversations with their unread messages (XEP-0430).
package inbox

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/internal/slot"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	ns        = "urn:xmpp:inbox:1"
	nsMDS     = "urn:xmpp:mds:displayed:0"
	nsMarkers = "urn:xmpp:chat-markers:0"
)

// maxNoted is for how many conversations an account's reading position is kept.
const maxNoted = 10_000

// Config of the inbox; zero values mean the defaults.
type Config struct {
	Chats int // the newest conversations with people that are looked at; default 500
	Page  int // entries per answer; default 100
}

// Inbox is the feature.
type Inbox struct {
	h     *server.Host
	st    Store
	o     *org.Org
	cfg   Config
	notes notes
}

// New makes the Inbox of a host.
func New(h *server.Host, st Store, o *org.Org, c Config) *Inbox {
	if c.Chats <= 0 {
		c.Chats = 500
	}
	if c.Page <= 0 {
		c.Page = 100
	}
	return &Inbox{
		h:   h,
		st:  st,
		o:   o,
		cfg: c,
		notes: notes{
			wake:    make(chan struct{}, 1),
			writing: slot.New(),
			waiting: make(map[string]map[string]store.ID),
		},
	}
}

// Feature gives the feature to install in the host.
func (b *Inbox) Feature() *server.Feature {
	return &server.Feature{
		Name: "inbox",
		XEP: []server.XEP{
			{
				Number:  430,
				Title:   "Inbox",
				Version: "0.2.0",
				Notes: "people, the rooms of groups, and free rooms that list the person or that the person has " +
					"bookmarked; the ids of pages are addresses",
			},
			{Number: 333, Title: "Displayed Markers", Version: "1.0.0", Notes: "the server notes them as read"},
		},
		Account: []string{ns},
		Disco:   []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToSelf, Type: "get", Space: ns, Local: "inbox"}: b.list,
		},
		Steps:     []server.Step{{Stage: server.SentCopy, Kind: wire.Message, Do: b.marker}},
		Published: b.published,
		Run:       b.run,
	}
}

// marker takes a marker that a client sends (XEP-0333, section 4): the message was displayed.
func (b *Inbox) marker(ctx context.Context, p *server.Pass) error {
	if p.Stanza.Type == "error" || !p.Stanza.Has(nsMarkers, "displayed") {
		return nil
	}
	e := p.Stanza.Element(nsMarkers, "displayed")
	if e == nil || p.Account == "" {
		return nil
	}
	chat := p.Stanza.To.Bare()
	id, err := store.ParseID(e.Attr("id")) // in rooms it is the room's id
	if p.Stanza.Type != "groupchat" {
		// The marker is sent, whether or not the browser that sent it waits for the answer.
		ctx := context.WithoutCancel(ctx)
		found, ferr := b.st.FindArchived(ctx, b.h.Domain, p.Account, chat.String(), e.Attr("id"), true)
		switch {
		case ferr == nil:
			id, err = found.ID, nil
		case !errors.Is(ferr, store.ErrNotFound):
			b.h.Log.Error("cannot note a marker", "err", ferr)
			return nil
		}
	}
	if err == nil {
		b.note(p.Account, chat, id)
	}
	return nil
}

// published takes the marks that a client publishes for an account's conversations (XEP-0490).
func (b *Inbox) published(_ context.Context, account, node string, it server.PEPItem) {
	if node != nsMDS {
		return
	}
	chat, err := jid.Parse(it.ID)
	if err != nil {
		return
	}
	e, err := wire.ParseElement(it.Payload, "")
	if err != nil {
		return
	}
	sid := e.Child(wire.NSSID, "stanza-id")
	by, err := jid.Parse(sid.Attr("by"))
	if err != nil || by != chat.Bare() && by.String() != account+"@"+b.h.Domain {
		return
	}
	if id, err := store.ParseID(sid.Attr("id")); err == nil {
		b.note(account, chat.Bare(), id)
	}
}

// note keeps a position for the next write. Rooms elsewhere have ids that this server did not make, and are ignored.
func (b *Inbox) note(account string, chat jid.JID, id store.ID) {
	if chat.Local() == "" || id.Time().After(b.h.IDs.Now().Add(time.Minute)) {
		return
	}
	b.notes.add(account, chat.String(), id)
}

func (b *Inbox) run(ctx context.Context) error {
	daily := time.NewTicker(24 * time.Hour)
	defer daily.Stop()
	for {
		select {
		case <-daily.C:
			if err := b.expire(ctx); err != nil && ctx.Err() == nil {
				b.h.Log.Error("cannot remove old mentions", "err", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := b.flush(last); err != nil {
				b.h.Log.Error("cannot keep how far people have read", "err", err)
			}
			return nil
		case <-b.notes.wake:
			if err := b.flush(ctx); err != nil && ctx.Err() == nil {
				b.h.Log.Error("cannot keep how far people have read", "err", err)
			}
		}
	}
}

// keptMentions is how long mentions are kept.
const keptMentions = 90 * 24 * time.Hour

func (b *Inbox) expire(ctx context.Context) error {
	for {
		n, err := b.st.ExpireMentions(ctx, b.h.Domain, store.FirstID(b.h.Clock.Now().Add(-keptMentions)), 1000)
		if err != nil || n < 1000 {
			return err
		}
	}
}

// flush writes the noted positions; when it returns, all that were noted before are in the store.
func (b *Inbox) flush(ctx context.Context) error {
	return b.notes.flush(ctx, func(account string, chats map[string]store.ID) error {
		ds := make([]store.Displayed, 0, len(chats))
		for chat, id := range chats {
			ds = append(ds, store.Displayed{Chat: chat, ID: id})
		}
		err := b.st.SetDisplayed(ctx, b.h.Domain, account, maxNoted, ds...)
		if errors.Is(err, store.ErrLimit) { // too many addresses that are not conversations
			err = nil
		}
		return err
	})
}

// list answers with a message for each conversation, the latest first (XEP-0430, section 3.1).
func (b *Inbox) list(ctx context.Context, r *server.Request) (*wire.Element, error) {
	if !r.Stanza.Receipt.Earlier(ctx) { // include messages that the client has sent in rooms just before
		return nil, server.ResourceConstraint
	}
	if r.Session == nil {
		return nil, server.ServiceUnavailable
	}
	onlyUnread, err := truth(r.Payload, "unread-only", false)
	if err != nil {
		return nil, err
	}
	messages, err := truth(r.Payload, "messages", true)
	if err != nil {
		return nil, err
	}
	all, err := b.Conversations(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	fin := wire.E(ns, "fin")
	unread, sum := 0, 0
	for i := range all {
		if all[i].Unread > 0 {
			unread++
			sum += all[i].Unread
		}
	}
	fin.Set("total", strconv.Itoa(len(all))).Set("unread", strconv.Itoa(unread)).Set("all-unread", strconv.Itoa(sum))
	if onlyUnread {
		all = withUnread(all)
	}
	page, err := b.page(r.Payload, all)
	if err != nil {
		return nil, err
	}
	for i := range page {
		st, err := b.entry(r, &page[i], messages)
		if err != nil {
			return nil, err
		}
		if r.Session.Send(st) != nil {
			return nil, server.ErrReplied // the stream is gone
		}
	}
	set := wire.E(wire.NSRSM, "set")
	if len(page) > 0 {
		set.Add(wire.T(wire.NSRSM, "first", page[0].With.String()),
			wire.T(wire.NSRSM, "last", page[len(page)-1].With.String()))
	}
	return fin.Add(set.Add(wire.T(wire.NSRSM, "count", strconv.Itoa(len(all))))), nil
}

func withUnread(all []Conversation) (some []Conversation) {
	for _, c := range all {
		if c.Unread > 0 {
			some = append(some, c)
		}
	}
	return some
}

func truth(e *wire.Element, name string, def bool) (bool, error) {
	switch e.Attr(name) {
	case "":
		return def, nil
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, server.BadRequest
}

// unpaged is how many entries a client without paging gets at once.
const unpaged = 500

// page applies XEP-0059 to the list; its ids are the conversations' addresses.
func (b *Inbox) page(e *wire.Element, all []Conversation) ([]Conversation, error) {
	most, backwards := max(b.cfg.Page, unpaged), false
	if set := e.Child(wire.NSRSM, "set"); set != nil {
		if m := set.Child(wire.NSRSM, "max"); m != nil {
			n, err := strconv.Atoi(m.Text())
			if err != nil || n < 0 {
				return nil, server.BadRequest
			}
			most = min(b.cfg.Page, n)
		}
		at := func(id string) int {
			for i := range all {
				if all[i].With.String() == id {
					return i
				}
			}
			return -1
		}
		if a := set.ChildText(wire.NSRSM, "after"); a != "" {
			i := at(a)
			if i < 0 {
				return nil, server.ItemNotFound
			}
			all = all[i+1:]
		}
		if x := set.Child(wire.NSRSM, "before"); x != nil {
			backwards = true
			if x.Text() != "" {
				i := at(x.Text())
				if i < 0 {
					return nil, server.ItemNotFound
				}
				all = all[:i]
			}
		}
	}
	switch {
	case len(all) <= most:
		return all, nil
	case backwards:
		return all[len(all)-most:], nil
	}
	return all[:most], nil
}

func (b *Inbox) entry(r *server.Request, c *Conversation, message bool) (*wire.Stanza, error) {
	from, err := jid.New(r.Account, b.h.Domain, "")
	if err != nil {
		return nil, err
	}
	st := &wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		From: from,
		To:   r.From,
	}
	st.Add(wire.E(ns, "entry").Set("jid", c.With.String()).Set("unread", strconv.Itoa(c.Unread)).
		Set("id", c.Last.String()))
	if !message {
		return st, nil
	}
	id, kept := c.Latest()
	if kept == nil {
		return st, nil
	}
	res := server.ArchiveResult(from, r.From, r.Stanza.ID, id, kept)
	start := len(st.Payload)
	payload := append(append(make([]byte, 0, start+len(res.Payload)), st.Payload...), res.Payload...)
	cs := append(append([]wire.Child{}, st.Children...),
		wire.Child{Name: res.Children[0].Name, Start: start, End: len(payload)})
	st.SetPayload(payload, cs)
	return st, nil
}
