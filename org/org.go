// Package org holds the rules for groups, themes, teams and memberships, and makes every change of them. All doors
// (pages, API, command line, chat clients) call it.
package org

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/clock"
	"parley/internal/everywhere"
	"parley/internal/fault"
	"parley/internal/limit"
	"parley/internal/memo"
	"parley/internal/slot"
	"parley/store"
	"parley/wire/jid"

	"golang.org/x/time/rate"
)

// Config of the rules; zero values mean the defaults.
type Config struct {
	Acts  *acts.Log // records all changes; default: a log of its own
	Clock clock.Clock

	Label     string // rooms are at <Label>.<host>; default "groups"
	MaxFollow int    // groups up to this size follow each new theme; default 50
	MaxThemes int    // of one group; default 1000
	ThemePace int    // themes that one person starts in an hour; default 30
	MaxGroup  int    // members of one group; default 5000
	MaxOwned  int    // groups that one person owns; default 500
	MaxTeam   int    // people of one team; default 5000
	Apart     bool   // administrators of the organization do not own its groups
	// ThemesBy says who may start themes in a new group that does not say it: "members" (the default) or "moderators".
	ThemesBy string
	// MembersCreate lets every account of a host create groups; otherwise only administrators do.
	MembersCreate bool
	MaxRoster     int // people of a larger team do not get each other into their contact lists; default 250

	// Now gives the time from which a new member may read. It must agree with the ids of messages, which may be ahead
	// of the clock. Default: Clock.
	Now func() time.Time

	// Everywhere has events told on other nodes; zero: there are none.
	Everywhere everywhere.Part
}

// Org reads and changes groups, themes and teams. Safe from any goroutine.
type Org struct {
	st  Store
	cfg Config

	subs    []func(Event)
	telling slot.Slot // taken while subscribers get one event
	turns   *turns

	// bookmarks is taken while the themes that people follow change and the change is told, whether people change them
	// or a theme falls asleep or wakes. None of this is an act on the organization.
	bookmarks slot.Slot

	mu     sync.RWMutex
	states map[[2]string]*state // host and group id
	// changes counts what was told of changes: a state whose reading began before the last one is not kept.
	changes uint64
	gone    uint64             // counts deleted accounts: they leave groups without a new version
	teams   map[string]*teams  // by host
	jobs    map[[2]string]*job // adding everyone to mandatory groups
	wake    chan struct{}      // jobs are waiting
	tiles   tiles
	starts  *limit.Keyed[jid.JID] // of themes, by bare address
	rooms   memo.Map[jid.JID, belonging]
}

// now gives the time of day.
func (o *Org) now() time.Time { return o.cfg.Clock.Now().UTC() }

// New makes an Org with the rules of c. Subscribe before anything changes.
func New(st Store, c Config) *Org {
	if c.Label == "" {
		c.Label = "groups"
	}
	if c.MaxFollow <= 0 {
		c.MaxFollow = 50
	}
	if c.MaxThemes <= 0 {
		c.MaxThemes = 1000
	}
	if c.ThemePace <= 0 {
		c.ThemePace = 30
	}
	if c.MaxOwned <= 0 {
		c.MaxOwned = 500
	}
	if c.MaxGroup <= 0 {
		c.MaxGroup = 5000
	}
	if c.MaxTeam <= 0 {
		c.MaxTeam = 5000
	}
	if c.MaxRoster <= 0 {
		c.MaxRoster = 250
	}
	if c.Now == nil {
		c.Now = c.Clock.Now
	}
	if c.Acts == nil {
		var ids store.IDs
		c.Acts = acts.NewLog(st, changes.New(), func(string) store.ID { return ids.Next() })
	}
	o := &Org{
		st:        st,
		cfg:       c,
		states:    make(map[[2]string]*state),
		teams:     make(map[string]*teams),
		jobs:      make(map[[2]string]*job),
		wake:      make(chan struct{}, 1),
		turns:     newTurns(),
		telling:   slot.New(),
		bookmarks: slot.New(),
		starts:    limit.New[jid.JID](rate.Every(time.Hour/time.Duration(c.ThemePace)), c.ThemePace, limit.Most),
	}
	o.forgetting()
	everywhere.On(c.Everywhere, eventsName, func(_ context.Context, e Event) (any, error) {
		o.hear(e)
		return nil, nil
	})
	return o
}

// EventKind says what an Event reports.
type EventKind uint8

