// Package tasks keeps what people of a conversation are to do, and reminds them when it is due. Who may see and change
// a task is for its callers to say. Tasks are content of conversations, as messages are: no audit entry is written.
package tasks

import (
	"context"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/background"
	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// Config is what a Service needs.
type Config struct {
	From  jid.JID // who reminds: an address of the host that is no account
	Words *i18n.Catalogue
	// Web gives the beginning of the addresses of pages; "" where there are none.
	Web func() string
	// Retention gives how long messages are kept, of rooms and between people; tasks that are done go with them. 0 is
	// for ever.
	Retention func(ofRooms bool) time.Duration
}

// Service keeps the tasks of one host. It is safe from any goroutine.
type Service struct {
	// Place gives the name of the conversation in which a task is; ok is false if the person may not see the task. It
	// is set before the host serves.
	Place func(ctx context.Context, who jid.JID, t *store.Task) (name string, ok bool, err error)

	h   *server.Host
	st  Store
	cfg Config
	due *background.Due[store.Task]
}

// New makes the service.
func New(h *server.Host, st Store, c Config) *Service {
	s := &Service{h: h, st: st, cfg: c}
	s.due = s.newDue()
	return s
}

// Feature gives the service's part in what the host does.
func (s *Service) Feature() *server.Feature {
	return &server.Feature{Name: "tasks", Run: func(ctx context.Context) error {
		s.due.Run(ctx)
		return nil
	}}
}

// The limits of a task, and of how many there are in a conversation.
const (
	MaxWhat         = 200 // characters
	maxLink         = 2000
	maxConversation = 2000
)

// Add keeps a new task and returns it with its id.
func (s *Service) Add(ctx context.Context, t store.Task) (store.Task, error) {
	t.Host, t.ID = s.h.Domain, s.h.IDs.Next()
	if err := s.check(&t); err != nil {
		return t, err
	}
	t.Reminded = s.past(t.Due)
	err := s.st.AddTask(ctx, t, maxConversation)
	if store.KindOf(err) == fault.Limit {
		return t, fault.New(fault.Limit, "", "There are too many tasks in this conversation: delete some")
	}
	s.due.Wake()
	return t, err
}

// Change changes a task, and returns it as it was and as it is.
func (s *Service) Change(ctx context.Context, id store.ID, change func(*store.Task) error) (was, now store.Task,
	err error) {
	now, err = s.st.ChangeTask(ctx, s.h.Domain, id, func(t *store.Task) error {
		was = *t
		if err := change(t); err != nil {
			return err
		}
		if !t.Due.Equal(was.Due) {
			t.Reminded = s.past(t.Due)
		}
		return s.check(t)
	})
	s.due.Wake()
	return was, now, err
}

// Delete removes a task.
func (s *Service) Delete(ctx context.Context, id store.ID) error {
	return s.st.DeleteTask(ctx, s.h.Domain, id)
}

// past says whether a deadline has passed: nobody is reminded of it.
func (s *Service) past(due time.Time) bool { return !due.IsZero() && !due.After(s.h.IDs.Now()) }

// check refuses what is no task, and brings its text into one line.
func (s *Service) check(t *store.Task) error {
	t.What = strings.Join(strings.Fields(t.What), " ")
	switch {
	case t.What == "":
		return fault.New(fault.Invalid, "what", "Say what is to be done")
	case !utf8.ValidString(t.What) || utf8.RuneCountInString(t.What) > MaxWhat:
		return fault.New(fault.Invalid, "what", "This is too long for a task: it has 200 characters at most")
	case !t.Due.IsZero() && (t.Due.Year() < 2000 || t.Due.Year() > 2200):
		return fault.New(fault.Invalid, "due", "This is no deadline")
	case t.Link == "":
		return nil
	}
	u, err := url.Parse(t.Link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(t.Link) > maxLink ||
		strings.ContainsAny(t.Link, " \t\r\n<>\"") {
		return fault.New(fault.Invalid, "link", "A link is an address that begins with https://")
	}
	return nil
}

// Address gives the address of a task's page; "" where there are no pages.
func (s *Service) Address(id store.ID) string {
	if s.cfg.Web == nil || s.cfg.Web() == "" {
		return ""
	}
	return s.cfg.Web() + "/chat/tasks/" + id.String()
}
