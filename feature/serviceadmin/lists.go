package serviceadmin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"parley/internal/changes"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

type user = store.User

// users calls f for every account.
func (s *service) users(ctx context.Context, f func(user)) error {
	after := ""
	for {
		us, err := s.st.Users(ctx, s.h.Domain, after, 500)
		if err != nil {
			return err
		}
		for _, u := range us {
			f(u)
			after = u.Name
		}
		if len(us) < 500 {
			return nil
		}
	}
}

// idle says whether all clients of an account are away (sections 4.16 and 4.17 do not define idle).
func idle(ss []*server.Session) bool {
	for _, o := range ss {
		pr, _ := o.Presence()
		if pr == nil {
			continue
		}
		show, _ := pr.Child(wire.NSClient, "show")
		if e, err := wire.ParseElement(pr.Raw(show), wire.NSClient); err != nil ||
			e.Text() != "away" && e.Text() != "xa" {
			return false
		}
	}
	return true
}

// choose gives the addresses of the accounts that match which now: online, active, idle …
func (s *service) choose(ctx context.Context, which string) ([]string, error) {
	var names []string
	switch which {
	case "registered", "disabled":
		err := s.users(ctx, func(u user) {
			if which == "registered" || u.Disabled {
				names = append(names, u.Name+"@"+s.h.Domain)
			}
		})
		return names, err
	}
	s.h.Accounts(func(a *server.Account) bool {
		ss := a.Sessions()
		if len(ss) > 0 && (which == "online" || (which == "idle") == idle(ss)) {
			names = append(names, a.Name+"@"+s.h.Domain)
		}
		return true
	})
	slices.Sort(names)
	return names, nil
}

// lists makes the commands of sections 4.13 to 4.22.
func (s *service) lists() []server.Command {
	kinds := []struct{ which, title, list string }{
		{"registered", "registered users", "get-registered-users-list"},
		{"disabled", "disabled users", "get-disabled-users-list"},
		{"online", "online users", "get-online-users-list"},
		{"active", "active users", "get-active-users"},
		{"idle", "idle users", "get-idle-users"},
	}
	var cmds []server.Command
	for _, k := range kinds {
		cmds = append(cmds, s.command("get-"+k.which+"-users-num", "Count the "+k.title, nil,
			func(ctx context.Context, _ form.Form) (string, *form.Form, error) {
				names, err := s.choose(ctx, k.which)
				return "", result().Add(k.which+"usersnum", form.TextSingle, "Number of "+k.title,
					strconv.Itoa(len(names))), err
			}))
		cmds = append(cmds, s.command(k.list, "List the "+k.title, func(f *form.Form) {
			f.AddList("max_items", "How many at most", "100", form.Option{Label: "25", Value: "25"},
				form.Option{Label: "100", Value: "100"}, form.Option{Label: "500", Value: "500"},
				form.Option{Label: "All", Value: "none"})
		}, func(ctx context.Context, f form.Form) (string, *form.Form, error) {
			names, err := s.choose(ctx, k.which)
			if n, aerr := strconv.Atoi(f.Get("max_items")); aerr == nil && n >= 0 {
				names = names[:min(n, len(names))]
			}
			names = names[:min(len(names), form.MaxValues)]
			return "", result().Add(k.which+"userjids", form.JIDMulti, "The "+k.title, names...), err
		}))
	}
	return cmds
}

func (s *service) roster(ctx context.Context, f form.Form) (string, *form.Form, error) {
	js, err := f.JIDs("accountjids")
	if err != nil || len(js) != 1 || js[0].Domain() != s.h.Domain {
		return "", nil, server.WithText(server.BadRequest, "the roster of one account of "+s.h.Domain+" at a time")
	}
	if ok, err := s.h.Exists(ctx, js[0].Local()); err != nil || !ok {
		if err == nil {
			err = server.ItemNotFound
		}
		return "", nil, err
	}
	if err := s.accounts.May(ctx, js[0], people.See); err != nil {
		return "", nil, err
	}
	cs, err := s.h.Contacts(ctx, js[0].Local())
	if err != nil {
		return "", nil, err
	}
	all, _ := cs.All()
	q := wire.E(wire.NSRoster, "query")
	for i := range all {
		if !all[i].InRoster {
			continue
		}
		it := wire.E(wire.NSRoster, "item").Set("jid", all[i].JID).Set("name", all[i].Name).
			Set("subscription", all[i].Subscription)
		for _, g := range all[i].Groups {
			it.Add(wire.T(wire.NSRoster, "group", g))
		}
		q.Add(it)
	}
	r := result().Add("accountjids", form.JIDMulti, "", js[0].Bare().String())
	r.Extra = append(r.Extra, q) // section 4.8 has the roster itself inside the form
	return "", r, nil
}

// maxAnnouncement is how long an announcement may be, in bytes.
const maxAnnouncement = 16 << 10

const (
	motdKey    = "motd"
	welcomeKey = "welcome"
)

