package groups

import (
	"context"
	"slices"
	"time"

	"parley/internal/changes"
	"parley/internal/memo"
	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// hatRule gives people the hats of the organization: roles and teams.
func hatRule(k *keeper) muc.Hooks {
	if k.s.cfg.Hats == nil {
		return muc.Hooks{}
	}
	return muc.Hooks{Hats: func(ctx context.Context, who jid.JID) []muc.Hat { return k.s.cfg.Hats(ctx, k.group, who) }}
}

// Hats says what people of a host show in the rooms of groups: their role, if it is more than member, and their
// teams. It caches the roles.
type Hats struct {
	host  *server.Host
	st    HatStore
	org   *org.Org
	roles memo.Map[string, string]
}

// NewHats makes the Hats of a host.
func NewHats(h *server.Host, st HatStore, o *org.Org) *Hats {
	c := &Hats{host: h, st: st, org: o}
	h.On(changes.Account, memo.Forgetting(&c.roles))
	return c
}

// HatStore is what Hats asks of the store.
type HatStore interface {
	Person(ctx context.Context, host, name string) (store.Person, error)
}

func (c *Hats) role(ctx context.Context, account string) string {
	if role, ok := c.roles.Get(account); ok {
		return role
	}
	drops := c.roles.Drops()
	ctx, cancel := context.WithTimeout(ctx, time.Second) // a room waits for the answer
	defer cancel()
	p, err := c.st.Person(ctx, c.host.Domain, account)
	if err != nil {
		return ""
	}
	c.roles.PutUnless(account, p.Role, drops)
	return p.Role
}

var titles = map[string]string{
	store.RoleOwner:      "Owner",
	store.RoleAdmin:      "Administrator",
	store.RoleSupervisor: "Supervisor",
}

// Of gives what a person shows in the rooms of a group (Config.Hats).
func (c *Hats) Of(ctx context.Context, group string, who jid.JID) []muc.Hat {
	h := c.host
	if group == "" || who.Domain() != h.Domain {
		return nil
	}
	var out []muc.Hat
	base := "https://" + h.Domain + "/hats/"
	if role := c.role(ctx, who.Local()); titles[role] != "" {
		out = append(out, muc.Hat{URI: base + "role/" + role, Title: titles[role]})
	}
	ts, err := c.org.TeamsOf(ctx, h.Domain, who.Local())
	if err != nil {
		h.Log.Error("cannot read teams", "err", err)
	}
	for _, t := range ts {
		out = append(out, muc.Hat{URI: base + "team/" + t.Slug, Title: org.TeamLabel(t)})
	}
	return out
}

// PersonChanged shows a person again whose role may have changed.
func (s *Service) PersonChanged(account string) {
	if len(s.host.Account(account).Sessions()) == 0 {
		return
	}
	if j, err := jid.New(account, s.host.Domain, ""); err == nil {
		s.HatsChanged(j)
	}
}

// TeamsChanged shows people again whose teams have changed.
func (s *Service) TeamsChanged(e org.Event) {
	t := e.Team
	if t.Person != "" {
		return
	}
	renamed := org.TeamLabel(t.Was) != org.TeamLabel(t.Is)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.Before, t.Now)))) {
		if renamed || slices.Contains(t.Before, name) != slices.Contains(t.Now, name) {
			if j, err := jid.New(name, e.Host, ""); err == nil {
				s.HatsChanged(j)
			}
		}
	}
}
