package work

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"parley/bench/load"
	"parley/bench/target"
)

const (
	nsMAM    = "urn:xmpp:mam:2"
	pageSize = 50
)

// archived is one message of an archive page.
type archived struct {
	lane int
	seq  int64
}

// page is one answer of XEP-0313.
type page struct {
	items       []archived
	first, last string // Archive ids, as XEP-0059 gives them.
	refusal     string
}

// archive queries one archive over a session of its own, one query at a time.
type archive struct {
	s     *load.Session
	to    string // " to='…'" for a room's archive.
	n     int
	cur   page // Owned by the session's reader.
	pages chan page
}

// openArchive logs User(user) in to read room's archive, or its own if room is
// empty. Nothing but what a query needs is done on login.
func (e *Env) openArchive(ctx context.Context, user int, room string) (*archive, error) {
	s, err := e.In.Dial.Open(ctx, load.Options{User: target.User(user), Resource: "archive", Index: user})
	if err != nil {
		return nil, err
	}
	a := &archive{s: s, pages: make(chan page, 1)}
	if room != "" {
		a.to = " to='" + room + "'"
	}
	s.Start(a.handle)
	return a, nil
}

func (a *archive) close() { a.s.Close() }

func (a *archive) handle(_ *load.Session, st []byte) {
	switch {
	case load.Is(st, "message") && bytes.Contains(st, []byte("<result")):
		lane, seq, _ := seqOf(st, "body")
		a.cur.items = append(a.cur.items, archived{lane, seq})
	case load.Is(st, "iq"):
		a.cur.first, a.cur.last = string(load.Text(st, "first")), string(load.Text(st, "last"))
		if isError(st) {
			a.cur.refusal = string(st)
		}
		done := a.cur
		a.cur = page{}
		a.pages <- done
	}
}

// page asks for up to 50 messages. start is a time to begin at or empty; where
// is XEP-0059's <before/> or <after/>, or empty.
func (a *archive) page(ctx context.Context, start, where string) (page, error) {
	a.n++
	id := "q" + strconv.Itoa(a.n)
	form := ""
	if start != "" {
		form = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + nsMAM +
			"</value></field><field var='start'><value>" + start + "</value></field></x>"
	}
	q := "<iq type='set' id='" + id + "'" + a.to + "><query xmlns='" + nsMAM + "' queryid='" + id + "'>" + form +
		"<set xmlns='http://jabber.org/protocol/rsm'><max>" + strconv.Itoa(pageSize) + "</max>" +
		where + "</set></query></iq>"
	if err := a.s.Send(1, []byte(q)); err != nil {
		return page{}, err
	}
	select {
	case p := <-a.pages:
		if p.refusal != "" {
			return page{}, fmt.Errorf("archive query refused: %s", p.refusal)
		}
		return p, nil
	case <-a.s.Done():
		return page{}, fmt.Errorf("session ended during an archive query: %v", a.s.Err())
	case <-ctx.Done():
		return page{}, context.Cause(ctx)
	}
}

// check returns an error unless p is a full page in order that begins at from,
// or ends at to, where these are not negative.
func (p page) check(from, to int64) error {
	if len(p.items) != pageSize {
		return fmt.Errorf("archive page has %d messages, not %d", len(p.items), pageSize)
	}
	for i, m := range p.items {
		if m.seq != p.items[0].seq+int64(i) {
			return fmt.Errorf("archive page: %d follows %d", m.seq, p.items[i-1].seq)
		}
	}
	if got := p.items[0].seq; from >= 0 && got != from {
		return fmt.Errorf("archive page begins with %d, not %d", got, from)
	}
	if got := p.items[pageSize-1].seq; to >= 0 && got != to {
		return fmt.Errorf("archive page ends with %d, not %d", got, to)
	}
	return nil
}