// GroupCreated and the others are the kinds of events.
const (
	GroupCreated      EventKind = iota + 1
	GroupChanged                // its settings
	GroupDeleted                // by its owners; it can be restored
	MembersChanged              // people came, left, or have another role
	ThemeCreated                // with its room and followers
	ThemeChanged                // closed, opened, archived, renamed
	ThemePeople                 // the list, the guests or the banned of a theme
	MembershipAsked             // Actor asks to become a member, for Reason
	MembershipGranted           // a request was granted
	MembershipDenied            // a request was refused
	TeamChanged                 // made, renamed, deleted, or its people changed
	BookmarksNamed              // of a theme whose group was renamed
	BookmarksChanged            // of one room, for those in Renamed: whether their clients enter it
	// nobody has written for a long time: the clients of the people in Renamed no longer enter the room
	ThemeDozes
	BookmarksGone // of a restricted theme, for people who were in it and left its group
	Shared        // Actor shared something with a team
	Unshared      // the opposite
)

// Event reports a change that is durable.
type Event struct {
	Kind    EventKind
	Host    string
	Group   store.Group
	Theme   *store.Theme
	Members []store.Member // MembersChanged: their new roles, "" for those who left
	Rooms   []jid.JID      // the rooms it is about
	Joined  []string       // local accounts that got bookmarks of Rooms
	Left    []string       // local accounts that lost their bookmarks of Rooms
	Renamed []string       // local accounts whose bookmark of the first of Rooms changed
	Guests  []jid.JID      // people of other servers who entered: this server does not keep their bookmarks
	Open    []jid.JID      // the rooms they are invited to
	Actor   jid.JID        // zero: an administrator
	Reason  string         // MembershipAsked
	Team    TeamEvent      // TeamChanged, Shared, Unshared
	Shared  *store.Shared  // Shared, Unshared
	Cause   any            `json:"-"` // what WithCause has noted of the request that made the change; nil: nothing

	Elsewhere bool `json:"-"` // it was made on another node: see SubscribeEverywhere
}

type causeKey struct{}

// WithCause notes the cause of changes that are made with the context, for who hears of them to know their own.
func WithCause(ctx context.Context, cause any) context.Context {
	return context.WithValue(ctx, causeKey{}, cause)
}

// Subscribe makes Org call f for each event that is made on this node, in order, after its commit. f must return soon
// and must not change groups.
func (o *Org) Subscribe(f func(Event)) {
	o.SubscribeEverywhere(func(e Event) {
		if !e.Elsewhere {
			f(e)
		}
	})
}

// SubscribeEverywhere is Subscribe for events of all nodes: f does what every node has to do for those who are
// connected to it. An act returns when all have done so. A node that may have missed one looks again at what all are
// connected to (see node.catchUp).
func (o *Org) SubscribeEverywhere(f func(Event)) { o.subs = append(o.subs, f) }

// eventsName is the name under which other nodes are told of events.
const eventsName = "org"

// tell tells of an event. Other nodes are asked while the order of events is held, and waited for afterwards: one that
// tells of an event of its own meanwhile waits for this one.
func (o *Org) tell(e Event) {
	o.telling.Lock()
	wait := o.cfg.Everywhere.Begin(eventsName, e)
	o.inform(e)
	o.telling.Free()
	wait()
}

func (o *Org) inform(e Event) {
	for _, f := range o.subs {
		f(e)
	}
}

// hear tells of an event of another node.
func (o *Org) hear(e Event) {
	e.Elsewhere = true
	o.telling.Lock()
	defer o.telling.Free()
	o.inform(e)
}

// RoomDomain gives the domain of the rooms of a host's groups.
func (o *Org) RoomDomain(host string) string { return o.cfg.Label + "." + host }

// RoomJID gives a room's address.
func (o *Org) RoomJID(host, local string) jid.JID {
	j, err := jid.New(local, o.RoomDomain(host), "")
	if err != nil { // localparts are made here, of characters that are allowed
		panic(fmt.Sprintf("org: room %q: %v", local, err))
	}
	return j
}

// state is a cached group. It is shared and never changed: a change drops it from the cache.
type state struct {
	version int64
	gone    uint64 // of one that an act has locked: Org.gone at that moment
	group   store.Group
	members map[jid.JID]string // effective role
	own     map[jid.JID]string // the roles that people of teams have without the teams
	teams   []store.GroupTeam  // the teams that are in the group
	themes  map[string]*themeState
	order   []string
}

type themeState struct {
	store.Theme
	people map[jid.JID]string
}

func (o *Org) state(ctx context.Context, host, id string) (*state, error) {
	k := [2]string{host, id}
	if acts.Under(ctx) {
		return o.stateUnder(ctx, k)
	}
	for try := 0; ; try++ {
		o.mu.RLock()
		s, seen := o.states[k], o.changes
		o.mu.RUnlock()
		if s != nil {
			return s, nil
		}
		s, err := o.load(ctx, host, id)
		if err != nil {
			return nil, err
		}
		if s, fresh := o.keep(k, s, seen); fresh || try == 2 {
			return s, nil
		}
	}
}

