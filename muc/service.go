// Package muc is multi-user chat (XEP-0045): a service of rooms, each with a goroutine that owns it. A room's Keeper
// says who has which affiliation, and Rules add all other behaviour: package muc/groups has those of the product.
package muc

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/internal/background"
	"parley/internal/everywhere"
	"parley/internal/limit"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config of a service; zero values mean the defaults.
type Config struct {
	Domain string
	Name   string       // of the service, as people see it; default "Rooms"
	Host   *server.Host // the host whose people the service is for
	Store  Store
	Secret []byte // for occupant ids (XEP-0421)

	// Keepers finds the keepers of rooms that are not free. If it is nil all rooms are free.
	Keepers Keepers

	// Rules are what rooms do besides what this package does itself.
	Rules []Rule

	// Company keeps the rules for conversations of several people; nil: there are no such conversations.
	Company Company

	// Lives returns how many accounts had an address before its present one: the new account needs other occupant ids
	// than they had. It is called on a room's goroutine and must not wait. May be nil.
	Lives func(who jid.JID) int
	// Heir gives who becomes the owner of a room that nobody owns any more, and has no administrator; zero: nobody.
	// Serves says whether an address can own a room: that of an account that can sign in. May be nil.
	Heir     func(ctx context.Context) (jid.JID, error)
	Serves   func(ctx context.Context, who jid.JID) (bool, error)
	Create   string // people who may create rooms: "anyone", "local" (the default), "admins"
	Defaults RoomConfig

	MaxOccupants   int                  // of one room; default 1000
	MaxPerUser     int                  // rooms one person may own; default 100
	MaxPeople      int                  // with an affiliation in one free room; default 20000
	NameLength     int                  // bytes of a room's localpart and of a nick; default 200
	HistoryDefault int                  // messages shown on joining; default 20
	HistoryMax     int                  // the most that a client can ask for; default 250
	MessageSize    int                  // bytes of a message's payload; default 64 KiB
	MessageRate    int                  // messages a second of one occupant; default 10
	MessageBurst   int                  // default 50
	Search         bool                 // archives may be asked for messages by their words (XEP-0431)
	GuestJoins     int                  // of people of one other server, a minute; 0: no limit
	PageMax        int                  // entries of an archive page; default 250
	Retention      func() time.Duration // older messages are removed; 0: none ever
	// after which clients of other servers are asked whether they are there; 0: never
	GuestPing time.Duration
	Idle      time.Duration // after which an empty room leaves memory; default 10 minutes
}

func (c *Config) setDefaults() {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&c.MaxOccupants, 1000)
	set(&c.MaxPerUser, 100)
	set(&c.MaxPeople, 20_000)
	set(&c.NameLength, 200)
	set(&c.HistoryMax, 250)
	if c.HistoryDefault == 0 {
		c.HistoryDefault = 20
	}
	set(&c.MessageSize, 64<<10)
	set(&c.MessageRate, 10)
	set(&c.MessageBurst, 50)
	set(&c.PageMax, 250)
	if c.Idle <= 0 {
		c.Idle = 10 * time.Minute
	}
	if c.Name == "" {
		c.Name = "Rooms"
	}
	if c.Create == "" {
		c.Create = "local"
	}
}

// Service is the entity of a MUC domain.
type Service struct {
	cfg     Config
	jid     jid.JID
	host    *server.Host
	keepers Keepers // nil: all rooms are free
	rules   []Rule
	ghosts  ghosts
	st      Store
	log     *slog.Logger

	started time.Time

	guests *limit.Keyed[string] // joins, by the other server's domain

	searchers *limit.Keyed[jid.JID]
	naming    *limit.Keyed[jid.JID] // who names conversations of several people

	mu      sync.RWMutex // guards what follows; rooms are given work under the read lock, and leave under the lock
	rooms   map[string]*Room
	loading map[string]chan struct{} // closed when the room is in rooms, or could not be loaded
	closed  bool
	ending  chan struct{} // closed when closed is set

	// Of rooms at other nodes; see away.go.
	others Others // nil: there are no other nodes
	calls  map[string]servedCall
	asks   asks
	places places
	moved  chan struct{} // of size 1: nodes have changed
	awayMu sync.Mutex
	aways  map[string]*away

	wg sync.WaitGroup // room goroutines, and work they have started
}

