// Package settings is what an organization decides about itself while the server runs, each host for itself. The
// configuration file gives the defaults; what is set here goes before it. Everybody reads it by Of.
package settings

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
)

// Values are the settings in force of one host. They are not changed once made.
type Values struct {
	Title string            // of the organization; "" is its domain
	Lang  string            // of who has chosen none; "": the browser's, or else English
	Roles map[string]string // what roles are called here, instead of the words of the reader's language

	TwoFactor   []string      // roles that have to have a second factor
	SessionIdle time.Duration // how long a browser stays signed in without being used

	InviteBy   string        // the lowest role that may invite in the console
	InviteApps string        // who may invite by an app: "anyone", "admins", "nobody"
	InviteTime time.Duration // how long a link is good where nothing else was said
	Reusable   bool          // links that several people use may be made
	MaxUses    int           // of one such link
	MaxInvites int           // that are open, of one inviter

	Quiet store.QuietHours // of who has chosen none; Zone is the organization's time zone

	Archive time.Duration // how long messages between people are kept; 0: for ever
	Rooms   time.Duration // and messages in rooms
	Uploads time.Duration // how long files are kept
	Names   time.Duration // how long the name of a deleted account is given to nobody else; 0: it is at once
}

// NeedsTwoFactor says whether who has a role has to have a second factor.
func (v Values) NeedsTwoFactor(role string) bool { return slices.Contains(v.TwoFactor, role) }

// MayInvite says whether a role may invite in the console.
func (v Values) MayInvite(role string) bool { return rank(role) >= rank(v.InviteBy) }

var ranks = []string{store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner}

func rank(role string) int { return slices.Index(ranks, role) }

// Where a value comes from.
const (
	Set           = "set"           // here, by somebody
	Configuration = "configuration" // the file, a flag or the environment
	BuiltIn       = "built-in"
)

// Defaults are what holds for a host where nothing was set.
type Defaults struct {
	Values
	Configured []string // names of settings that the configuration gives; the others are built in
}

// State is a setting as it is in force.
type State struct {
	Setting
	Value   string // as it is written: of a form, of the store
	Default string // what would hold if it were not set
	Source  string
	From    string // source of the default: Configuration or BuiltIn
	Since   time.Time
	By      string // localpart; "" is the command line
}

// Settings knows and changes them. Safe from any goroutine.
type Settings struct {
	st    store.Settings
	log   *slog.Logger
	hosts map[string]*host
}

type host struct {
	defaults Defaults
	now      atomic.Pointer[inForce]
	mu       sync.Mutex // held from reading the store to setting now: what was read before a change does not hide it
}

type inForce struct {
	values Values
	set    map[string]store.Setting
}

// New makes it for some hosts. Until Load the defaults hold.
func New(st store.Settings, log *slog.Logger, hosts map[string]Defaults) *Settings {
	s := &Settings{st: st, log: log, hosts: make(map[string]*host)}
	for name, d := range hosts {
		h := &host{defaults: d}
		h.now.Store(&inForce{values: d.Values})
		s.hosts[name] = h
	}
	return s
}

// Load reads what was set.
func (s *Settings) Load(ctx context.Context) error {
	for name, h := range s.hosts {
		h.mu.Lock()
		err := s.loadLocked(ctx, name)
		h.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// Reread reads what was set for one host.
func (s *Settings) Reread(ctx context.Context, name string) error {
	h := s.hosts[name]
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.loadLocked(ctx, name)
}

func (s *Settings) loadLocked(ctx context.Context, name string) error {
	f, err := s.read(ctx, name)
	if err == nil {
		s.hosts[name].now.Store(f)
	}
	return err
}

// read gives what the store says is in force.
func (s *Settings) read(ctx context.Context, name string) (*inForce, error) {
	h := s.hosts[name]
	kept, err := s.st.Settings(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", name, err)
	}
	f := &inForce{values: h.defaults.Values, set: make(map[string]store.Setting)}
	f.values.Roles = make(map[string]string)
	for _, k := range kept {
		d, ok := find(k.Name)
		if !ok {
			continue // of a newer parley
		}
		if err := d.set(&f.values, k.Value); err != nil {
			s.log.Error("a setting cannot be used", "host", name, "setting", k.Name, "err", err)
			continue
		}
		f.set[k.Name] = k
	}
	return f, nil
}

// reread is how often what another node has set is looked for.
const reread = 10 * time.Second

// Run follows what other nodes set, until ctx ends.
func (s *Settings) Run(ctx context.Context) error {
	t := time.NewTicker(reread)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := s.Load(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("settings cannot be read", "err", err)
			}
		}
	}
}