// walk reads pages the way clients do: the last one and some before it, then
// from a random time on forwards. turn n of six decides which. It returns the
// page read.
func (a *archive) walk(ctx context.Context, size, turn int, at func(i int) string, prev page) (page, error) {
	var p page
	var err error
	from, to := int64(-1), int64(-1)
	switch {
	case turn == 0:
		to = int64(size - 1)
		p, err = a.page(ctx, "", "<before/>")
	case turn < 3:
		to = prev.items[0].seq - 1
		p, err = a.page(ctx, "", "<before>"+prev.first+"</before>")
	case turn == 3:
		p, err = a.page(ctx, at(rand.IntN(size-10*pageSize)), "")
	default:
		from = prev.items[pageSize-1].seq + 1
		p, err = a.page(ctx, "", "<after>"+prev.last+"</after>")
	}
	if err != nil {
		return p, err
	}
	return p, p.check(from, to)
}

// archivePages measures pages of 50 from an archive of size messages.
func archivePages(row string, size int) func(context.Context, *Env) ([]Result, error) {
	return func(ctx context.Context, e *Env) ([]Result, error) {
		at := func(i int) string {
			return target.FilledStart.Add(time.Duration(i) * time.Second).Format(time.RFC3339)
		}
		if !e.Filled {
			var err error
			if at, err = e.fill(ctx, size); err != nil {
				return nil, fmt.Errorf("filling the archive: %w", err)
			}
		}
		a, err := e.openArchive(ctx, 0, "")
		if err != nil {
			return nil, err
		}
		defer a.close()
		var count atomic.Int64
		var prev page
		if prev, err = a.walk(ctx, size, 0, at, prev); err != nil {
			return nil, err
		}
		g, err := e.gauge(&count)
		if err != nil {
			return nil, err
		}
		hist := new(load.Histogram)
		for n := 0; n < e.Scale.Pages && (n < 6 || time.Since(g.at) < e.Scale.Measure); n++ {
			began := time.Now()
			if prev, err = a.walk(ctx, size, n%6, at, prev); err != nil {
				return nil, err
			}
			hist.Add(time.Since(began))
			count.Add(1)
		}
		res, err := g.read(row)
		res.addLatency(hist)
		return []Result{res}, err
	}
}

// fill sends size messages from User(1) to User(0), 64 in flight, and returns
// the time of the i-th one as the archive has it, roughly.
func (e *Env) fill(ctx context.Context, size int) (func(int) string, error) {
	const window = 64
	var t tally
	var count atomic.Int64
	room := make(chan struct{}, window)
	fl, err := e.open(ctx, 2, func(_ *load.Session, st []byte) {
		if !load.Is(st, "message") {
			return
		}
		if isError(st) {
			t.refuse(st)
			return
		}
		if _, seq, ok := seqOf(st, "body"); ok && seq == count.Load() {
			count.Add(1)
			<-room
		} else if ok {
			t.double(fmt.Sprintf("when due was %d", count.Load()), st)
		}
	})
	if err != nil {
		return nil, err
	}
	defer fl.close()
	began := time.Now()
	for i := range size {
		select {
		case room <- struct{}{}:
		case <-time.After(e.Deadline):
			t.lost.Add(1)
			return nil, t.err(int64(i))
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if err := fl[1].Send(1, message("chat", target.JID(0), 0, int64(i))); err != nil {
			return nil, err
		}
	}
	missing, err := e.settle(ctx, fl, &count, int64(size))
	t.lost.Add(missing)
	took := time.Since(began)
	return func(i int) string {
		return began.Add(took * time.Duration(i) / time.Duration(size)).UTC().Format("2006-01-02T15:04:05.000000Z")
	}, firstOf(err, t.err(int64(size)), fl.confirm(ctx))
}

// lastInRoom checks that a room's archive ends with number want of a lane.
func (e *Env) lastInRoom(ctx context.Context, room string, lane int, want int64) error {
	a, err := e.openArchive(ctx, 0, room)
	if err != nil {
		return err
	}
	defer a.close()
	p, err := a.page(ctx, "", "<before/>")
	if err != nil {
		return err
	}
	last := int64(-1)
	for _, m := range p.items {
		if m.lane == lane {
			last = max(last, m.seq)
		}
	}
	if last != want {
		return fmt.Errorf("archive of %s ends with %d of lane %d, sent was %d",
			strings.TrimSpace(room), last, lane, want)
	}
	return nil
}
