package muc

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"parley/store"
	"parley/wire/jid"
)

// Call is something that a room does for whoever asks on any node: its argument and its result go to other nodes as
// JSON. Each service has its own.
type Call[A, R any] struct {
	s    *Service
	name string
	do   func(r *Room, ctx context.Context, a A) (R, error)
	// beside says that do runs beside the room's goroutine, once that has done what it was given before.
	beside bool
}

// Nothing is the result of a call that has none, or its argument.
type Nothing struct{}

// callWork is a call for a room that may be at another node.
type callWork struct {
	room, name string
	args       []byte
	answered   func(result []byte, err error)
}

// servedCall is a call as the service finds it by its name.
type servedCall struct {
	do     func(ctx context.Context, r *Room, args []byte) ([]byte, error)
	beside bool
}

// NewCall makes a call under a name of its own. do runs on the room's goroutine. It is called before the service is
// used.
func NewCall[A, R any](s *Service, name string, do func(r *Room, ctx context.Context, a A) (R, error)) Call[A, R] {
	return Call[A, R]{s, name, do, false}.served()
}

// newCallBeside is NewCall for something that may ask the room, and so does not run on its goroutine.
func newCallBeside[A, R any](s *Service, name string,
	do func(r *Room, ctx context.Context, a A) (R, error)) Call[A, R] {
	return Call[A, R]{s, name, do, true}.served()
}

func (c Call[A, R]) served() Call[A, R] {
	if c.s.calls[c.name].do != nil {
		panic("muc: two calls have the name " + c.name)
	}
	c.s.calls[c.name] = servedCall{func(ctx context.Context, r *Room, args []byte) ([]byte, error) {
		var a A
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		out, err := c.do(r, ctx, a)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}, c.beside}
	return c
}

// Ask has the room do it, waits for it, and returns its result. The room is loaded if need be; store.ErrNotFound if it
// does not exist. Ask waits no longer than patience.
func (c Call[A, R]) Ask(ctx context.Context, room string, patience time.Duration, a A) (out R, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience) // the room may be going, and never answer
	defer cancel()
	type result struct {
		out    R
		err    error
		beside *Room
	}
	done := make(chan result, 1)
	w := work{
		do: func(ctx context.Context, r *Room) {
			if c.beside {
				done <- result{beside: r}
				return
			}
			out, err := c.do(r, ctx, a)
			done <- result{out: out, err: err}
		},
		lost: func(err error) { done <- result{err: err} },
	}
	if c.s.others != nil {
		args, err := json.Marshal(a)
		if err != nil {
			return out, err
		}
		w.call = &callWork{room: room, name: c.name, args: args, answered: func(b []byte, err error) {
			var x result
			if x.err = err; err == nil {
				x.err = json.Unmarshal(b, &x.out)
			}
			done <- x
		}}
	}
	if err := c.s.post(ctx, room, w); err != nil {
		return out, err
	}
	select {
	case x := <-done:
		if x.beside != nil {
			return c.do(x.beside, ctx, a)
		}
		return x.out, x.err
	case <-ctx.Done():
		return out, ErrClosing
	}
}

// Post is Ask that does not wait for the room to do it.
func (c Call[A, R]) Post(ctx context.Context, room string, a A) error {
	w := work{do: func(ctx context.Context, r *Room) {
		if _, err := c.do(r, ctx, a); err != nil {
			c.s.Lost("a room has not done something", err, "room", room, "what", c.name)
		}
	}}
	if c.s.others != nil {
		args, err := json.Marshal(a)
		if err != nil {
			return err
		}
		w.call = &callWork{room: room, name: c.name, args: args, answered: func(_ []byte, err error) {
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				c.s.Lost("a room of another server has not done something", err, "room", room, "what", c.name)
			}
		}}
	}
	return c.s.post(ctx, room, w)
}

// doCall does a call of another node.
func (s *Service) doCall(ctx context.Context, room string, o order, give func(answer)) {
	call := s.calls[o.name]
	if call.do == nil {
		give(s.answerOf(room, nil, errOrder))
		return
	}
	var once sync.Once
	end := func(result []byte, err error) { once.Do(func() { give(s.answerOf(room, result, err)) }) }
	err := s.post(ctx, room, work{
		do: func(ctx context.Context, r *Room) {
			if !call.beside {
				end(call.do(ctx, r, o.body))
			} else if !s.Background(func(ctx context.Context) { end(call.do(ctx, r, o.body)) }) {
				end(nil, ErrClosing)
			}
		},
		lost: func(err error) { end(nil, err) },
	})
	if err != nil {
		end(nil, err)
	}
}

// asks are the calls of the service itself.
type asks struct {
	reading     Call[jid.JID, readingOf]
	affiliation Call[jid.JID, affiliationOf]
	occupantID  Call[jid.JID, string]
	moderate    Call[moderating, Nothing]
	departed    Call[jid.JID, Nothing]
	inherit     Call[leftBy, jid.JID]
	deserted    Call[Nothing, Nothing]
	several     Call[changeSeveral, Nothing]
	about       Call[Nothing, About]
}

func newAsks(s *Service) asks {
	return asks{
		reading:     newCallBeside(s, "reading", (*Room).readingCall),
		affiliation: NewCall(s, "affiliation", (*Room).affiliationCall),
		occupantID:  NewCall(s, "occupant id", (*Room).occupantIDCall),
		moderate:    NewCall(s, "moderate", (*Room).moderateCall),
		departed:    NewCall(s, "departed", (*Room).departedCall),
		inherit:     NewCall(s, "inherit", (*Room).inheritCall),
		deserted:    NewCall(s, "deserted", (*Room).desertedCall),
		several:     NewCall(s, "several", (*Room).severalCall),
		about:       NewCall(s, "about", (*Room).about),
	}
}
