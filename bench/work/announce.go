package work

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"parley/admin/api"
	"parley/bench/load"
	"parley/bench/target"
)

// hall is a group for announcements with n members, all of them in its room: User(0) speaks.
type hall struct {
	tally
	e      *Env
	jid    string
	n      int
	fl     fleet
	in     []chan struct{} // The member has got the subject, which comes last.
	out    []chan struct{} // The member has left.
	inside atomic.Int64    // How often somebody has entered.
	seen   []int           // Presences by member since they entered; owned by the member's reader.

	next       []int64 // By member the number that has to come.
	got        atomic.Int64
	deliveries atomic.Int64
	stop       atomic.Bool
	ended      atomic.Int64
}

// announce measures the cost of entering a group of n members, and of a message to all of them.
func announce(n func(Scale) int, joins, messages string) func(context.Context, *Env) ([]Result, error) {
	return func(ctx context.Context, e *Env) ([]Result, error) {
		h := &hall{e: e, n: n(e.Scale)}
		for range h.n {
			h.in, h.out = append(h.in, make(chan struct{}, 1)), append(h.out, make(chan struct{}, 1))
		}
		h.seen, h.next = make([]int, h.n), make([]int64, h.n)
		if err := h.gather(ctx); err != nil {
			return nil, fmt.Errorf("the group: %w", err)
		}
		fl, err := e.open(ctx, h.n, h.handle)
		if err != nil {
			return nil, err
		}
		h.fl = fl
		defer fl.close()
		res, err := h.fill(ctx, joins)
		if err != nil {
			return nil, fmt.Errorf("joining: %w", err)
		}
		all := []Result{res}
		if res, err = h.speak(ctx, messages); err != nil {
			return all, err
		}
		return append(all, res), nil
	}
}

// gather makes the group and has everybody be in it, as an administrator would.
func (h *hall) gather(ctx context.Context) error {
	c := api.NewClient(h.e.In.Control).On(target.Domain)
	defer c.Close()
	slug := "hall" + strconv.FormatInt(h.e.Scratch.Add(1), 10)
	group := api.InGroup{Slug: slug}
	kind := "announcement"
	is := api.GroupChange{Name: &slug, Kind: &kind}
	g, err := api.CreateGroup.Do(ctx, c, api.With(api.NewGroup{Slug: slug, GroupChange: is, Owner: target.JID(0)}))
	if err != nil {
		return err
	}
	h.jid = g.Room
	everyone := api.SetMandatoryInput{InGroup: group}
	everyone.Body.Whom = "everyone"
	if _, err := api.SetMandatory.Do(ctx, c, everyone); err != nil {
		return err
	}
	last, since := 0, time.Now()
	for {
		if g, err = api.GetGroup.Do(ctx, c, group); err != nil {
			return err
		}
		switch {
		case len(g.Members) >= h.n:
			return nil
		case len(g.Members) != last:
			last, since = len(g.Members), time.Now()
		case time.Since(since) > h.e.Deadline:
			return fmt.Errorf("has %d of %d members", last, h.n)
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// fill makes everybody enter and leave, eight at a time, as often as gives the same number of entries for a group of
// any size, and measures that. At the end they enter and stay.
func (h *hall) fill(ctx context.Context, row string) (Result, error) {
	if err := h.join(ctx, 0); err != nil {
		return Result{}, err
	}
	g, err := h.e.gauge(&h.inside)
	if err != nil {
		return Result{}, err
	}
	comes := func(ctx context.Context, i int) error { return h.join(ctx, i+1) }
	for range h.e.Scale.Halls[len(h.e.Scale.Halls)-1] / h.n {
		if err := parallel(ctx, h.n-1, 8, comes); err != nil {
			return Result{}, err
		}
		if err := parallel(ctx, h.n-1,
			8, func(ctx context.Context, i int) error { return h.leave(ctx, i+1) }); err != nil {
			return Result{}, err
		}
	}
	res, err := g.read(row)
	if err = errors.Join(err, parallel(ctx, h.n-1, 8, comes), h.fl.confirm(ctx), h.err(g.count.Load())); err != nil {
		return res, err
	}
	res.Note = fmt.Sprintf("%d members", h.n)
	return res, nil
}

func (h *hall) leave(ctx context.Context, i int) error {
	if err := h.fl[i].Send(1,
		[]byte("<presence type='unavailable' to='"+h.jid+"/n"+strconv.Itoa(i)+"'/>")); err != nil {
		return err
	}
	return h.wait(ctx, h.out[i], i, "out of")
}

func (h *hall) join(ctx context.Context, i int) error {
	if err := h.fl[i].Send(1, []byte("<presence to='"+h.jid+"/n"+strconv.Itoa(i)+
		"'><x xmlns='http://jabber.org/protocol/muc'><history maxchars='0'/></x></presence>")); err != nil {
		return err
	}
	return h.wait(ctx, h.in[i], i, "into")
}

func (h *hall) wait(ctx context.Context, done chan struct{}, i int, where string) error {
	select {
	case <-done:
		return nil
	case <-h.fl[i].Done():
		return fmt.Errorf("the session of %s ended: %v", h.fl[i].JID, h.fl[i].Err())
	case <-time.After(max(h.e.Deadline, 30*time.Second)):
		return errors.Join(fmt.Errorf("%s did not get %s %s", h.fl[i].JID, where, h.jid), h.err(int64(h.n)))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// others are the people whose presence a member sees: the speaker and the member.
const others = 2

func (h *hall) handle(s *load.Session, st []byte) {
	if !bytes.HasPrefix(load.Attr(st, "from"), []byte(h.jid)) {
		return
	}
	i := s.Index
	switch {
	case isError(st):
		h.refuse(st)
	case load.Is(st, "presence") && string(load.Attr(st, "type")) == "unavailable":
		if string(load.Attr(st, "from")) == h.jid+"/n"+strconv.Itoa(i) {
			h.seen[i] = 0
			h.out[i] <- struct{}{}
		}
	case load.Is(st, "presence"):
		if h.seen[i]++; h.seen[i] > others && i > 0 {
			h.double("presence of a member is shown", st)
		}
	case bytes.Contains(st, []byte("<subject")):
		h.inside.Add(1)
		h.in[i] <- struct{}{}
	default:
		h.onMessage(i, st)
	}
}

func (h *hall) onMessage(i int, st []byte) {
	_, seq, ok := seqOf(st, "body")
	if !ok || !h.follows(seq, h.next[i], st) {
		return
	}
	h.next[i] = seq + 1
	h.deliveries.Add(1)
	if h.got.Add(1) < int64(h.n) {
		return
	}
	h.got.Store(0)
	if h.stop.Load() {
		h.ended.Add(1)
		return
	}
	h.say(seq + 1)
}

func (h *hall) say(seq int64) error { return h.fl[0].Send(1, message("groupchat", h.jid, 0, seq)) }

// speak is the closed loop: the next message is sent when the last member has the one before.
func (h *hall) speak(ctx context.Context, row string) (Result, error) {
	if err := h.say(0); err != nil {
		return Result{}, err
	}
	res, err := h.e.over(ctx, row, &h.deliveries)
	h.stop.Store(true)
	if err != nil {
		return res, firstOf(h.err(h.deliveries.Load()), h.fl.alive(), err)
	}
	missing, err := h.e.settle(ctx, h.fl, &h.ended, 1)
	h.lost.Add(missing)
	return res, firstOf(err, h.err(h.deliveries.Load()), h.fl.confirm(ctx), h.e.lastInRoom(ctx, h.jid, 0, h.next[0]-1))
}
