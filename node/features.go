package node

import (
	"context"
	"fmt"
	"time"

	"parley/acts"
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
	"parley/feature/membership"
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
	"parley/feature/webpush"
	"parley/muc"
	"parley/muc/groups"
	"parley/muc/notices"
	"parley/org"
	"parley/people"
	"parley/pubsub"
	"parley/server"
	"parley/store"
)

// features gives a host's features, in the order of their steps.
func (n *Node) features(h *server.Host) []*server.Feature {
	c := n.Config
	marks := bookmarks.New(h, n.Store, bookmarks.Config{
		Max:     c.Accounts.MaxBookmarks,
		Changed: membership.Marked(h, n.Org),
	})
	rules := n.newPeople(h, n.inviteSecret)
	n.people[h.Domain] = rules
	invitations := invite.New(h, rules, invite.Config{})
	n.invitations[h.Domain] = invitations
	cards := vcard.New(h, n.Store, rules, vcard.Config{Size: int(c.PubSub.ItemSize) + vcard.Words})
	n.cards[h.Domain] = cards
	told := notices.New(notices.Config{
		Host:         h,
		Store:        n.Store,
		Org:          n.Org,
		People:       rules,
		MaxBookmarks: c.Accounts.MaxBookmarks,
	})
	alerts := push.New(h, n.Store, push.Config{Sender: c.Accounts.PushSender, Silent: told.Silent, Wish: told.Wish})
	n.pushes[h.Domain] = n.newWebPush(h, told)
	told.Bookmarks, told.Alerts = marks, []notices.Alerts{alerts, n.pushes[h.Domain]}
	n.notices[h.Domain] = told
	n.spaces[h.Domain] = pubsub.NewSpaces(pubsub.SpacesConfig{
		Host:  h,
		Store: n.Store,
		Org:   n.Org,
		URL:   func() string { return n.listenerURL(h.Domain, spacesPath) },
	})
	unread := inbox.New(h, n.Store, n.Org, inbox.Config{})
	todo, then := n.newTasks(h), n.newLater(h)
	n.chats[h.Domain] = n.newChat(h, rules, unread, marks, todo, then)
	all := append(n.searching(h), n.orderedFeatures(h, rules, marks, alerts, unread)...)
	return append(all, todo.Feature(), then.Feature())
}

// orderedFeatures gives the features in the order of their steps at a stage.
func (n *Node) orderedFeatures(
	h *server.Host, rules *people.People, marks *bookmarks.Bookmarks, alerts *push.Push, unread *inbox.Inbox,
) []*server.Feature {
	c := n.Config
	waiting := c.Accounts.OfflineMessages
	if waiting == 0 { // 0 means none in the configuration, but the default in the feature
		waiting = -1
	}
	byRules := serviceadmin.ByRules{
		People: n.people,
		Others: func() serviceadmin.Others { return n.others },
	}
	return []*server.Feature{
		blocking.New(h, n.Store, blocking.Config{}),
		disco.New(h, c.Contact.All(), n.infoAddress(h)),
		strangers.New(h, n.Store,
			strangers.Config{Refuse: c.Federation.Strangers == "refuse", PerMinute: c.Federation.StrangersPerMinute}),
		ping.New(h),
		softwareversion.New(h, Version()),
		entitytime.New(h),
		session.New(h),
		adhoc.New(h),
		register.New(h, register.ByRules{People: n.people}, c.Registration.ChangePassword),
		serviceadmin.New(h, n.Store, rules, byRules, byRules, serviceadmin.Config{Stop: n.stopper(h)}),
		n.cards[h.Domain].Feature(),
		n.invitations[h.Domain].Feature(),
		roster.New(h, n.Store, roster.Config{MaxContacts: c.Accounts.MaxContacts, Org: n.Org}),
		membership.New(h, n.Org, membership.Config{
			Idle: c.Groups.ThemeIdle,
			Changed: func(account string) {
				if own := n.host(h.Domain); own != nil {
					own.rooms.PersonChanged(account)
				}
			},
		}),
		presence.New(h),
		lastactivity.New(h, n.Store),
		pubsub.NewAccounts(h, n.Store, nodeLimits(c.PubSub, c.PubSub.Nodes, c.PubSub.Bytes)),
		marks.Feature(),
		n.spaces[h.Domain].Feature(),
		private.New(h, n.Store, private.Config{
			Max:  c.Accounts.PrivateElements,
			Size: int(c.Accounts.PrivateElementSize),
		}),
		mds.New(h),
		mam.New(h, n.Store, mam.Config{
			Default:   c.Archive.DefaultPolicy,
			PageMax:   c.Archive.PageMax,
			Search:    c.Archive.Search,
			Retention: func() time.Duration { return n.settings.Of(h.Domain).Archive },
		}),
		carbons.New(h),
		unread.Feature(),
		n.chats[h.Domain].Feature(),
		sharing.New(h, n.Org),
		digest.New(h, rules, n.Org),
		alerts.Feature(),
		n.pushes[h.Domain].Feature(),
		n.places.Feature(h),
		extdisco.New(h, extdisco.Config{Services: n.externalServices}),
		serverinfo.New(h, n.serverInfo(h)),
		offline.New(h, n.Store, offline.Config{
			Max:    waiting,
			Bytes:  int64(c.Accounts.OfflineBytes),
			Expiry: c.Accounts.OfflineExpiry,
		}),
	}
}

