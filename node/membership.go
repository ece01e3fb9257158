package node

import (
	"context"
	"slices"
	"time"

	"parley/internal/memo"
	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// membership tells org of new, changed and deleted accounts.
func (n *Node) membership(h *server.Host) *server.Feature {
	fault := func(what, account string, err error) {
		if err != nil {
			n.Log.Error(what, "host", h.Domain, "account", account, "err", err)
		}
	}
	return &server.Feature{
		Name: "membership",
		Created: func(ctx context.Context, account string) {
			fault("a new account is not told of to its groups", account, n.Org.Arrived(ctx, h.Domain, account))
		},
		Bound: func(ctx context.Context, s *server.Session) {
			fault("cannot add a person to mandatory groups again", s.JID.Local(),
				n.Org.AssertMandatory(ctx, h.Domain, s.JID.Local()))
		},
		Run: func(ctx context.Context) error { return n.doze(ctx, h) },
		Changed: func(account string) {
			n.hats.forget(h.Domain, account)
			n.rehatOne(h.Domain, account)
			fault("a name is not told of to its teams", account,
				n.Org.PersonRenamed(context.Background(), h.Domain, account))
		},
	}
}

// hats caches the roles that people show in rooms.
type hats struct{ roles memo.Map[[2]string, string] }

func (c *hats) forget(host, account string) { c.roles.Drop([2]string{host, account}) }

func (c *hats) role(ctx context.Context, st store.People, host, account string) string {
	k := [2]string{host, account}
	if role, ok := c.roles.Get(k); ok {
		return role
	}
	drops := c.roles.Drops()
	ctx, cancel := context.WithTimeout(ctx, time.Second) // a room waits for the answer
	defer cancel()
	p, err := st.Person(ctx, host, account)
	if err != nil {
		return ""
	}
	c.roles.PutUnless(k, p.Role, drops)
	return p.Role
}

// hatsOf gives the function that says what a person shows in the rooms of groups: their role, if it is more than
// member, and their teams.
func (n *Node) hatsOf(h *server.Host) func(ctx context.Context, group string, who jid.JID) []muc.Hat {
	titles := map[string]string{
		store.RoleOwner:      "Owner",
		store.RoleAdmin:      "Administrator",
		store.RoleSupervisor: "Supervisor",
	}
	return func(ctx context.Context, group string, who jid.JID) []muc.Hat {
		if group == "" || who.Domain() != h.Domain {
			return nil
		}
		var out []muc.Hat
		base := "https://" + h.Domain + "/hats/"
		if role := n.hats.role(ctx, n.Store, h.Domain, who.Local()); titles[role] != "" {
			out = append(out, muc.Hat{URI: base + "role/" + role, Title: titles[role]})
		}
		ts, err := n.Org.TeamsOf(ctx, h.Domain, who.Local())
		if err != nil {
			n.Log.Error("cannot read teams", "host", h.Domain, "err", err)
		}
		for _, t := range ts {
			out = append(out, muc.Hat{URI: base + "team/" + t.Slug, Title: org.TeamLabel(t)})
		}
		return out
	}
}

// rehatOne shows a person again whose role may have changed.
func (n *Node) rehatOne(domain, account string) {
	for _, h := range n.hosts {
		if h.Domain != domain || len(h.Account(account).Sessions()) == 0 {
			continue
		}
		if j, err := jid.New(account, domain, ""); err == nil {
			h.rooms.HatsChanged(j)
		}
	}
}

// rehat shows people again whose teams have changed.
func (n *Node) rehat(e org.Event) {
	t := e.Team
	if t.Person != "" {
		return
	}
	i := slices.IndexFunc(n.hosts, func(h *host) bool { return h.Domain == e.Host })
	if i < 0 {
		return
	}
	renamed := org.TeamLabel(t.Was) != org.TeamLabel(t.Is)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.Before, t.Now)))) {
		if renamed || slices.Contains(t.Before, name) != slices.Contains(t.Now, name) {
			if j, err := jid.New(name, e.Host, ""); err == nil {
				n.hosts[i].rooms.HatsChanged(j)
			}
		}
	}
}

func (n *Node) fault(err error) { n.Log.Error("cannot add people to a group", "err", err) }

// marked tells org which rooms a person's clients enter.
func (n *Node) marked(h *server.Host) func(ctx context.Context, account string, room jid.JID, was, is bool) {
	return func(ctx context.Context, account string, room jid.JID, was, is bool) {
		if err := n.Org.Marked(ctx, h.Domain, account, room, was, is); err != nil {
			n.Log.Error("cannot note the change of a bookmark", "host", h.Domain, "account", account, "err", err)
		}
	}
}

// doze makes people dormant in themes without recent messages.
func (n *Node) doze(ctx context.Context, h *server.Host) error {
	idle := n.Config.Groups.ThemeIdle
	if idle <= 0 {
		return nil
	}
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if err := n.Org.DozeIdle(ctx, h.Domain, time.Now().Add(-idle)); err != nil && ctx.Err() == nil {
			n.Log.Error("cannot find idle themes", "host", h.Domain, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
