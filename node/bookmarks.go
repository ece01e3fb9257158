package node

import (
	"context"

	"parley/org"
)

// pushes tells the clients of people who join or leave groups and themes of their new bookmarks, in the order of the
// changes, in the background.
type pushes struct {
	n     *Node
	queue chan *org.Event // pointers, because room for thousands of events would be megabytes
}

// maxPushes is how many changes can wait. People who miss one see it at the next sign-in.
const maxPushes = 4096

func newPushes(n *Node) *pushes {
	p := &pushes{n: n, queue: make(chan *org.Event, maxPushes)}
	n.Org.Subscribe(p.note)
	return p
}

func (p *pushes) note(e org.Event) {
	if len(e.Joined) == 0 && len(e.Left) == 0 && len(e.Renamed) == 0 && e.Kind != org.TeamChanged {
		return
	}
	select {
	case p.queue <- &e:
	default:
		p.n.Log.Warn("too many changes of memberships at once: some clients learn of theirs at their next sign-in",
			"host", e.Host)
	}
}

func (p *pushes) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-p.queue:
			p.push(ctx, *e)
		}
	}
}

func (p *pushes) push(ctx context.Context, e org.Event) {
	if e.Kind == org.TeamChanged {
		p.n.rehat(e)
		return
	}
	b := p.n.bookmarks[e.Host]
	if b == nil {
		return
	}
	for _, account := range e.Joined {
		p.told(ctx, e.Host, account, b.Added(ctx, account, e.Rooms))
	}
	if e.Kind == org.ThemeCreated {
		p.n.tellOfTheme(ctx, e)
	}
	for _, account := range e.Renamed {
		p.told(ctx, e.Host, account, b.Added(ctx, account, e.Rooms[:1]))
	}
	for _, account := range e.Left {
		p.told(ctx, e.Host, account, b.Removed(ctx, account, e.Rooms))
	}
}

func (p *pushes) told(ctx context.Context, host, account string, err error) {
	if err != nil && ctx.Err() == nil { // people who are not told because the node stops see it at the next sign-in
		p.n.Log.Error("cannot tell of a bookmark", "host", host, "account", account, "err", err)
	}
}
