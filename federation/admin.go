package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/clock"
	"parley/internal/everywhere"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	maxRules      = 20000
	maxRuleNote   = 500 // characters
	maxNoted      = 20  // the most domains of one change that get their own entries in the audit log
	onlyListedKey = "federation/only-listed"
	rulesEvery    = 30 * time.Second // how often to look for changes of which nothing was told
	pingTimeout   = 20 * time.Second
)

// Admin shows other servers to administrators and takes their rules while the server runs. Rules are in the store, hold
// for the whole deployment, and every change of them is in the audit log. This also works while federation is off.
// Admin is safe from any goroutine.
type Admin struct {
	Store  Store
	Acts   *acts.Log
	Clock  clock.Clock
	Log    *slog.Logger
	Hosts  []string                 // the hosted domains; administrators of the first one may change rules
	Served func(domain string) bool // reports whether a domain is served here: such a domain gets no rule
	Server *Server                  // applies the rules; nil: federation is off

	Everywhere everywhere.Part // asks other nodes for what they know; zero: there are none
}

// Load makes the Server apply the rules in the store.
func (a *Admin) Load(ctx context.Context) error {
	rs, only, err := a.Rules(ctx)
	if err != nil {
		return err
	}
	if a.Server != nil {
		a.Server.SetRules(rs, only)
	}
	return nil
}

// Follow has the rules applied that were changed on whatever node. Acts tell told of theirs.
func (a *Admin) Follow(told *changes.Changes) {
	told.Follow(changes.Rules, func(ctx context.Context, _ string) error { return a.Load(ctx) })
	everywhere.On(a.Everywhere, domainsName, func(context.Context, struct{}) (any, error) {
		if a.Server == nil {
			return nil, nil
		}
		return a.Server.Domains(), nil
	})
}

// domainsName is the name under which other nodes are asked for what they know of other servers.
const domainsName = "federation"

// Watch applies changes that something other than a node makes, until ctx ends.
func (a *Admin) Watch(ctx context.Context) {
	t := time.NewTicker(rulesEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.follow(ctx)
		}
	}
}

func (a *Admin) follow(ctx context.Context) {
	if err := a.Load(ctx); err != nil && ctx.Err() == nil { // the next round tries again
		a.Log.Error("domain rules cannot be read", "err", err)
	}
}

var errOff = fault.New(fault.Exists, "", "federation is off: federation.enabled is false")

// Domains returns the domains of other servers that the nodes have had contact with since they started. It returns an
// error if federation is off.
func (a *Admin) Domains() ([]Domain, error) {
	if a.Server == nil {
		return nil, errOff
	}
	all := a.Server.Domains()
	for _, of := range everywhere.Asked[[]Domain](a.Everywhere, domainsName, struct{}{}) {
		all = together(all, of)
	}
	return all, nil
}

// Of leaves only what concerns one host, since other hosts' contacts are none of its administrators' business.
func Of(ds []Domain, host string) (out []Domain) {
	for _, d := range ds {
		d.Streams = slices.DeleteFunc(slices.Clone(d.Streams), func(s Status) bool {
			own := s.From
			if s.Incoming {
				own = s.To
			}
			return own != host && !strings.HasSuffix(own, "."+host)
		})
		if len(d.Streams) > 0 {
			out = append(out, d)
		}
	}
	return out
}

// Test tries to reach a domain from a host, step by step (see Server.Probe), and finally pings it. Its error is an
// *org.Error: the domain is not valid, or federation is off.
func (a *Admin) Test(ctx context.Context, h *server.Host, domain string) ([]Step, error) {
	if a.Server == nil {
		return nil, errOff
	}
	to, err := jid.Parse(domain)
	if err != nil || to.Local() != "" || !to.IsBare() {
		return nil, fault.At(fault.Invalid, "domain", fmt.Sprintf("%q is not a domain", domain))
	}
	ping := func(ctx context.Context) error {
		st := &wire.Stanza{
			Kind: wire.IQ,
			Name: wire.Name{Space: wire.NSClient, Local: "iq"},
			Type: "get",
			ID:   h.NewID(),
			From: h.JID,
			To:   to,
		}
		_, err := h.Ask(ctx, st.Add(wire.E("urn:xmpp:ping", "ping")), pingTimeout)
		return err
	}
	return a.Server.Probe(ctx, h.Domain, to.Domain(), ping), nil
}

