package mam

import (
	"context"
	"encoding/json"
	"errors"

	"parley/internal/changes"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// prefs are an account's archiving preferences (XEP-0441). They are shared and never changed.
type prefs struct {
	Default string   `json:"default"`
	Always  []string `json:"always,omitempty"`
	Never   []string `json:"never,omitempty"`
	always  map[string]bool
	never   map[string]bool
}

// maxRules is how many addresses an account may name.
const maxRules = 500

func (p *prefs) index() *prefs {
	p.always, p.never = make(map[string]bool), make(map[string]bool)
	for _, j := range p.Always {
		p.always[j] = true
	}
	for _, j := range p.Never {
		p.never[j] = true
	}
	return p
}

func prefsKey(account string) string { return "mam/prefs/" + account }

func (a *archive) prefsOf(ctx context.Context, account string) (*prefs, error) {
	if p, ok := a.prefs.Get(account); ok {
		return p, nil
	}
	drops := a.prefs.Drops()
	p := &prefs{Default: a.cfg.Default}
	b, err := a.st.Get(ctx, a.h.Domain, prefsKey(account))
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(b, p); err != nil {
			return nil, err
		}
	}
	a.prefs.PutUnless(account, p.index(), drops)
	return p, nil
}

// wanted says whether the account archives messages with this address. A listed address with a resource means only that
// one (XEP-0441, section 4.1).
func (a *archive) wanted(ctx context.Context, account string, with jid.JID) (bool, error) {
	p, err := a.prefsOf(ctx, account)
	if err != nil {
		return false, err
	}
	if len(p.never)+len(p.always) > 0 {
		full, bare := with.String(), with.Bare().String()
		if p.never[full] || p.never[bare] {
			return false, nil
		}
		if p.always[full] || p.always[bare] {
			return true, nil
		}
	}
	switch p.Default {
	case "never":
		return false, nil
	case "roster":
		cs, err := a.h.Contacts(ctx, account)
		if err != nil {
			return false, err
		}
		return cs.InRoster(with.Bare()), nil
	}
	return true, nil
}

func (p *prefs) element() *wire.Element {
	list := func(name string, js []string) *wire.Element {
		e := wire.E(wire.NSMAM, name)
		for _, j := range js {
			e.Add(wire.T(wire.NSMAM, "jid", j))
		}
		return e
	}
	return wire.E(wire.NSMAM, "prefs", list("always", p.Always), list("never", p.Never)).Set("default", p.Default)
}

func (a *archive) getPrefs(ctx context.Context, r *server.Request) (*wire.Element, error) {
	p, err := a.prefsOf(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	return p.element(), nil
}

func (a *archive) setPrefs(ctx context.Context, r *server.Request) (*wire.Element, error) {
	p := &prefs{Default: r.Payload.Attr("default")}
	switch p.Default {
	case "always", "never", "roster":
	default:
		return nil, server.BadRequest
	}
	for _, l := range []struct {
		name string
		to   *[]string
	}{{"always", &p.Always}, {"never", &p.Never}} {
		for _, e := range r.Payload.Child(wire.NSMAM, l.name).Elements() {
			j, err := jid.Parse(e.Text())
			if err != nil {
				return nil, server.BadRequest
			}
			*l.to = append(*l.to, j.String())
		}
	}
	if len(p.Always)+len(p.Never) > maxRules {
		return nil, server.ResourceConstraint
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	err = a.st.Put(ctx, a.h.Domain, prefsKey(r.Account), b)
	// also after an error: they may be kept, and only the answer be lost
	if err := errors.Join(err, a.h.Tell(ctx, changes.Own, r.Account)); err != nil {
		return nil, err
	}
	return p.element(), nil
}

func (a *archive) deleted(ctx context.Context, account string) {
	err := a.st.Delete(ctx, a.h.Domain, prefsKey(account))
	if err := errors.Join(err, a.h.Tell(ctx, changes.Own, account)); err != nil {
		a.h.Log.Error("cannot remove the archive preferences of a deleted account", "account", account, "err", err)
	}
}
