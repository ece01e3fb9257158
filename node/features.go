package node

import (
	"context"
	"fmt"
	"time"

	"parley/config"
	"parley/feature/adhoc"
	"parley/feature/blocking"
	"parley/feature/bookmarks"
	"parley/feature/carbons"
	"parley/feature/digest"
	"parley/feature/directory"
	"parley/feature/disco"
	"parley/feature/entitytime"
	"parley/feature/extdisco"
	"parley/feature/inbox"
	"parley/feature/invite"
	"parley/feature/lastactivity"
	"parley/feature/mam"
	"parley/feature/mds"
	"parley/feature/offline"
	"parley/feature/ping"
	"parley/feature/presence"
	"parley/feature/private"
	"parley/feature/push"
	"parley/feature/register"
	"parley/feature/roster"
	"parley/feature/serverinfo"
	"parley/feature/serviceadmin"
	"parley/feature/session"
	"parley/feature/sharing"
	"parley/feature/strangers"
	"parley/feature/vcard"
	softwareversion "parley/feature/version"
	"parley/muc"
	"parley/org"
	"parley/pubsub"
	"parley/server"
	"parley/wire/jid"
)

// features lists what a host gets, in the order in which they take their steps.
func (n *Node) features(h *server.Host) []*server.Feature {
	c := n.Config
	waiting := c.Accounts.OfflineMessages
	if waiting == 0 { // none, as config has it; the feature's zero is its default
		waiting = -1
	}
	marks := bookmarks.New(h, bookmarks.Config{Max: c.Accounts.MaxBookmarks, Changed: n.marked(h)})
	n.bookmarks[h.Domain] = marks
	rules := n.newPeople(h, n.inviteSecret)
	n.people[h.Domain] = rules
	invitations := invite.New(h, rules, invite.Config{Accounts: func() string { return n.settings.Of(h.Domain).InviteApps }})
	n.invitations[h.Domain] = invitations
	cards := vcard.New(h, rules, vcard.Config{Size: int(c.PubSub.ItemSize) + vcard.Words})
	n.cards[h.Domain] = cards
	alerts := push.New(h, push.Config{Sender: c.Accounts.PushSender})
	n.alerts[h.Domain] = alerts
	n.spaces[h.Domain] = pubsub.NewSpaces(pubsub.SpacesConfig{Host: h, Org: n.Org, Create: n.mayCreateGroups(h), URL: func() string { return n.listenerURL(h.Domain, spacesPath) }})
	return append(n.searching(h), []*server.Feature{
		blocking.New(h, blocking.Config{}),
		disco.New(h, c.Contact.All(), n.infoAddress(h)),
		strangers.New(h, strangers.Config{Refuse: c.Federation.Strangers == "refuse", PerMinute: c.Federation.StrangersPerMinute}),
		ping.New(h),
		softwareversion.New(h, Version()),
		entitytime.New(h),
		session.New(h),
		adhoc.New(h),
		register.New(h, byClient{byCommand{&operations{n: n}}}, c.Registration.ChangePassword),
		serviceadmin.New(h, byCommand{&operations{n: n, lax: true}}, byCommand{&operations{n: n}}, serviceadmin.Config{Stop: n.stopper(h)}),
		cards.Feature(),
		invitations.Feature(),
		roster.New(h, roster.Config{MaxContacts: c.Accounts.MaxContacts, Org: n.Org}),
		n.membership(h),
		presence.New(h),
		lastactivity.New(h),
		pubsub.NewAccounts(h, nodeLimits(c.PubSub, c.PubSub.Nodes, c.PubSub.Bytes)),
		marks.Feature(),
		n.spaces[h.Domain].Feature(),
		private.New(h, private.Config{Max: c.Accounts.PrivateElements, Size: int(c.Accounts.PrivateElementSize)}),
		mds.New(h),
		mam.New(h, mam.Config{Default: c.Archive.DefaultPolicy, PageMax: c.Archive.PageMax, Search: c.Archive.Search, Retention: func() time.Duration { return n.settings.Of(h.Domain).Archive }}),
		carbons.New(h),
		inbox.New(h, n.Org, inbox.Config{}).Feature(),
		sharing.New(h, n.Org),
		digest.New(h, rules, n.Org),
		alerts.Feature(),
		extdisco.New(h, extdisco.Config{Services: n.externalServices}),
		serverinfo.New(h, n.serverInfo(h)),
		offline.New(h, offline.Config{Max: waiting, Bytes: int64(c.Accounts.OfflineBytes), Expiry: c.Accounts.OfflineExpiry}),
	}...)
}

