package muc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Room is one room. Its goroutine owns everything below `owned`; mu guards the fields that others read.
type Room struct {
	s    *Service
	name string
	jid  jid.JID

	keeper Keeper  // set before the goroutine starts
	hooks  []Hooks // of the rules, in their order; set before the goroutine starts

	in      chan work
	present atomic.Int32 // occupants
	used    atomic.Int64 // unix nanoseconds of the last work
	given   atomic.Int64 // pieces of work that are not done yet, and shown

	mu    sync.RWMutex
	cfg   RoomConfig
	topic string // the subject's text

	// owned
	epoch     int64
	epochNow  atomic.Int64 // the same, for every goroutine
	seq       int64
	locked    atomic.Bool // made and not configured yet (section 10.1.3): it is there for its owner only
	nicks     map[string]*Occupant
	sessions  map[jid.JID]*Occupant
	order     []*Occupant          // in the order in which they entered
	keys      map[string]*Occupant // by what their nicks look like
	speakers  speakers
	private   privates
	subject   *wire.Stanza
	subjectAt time.Time
	recent    []past
	pending   []*Message
	gone      []jid.JID
	over      bool   // destroyed, or taken over by another node
	late      []work // work that came after that
}

type client struct {
	jid      jid.JID
	presence *wire.Stanza // as sent, without the MUC part
}

const inbox = 1024

func newRoom(ctx context.Context, s *Service, row store.Room) (*Room, error) {
	r := &Room{
		s:        s,
		name:     row.Name,
		in:       make(chan work, inbox),
		epoch:    row.Epoch,
		seq:      row.LastSeq,
		nicks:    make(map[string]*Occupant),
		sessions: make(map[jid.JID]*Occupant),
		keys:     make(map[string]*Occupant),
	}
	var err error
	if r.jid, err = jid.New(row.Name, s.cfg.Domain, ""); err != nil {
		return nil, err
	}
	r.used.Store(time.Now().UnixNano())
	r.epochNow.Store(row.Epoch)
	r.cfg = s.cfg.Defaults
	if len(row.Config) > 0 {
		if err := json.Unmarshal(row.Config, &r.cfg); err != nil {
			return nil, fmt.Errorf("room %s: configuration: %w", r.jid, err)
		}
	}
	if len(row.Subject) > 0 {
		if r.subject, err = wire.ParseStanza(row.Subject, wire.Limits{Stanza: len(row.Subject)}); err != nil {
			return nil, fmt.Errorf("room %s: subject: %w", r.jid, err)
		}
		r.topic = r.subject.Element(wire.NSClient, "subject").Text()
	}
	if s.keeps(row) {
		r.keeper, err = s.keepers.Keeper(ctx, r, row)
	} else if r.keeper, err = newFree(ctx, r); err == nil && r.cfg.Several && s.cfg.Company != nil {
		r.keeper = &several{r.keeper.(*free)}
	}
	if err != nil {
		return nil, err
	}
	if r.cfg, err = r.keeper.Config(ctx, r.cfg); err != nil {
		return nil, err
	}
	r.locked.Store(r.cfg.Locked)
	for _, rule := range s.rules {
		if h := rule(r); !reflect.ValueOf(h).IsZero() { // most rules are not for every room
			r.hooks = append(r.hooks, h)
		}
	}
	return r, r.loadRecent(ctx)
}

// give hands work over; it returns an error if the room has too much to do. The work's stream counts its stanza as
// handled when the room has done it: the room acknowledges only what is committed.
func (r *Room) give(w work) error {
	r.used.Store(time.Now().UnixNano()) // before it is in the inbox: a room with something to do is not idle
	if w.st != nil {
		w.st.Hold()
	}
	r.given.Add(1)
	select {
	case r.in <- w:
		return nil
	default:
		r.given.Add(-1)
		w.settle()
		return errFull
	}
}

// maxBatch is how much of the inbox is taken at once: its messages are one commit.
const maxBatch = 64

