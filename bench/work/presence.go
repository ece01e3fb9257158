package work

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"parley/bench/load"
	"parley/bench/target"
)

// contacts is the number of contacts of the person who changes presence.
const contacts = 100

// broadcast is User(0), the hub, whose contacts are User(1) … User(contacts).
type broadcast struct {
	tally
	befriended atomic.Int64 // Answers to subscriptions, at both ends.
	next       []int64      // By session the number that has to come; owned by its reader.
	going      atomic.Bool
	got        atomic.Int64 // Contacts who have the current presence.
	count      atomic.Int64
	stop       atomic.Bool
	ended      atomic.Int64
	hub        atomic.Pointer[load.Session]
}

func (b *broadcast) handle(s *load.Session, st []byte) {
	if !load.Is(st, "presence") {
		return
	}
	from, _, _ := strings.Cut(string(load.Attr(st, "from")), "/")
	switch string(load.Attr(st, "type")) {
	case "error":
		b.refuse(st)
	case "subscribe":
		// RFC 6121, section 3.1: approve, and a contact asks back.
		s.Send(1, []byte("<presence type='subscribed' to='"+from+"'/>"))
		if s.Index != 0 {
			s.Send(1, []byte("<presence type='subscribe' to='"+from+"'/>"))
		}
	case "subscribed":
		b.befriended.Add(1)
	case "":
		b.onPresence(s, st)
	}
}

func (b *broadcast) onPresence(s *load.Session, st []byte) {
	_, seq, ok := seqOf(st, "status")
	if !ok || s.Index == 0 || !b.going.Load() {
		return
	}
	if !b.follows(seq, b.next[s.Index], st) {
		return
	}
	b.next[s.Index] = seq + 1
	b.count.Add(1)
	if b.got.Add(1) < contacts {
		return
	}
	b.got.Store(0)
	if b.stop.Load() {
		b.ended.Add(1)
		return
	}
	b.send(seq + 1)
}

func (b *broadcast) send(seq int64) error {
	st := append([]byte("<presence><show>away</show><status>"), appendSeq(nil, 0, seq, ':')...)
	return b.hub.Load().Send(1, append(st, " out for lunch</status></presence>"...))
}

// presence is the closed loop: the next presence is sent when the last contact
// has the one before.
func presence(ctx context.Context, e *Env) ([]Result, error) {
	b := &broadcast{next: make([]int64, contacts+1)}
	fl, err := e.open(ctx, contacts+1, b.handle)
	if err != nil {
		return nil, err
	}
	defer fl.close()
	b.hub.Store(fl[0])
	if err := b.befriend(ctx, e, fl); err != nil {
		return nil, err
	}
	b.going.Store(true)
	if err := b.send(0); err != nil {
		return nil, err
	}
	res, err := e.over(ctx, "presence", &b.count)
	b.stop.Store(true)
	if err != nil {
		return nil, firstOf(b.err(b.count.Load()), fl.alive(), err)
	}
	missing, err := e.settle(ctx, fl, &b.ended, 1)
	b.lost.Add(missing)
	return []Result{res}, firstOf(err, b.err(b.count.Load()), fl.confirm(ctx))
}

// befriend makes the hub and each contact subscribe to each other. A second run
// on the same instance finds that done.
func (b *broadcast) befriend(ctx context.Context, e *Env, fl fleet) error {
	if !e.Befriended.CompareAndSwap(false, true) {
		return nil
	}
	for i := 1; i <= contacts; i++ {
		if err := fl[0].Send(1, []byte("<presence type='subscribe' to='"+target.JID(i)+"'/>")); err != nil {
			return err
		}
	}
	want := int64(2 * contacts)
	if e.In.Dial.Relay {
		want = contacts // A relay notifies only the person who asked.
	}
	missing, err := e.settle(ctx, fl, &b.befriended, want)
	if err == nil && missing > 0 {
		err = fmt.Errorf("%d of %d subscriptions are not answered", missing, want)
	}
	return firstOf(err, b.err(want))
}