// buildHosts makes every hosted domain with its services.
func (n *Node) buildHosts(ctx context.Context) error {
	c := n.Config
	n.Org = org.New(n.Store, org.Config{Label: c.Rooms.Label, MaxGroup: c.Groups.MaxMembers, MaxOwned: c.Groups.MaxOwned, MaxTeam: c.Groups.MaxTeam, MaxRoster: c.Groups.MaxRoster, Apart: !c.Groups.AdminsOwn})
	n.pushes = newPushes(n)
	secret, err := n.secret(ctx, "occupant-id")
	if err != nil {
		return err
	}
	if n.inviteSecret, err = n.secret(ctx, "invitations"); err != nil {
		return err
	}
	metrics := server.NewMetrics(n.Registry)
	for _, hc := range c.Hosts {
		h, err := server.NewHost(server.HostConfig{Domain: hc.Domain, Store: n.Store, IDs: n.IDs, Router: n.Router, Log: n.Log, Metrics: metrics,
			Limits: server.Limits{SessionsPerAccount: c.Limits.SessionsPerAccount}, Features: n.features})
		if err != nil {
			return err
		}
		hooks := n.buildWebhooks(h)
		rc := n.roomsConfig(h, secret)
		rc.Said = hooks.Said
		rc.GroupCommands = func(group string) []server.Command {
			return hooks.Commands(group, func(secret string) string { return n.hookURL(h.Domain, secret) })
		}
		rooms, err := muc.NewService(rc)
		if err != nil {
			return fmt.Errorf("rooms of %s: %w", hc.Domain, err)
		}
		nodes, err := pubsub.NewService(pubsub.ServiceConfig{Domain: "pubsub." + hc.Domain, Host: h, Limits: nodeLimits(c.PubSub, c.PubSub.ServiceNodes, c.PubSub.ServiceBytes)})
		if err != nil {
			return fmt.Errorf("publish-subscribe of %s: %w", hc.Domain, err)
		}
		if err := n.spaces[hc.Domain].Open(); err != nil {
			return fmt.Errorf("spaces of %s: %w", hc.Domain, err)
		}
		if _, err := directory.New(h, n.people[hc.Domain], "users."+hc.Domain); err != nil {
			return fmt.Errorf("directory of %s: %w", hc.Domain, err)
		}
		if err := n.buildProxy65(h); err != nil {
			return fmt.Errorf("proxy of %s: %w", hc.Domain, err)
		}
		uploads, err := n.buildUpload(ctx, h)
		if err != nil {
			return err
		}
		n.hosts = append(n.hosts, &host{Host: h, rooms: rooms, hooks: hooks, uploads: uploads, nodes: nodes})
	}
	return nil
}

func (n *Node) roomsConfig(h *server.Host, secret []byte) muc.Config {
	c := n.Config.Rooms
	defaults := muc.Default
	defaults.Archive = c.Archive
	return muc.Config{Domain: c.Label + "." + h.Domain, Host: h, Org: n.Org, Secret: secret, Create: c.Create, Defaults: defaults,
		GuestPing: c.GuestPing, MaxOccupants: c.MaxOccupants, MaxPerUser: c.MaxPerUser, NameLength: c.NameLength, HistoryDefault: c.HistoryDefault, HistoryMax: c.HistoryMax,
		MessageSize: int(c.MessageSize), MessageRate: c.MessageRate, MessageBurst: c.MessageBurst, GuestJoins: n.Config.Federation.JoinsPerMinute, PageMax: n.Config.Archive.PageMax, Search: n.Config.Archive.Search, Retention: func() time.Duration { return n.settings.Of(h.Domain).Rooms }, GroupsBy: n.Config.Groups.Create,
		Meetings: n.Config.Groups.MeetingURL, Mentioned: n.mentioned(h), Hats: n.hatsOf(h), Web: func() string { return n.WebURL(h.Domain) }}
}

// mayCreateGroups says who may make groups of a host by a client: `groups.create`.
func (n *Node) mayCreateGroups(h *server.Host) func(context.Context, jid.JID) bool {
	return func(ctx context.Context, who jid.JID) bool {
		if who.Domain() != h.Domain {
			return false
		}
		u, err := n.Store.User(ctx, h.Domain, who.Local())
		return err == nil && !u.Disabled && (u.Admin || n.Config.Groups.Create == "members")
	}
}

func nodeLimits(c config.PubSub, nodes int, bytes config.Size) pubsub.Limits {
	return pubsub.Limits{Nodes: nodes, Items: c.Items, ItemBytes: int(c.ItemSize), Bytes: int64(bytes), Subscriptions: c.Subscriptions}
}