// stateUnder is state within an act: as the act's transaction sees the group.
func (o *Org) stateUnder(ctx context.Context, k [2]string) (*state, error) {
	if s := changeOf(ctx).find(k); s != nil {
		return s, nil
	}
	v, err := o.st.Version(ctx, k[0], versionGroup, k[1])
	if err != nil {
		return nil, err
	}
	o.mu.RLock()
	s := o.states[k]
	o.mu.RUnlock()
	if s != nil && s.version == v {
		return s, nil
	}
	return o.load(ctx, k[0], k[1])
}

// keep caches a state, unless something was written since its reading began: it may be older than that write, and
// would hide it for ever.
func (o *Org) keep(k [2]string, s *state, seen uint64) (_ *state, fresh bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := o.states[k]; now != nil { // a reader of a newer version was faster
		return now, true
	}
	if o.changes != seen {
		return s, false
	}
	o.states[k] = s
	return s, true
}

func (o *Org) load(ctx context.Context, host, id string) (*state, error) {
	// first, so that a change made meanwhile makes the state too old
	v, err := o.st.Version(ctx, host, versionGroup, id)
	if err != nil {
		return nil, err
	}
	g, err := o.st.Group(ctx, host, id)
	if err != nil {
		return nil, notFound(err, "no such group")
	}
	s, err := o.read(ctx, g)
	if err != nil {
		return nil, err
	}
	s.version = v
	return s, nil
}

// read reads a whole group, whether it exists or is deleted.
func (o *Org) read(ctx context.Context, g store.Group) (*state, error) {
	host, id := g.Host, g.ID
	s := &state{group: g, members: make(map[jid.JID]string), themes: make(map[string]*themeState)}
	ms, err := o.st.Members(ctx, host, id)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		if j, err := jid.Parse(m.JID); err == nil {
			s.members[j] = m.Role
		}
	}
	if s.teams, err = o.st.GroupTeams(ctx, host, id); err != nil {
		return nil, err
	}
	if len(s.teams) > 0 {
		own, err := o.st.Grants(ctx, host, id)
		if err != nil {
			return nil, err
		}
		s.own = make(map[jid.JID]string, len(own))
		for k, role := range own {
			if j, err := jid.Parse(k); err == nil {
				s.own[j] = role
			}
		}
	}
	ts, err := o.st.Themes(ctx, host, id)
	if err != nil {
		return nil, err
	}
	for _, t := range ts {
		people, err := o.st.ThemeList(ctx, host, t.Key)
		if err != nil {
			return nil, err
		}
		x := &themeState{Theme: t, people: make(map[jid.JID]string)}
		for _, m := range people {
			if j, err := jid.Parse(m.JID); err == nil {
				x.people[j] = m.Role
			}
		}
		s.themes[t.Key] = x
		s.order = append(s.order, t.Key)
	}
	return s, nil
}

// forgetting drops what is cached when it is changed, on whatever node.
func (o *Org) forgetting() {
	told := o.cfg.Acts.Changes()
	told.On(changes.Group, func(key string) {
		id, host, ok := strings.Cut(key, "@")
		if !ok || id == "" {
			o.dropGroups(func(s *state) bool { return host == "" || s.group.Host == host })
			o.rooms.DropAll()
			return
		}
		o.drop(host, id)
	})
	for _, t := range []changes.Topic{changes.Teams, changes.Account} { // teams hold the names of their people
		told.On(t, func(key string) {
			_, host, _ := strings.Cut(key, "@")
			o.dropTeams(host)
		})
	}
	told.On(changes.Deleted, func(key string) {
		_, host, _ := strings.Cut(key, "@")
		o.dropTeams(host)
		who, err := jid.Parse(key)
		o.mu.Lock()
		o.gone++
		o.mu.Unlock()
		o.dropGroups(func(s *state) bool { return err != nil || s.knows(who) })
	})
}

// drop removes a group from the cache.
func (o *Org) drop(host, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.states, [2]string{host, id})
	o.changes++
}

// dropGroups removes some groups from the cache.
func (o *Org) dropGroups(which func(*state) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.states, func(_ [2]string, s *state) bool { return which(s) })
	o.changes++
}

// dropTeams removes the teams of a host from the cache; with "" those of all hosts.
func (o *Org) dropTeams(host string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if host == "" {
		clear(o.teams)
	}
	delete(o.teams, host)
	o.changes++
}

func notFound(err error, text string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "", text)
	}
	return err
}
