package notices

import (
	"context"
	"log/slog"

	"parley/org"
)

// Changes tells the clients of people who join or leave groups and themes of their new bookmarks, in the order of the
// changes, in the background.
type Changes struct {
	log   *slog.Logger
	of    func(host string) *Notices
	queue chan *org.Event // pointers, because room for thousands of events would be megabytes
}

// maxChanges is how many changes can wait. People who miss one see it at the next sign-in.
const maxChanges = 4096

// FollowChanges follows the changes that o tells of. of gives the notices of a host; nil if it is not hosted here. What
// is to be told is told by Run.
func FollowChanges(o *org.Org, log *slog.Logger, of func(host string) *Notices) *Changes {
	c := &Changes{log: log, of: of, queue: make(chan *org.Event, maxChanges)}
	o.Subscribe(c.note)
	return c
}

func (c *Changes) note(e org.Event) {
	if len(e.Joined) == 0 && len(e.Left) == 0 && len(e.Renamed) == 0 && e.Kind != org.TeamChanged {
		return
	}
	select {
	case c.queue <- &e:
	default:
		c.log.Warn("too many changes of memberships at once: some clients learn of theirs at their next sign-in",
			"host", e.Host)
	}
}

// Run tells of the changes until ctx ends.
func (c *Changes) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-c.queue:
			c.push(ctx, *e)
		}
	}
}

func (c *Changes) push(ctx context.Context, e org.Event) {
	n := c.of(e.Host)
	if n == nil {
		return
	}
	if e.Kind == org.TeamChanged {
		n.Rooms.TeamsChanged(e)
		return
	}
	b := n.Bookmarks
	for _, account := range e.Joined {
		c.told(ctx, e.Host, account, b.Added(ctx, account, e.Rooms))
	}
	if e.Kind == org.ThemeCreated {
		n.tellOfTheme(ctx, e)
	}
	for _, account := range e.Renamed {
		c.told(ctx, e.Host, account, b.Added(ctx, account, e.Rooms[:1]))
	}
	for _, account := range e.Left {
		c.told(ctx, e.Host, account, b.Removed(ctx, account, e.Rooms))
	}
}

func (c *Changes) told(ctx context.Context, host, account string, err error) {
	if err != nil && ctx.Err() == nil { // people who are not told because the node stops see it at the next sign-in
		c.log.Error("cannot tell of a bookmark", "host", host, "account", account, "err", err)
	}
}