// Rules returns all rules. onlyListed says that the server communicates only with domains that a rule or the
// configuration allows.
func (a *Admin) Rules(ctx context.Context) (rs []store.DomainRule, onlyListed bool, err error) {
	if rs, err = a.Store.DomainRules(ctx); err != nil {
		return nil, false, fmt.Errorf("domain rules: %w", err)
	}
	b, err := a.Store.Get(ctx, "", onlyListedKey)
	if errors.Is(err, store.ErrNotFound) {
		return rs, false, nil
	}
	return rs, string(b) == "true", err
}

// SetRules adds rules or replaces those of the same domains, all of them or none. A rule has a domain, or "*." and a
// domain for everything below it; an action; and a note of at most 500 characters. Administrators of the first host may
// call it. Its error is an *org.Error for bad input or a missing right.
func (a *Admin) SetRules(ctx context.Context, by acts.Actor, rs ...store.DomainRule) error {
	return a.change(ctx, by, func([]store.DomainRule) (set []store.DomainRule, forget []string, err error) {
		return slices.Clone(rs), nil, nil
	})
}

// DeleteRule deletes the rule of a domain. It returns an *org.Error if there is none or by may not.
func (a *Admin) DeleteRule(ctx context.Context, by acts.Actor, domain string) error {
	return a.change(ctx, by, func(rs []store.DomainRule) ([]store.DomainRule, []string, error) {
		pattern, err := rulePattern(domain)
		if err != nil {
			return nil, nil, err
		}
		if !slices.ContainsFunc(rs, func(r store.DomainRule) bool { return r.Domain == pattern }) {
			return nil, nil, fault.New(fault.NotFound, "", "there is no rule for "+pattern)
		}
		return nil, []string{pattern}, nil
	})
}

// Listed gives the domains of the rules that block or, with blocked false, of those that allow.
func (a *Admin) Listed(ctx context.Context, blocked bool) ([]string, error) {
	rs, _, err := a.Rules(ctx)
	var ds []string
	for _, r := range rs {
		if Blocks(r) == blocked { // several actions allow a domain
			ds = append(ds, r.Domain)
		}
	}
	return ds, err
}

// SetListed makes exactly these domains the blocked ones or, with block false, the allowed ones. Other domains leave
// that list; those that are on it keep their rules.
func (a *Admin) SetListed(ctx context.Context, by acts.Actor, block bool, domains []string) error {
	action := store.DomainAllow
	if block {
		action = store.DomainBlock
	}
	return a.change(ctx, by, func(rs []store.DomainRule) (set []store.DomainRule, forget []string, err error) {
		want := make(map[string]bool)
		for _, d := range domains {
			if d, err = rulePattern(d); err != nil {
				return nil, nil, err
			}
			want[d] = true
		}
		there := make(map[string]bool)
		for _, r := range rs {
			listed := Blocks(r) == block
			there[r.Domain] = listed
			if listed && !want[r.Domain] {
				forget = append(forget, r.Domain)
			}
		}
		for d := range want {
			if !there[d] {
				set = append(set, store.DomainRule{Domain: d, Action: action})
			}
		}
		slices.SortFunc(set, func(a, b store.DomainRule) int { return strings.Compare(a.Domain, b.Domain) })
		return set, forget, nil
	})
}

// Blocks reports whether a rule blocks its domain. All other actions allow it, under their conditions.
func Blocks(r store.DomainRule) bool { return r.Action == store.DomainBlock }

// SetOnlyListed sets whether the server communicates only with domains that a rule or the configuration allows, or with
// all that are not blocked.
func (a *Admin) SetOnlyListed(ctx context.Context, by acts.Actor, only bool) error {
	return a.act(ctx, by, func(ctx context.Context, note noteRule) error {
		if err := a.Store.Put(ctx, "", onlyListedKey, fmt.Append(nil, only)); err != nil {
			return err
		}
		return note("", acts.Detail{"do": map[bool]string{true: "only", false: "all"}[only]})
	})
}

