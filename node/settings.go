package node

import (
	"context"

	"parley/config"
	"parley/people"
	"parley/settings"
	"parley/store"
)

// buildSettings reads the organizations' settings; the configuration gives the defaults.
func (n *Node) buildSettings(ctx context.Context) error {
	hosts := make(map[string]settings.Defaults)
	for _, h := range n.Config.Hosts {
		hosts[h.Domain] = defaultsOf(n.Config, h)
	}
	n.settings = settings.New(n.Store, n.told, n.clock, n.Log, hosts)
	return n.settings.Load(ctx)
}

// defaultsOf gives the defaults of a host from the configuration.
func defaultsOf(c *config.Config, h config.Host) settings.Defaults {
	values := func(c *config.Config, h config.Host) settings.Values {
		v := settings.Values{
			Title: h.Title,

			Conversations: true,

			TwoFactor:   c.Auth.TwoFactor,
			SessionIdle: c.Web.SessionIdle,
			InviteBy:    store.RoleSupervisor,
			InviteApps:  c.Registration.Invitations,
			InviteTime:  c.Web.InviteTime,
			Reusable:    true,
			Offline:     true,
			Previews:    true,
			Seen:        true,
			MaxUses:     500,
			MaxInvites:  2000,
			Archive:     c.Archive.Retention,
			Rooms:       c.Rooms.Retention,
			Uploads:     c.Upload.Expiry,
			Names:       c.Accounts.NameQuarantine,
			Quiet:       store.QuietHours{From: 22 * 60, To: 7 * 60, Days: store.EveryDay, Zone: people.ServerZone()},
		}
		if h.ArchiveRetention > 0 {
			v.Archive = h.ArchiveRetention
		}
		return v
	}
	d := settings.Defaults{Values: values(c, h)}
	builtIn := values(config.Default(), config.Host{Domain: h.Domain})
	for _, s := range settings.All {
		if s.Of(&d.Values) != s.Of(&builtIn) {
			d.Configured = append(d.Configured, s.Name)
		}
	}
	return d
}

// Settings gives the settings of all hosts.
func (n *Node) Settings() *settings.Settings { return n.settings }
