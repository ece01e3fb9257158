// Package webchat keeps the browsers of people who chat on pages, and programs that do the same with a token. A browser
// is a session of its account like any client's: others see its presence, and what is said there are the same stanzas.
// It enters no room. A room's messages are given once to each browser of its people (rooms.go), and what is written
// goes through the room's rules without an occupant (write.go). Browsers are told of everything as events (event.go)
// with messages as people see them (package messages).
package webchat

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"parley/feature/bookmarks"
	"parley/feature/inbox"
	"parley/feature/later"
	"parley/feature/previews"
	"parley/feature/tasks"
	"parley/feature/upload"
	"parley/feature/webhooks"
	"parley/internal/background"
	"parley/internal/changes"
	"parley/internal/everywhere"
	"parley/internal/i18n"
	"parley/internal/limit"
	"parley/internal/memo"
	"parley/internal/slot"
	"parley/messages"
	"parley/muc"
	"parley/muc/groups"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
)

// Config is what a Service needs.
type Config struct {
	Host      *server.Host
	Store     Store
	Org       *org.Org
	People    *people.People
	Inbox     *inbox.Inbox
	Bookmarks *bookmarks.Bookmarks
	Tasks     *tasks.Service
	Previews  *previews.Service // nil: links have no previews
	Messages  messages.Reader
	// Converses says whether people may begin conversations of several people.
	Converses func() bool
	Later     *later.Service
	Words     *i18n.Catalogue
	// Web gives the beginning of the addresses of pages; "" where there are none.
	Web func() string
	// Keeps says whether browsers may keep messages, to show them while offline; nil: they may.
	Keeps func() bool
	// Seen says whether the author of a message in a room sees its readers; nil: yes.
	Seen func() bool
	// Photo gives the path of a person's picture; "" if there is none.
	Photo func(ctx context.Context, account string) (string, error)
	// Ask asks the program of an action (webhooks.Webhooks.Ask).
	Ask func(ctx context.Context, q webhooks.Question) (webhooks.Answer, error)
	// Hats gives what somebody wears in the rooms of a group (its id): roles and teams.
	Hats func(ctx context.Context, group string, account string) []muc.Hat
}