// NewService makes a service and puts it on its host's router and list of services.
func NewService(c Config) (*Service, error) {
	c.setDefaults()
	j, err := jid.Parse(c.Domain)
	if err != nil {
		return nil, err
	}
	s := &Service{
		cfg:       c,
		jid:       j,
		started:   c.Host.Clock.Now(),
		host:      c.Host,
		keepers:   c.Keepers,
		st:        c.Store,
		log:       c.Host.Log.With("service", c.Domain),
		searchers: limit.New[jid.JID](searchRate, searchBurst, limit.Most),
		naming:    limit.New[jid.JID](namingRate, namingBurst, limit.Most),
		rooms:     make(map[string]*Room),
		loading:   make(map[string]chan struct{}),
		calls:     make(map[string]servedCall),
		moved:     make(chan struct{}, 1),
		ending:    make(chan struct{}),
		aways:     make(map[string]*away),
	}
	s.rules = append([]Rule{coming, s.ghosts.rule, versionsRule, invitations, slow, busy, freeRules}, c.Rules...)
	s.asks = newAsks(s)
	if err := c.Host.Router.Add(c.Domain, s); err != nil {
		return nil, err
	}
	s.guests = limit.PerMinute[string](c.GuestJoins)
	everywhere.On(c.Host.Everywhere, s.hatsName(), func(_ context.Context, who jid.JID) (any, error) {
		s.hatsChanged(who)
		return nil, nil
	})
	s.answerNodes()
	c.Host.AddItem(server.Item{JID: j, Name: c.Name})
	return s, nil
}

// Run takes idle rooms out of memory until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if s.cfg.Retention != nil {
		var wg sync.WaitGroup
		wg.Go(func() { s.expire(ctx) })
		defer wg.Wait()
	}
	if s.cfg.GuestPing > 0 {
		var wg sync.WaitGroup
		wg.Go(func() { s.watchGuests(ctx) })
		defer wg.Wait()
	}
	s.wakeTemporary(ctx)
	if s.others != nil {
		var wg sync.WaitGroup
		wg.Go(func() { s.followNodes(ctx) })
		defer wg.Wait()
	}
	t := time.NewTicker(s.cfg.Idle / 4)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			s.unloadIdle(time.Now())
		}
	}
}

// wakeTemporary loads the temporary rooms of an earlier process, so that those end to which nobody comes back.
func (s *Service) wakeTemporary(ctx context.Context) {
	after := ""
	for ctx.Err() == nil {
		rows, err := s.st.Rooms(ctx, s.cfg.Domain, after, 200)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Error("temporary rooms are not looked for", "err", err)
			}
			return
		}
		for _, row := range rows {
			after = row.Name
			if c, err := s.configOf(row); err != nil || s.keeps(row) || c.Persistent {
				continue
			}
			if s.elsewhere(ctx, row.Name) != nil {
				continue // the node to which it goes wakes it
			}
			err := s.load(ctx, row.Name)
			if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.As(err, new(*store.OwnedError)) {
				s.log.Info("a temporary room is not woken", "room", row.Name, "err", err)
			}
		}
		if len(rows) < 200 {
			return
		}
	}
}

// Close ends all rooms when they have done what waits, or when ctx ends. Occupants are not told: their clients come
// back to rooms that still are.
func (s *Service) Close(ctx context.Context) {
	if s.others != nil {
		s.giveAll(ctx)
	}
	s.mu.Lock()
	if !s.closed {
		close(s.ending)
	}
	s.closed = true
	for name, r := range s.rooms {
		delete(s.rooms, name)
		close(r.in)
	}
	s.mu.Unlock()
	background.Wait(ctx, s.wg.Wait)
}

