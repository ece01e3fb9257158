package work

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"parley/bench/load"
	"parley/bench/target"
)

// room is n users in one room, User(i) with the nick "n<i>".
type room struct {
	tally
	e      *Env
	jid    string
	prefix []byte // "room@…/n", the beginning of occupants' addresses.
	n      int
	fl     fleet

	joined   []chan struct{} // Closed when the occupant has got its own presence.
	config   chan error      // The answer to the owner's configuration.
	seen     [][]bool        // By occupant, by nick; owned by the occupant's reader.
	presence atomic.Int64    // Presences received.

	// next is by occupant and lane the number that has to come; owned by the
	// occupant's reader.
	next  [][]int64
	lanes []lane
	// openLoop: the lanes do not go on by themselves.
	openLoop   bool
	deliveries atomic.Int64
	complete   atomic.Int64 // Messages that everyone has.
	stop       atomic.Bool
	ended      atomic.Int64 // Lanes that have stopped.
	hist       atomic.Pointer[load.Histogram]
	start      time.Time
	talk       bool // Every occupant has a lane, and there is no knowing whose message is the last.
}

// lane is messages of one sender, one after the other.
type lane struct {
	got  []atomic.Int64 // By number modulo the length: occupants who have it.
	sent []atomic.Int64 // When, in ns since start.
}

// laneRing bounds how many numbers of a lane can be on their way at once.
const laneRing = 1024

// openRoom brings n users into a new room and measures that, per presence
// received.
func (e *Env) openRoom(ctx context.Context, n, lanes int, row string) (*room, Result, error) {
	name := "r" + strconv.FormatInt(e.Scratch.Add(1), 10)
	r := &room{e: e, jid: name + "@" + target.Rooms, n: n, config: make(chan error, 1)}
	r.prefix = []byte(r.jid + "/n")
	r.hist.Store(new(load.Histogram))
	for range n {
		r.joined = append(r.joined, make(chan struct{}))
		r.seen = append(r.seen, make([]bool, n))
		r.next = append(r.next, make([]int64, lanes))
	}
	for range lanes {
		r.lanes = append(r.lanes, lane{got: make([]atomic.Int64, laneRing), sent: make([]atomic.Int64, laneRing)})
	}
	fl, err := e.open(ctx, n, r.handle)
	if err != nil {
		return nil, Result{}, err
	}
	r.fl = fl
	res, err := r.fill(ctx, row)
	if err != nil {
		r.fl.close()
		return nil, Result{}, err
	}
	return r, res, nil
}

// fill lets everyone join, eight at a time, the owner first.
func (r *room) fill(ctx context.Context, row string) (Result, error) {
	g, err := r.e.gauge(&r.presence)
	if err != nil {
		return Result{}, err
	}
	if err := r.join(ctx, 0); err != nil {
		return Result{}, err
	}
	// An instant room, as XEP-0045, section 10.1.2: the configuration is the same
	// everywhere by the servers' own.
	if err := r.fl[0].Send(1,
		[]byte("<iq type='set' id='config' to='"+r.jid+"'><query xmlns='http://jabber.org/protocol/muc#owner'>"+
			"<x xmlns='jabber:x:data' type='submit'/></query></iq>")); err != nil {
		return Result{}, err
	}
	select {
	case err := <-r.config:
		if err != nil {
			return Result{}, err
		}
	case <-time.After(r.e.Deadline):
		return Result{}, fmt.Errorf("no answer to the configuration of %s", r.jid)
	}
	if err := parallel(ctx, r.n-1, 8, func(ctx context.Context, i int) error { return r.join(ctx, i+1) }); err != nil {
		return Result{}, err
	}
	want := int64(r.n) * int64(r.n)
	missing, err := r.e.settle(ctx, r.fl, &r.presence, want)
	r.lost.Add(missing)
	if err := firstOf(err, r.err(want)); err != nil {
		return Result{}, err
	}
	res, err := g.read(row)
	res.Note = fmt.Sprintf("%d joins", r.n)
	return res, err
}