// buildHosts makes every hosted domain with its services.
func (n *Node) buildHosts(ctx context.Context) error {
	c := n.Config
	n.acts = acts.NewLog(n.Store, n.told, func(string) store.ID { return n.IDs.Next() })
	n.Org = org.New(n.Store, org.Config{
		Acts:          n.acts,
		Clock:         n.clock,
		Label:         c.Rooms.Label,
		MaxGroup:      c.Groups.MaxMembers,
		MaxOwned:      c.Groups.MaxOwned,
		MaxThemes:     c.Groups.MaxThemes,
		ThemePace:     c.Groups.ThemePace,
		MaxTeam:       c.Groups.MaxTeam,
		MaxRoster:     c.Groups.MaxRoster,
		Apart:         !c.Groups.AdminsOwn,
		ThemesBy:      c.Groups.ThemesBy,
		MembersCreate: c.Groups.Create == "members",
		Now:           n.IDs.Now,
		Everywhere:    n.all.All(),
	})
	n.changes = notices.FollowChanges(n.Org, n.Log, func(host string) *notices.Notices { return n.notices[host] })
	secret, err := n.secret(ctx, "occupant-id")
	if err != nil {
		return err
	}
	if n.inviteSecret, err = n.secret(ctx, "invitations"); err != nil {
		return err
	}
	if n.pushSecret, err = n.secret(ctx, "webpush"); err != nil {
		return err
	}
	n.pushMetrics = webpush.NewMetrics(n.Registry)
	if err := n.buildDepartures(ctx); err != nil {
		return err
	}
	metrics := server.NewMetrics(n.Registry)
	archiveRate, archiveBurst := archivePace(c.Limits)
	for _, hc := range c.Hosts {
		h, err := server.NewHost(server.HostConfig{
			Domain:     hc.Domain,
			Store:      n.Store,
			IDs:        n.IDs,
			Clock:      n.clock,
			Router:     n.Router,
			Log:        n.Log,
			Metrics:    metrics,
			Changes:    n.told,
			Everywhere: n.all,
			Limits: server.Limits{SessionsPerAccount: c.Limits.SessionsPerAccount,
				ArchiveBytesPerSecond: archiveRate, ArchiveBytesBurst: archiveBurst},
			Features: n.features,
		})
		if err != nil {
			return err
		}
		hooks := n.buildWebhooks(h)
		hats := groups.NewHats(h, n.Store, n.Org)
		made := &host{Host: h, hooks: hooks, hats: hats}
		rooms, err := groups.New(n.groupsConfig(made), n.roomsConfig(h, secret))
		if err != nil {
			return fmt.Errorf("rooms of %s: %w", hc.Domain, err)
		}
		nodes, err := pubsub.NewService(pubsub.ServiceConfig{
			Domain: "pubsub." + hc.Domain,
			Host:   h,
			Store:  n.Store,
			Limits: serviceLimits(c.PubSub),
		})
		if err != nil {
			return fmt.Errorf("publish-subscribe of %s: %w", hc.Domain, err)
		}
		if err := n.spaces[hc.Domain].Open(); err != nil {
			return fmt.Errorf("spaces of %s: %w", hc.Domain, err)
		}
		if _, err := directory.New(h, n.Store, n.people[hc.Domain], "users."+hc.Domain); err != nil {
			return fmt.Errorf("directory of %s: %w", hc.Domain, err)
		}
		if err := n.buildProxy65(h); err != nil {
			return fmt.Errorf("proxy of %s: %w", hc.Domain, err)
		}
		uploads, err := n.buildUpload(ctx, h)
		if err != nil {
			return err
		}
		made.rooms, made.uploads, made.nodes = rooms, uploads, nodes
		n.notices[hc.Domain].Rooms = rooms
		n.chats[hc.Domain].Rooms, n.chats[hc.Domain].Uploads = rooms, uploads
		n.hosts = append(n.hosts, made)
	}
	return nil
}

