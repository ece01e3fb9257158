package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"parley/admin"
	"parley/federation"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	maxDomainRules = 20000
	maxRuleNote    = 500 // characters
	onlyListedKey  = "federation/only-listed"
	rulesEvery     = 30 * time.Second // what another node or process has changed
	pingTimeout    = 20 * time.Second
)

var _ admin.Federation = (*operations)(nil)

var errNoFederation = &admin.Error{Status: http.StatusConflict, Text: "other servers are not spoken with: federation.enabled is false"}

// loadRules brings what administrators have said to the door.
func (n *Node) loadRules(ctx context.Context) error {
	rs, err := n.Store.DomainRules(ctx)
	if err != nil {
		return fmt.Errorf("rules of domains: %w", err)
	}
	only, err := n.onlyListed(ctx)
	if err == nil && n.federation != nil {
		n.federation.SetRules(rs, only)
	}
	return err
}

func (n *Node) onlyListed(ctx context.Context) (bool, error) {
	b, err := n.Store.Get(ctx, "", onlyListedKey)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return string(b) == "true", err
}

// watchRules follows changes that others make, until ctx ends.
func (n *Node) watchRules(ctx context.Context, g *errgroup.Group) {
	if n.federation == nil {
		return
	}
	g.Go(func() error {
		t := time.NewTicker(rulesEvery)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-t.C:
				if err := n.loadRules(ctx); err != nil && ctx.Err() == nil {
					n.Log.Error("rules of domains cannot be read", "err", err)
				}
			}
		}
	})
}

func (o *operations) Domains(ctx context.Context) ([]admin.Domain, error) {
	f := o.n.federation
	if f == nil {
		return nil, errNoFederation
	}
	out := []admin.Domain{}
	for _, d := range f.Domains() {
		a := admin.Domain{Domain: d.Domain, LastOut: d.LastOut, LastIn: d.LastIn, Error: d.Error, Detail: d.Detail, ErrorAt: d.ErrorAt, RetryAt: d.RetryAt,
			Certificate: admin.Certificate(d.Certificate), Streams: []admin.Stream{}, Rule: f.RuleFor(d.Domain)}
		for _, s := range d.Streams {
			a.Streams = append(a.Streams, admin.Stream{From: s.From, To: s.To, Incoming: s.Incoming, Since: s.Since, Proof: s.How, Queued: s.Queued})
		}
		out = append(out, a)
	}
	return out, nil
}

func (o *operations) TestDomain(ctx context.Context, host, domain string) ([]admin.ProbeStep, error) {
	f := o.n.federation
	if f == nil {
		return nil, errNoFederation
	}
	h, err := o.host("host", host)
	if err != nil {
		return nil, err
	}
	j, err := jid.Parse(domain)
	if err != nil || j.Local() != "" || !j.IsBare() {
		return nil, admin.Invalid("domain", "%q is no domain", domain)
	}
	ping := func(ctx context.Context) error {
		st := &wire.Stanza{Kind: wire.IQ, Name: wire.Name{Space: wire.NSClient, Local: "iq"}, Type: "get", ID: h.NewID(), From: h.JID, To: j}
		_, err := h.Ask(ctx, st.Add(wire.E("urn:xmpp:ping", "ping")), pingTimeout)
		return err
	}
	out := []admin.ProbeStep{}
	for _, s := range f.Probe(ctx, h.Domain, j.Domain(), ping) {
		out = append(out, admin.ProbeStep(s))
	}
	return out, nil
}

var _ = federation.Step(admin.ProbeStep{}) // the same fields

func (o *operations) DomainRules(ctx context.Context) (admin.DomainRules, error) {
	out := admin.DomainRules{Rules: []admin.DomainRule{}}
	rs, err := o.n.Store.DomainRules(ctx)
	if err != nil {
		return out, err
	}
	for _, r := range rs {
		out.Rules = append(out.Rules, admin.DomainRule(r))
	}
	out.OnlyListed, err = o.n.onlyListed(ctx)
	return out, err
}

func (o *operations) SetDomainRules(ctx context.Context, rs []admin.DomainRule) error {
	in := make([]store.DomainRule, len(rs))
	for i, r := range rs {
		domain, err := rulePattern(r.Domain)
		if err != nil {
			return err
		}
		switch r.Action {
		case store.DomainBlock, store.DomainAllow, store.DomainCertificate, store.DomainDialback:
		default:
			return admin.Invalid("action", "%q is none of block, allow, certificate, dialback", r.Action)
		}
		if utf8.RuneCountInString(r.Note) > maxRuleNote {
			return admin.Invalid("note", "at most %d characters", maxRuleNote)
		}
		if o.n.Router.Host(domain) != nil || o.n.Router.Local(domain) {
			return admin.Invalid("domain", "%s is served here", domain)
		}
		in[i] = store.DomainRule{Domain: domain, Action: r.Action, Note: r.Note, Since: time.Now().Truncate(time.Microsecond).UTC()}
	}
	err := o.n.Store.SetDomainRules(ctx, maxDomainRules, in...)
	if errors.Is(err, store.ErrLimit) {
		return admin.Invalid("", "there may be %d rules at most", maxDomainRules)
	}
	if err != nil {
		return err
	}
	return o.n.loadRules(ctx)
}

// rulePattern brings a domain, or one with "*." before it, into canonical form.
func rulePattern(s string) (string, error) {
	name, below := strings.CutPrefix(strings.TrimSpace(s), "*.")
	j, err := jid.Parse(name)
	if err != nil || name == "" || j.Local() != "" || !j.IsBare() || strings.Contains(name, "*") {
		return "", admin.Invalid("domain", "%q is no domain: write it like example.org, or *.example.org for all below it", s)
	}
	if below {
		return "*." + j.Domain(), nil
	}
	return j.Domain(), nil
}

func (o *operations) DeleteDomainRule(ctx context.Context, domain string) error {
	pattern, err := rulePattern(domain)
	if err != nil {
		return err
	}
	err = o.n.Store.DeleteDomainRule(ctx, pattern)
	if errors.Is(err, store.ErrNotFound) {
		return admin.NotFound("domain", "there is no rule for %s", pattern)
	}
	if err != nil {
		return err
	}
	return o.n.loadRules(ctx)
}

func (o *operations) SetOnlyListed(ctx context.Context, only bool) error {
	if err := o.n.Store.Put(ctx, "", onlyListedKey, fmt.Append(nil, only)); err != nil {
		return err
	}
	return o.n.loadRules(ctx)
}