// Receive is server.Entity.
func (s *Service) Receive(ctx context.Context, st *wire.Stanza) error {
	if st.To.Local() == "" {
		return s.receive(ctx, st)
	}
	if len(st.To.Local()) > s.cfg.NameLength || len(st.To.Resource()) > s.cfg.NameLength {
		return server.NotAcceptable
	}
	if !s.admitsGuest(st) {
		return errGuests
	}
	if done, err := s.remote(ctx, st); done {
		return err
	}
	return s.receiveRoom(ctx, st)
}

// receiveRoom takes a stanza to a room that is here, or can be.
func (s *Service) receiveRoom(ctx context.Context, st *wire.Stanza) error {
	if st.Kind == wire.IQ && st.To.IsBare() && (st.Type == "get" || st.Type == "set") {
		if done, err := s.roomIQ(ctx, st); done {
			return err
		}
	}
	err := s.post(ctx, st.To.Local(), work{st: st})
	if errors.Is(err, store.ErrNotFound) {
		return s.noRoom(ctx, st)
	}
	return err
}

// noRoom handles a stanza to a room that does not exist: somebody who enters may create it.
func (s *Service) noRoom(ctx context.Context, st *wire.Stanza) error {
	switch {
	case st.Type == "error" || st.Kind == wire.IQ && st.Type == "result":
		return nil
	case st.Kind == wire.Presence && st.Type == "":
		return s.create(ctx, st)
	case st.Kind == wire.Presence:
		if st.Type == "unavailable" {
			s.notInAnyMore(ctx, st)
		}
		return nil
	case st.Kind == wire.IQ && st.Type == "set" && st.Has(wire.NSMUCOwner, "query"):
		return s.createReserved(ctx, st)
	}
	return server.ItemNotFound
}

// work is what a room's goroutine does next: a function, or what follows from a stanza. With both,
// do answers the stanza.
type work struct {
	st *wire.Stanza
	do func(ctx context.Context, r *Room)
	// said is told what becomes of st, a message to all from a session that need not be in the room. May be nil.
	// nicks are those that its person may have there.
	said  func(spoken)
	nicks []string
	// lost is called instead of do or said if the room is gone. May be nil.
	lost func(err error)
	// call is do for a room of another node; nil: there it cannot be done.
	call *callWork
	// here are the places of this node's clients, for a room of another node.
	here []byte
	// again is when st was sent, if it may have been done since: then it is not done once more.
	again time.Time
}

// settle marks the stanza, if there is one, as handled.
func (w work) settle() {
	if w.st != nil {
		w.st.Receipt.Settle()
	}
}

// post hands work to a room, which is loaded if need be; ErrNotFound if the room does not exist.
func (s *Service) post(ctx context.Context, name string, w work) error {
	s.mu.RLock()
	r := s.rooms[name]
	if r != nil {
		defer s.mu.RUnlock()
		return r.give(w)
	}
	s.mu.RUnlock()
	if a := s.elsewhere(ctx, name); a != nil {
		return a.post(w)
	}
	if err := s.load(ctx, name); err != nil {
		var owned *store.OwnedError
		if errors.As(err, &owned) && !isOrder(ctx) {
			return s.awayRoom(name, owned.Owner.Node).post(w)
		}
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r = s.rooms[name]; r == nil {
		return ErrClosing
	}
	return r.give(w)
}

// ask has a room do something on its goroutine, and waits until it has.
func (r *Room) ask(ctx context.Context, do func(ctx context.Context, r *Room) error) error {
	return r.s.Ask(ctx, r.name, 5*time.Second, do)
}

// Patience is how long a request waits for a room to finish earlier work.
const Patience = 30 * time.Second

// Ask runs do on the room's goroutine, waits for it, and returns its error. The room is loaded if need be;
// store.ErrNotFound if it does not exist. Ask waits no longer than patience.
func (s *Service) Ask(
	ctx context.Context, name string, patience time.Duration, do func(ctx context.Context, r *Room) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, patience) // the room may be going, and never answer
	defer cancel()
	done := make(chan error, 1)
	w := work{
		do:   func(ctx context.Context, r *Room) { done <- do(ctx, r) },
		lost: func(err error) { done <- err },
	}
	if err := s.post(ctx, name, w); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ErrClosing
	}
}