// announcements makes the commands of sections 4.23 to 4.27.
func (s *service) announcements() []server.Command {
	body := func(field, label string) func(f *form.Form) {
		return func(f *form.Form) { f.AddText(field, label, "").Required() }
	}
	text := func(f form.Form, field string) (string, error) {
		t := f.Text(field)
		if t == "" || len(t) > maxAnnouncement {
			return "", server.WithText(server.NotAcceptable, "a text of at most 16 KiB is needed")
		}
		return t, nil
	}
	set := func(ctx context.Context, f form.Form) (string, *form.Form, error) {
		t, err := text(f, "motd")
		if err != nil {
			return "", nil, err
		}
		err = s.st.Put(ctx, s.h.Domain, motdKey, []byte(t))
		return "The message of the day has been set.", nil, errors.Join(err, s.h.Tell(ctx, changes.Settings, ""))
	}
	return []server.Command{
		s.command("announce", "Send an announcement to online users", func(f *form.Form) {
			f.Add("x-subject", form.TextSingle, "Subject")
			body("announcement", "Announcement")(f)
		}, func(ctx context.Context, f form.Form) (string, *form.Form, error) {
			t, err := text(f, "announcement")
			if err != nil {
				return "", nil, err
			}
			s.tell(cmp.Or(f.Get("x-subject"), f.Get("subject")), t)
			return "The announcement has been sent.", nil, nil
		}),
		s.command("set-motd", "Set the message of the day", body("motd", "Message of the day"), set),
		s.command("edit-motd", "Edit the message of the day", func(f *form.Form) {
			now, _ := s.st.Get(context.Background(), s.h.Domain, motdKey) // on an error the field is empty
			f.AddText("motd", "Message of the day", string(now)).Required()
		}, set),
		s.command("set-welcome", "Set the welcome message", body("welcome", "Welcome message"),
			func(ctx context.Context, f form.Form) (string, *form.Form, error) {
				t, err := text(f, "welcome")
				if err != nil {
					return "", nil, err
				}
				return "New accounts will be welcomed.", nil, s.st.Put(ctx, s.h.Domain, welcomeKey, []byte(t))
			}),
		s.command("delete-welcome", "Delete the welcome message", nil,
			func(ctx context.Context, _ form.Form) (string, *form.Form, error) {
				return "New accounts will not be welcomed any more.", nil, s.st.Delete(ctx, s.h.Domain, welcomeKey)
			}),
		s.command("delete-motd", "Delete the message of the day", nil,
			func(ctx context.Context, _ form.Form) (string, *form.Form, error) {
				err := s.st.Delete(ctx, s.h.Domain, motdKey)
				err = errors.Join(err, s.h.Tell(ctx, changes.Settings, ""))
				return "The message of the day has been deleted.", nil, err
			}),
	}
}

// tell sends a note to everybody who is online.
func (s *service) tell(subject, text string) {
	s.h.Accounts(func(a *server.Account) bool {
		for _, o := range a.Sessions() {
			if o.Available() {
				_ = o.Send(s.note(o, subject, text)) // a client that is leaving need not know
			}
		}
		return true
	})
}

// welcome leaves the administrators' welcome message for a new account; the person reads it at the first sign-in.
func (s *service) welcome(ctx context.Context, account string) {
	text, err := s.st.Get(ctx, s.h.Domain, welcomeKey)
	if err != nil || len(text) == 0 {
		return
	}
	to, err := jid.New(account, s.h.Domain, "")
	if err != nil {
		return
	}
	st := &wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		ID:   s.h.NewID(),
		From: s.h.JID,
		To:   to,
	}
	s.h.Router.Send(ctx, st.Add(wire.T(wire.NSClient, "body", string(text))))
}

func (s *service) note(o *server.Session, subject, text string) *wire.Stanza {
	st := &wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		Type: "headline",
		ID:   s.h.NewID(),
		From: s.h.JID,
		To:   o.JID,
	}
	if subject != "" {
		st.Add(wire.T(wire.NSClient, "subject", subject))
	}
	return st.Add(wire.T(wire.NSClient, "body", text))
}

// greet gives the message of the day to a client that signs in. The text is read at most once a minute.
func (s *service) greet(ctx context.Context, p *server.Pass) error {
	if !p.Initial {
		return nil
	}
	if t := s.motd.get(ctx, s.st, s.h.Domain); t != "" {
		_ = p.Session.Send(s.note(p.Session, "", t))
	}
	return nil
}

// motd caches the message of the day, so that signing in does not ask the store each time.
type motd struct {
	mu      sync.Mutex
	text    string
	at      time.Time
	changes int
}

func (m *motd) get(ctx context.Context, st Store, host string) string {
	m.mu.Lock()
	text, known, changes := m.text, time.Since(m.at) <= time.Minute, m.changes
	m.mu.Unlock()
	if known {
		return text
	}
	b, err := st.Get(ctx, host, motdKey)
	if err != nil {
		b = nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes == changes { // what was read before a change must not hide it
		m.text, m.at = string(b), time.Now()
	}
	return string(b)
}

func (m *motd) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = time.Time{}
	m.changes++
}