// change makes one act of the changes that plan derives from the existing rules.
func (a *Admin) change(
	ctx context.Context, by acts.Actor,
	plan func(rs []store.DomainRule) (set []store.DomainRule, forget []string, err error),
) error {
	return a.act(ctx, by, func(ctx context.Context, note noteRule) error {
		rs, err := a.Store.DomainRules(ctx)
		if err != nil {
			return err
		}
		set, forget, err := plan(rs)
		if err != nil {
			return err
		}
		for i := range set {
			if set[i], err = a.rule(set[i]); err != nil {
				return err
			}
		}
		if len(set) > 0 {
			err = a.Store.SetDomainRules(ctx, maxRules, set...)
		}
		if errors.Is(err, store.ErrLimit) {
			return fault.New(fault.Limit, "", fmt.Sprintf("there can be at most %d rules", maxRules))
		}
		if err != nil {
			return err
		}
		for _, domain := range forget {
			if err := a.Store.DeleteDomainRule(ctx, domain); err != nil {
				return err
			}
		}
		return noteRules(note, set, forget)
	})
}

func noteRules(note noteRule, set []store.DomainRule, forget []string) error {
	if len(set) > maxNoted {
		if err := note("", acts.Detail{"count": len(set)}); err != nil {
			return err
		}
		set = nil
	}
	for _, r := range set {
		if err := note(r.Domain, acts.Detail{"do": r.Action}); err != nil {
			return err
		}
	}
	for _, domain := range forget {
		if err := note(domain, acts.Detail{"do": "remove"}); err != nil {
			return err
		}
	}
	return nil
}

// rule returns a rule in the form that the store keeps. The error says what is wrong with it.
func (a *Admin) rule(r store.DomainRule) (store.DomainRule, error) {
	wrong := func(field, text string) (store.DomainRule, error) {
		return r, fault.At(fault.Invalid, field, text)
	}
	domain, err := rulePattern(r.Domain)
	if err != nil {
		return r, err
	}
	switch r.Action {
	case store.DomainBlock, store.DomainAllow, store.DomainCertificate, store.DomainDialback:
	default:
		return wrong("action", fmt.Sprintf("%q is not one of block, allow, certificate, dialback", r.Action))
	}
	if utf8.RuneCountInString(r.Note) > maxRuleNote {
		return wrong("note", fmt.Sprintf("at most %d characters", maxRuleNote))
	}
	if a.Served(domain) {
		return wrong("domain", domain+" is served here")
	}
	r.Domain, r.Since = domain, a.Clock.Now().Truncate(time.Microsecond).UTC()
	return r, nil
}

// noteRule adds an entry about a change to the audit log.
type noteRule func(domain string, detail acts.Detail) error

// act makes a change for the whole deployment. An administrator's change is noted on the first host, which the
// administrator runs; a change by the operator of the machine is noted on every host.
func (a *Admin) act(ctx context.Context, by acts.Actor, f func(ctx context.Context, note noteRule) error) error {
	first := a.Hosts[0]
	return a.Acts.Do(ctx, first, by, func(ctx context.Context, act *acts.Act) error {
		if !by.Machine() && !(by.Runs() && by.Who.Domain() == first) {
			return fault.ErrRole
		}
		act.Changed(changes.Rules, "")
		return f(ctx, func(domain string, detail acts.Detail) error {
			for _, h := range a.Hosts {
				if h != first && !by.Machine() {
					continue
				}
				err := a.Acts.Do(ctx, h, by, func(_ context.Context, act *acts.Act) error {
					act.Note(acts.SystemFederation, domain, detail)
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// rulePattern returns the canonical form of a domain, or of "*." and a domain.
func rulePattern(s string) (string, error) {
	name, below := strings.CutPrefix(strings.TrimSpace(s), "*.")
	j, err := jid.Parse(name)
	if err != nil || name == "" || j.Local() != "" || !j.IsBare() || strings.Contains(name, "*") {
		return "", fault.At(
			fault.Invalid, "domain",
			fmt.Sprintf("%q is not a domain: write example.org, or *.example.org for everything below it", s),
		)
	}
	if below {
		return "*." + j.Domain(), nil
	}
	return j.Domain(), nil
}