func (r *room) join(ctx context.Context, i int) error {
	st := "<presence to='" + r.jid + "/n" + strconv.Itoa(i) +
		"'><x xmlns='http://jabber.org/protocol/muc'><history maxchars='0'/></x></presence>"
	if err := r.fl[i].Send(1, []byte(st)); err != nil {
		return err
	}
	select {
	case <-r.joined[i]:
		return nil
	case <-r.fl[i].Done():
		return fmt.Errorf("session ended while joining: %v", r.fl[i].Err())
	case <-time.After(max(r.e.Deadline, 30*time.Second)):
		return fmt.Errorf("%s did not get into %s within 30 s: %w",
			r.fl[i].JID, r.jid, firstOf(r.err(int64(r.n)), context.DeadlineExceeded))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *room) handle(s *load.Session, st []byte) {
	switch {
	case load.Is(st, "presence"):
		r.onPresence(s, st)
	case load.Is(st, "message"):
		r.onMessage(s, st)
	case load.Is(st, "iq") && string(load.Attr(st, "id")) == "config":
		var err error
		if isError(st) {
			err = fmt.Errorf("configuration of %s refused: %s", r.jid, st)
		}
		select {
		case r.config <- err:
		default:
		}
	}
}

func (r *room) onPresence(s *load.Session, st []byte) {
	if isError(st) {
		r.refuse(st)
		return
	}
	from, ok := bytes.CutPrefix(load.Attr(st, "from"), r.prefix)
	if !ok || load.Attr(st, "type") != nil {
		return
	}
	nick, err := strconv.Atoi(string(from))
	if err != nil || nick < 0 || nick >= r.n {
		return
	}
	if r.seen[s.Index][nick] {
		r.double("again", st)
		return
	}
	r.seen[s.Index][nick] = true
	r.presence.Add(1)
	if nick == s.Index {
		close(r.joined[nick])
	}
}

func (r *room) onMessage(s *load.Session, st []byte) {
	if isError(st) {
		r.refuse(st)
		return
	}
	l, seq, ok := seqOf(st, "body")
	if !ok || l >= len(r.lanes) {
		return
	}
	if !r.follows(seq, r.next[s.Index][l], st) {
		return
	}
	r.next[s.Index][l] = seq + 1
	r.deliveries.Add(1)
	ln := &r.lanes[l]
	if ln.got[seq%laneRing].Add(1) < int64(r.n) {
		return
	}
	r.hist.Load().Add(time.Since(r.start) - time.Duration(ln.sent[seq%laneRing].Load()))
	r.complete.Add(1)
	switch {
	case r.openLoop:
	case r.stop.Load():
		r.ended.Add(1)
	default:
		r.send(l, seq+1)
	}
}

func (r *room) send(l int, seq int64) error {
	ln := &r.lanes[l]
	ln.got[seq%laneRing].Store(0)
	ln.sent[seq%laneRing].Store(int64(time.Since(r.start)))
	return r.fl[l].Send(1, message("groupchat", r.jid, l, seq))
}

// fanout is the closed loop: the next message is sent when the last occupant
// has the one before.
func (r *room) fanout(ctx context.Context, row string) (Result, error) {
	r.start = time.Now()
	for l := range r.lanes {
		if err := r.send(l, 0); err != nil {
			return Result{}, err
		}
	}
	res, err := r.e.over(ctx, row, &r.deliveries)
	r.stop.Store(true)
	if err != nil {
		return res, firstOf(r.err(r.deliveries.Load()), r.fl.alive(), err)
	}
	missing, err := r.e.settle(ctx, r.fl, &r.ended, int64(len(r.lanes)))
	r.lost.Add(missing)
	res.addLatency(r.hist.Load())
	return res, firstOf(err, r.err(r.deliveries.Load()), r.fl.confirm(ctx), r.archived(ctx))
}

// archived checks that the room's archive has the last message.
func (r *room) archived(ctx context.Context) error {
	if !r.e.Archive || r.talk {
		return nil
	}
	return r.e.lastInRoom(ctx, r.jid, 0, r.next[0][0]-1)
}

// deliveryRate is the load of the latency row, in deliveries per second.
const deliveryRate = 1000

// latency is the open loop, after fanout in the same room: how long until the
// last occupant has a message.
func (r *room) latency(ctx context.Context, row string) (Result, error) {
	r.openLoop = true
	r.hist.Store(new(load.Histogram))
	g, err := r.e.gauge(&r.deliveries)
	if err != nil {
		return Result{}, err
	}
	first := r.next[0][0]
	total := int(r.e.Scale.Latency.Seconds()*deliveryRate) / r.n
	done := r.complete.Load() + int64(total)
	for k := range total {
		due := g.at.Add(time.Duration(k) * time.Second * time.Duration(r.n) / deliveryRate)
		if err := sleep(ctx, time.Until(due)); err != nil {
			return Result{}, err
		}
		if err := r.send(0, first+int64(k)); err != nil {
			return Result{}, err
		}
	}
	missing, err := r.e.settle(ctx, r.fl, &r.complete, done)
	r.lost.Add(missing)
	if err := firstOf(err, r.err(int64(total)), r.fl.confirm(ctx), r.archived(ctx)); err != nil {
		return Result{}, err
	}
	res, err := g.read(row)
	res.addLatency(r.hist.Load())
	return res, err
}

// fanout measures rows in a room of n: the joins, if named, messages in a closed
// loop, and latency at a fixed rate, if named.
func fanout(n func(Scale) int, joins, messages, latency string) func(context.Context, *Env) ([]Result, error) {
	return func(ctx context.Context, e *Env) ([]Result, error) {
		r, res, err := e.openRoom(ctx, n(e.Scale), e.Window, joins)
		if err != nil {
			return nil, fmt.Errorf("joining: %w", err)
		}
		defer r.fl.close()
		var all []Result
		if joins != "" {
			all = append(all, res)
		}
		if res, err = r.fanout(ctx, messages); err != nil {
			return all, err
		}
		all = append(all, res)
		if latency == "" {
			return all, nil
		}
		if res, err = r.latency(ctx, latency); err != nil {
			return all, err
		}
		return append(all, res), nil
	}
}

// talk measures rows in a room of n where everyone talks: the joins, and messages in as many closed loops.
func talk(n func(Scale) int, joins, messages string) func(context.Context, *Env) ([]Result, error) {
	return func(ctx context.Context, e *Env) ([]Result, error) {
		r, res, err := e.openRoom(ctx, n(e.Scale), n(e.Scale), joins)
		if err != nil {
			return nil, fmt.Errorf("joining: %w", err)
		}
		defer r.fl.close()
		r.talk = true
		all := []Result{res}
		if res, err = r.fanout(ctx, messages); err != nil {
			return all, err
		}
		res.Note = fmt.Sprintf("%d talk", r.n)
		return append(all, res), nil
	}
}
