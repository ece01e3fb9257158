package webchat

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
)

// Event is something that a browser is told. Data is JSON. Events are shared by many browsers and never changed.
type Event struct {
	Name string
	Data []byte
}

// event makes an Event of a value. The values are this package's own, so that encoding does not fail.
func event(name string, v any) *Event {
	b, err := json.Marshal(v)
	if err != nil {
		panic("webchat: " + err.Error())
	}
	return &Event{Name: name, Data: b}
}

// The bounds of what waits for a browser: past them the browser has to load everything anew.
const (
	maxEvents = 1000
	maxBytes  = 1 << 20
)

// buffer has the last events of one browser, numbered within an epoch. A stream that breaks off goes on after the last
// one it had. It is safe from any goroutine.
type buffer struct {
	epoch string // names this run of the node, and the browser's session in it

	mu    sync.Mutex
	evs   []*Event
	first int64 // the number of evs[0]
	bytes int
	wake  chan struct{} // closed when there is something new
	over  bool
}

func newBuffer(epoch string) *buffer {
	return &buffer{epoch: epoch, first: 1, wake: make(chan struct{})}
}

// add appends an event and wakes the streams.
func (b *buffer) add(e *Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.evs = append(b.evs, e)
	b.bytes += len(e.Data)
	for len(b.evs) > maxEvents || b.bytes > maxBytes && len(b.evs) > 1 {
		b.dropLocked()
	}
	b.wakeLocked()
}

func (b *buffer) dropLocked() {
	b.bytes -= len(b.evs[0].Data)
	b.evs[0] = nil
	b.evs = b.evs[1:]
	b.first++
}

func (b *buffer) wakeLocked() {
	close(b.wake)
	b.wake = make(chan struct{})
}

// reset drops all events, so that every stream loads everything anew.
func (b *buffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first += int64(len(b.evs)) + 1 // a stream that had all events has missed one
	b.evs, b.bytes = nil, 0
	b.wakeLocked()
}

// end ends all streams.
func (b *buffer) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.over = true
		b.wakeLocked()
	}
}

// forget drops the events up to a number, which the browser has confirmed.
func (b *buffer) forget(upto int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.evs) > 0 && b.first <= upto {
		b.dropLocked()
	}
}

// id gives the id of the event with a number.
func (b *buffer) id(n int64) string { return b.epoch + "-" + strconv.FormatInt(n, 10) }

// number reads the id of an event; ok is false if it is of another epoch or no id.
func (b *buffer) number(id string) (n int64, ok bool) {
	epoch, text, found := strings.Cut(id, "-")
	if !found || epoch != b.epoch {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0
}

// last gives the number of the newest event.
func (b *buffer) last() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.first + int64(len(b.evs)) - 1
}

// after gives the events after a number and the number of the last one. ok is false if some of them are gone: the
// browser has to load everything anew and go on after n. more is closed when there is something new; it is nil at the
// end of the session.
func (b *buffer) after(from int64) (evs []*Event, n int64, ok bool, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = b.first + int64(len(b.evs)) - 1
	more = b.wake
	if b.over {
		more = nil
	}
	if from < b.first-1 || from > n {
		return nil, n, false, more
	}
	return append(evs, b.evs[from-b.first+1:]...), n, true, more
}

// Stream is one connection over which a browser reads its events.
type Stream struct {
	b    *Browser
	at   int64
	told bool // the browser has been greeted
	lost bool // it has to load everything anew
}

// Item is an event with its id; "" where the stream does not go on after it.
type Item struct {
	ID string
	*Event
}

// Next waits for events and gives them. The first ones greet: "hello", and "reset" if the browser missed events that
// are not kept any more. ok is false at the end of the session. The error is that of ctx.
func (s *Stream) Next(ctx context.Context) (items []Item, ok bool, err error) {
	buf := s.b.buf
	if !s.told {
		s.told = true
		items = append(items, Item{buf.id(s.at), event("hello", map[string]string{"epoch": buf.epoch})})
		if s.lost {
			items = append(items, Item{buf.id(s.at), event("reset", struct{}{})})
		}
		return items, true, nil
	}
	for {
		evs, n, whole, more := buf.after(s.at)
		if !whole {
			s.at = n
			return []Item{{buf.id(n), event("reset", struct{}{})}}, true, nil
		}
		if len(evs) > 0 {
			for i, e := range evs {
				items = append(items, Item{buf.id(s.at + int64(i) + 1), e})
			}
			s.at = n
			return items, true, nil
		}
		if more == nil {
			return nil, false, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, true, ctx.Err()
		}
	}
}