// Store is what Service asks of the store.
type Store interface {
	AddReport(ctx context.Context, r store.Report, max int) error
	AddPin(ctx context.Context, p store.Pin, max int) error
	Affiliations(ctx context.Context, host, room string) ([]store.Affiliation, error)
	DeletePins(ctx context.Context, p store.Pin) (bool, error)
	CountByDepartment(ctx context.Context, host string, f store.PeopleFilter) (map[string]int, error)
	CountByTeam(ctx context.Context, host string, f store.PeopleFilter) (map[string]int, error)
	Drafts(ctx context.Context, host, owner string) ([]store.Draft, error)
	FindArchived(ctx context.Context, host, owner, with, originID string, incoming bool) (store.Archived, error)
	People(ctx context.Context, host string, f store.PeopleFilter) ([]store.Person, int, error)
	Person(ctx context.Context, host, name string) (store.Person, error)
	PinnedConversations(ctx context.Context, host string) ([]store.Pin, error)
	Pins(ctx context.Context, p store.Pin) ([]store.Pin, error)
	ReadArchive(ctx context.Context, host, owner string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	ReadRoom(ctx context.Context, host, room string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	SeveralOf(ctx context.Context, host, jid string, limit int) ([]store.Several, error)
	LookMessages(ctx context.Context, f store.Find) (store.Looked, error)
	SaveMessage(ctx context.Context, m store.SavedMessage, max int) error
	SavedMessages(ctx context.Context, host, owner string, before store.ID, limit int) ([]store.SavedMessage, error)
	SearchMessages(ctx context.Context, f store.Find) (fs []store.Found, complete bool, err error)
	SetDraft(ctx context.Context, host, owner string, d store.Draft, max int) error
	SetSidebar(ctx context.Context, host, owner, body string) error
	Sidebar(ctx context.Context, host, owner string) (string, error)
	Task(ctx context.Context, host string, id store.ID) (store.Task, error)
	Tasks(ctx context.Context, f store.TaskFilter) ([]store.Task, error)
	TasksOf(ctx context.Context, host string, ids []store.ID) ([]store.Task, error)
	UnsaveMessage(ctx context.Context, host, owner, chat string, message store.ID) error
}

// Service serves the browsers of one host's people. It is safe from any goroutine. Rooms, Uploads
// and Others are set before the host serves.
type Service struct {
	Rooms   *groups.Service
	Uploads *upload.Service // nil: files cannot be sent
	Others  Others          // nil: there is only this node

	cfg   Config
	jobs  chan func(context.Context)
	after background.Group // what ends after the service
	names memo.Map[string, known]
	sent  memo.Map[string, store.ID] // what was sent with an id that the browser made

	acting *limit.Keyed[string] // how often people use actions, by account

	open atomic.Int64 // how many browsers there are: without any, messages cost nothing here

	opening slot.Keyed[string] // by account: taken while a browser's session is made
	sending singleflight.Group // by account, conversation and origin

	mu       sync.Mutex
	closed   bool
	browsers map[string]map[string]*Browser  // by account and credential
	rooms    map[string]map[*Browser]*viewer // who hears of a room, by its address
	pinned   pinned
	watchers map[string]map[*Browser]bool // who hears of somebody's presence, by the bare address
}

// maxJobs is how much waits to be told to browsers. If there is more, all of them load everything anew.
const maxJobs = 4096

// New makes the service.
func New(c Config) *Service {
	s := &Service{
		cfg:      c,
		jobs:     make(chan func(context.Context), maxJobs),
		acting:   limit.PerMinute[string](actionsPerMinute),
		browsers: make(map[string]map[string]*Browser),
		rooms:    make(map[string]map[*Browser]*viewer),
		watchers: make(map[string]map[*Browser]bool),
	}
	for _, t := range []changes.Topic{changes.Account, changes.Own} {
		c.Host.On(t, memo.Forgetting(&s.names))
	}
	c.Host.Changes.Host(c.Host.Domain).Follow(changes.Pins, func(ctx context.Context, _ string) error {
		return s.readPinned(ctx)
	})
	everywhere.On(c.Host.Everywhere, roomsName, s.takeRoom)
	return s
}

// Feature gives the service's part in what the host does.
func (s *Service) Feature() *server.Feature {
	return &server.Feature{
		Name: "webchat",
		XEP: []server.XEP{{
			Number:  511,
			Title:   "Link Metadata",
			Version: "0.1.1",
			Notes:   "for who writes in the browser: OpenGraph without pictures",
		}},
		Steps:     s.steps(),
		Published: s.published,
		Bound:     func(_ context.Context, x *server.Session) { s.presenceMayChange(x.JID.Local()) },
		Unbound:   func(_ context.Context, x *server.Session) { s.presenceMayChange(x.JID.Local()) },
		Elsewhere: s.presenceMayChange,
		Run:       s.run,
	}
}

// sweepEvery is how often the service looks for browsers that are gone.
const sweepEvery = 10 * time.Second

// run tells browsers what happens, in order, until ctx ends.
func (s *Service) run(ctx context.Context) error {
	s.loadPinned(ctx)
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	keeps := s.Keeps()
	for {
		select {
		case <-ctx.Done():
			for _, b := range s.all() {
				b.buf.end()
			}
			s.after.Close()
			return nil
		case job := <-s.jobs:
			job(ctx)
		case now := <-t.C:
			s.sweep(ctx, now)
			if may := s.Keeps(); may != keeps {
				keeps = may
				s.resetAll() // the list says it
			}
		}
	}
}

// Shutdown ends all streams and begins no new ones, so that a server that stops need not wait for them. Browsers come
// back to the server that is there next.
func (s *Service) Shutdown() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, b := range s.all() {
		b.buf.end()
	}
}

// do has something done on the service's goroutine, after what was given to it before, and does not wait for it.
func (s *Service) do(job func(context.Context)) {
	select {
	case s.jobs <- job:
	default:
		s.resetAll()
	}
}

// Reset has all browsers load everything anew, and hear of the rooms that their people may read now: the node may not
// know of all that has happened.
func (s *Service) Reset(ctx context.Context) {
	for _, b := range s.all() {
		s.unfollowRooms(b)
		b.mu.Lock()
		asleep := b.asleep
		b.mu.Unlock()
		if asleep { // it follows them when it is back
			b.buf.reset()
		} else if err := s.follow(ctx, b); err != nil { // it comes again
			s.failed("cannot find the rooms of a browser", err, "account", b.session.JID.Local())
			s.drop(context.WithoutCancel(ctx), b)
		} else {
			b.buf.reset()
		}
	}
}

// resetAll has all browsers load everything anew.
func (s *Service) resetAll() {
	for _, b := range s.all() {
		b.buf.reset()
	}
}

// Keeps says whether browsers may keep messages, to show them while offline.
func (s *Service) Keeps() bool { return s.cfg.Keeps == nil || s.cfg.Keeps() }

// failed logs an error of ours that nobody else is told.
func (s *Service) failed(what string, err error, args ...any) {
	if errors.Is(err, context.Canceled) { // whoever asked is gone, or the server stops
		return
	}
	s.cfg.Host.Log.Error(what, append(args, "err", err)...)
}