// run is the room's goroutine, until its inbox is closed.
func (r *Room) run(ctx context.Context) {
	batch := make([]work, 0, maxBatch)
	for w := range r.in {
		batch = append(batch[:0], w)
	gather:
		for len(batch) < maxBatch {
			select {
			case w, ok := <-r.in:
				if !ok {
					break gather
				}
				batch = append(batch, w)
			default:
				break gather
			}
		}
		for i := range batch {
			r.handle(ctx, batch[i])
			batch[i] = work{}
		}
		r.Flush(ctx)
		r.dropGone(ctx)
		r.given.Add(-int64(len(batch)))
	}
	// Work that came too late is for the room that is at this address now, if there is one.
	for _, w := range r.late {
		if w.st != nil && w.said == nil {
			r.s.Fail(ctx, w.st, r.s.Receive(ctx, w.st))
			w.settle()
			continue
		}
		err := r.s.post(ctx, r.name, w)
		switch {
		case err == nil:
		case w.lost != nil:
			w.lost(err)
		case !errors.Is(err, store.ErrNotFound):
			r.s.log.Info("work for a room is lost", "room", r.jid.String(), "err", err)
		}
	}
}

// handle does one piece of work. A panic costs its sender an error, not everyone the room.
func (r *Room) handle(ctx context.Context, w work) {
	defer func() {
		if p := recover(); p != nil {
			if w.said != nil {
				w.said(spoken{err: server.Internal})
			} else if w.st != nil {
				r.s.host.Router.Reply(ctx, w.st, server.Internal)
				w.settle()
			}
			r.s.log.Error("panic in a room", "room", r.jid.String(), "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if w.do != nil || w.st.Kind != wire.Message {
		r.Flush(ctx)
	}
	if r.over {
		r.late = append(r.late, w)
		return
	}
	if w.do != nil {
		w.do(ctx, r)
		w.settle()
		return
	}
	if !w.again.IsZero() && r.wasDone(ctx, w) {
		w.settle()
		return
	}
	for i := range r.hooks {
		if f := r.hooks[i].Sent; f != nil {
			f(w.st)
		}
	}
	if w.said != nil {
		r.speak(ctx, w)
		return
	}
	var err error
	switch w.st.Kind {
	case wire.Presence:
		err = r.onPresence(ctx, w.st)
	case wire.Message:
		err = r.onMessage(ctx, w.st)
	case wire.IQ:
		err = r.onIQ(ctx, w.st)
	}
	r.s.Fail(ctx, w.st, err)
	if n := len(r.pending); n == 0 || r.pending[n-1].from != w.st { // else it is settled with its commit
		w.settle()
	}
}

// Config gives a copy of the room's configuration. It is safe on any goroutine.
func (r *Room) Config() RoomConfig {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.cfg
}

// affiliation of a person (bare or full), on any goroutine.
func (r *Room) affiliation(ctx context.Context, who jid.JID) (string, error) {
	return r.keeper.Affiliation(ctx, who)
}

// OccupantID returns an id that is the same for a person in this room for ever, and reveals nothing about the person
// (XEP-0421). The next person with the address of a deleted account has another. It is safe on any goroutine.
func (r *Room) OccupantID(who jid.JID) string {
	m := hmac.New(sha256.New, r.s.cfg.Secret)
	m.Write([]byte(r.jid.String() + "\x00" + who.Bare().String()))
	if r.s.cfg.Lives != nil {
		if n := r.s.cfg.Lives(who.Bare()); n > 0 {
			m.Write([]byte("\x00" + strconv.Itoa(n)))
		}
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Sum(nil)[:20]))
}

// ProgramID gives the occupant-id of a program, by an id of its own (XEP-0421). It is safe on any goroutine.
func (r *Room) ProgramID(id string) string {
	m := hmac.New(sha256.New, r.s.cfg.Secret)
	m.Write([]byte(r.jid.String() + "\x00program\x00" + id))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Sum(nil)[:20]))
}

// everyone gives the real addresses of all clients in the room; only of those for which ok says so, if it is not nil.
func (r *Room) everyone(ok func(*Occupant) bool) []jid.JID {
	tos := make([]jid.JID, 0, len(r.sessions))
	for _, o := range r.order {
		if ok == nil || ok(o) {
			for i := range o.clients {
				tos = append(tos, o.clients[i].jid)
			}
		}
	}
	return tos
}

// send gives st to many; clients that turn out to be gone are removed afterwards.
func (r *Room) send(ctx context.Context, st *wire.Stanza, tos []jid.JID) {
	r.s.host.Router.Fanout(ctx, st, tos, func(j jid.JID) { r.gone = append(r.gone, j) })
}

// dropGone removes clients that could not be reached: their servers or streams are gone.
func (r *Room) dropGone(ctx context.Context) {
	for len(r.gone) > 0 {
		j := r.gone[len(r.gone)-1]
		r.gone = r.gone[:len(r.gone)-1]
		if o := r.sessions[j]; o != nil {
			r.leave(ctx, o, j, nil, leaving{codes: []string{"333"}})
		}
	}
}
