// Package settings holds what an organization decides while the server runs, for each host. The configuration file
// gives the defaults, and a setting takes precedence over it. Of gives the values in force.
package settings

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"parley/internal/changes"
	"parley/internal/clock"
	"parley/internal/fault"
	"parley/internal/slot"
	"parley/store"
)

// Values are the settings in force on a host. They are never changed once made.
type Values struct {
	Title string            // the organization's name; "": its domain
	Lang  string            // for people who have chosen none; "": the browser's, or else English
	Roles map[string]string // the organization's words for roles, instead of those of the reader's language

	Conversations bool // people may begin conversations of several people without a group

	TwoFactor   []string      // roles that must have a second factor
	SessionIdle time.Duration // how long an unused browser stays signed in

	InviteBy   string        // the lowest role that may invite in the console
	InviteApps string        // who may invite with an app: "anyone", "admins", "nobody"
	InviteTime time.Duration // the default validity of a link
	Reusable   bool          // links for several people may be made
	MaxUses    int           // uses of one such link
	MaxInvites int           // open invitations of one inviter

	Quiet store.QuietHours // for people who have chosen none; Zone is the organization's time zone

	Offline  bool // browsers keep messages, to open the chat while offline
	Previews bool // links in messages are described: the server fetches their pages
	Seen     bool // authors see who has read their messages in groups

	Archive time.Duration // retention of messages between people; 0: for ever
	Rooms   time.Duration // retention of messages in rooms
	Uploads time.Duration // retention of files
	Names   time.Duration // how long the name of a deleted account is not available; 0: it is at once
}

// NeedsTwoFactor says whether people with a role must have a second factor.
func (v Values) NeedsTwoFactor(role string) bool { return slices.Contains(v.TwoFactor, role) }

// MayInvite says whether a role may invite in the console.
func (v Values) MayInvite(role string) bool { return rank(role) >= rank(v.InviteBy) }

var ranks = []string{store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner}

func rank(role string) int { return slices.Index(ranks, role) }

// Where a value comes from.
const (
	Set           = "set"           // somebody set it
	Configuration = "configuration" // the file, a flag or the environment
	BuiltIn       = "built-in"
)

// Defaults are the values in force on a host where nothing is set.
type Defaults struct {
	Values
	Configured []string // names of settings that the configuration gives; other defaults are built in
}

// State is a setting with the value in force.
type State struct {
	Setting
	Value   string // as written in forms and in the store
	Default string // the value in force if it were not set
	Source  string
	From    string // source of the default: Configuration or BuiltIn
	Since   time.Time
	By      string // localpart; "" is the command line
}

// Settings reads and changes settings. Safe from any goroutine.
type Settings struct {
	st    store.Settings
	told  *changes.Changes
	clock clock.Clock
	log   *slog.Logger
	hosts map[string]*host
}

type host struct {
	defaults Defaults
	now      atomic.Pointer[inForce]
	// taken from reading the store until the values are replaced, so that an old read does not hide a change
	reading slot.Slot
}

type inForce struct {
	values Values
	set    map[string]store.Setting
}

// New makes the Settings of some hosts, which are read again when told says that they have changed. Before Load the
// defaults are in force.
func New(st store.Settings, told *changes.Changes, c clock.Clock, log *slog.Logger,
	hosts map[string]Defaults) *Settings {
	s := &Settings{st: st, told: told, clock: c, log: log, hosts: make(map[string]*host)}
	for name, d := range hosts {
		h := &host{defaults: d, reading: slot.New()}
		h.now.Store(&inForce{values: d.Values})
		s.hosts[name] = h
		told.Host(name).Follow(changes.Settings, func(ctx context.Context, _ string) error {
			return s.Reread(ctx, name)
		})
	}
	return s
}

// Load reads the settings of all hosts.
func (s *Settings) Load(ctx context.Context) error {
	for name := range s.hosts {
		if err := s.Reread(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Reread reads the settings of one host.
func (s *Settings) Reread(ctx context.Context, name string) error {
	h := s.hosts[name]
	if err := h.reading.Take(ctx); err != nil {
		return fmt.Errorf("settings of %s: %w", name, err)
	}
	defer h.reading.Free()
	f, err := s.read(ctx, name)
	if err == nil {
		h.now.Store(f)
	}
	return err
}

// read computes the values in force from the store.
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
			continue // from a newer parley
		}
		if err := d.set(&f.values, k.Value); err != nil {
			s.log.Error("ignoring a setting that is not valid", "host", name, "setting", k.Name, "err", err)
			continue
		}
		f.set[k.Name] = k
	}
	return f, nil
}

// reread is how often settings are read although nothing was told of a change: something else may have written them.
const reread = 10 * time.Second

// Run reads settings that something other than a node has changed, until ctx ends.
func (s *Settings) Run(ctx context.Context) error {
	t := time.NewTicker(reread)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := s.Load(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("cannot read settings", "err", err)
			}
		}
	}
}

// Of gives the values in force on a host, without reading the store.
func (s *Settings) Of(name string) Values {
	h := s.hosts[name]
	if h == nil {
		return Values{}
	}
	return h.now.Load().values
}

// All gives every setting of a host with its source, in the order of the page.
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

// Mistakes are why the values of one change cannot be kept, one for each setting that Field names.
type Mistakes []*fault.Error

// Error gives all of them in one line, each with the name of its setting.
func (ms Mistakes) Error() string {
	var b strings.Builder
	for i, m := range ms {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(m.Field + ": " + m.Error())
	}
	return b.String()
}

// Changed is a setting before and after a change.
type Changed struct{ Name, Was, Is string }

// Change is Write, and tells all nodes: the change is in force at once.
func (s *Settings) Change(ctx context.Context, name, by string, to map[string]*string) ([]Changed, error) {
	changed, err := s.Write(ctx, name, by, to)
	if err != nil || len(changed) == 0 {
		return changed, err
	}
	return changed, s.told.Tell(ctx, changes.Settings, changes.Key(name, ""))
}

// Write sets some settings, and resets those whose value is nil to their defaults. It gives what changed; if a value is
// not valid, it keeps nothing and returns Mistakes. The change is in force when it is told (changes.Settings).
func (s *Settings) Write(ctx context.Context, name, by string, to map[string]*string) ([]Changed, error) {
	h := s.hosts[name]
	if h == nil {
		return nil, fmt.Errorf("settings: %s is not hosted here", name)
	}
	f, err := s.read(ctx, name) // another node may have changed settings
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
	now := s.clock.Now().UTC().Truncate(time.Microsecond)
	for n := range to {
		if _, ok := find(n); !ok {
			wrong = append(wrong, &fault.Error{Kind: fault.Invalid, Field: n, Text: "There is no such setting"})
		}
	}
	for _, d := range All {
		v, ok := to[d.Name]
		if !ok {
			continue
		}
		_, isSet := f.set[d.Name]
		was := d.get(&f.values)
		if v == nil { // back to the default, also a value that could not be set here
			if isSet {
				forget = append(forget, d.Name)
			}
			if is := d.get(&h.defaults.Values); was != is {
				changed = append(changed, Changed{d.Name, was, is})
			}
			continue
		}
		if *v == was { // the default may be a value that cannot be set here
			continue
		}
		if err := d.set(&is, *v); err != nil {
			m := fault.Error{Kind: fault.Invalid, Text: err.Error()}
			if f := fault.Of(err); f != nil {
				m = *f
			}
			m.Field = d.Name
			wrong = append(wrong, &m)
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