// Of gives what is in force for a host, without reading the store.
func (s *Settings) Of(name string) Values {
	h := s.hosts[name]
	if h == nil {
		return Values{}
	}
	return h.now.Load().values
}

// All gives every setting of a host with where it comes from, in the order they are shown in.
func (s *Settings) All(name string) []State {
	h := s.hosts[name]
	if h == nil {
		return nil
	}
	f := h.now.Load()
	out := make([]State, len(All))
	for i, d := range All {
		st := State{Setting: d, Value: d.get(&f.values), Default: d.get(&h.defaults.Values), From: BuiltIn}
		if slices.Contains(h.defaults.Configured, d.Name) {
			st.From = Configuration
		}
		st.Source = st.From
		if k, ok := f.set[d.Name]; ok {
			st.Source, st.Since, st.By = Set, k.Since, k.By
		}
		out[i] = st
	}
	return out
}

// Mistake is why a value cannot be kept. Text is a message of package i18n, Args what it is filled with.
type Mistake struct {
	Name string // of the setting
	Text string
	Args []any
}

// Mistakes are all of those of one change.
type Mistakes []Mistake

func (ms Mistakes) Error() string {
	var b strings.Builder
	for i, m := range ms {
		if i > 0 {
			b.WriteString("; ")
		}
		text := m.Text
		for j := 0; j+1 < len(m.Args); j += 2 {
			text = strings.ReplaceAll(text, fmt.Sprintf("{{.%v}}", m.Args[j]), fmt.Sprint(m.Args[j+1]))
		}
		b.WriteString(m.Name + ": " + text)
	}
	return b.String()
}

// Changed is a setting before and after a change.
type Changed struct{ Name, Was, Is string }

// Change is Write and Reread: what is set holds at once.
func (s *Settings) Change(ctx context.Context, name, by string, to map[string]*string) ([]Changed, error) {
	changed, err := s.Write(ctx, name, by, to)
	if err != nil || len(changed) == 0 {
		return changed, err
	}
	return changed, s.Reread(ctx, name)
}

// Write sets some, and takes back those whose value is nil, so that the default holds again. It gives what has changed
// by it; Mistakes if something cannot be kept, and then nothing is. It holds here once the host is Reread.
func (s *Settings) Write(ctx context.Context, name, by string, to map[string]*string) ([]Changed, error) {
	h := s.hosts[name]
	if h == nil {
		return nil, fmt.Errorf("settings: %s is not hosted here", name)
	}
	f, err := s.read(ctx, name) // another node may have changed some
	if err != nil {
		return nil, err
	}
	is := f.values
	is.Roles = make(map[string]string)
	for role, called := range f.values.Roles {
		is.Roles[role] = called
	}
	var wrong Mistakes
	var keep []store.Setting
	var forget []string
	var changed []Changed
	now := time.Now().UTC().Truncate(time.Microsecond)
	for n := range to {
		if _, ok := find(n); !ok {
			wrong = append(wrong, Mistake{Name: n, Text: "There is no such setting"})
		}
	}
	for _, d := range All {
		v, ok := to[d.Name]
		if !ok {
			continue
		}
		_, isSet := f.set[d.Name]
		was := d.get(&f.values)
		if v == nil { // as the configuration has it, whatever may be set here
			if isSet {
				forget = append(forget, d.Name)
			}
			if is := d.get(&h.defaults.Values); was != is {
				changed = append(changed, Changed{d.Name, was, is})
			}
			continue
		}
		if *v == was { // a default of the configuration may be one that cannot be set here
			continue
		}
		if err := d.set(&is, *v); err != nil {
			m := Mistake{Name: d.Name, Text: err.Error()}
			if e, ok := err.(*bad); ok {
				m.Text, m.Args = e.text, e.args
			}
			wrong = append(wrong, m)
			continue
		}
		if is := d.get(&is); was != is {
			keep = append(keep, store.Setting{Name: d.Name, Value: is, Since: now, By: by})
			changed = append(changed, Changed{d.Name, was, is})
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	if len(keep)+len(forget) == 0 {
		return nil, nil
	}
	if err := s.st.SetSettings(ctx, name, keep, forget); err != nil {
		return nil, fmt.Errorf("settings of %s: %w", name, err)
	}
	return changed, nil
}