// Post runs a function on the room's goroutine and does not wait for it. The room is loaded if need be;
// store.ErrNotFound if it does not exist.
func (s *Service) Post(ctx context.Context, name string, do func(ctx context.Context, r *Room)) error {
	return s.post(ctx, name, work{do: do})
}

// EachLoaded is PostLoaded for all rooms of which ok is true. ok is called on any goroutine, and under the service's
// lock.
func (s *Service) EachLoaded(ok func(r *Room) bool, do func(ctx context.Context, r *Room)) {
	s.mu.RLock()
	var names []string
	for name, r := range s.rooms {
		if ok(r) {
			names = append(names, name)
		}
	}
	s.mu.RUnlock()
	slices.Sort(names) // in an order that a simulation repeats
	for _, name := range names {
		s.PostLoaded(name, do)
	}
}

// PostLoaded has a room do something on its goroutine if it is in memory. If the room is busy that waits for its place.
func (s *Service) PostLoaded(name string, do func(ctx context.Context, r *Room)) {
	s.mu.RLock()
	r := s.rooms[name]
	var err error
	if r != nil {
		err = r.give(work{do: do})
	}
	s.mu.RUnlock()
	if r != nil && err != nil {
		s.Background(func(context.Context) {
			for range 1000 {
				time.Sleep(5 * time.Millisecond)
				s.mu.RLock()
				r := s.rooms[name]
				if r == nil || r.give(work{do: do}) == nil {
					s.mu.RUnlock()
					return
				}
				s.mu.RUnlock()
			}
			s.log.Error("a room is too busy for a change", "room", name)
		})
	}
}

// Background runs f on a goroutine of the service, which Close waits for. It returns false, and does nothing, once the
// service is closed. It is safe on any goroutine.
func (s *Service) Background(f func(ctx context.Context)) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false
	}
	s.wg.Go(func() { f(context.Background()) })
	return true
}

// Lost logs that a room could not be given something to do. When the service ends that is as it should be.
func (s *Service) Lost(what string, err error, args ...any) {
	s.mu.RLock()
	closed := s.closed
	s.mu.RUnlock()
	if !closed {
		s.log.Error(what, append(args, "err", err)...)
	}
}

// forget takes a room out of memory: it is destroyed, or another node's.
func (s *Service) forget(r *Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[r.name] == r {
		delete(s.rooms, r.name)
		close(r.in)
	}
}

// Reply answers an iq with e, or with an empty result if e is nil. It is safe on any goroutine.
func (s *Service) Reply(ctx context.Context, st *wire.Stanza, e *wire.Element) {
	r := st.Reply()
	if e != nil {
		r.Add(e)
	}
	s.host.Router.Send(ctx, r)
}

// MessageSize gives how many bytes the payload of a message may have.
func (s *Service) MessageSize() int { return s.cfg.MessageSize }

// Domain gives the service's domain.
func (s *Service) Domain() string { return s.cfg.Domain }

// loadedNames gives the names of the rooms in memory, in order.
func (s *Service) loadedNames() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.rooms))
}

// Loaded gives a room if it is in memory, and nil if it is not. It is safe on any goroutine.
func (s *Service) Loaded(name string) *Room {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rooms[name]
}

// ForMembers says whether a room is for its members only, so that each message there is for each of them. It is true
// for a room that is not in memory. It is safe on any goroutine.
func (s *Service) ForMembers(room jid.JID) bool {
	r := s.Loaded(room.Local())
	return r == nil || r.Config().MembersOnly
}