func (n *Node) roomsConfig(h *server.Host, secret []byte) muc.Config {
	c := n.Config.Rooms
	defaults := muc.Default
	defaults.Archive = c.Archive
	return muc.Config{
		Rules:          []muc.Rule{n.chats[h.Domain].Rule},
		Company:        n.newCompany(h),
		Domain:         c.Label + "." + h.Domain,
		Host:           h,
		Store:          n.Store,
		Secret:         secret,
		Create:         c.Create,
		Defaults:       defaults,
		GuestPing:      c.GuestPing,
		MaxOccupants:   c.MaxOccupants,
		MaxPerUser:     c.MaxPerUser,
		NameLength:     c.NameLength,
		HistoryDefault: c.HistoryDefault,
		HistoryMax:     c.HistoryMax,
		MessageSize:    int(c.MessageSize),
		MessageRate:    c.MessageRate,
		MessageBurst:   c.MessageBurst,
		GuestJoins:     n.Config.Federation.JoinsPerMinute,
		PageMax:        n.Config.Archive.PageMax,
		Search:         n.Config.Archive.Search,
		Retention:      func() time.Duration { return n.settings.Of(h.Domain).Rooms },
		Lives:          n.departures.Lives,
		Heir:           n.departures.Heir(h.Domain),
		Serves:         n.departures.Serves,
	}
}

// groupsConfig is the configuration of groups' rooms, besides that of all rooms.
func (n *Node) groupsConfig(h *host) groups.Config {
	return groups.Config{
		Store:     n.Store,
		Org:       n.Org,
		Web:       func() string { return n.WebURL(h.Domain) },
		Hats:      h.hats.Of,
		Meetings:  n.Config.Groups.MeetingURL,
		Commands:  h.hooks.Commands,
		Mentioned: n.mentioned(h.Domain),
		Watching:  n.chats[h.Domain].Watching,
		Heard:     n.notices[h.Domain].Heard,
		Said:      h.hooks.Said,
	}
}

// archivePace gives how many bytes one person may have archived, per second on average and at once: a part of what one
// client may send, or the configured value; 0 is no limit.
func archivePace(l config.Limits) (perSecond, burst int64) {
	if l.BytesPerSecond == 0 {
		return 0, 0
	}
	perSecond, burst = int64(l.ArchiveBytesPerSecond), int64(l.ArchiveBytesBurst)
	if perSecond == 0 {
		perSecond = int64(l.BytesPerSecond) / 4
	}
	if burst == 0 {
		burst = 4 * int64(max(l.BytesBurst, l.StanzaSize))
	}
	return perSecond, burst
}

func serviceLimits(c config.PubSub) pubsub.Limits {
	l := nodeLimits(c, c.ServiceNodes, c.ServiceBytes)
	l.Share, l.ShareBytes = c.ServiceShare, int64(c.ServiceBytesShare)
	return l
}

func nodeLimits(c config.PubSub, nodes int, bytes config.Size) pubsub.Limits {
	return pubsub.Limits{
		Nodes:         nodes,
		Items:         c.Items,
		ItemBytes:     int(c.ItemSize),
		Bytes:         int64(bytes),
		Subscriptions: c.Subscriptions,
	}
}
