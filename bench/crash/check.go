package crash

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"parley/bench/load"
	"parley/org"
)

// entry is an entry of an archive.
type entry struct {
	id, key string
	from    string
}

// asker asks an archive's questions.
type asker struct {
	s    *load.Session
	got  []message
	fin  chan string // the answer to the question
	name string
}

func newAsker(ctx context.Context, srv *server, name string) (*asker, error) {
	a := &asker{fin: make(chan string, 1), name: name}
	var err error
	if a.s, err = srv.dialer().Open(ctx, load.Options{User: name, Resource: "check", Early: a.hear}); err != nil {
		return nil, err
	}
	a.s.Start(a.hear)
	return a, nil
}

func (a *asker) hear(_ *load.Session, st []byte) {
	switch {
	case load.Is(st, "message"):
		var m message
		if xml.Unmarshal(st, &m) == nil {
			a.got = append(a.got, m)
		}
	case load.Is(st, "iq") && string(load.Attr(st, "id")) == "ask":
		a.fin <- string(st)
	}
}

func (a *asker) ask(ctx context.Context, to, payload string) ([]message, error) {
	return a.askAs(ctx, "set", to, payload)
}

// askAs gives the messages that come before the answer.
func (a *asker) askAs(ctx context.Context, typ, to, payload string) ([]message, error) {
	a.got = nil
	if to != "" {
		to = " to='" + to + "'"
	}
	if err := a.s.Send(1, []byte("<iq type='"+typ+"' id='ask'"+to+">"+payload+"</iq>")); err != nil {
		return nil, err
	}
	t := time.NewTimer(time.Minute)
	defer t.Stop()
	select {
	case fin := <-a.fin:
		if string(load.Attr([]byte(fin), "type")) != "result" {
			return nil, fmt.Errorf("%s is refused: %s", a.name, fin)
		}
		return a.got, nil
	case <-t.C:
		return nil, fmt.Errorf("%s gets no answer", a.name)
	case <-a.s.Done():
		return nil, fmt.Errorf("%s: %w", a.name, a.s.Err())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

const page = 200

// archive reads a whole archive; with words only the messages that have them.
func (a *asker) archive(ctx context.Context, of, words string) (es []entry, err error) {
	form := ""
	if words != "" {
		form = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>" +
			"<field var='{urn:xmpp:fulltext:0}fulltext'><value>" + words + "</value></field></x>"
	}
	for after := ""; ; {
		ms, err := a.ask(ctx, of, "<query xmlns='urn:xmpp:mam:2'>"+form+
			"<set xmlns='http://jabber.org/protocol/rsm'><max>"+fmt.Sprint(page)+"</max>"+after+"</set></query>")
		if err != nil {
			return nil, err
		}
		n := 0
		for _, m := range ms {
			if m.Result == nil {
				continue
			}
			n++
			after = "<after>" + m.Result.ID + "</after>"
			if key, ok := strings.CutPrefix(m.Result.Message.Body, "the word is "); ok {
				es = append(es, entry{m.Result.ID, key, m.Result.Message.From})
			}
		}
		if n < page {
			return es, nil
		}
	}
}

// check compares the acknowledged and shown messages with the stored ones.
func check(ctx context.Context, srv *server, ts []*talker, res *Result) error {
	ask, err := newAsker(ctx, srv, reader)
	if err != nil {
		return err
	}
	group, err := ask.archive(ctx, room, "")
	if err != nil {
		return err
	}
	own := make([][]entry, len(ts))
	for i, t := range ts {
		res.Resumed += t.resumed
		a, err := newAsker(ctx, srv, t.name)
		if err != nil {
			return err
		}
		if own[i], err = a.archive(ctx, "", ""); err != nil {
			return err
		}
		if err := t.found(ctx, a, own[i], group, res); err != nil {
			return err
		}
		a.s.Close()
	}
	for i, t := range ts {
		t.kept("the group's archive", group, true, res)
		t.kept("their own archive", own[i], false, res)
		t.kept("the archive of who gets it", own[(i+1)%len(ts)], false, res)
		t.shown(group, own[i], res)
		for _, m := range t.all {
			switch {
			case !m.acked:
				continue
			case m.room:
				res.Room++
			default:
				res.Chat++
			}
			if m.attempts > 1 {
				res.Again++
			}
		}
	}
	if err := unread(ctx, srv, ts, own, len(group), ask, res); err != nil {
		return err
	}
	ask.s.Close()
	return nil
}

// kept looks for the messages that a talker was told are kept: each once, in the order in which it was sent.
func (t *talker) kept(where string, es []entry, room bool, res *Result) {
	at, count := make(map[string]int), make(map[string]int)
	for i, e := range es {
		if count[e.key]++; count[e.key] == 1 {
			at[e.key] = i
		}
	}
	last, lastKey := -1, ""
	for _, m := range t.all {
		n := count[m.key]
		if m.room != room || !m.acked && n == 0 {
			continue
		}
		switch {
		case n == 0:
			res.Lost++
			res.detail("%s, acknowledged (attempt %d), is not in %s", m.key, m.attempts, where)
			continue
		case n > m.attempts:
			res.Doubled++
			res.detail("%s, sent %d times, is %d times in %s", m.key, m.attempts, n, where)
		}
		if at[m.key] < last {
			res.Reordered++
			res.detail("%s (attempt %d) is before %s in %s", m.key, m.attempts, lastKey, where)
		}
		last, lastKey = at[m.key], m.key
	}
}

// shown compares what streams have shown with the archives: in their order, nothing that is not kept, nothing left out.
func (t *talker) shown(group, own []entry, res *Result) {
	for _, a := range []struct {
		what string
		es   []entry
		of   func(*seen) []string
		all  bool // only for archives: messages between two shown ones should have been shown too
	}{
		{"the group", group, func(s *seen) []string { return s.room }, true},
		{"chat", own, func(s *seen) []string { return s.chat }, false},
	} {
		at := make(map[string]int)
		for i, e := range a.es {
			at[e.id] = i
		}
		for _, s := range t.streams {
			last, had := -1, make(map[string]bool)
			for _, id := range a.of(s) {
				i, ok := at[id]
				switch {
				case !ok:
					res.Ghosts++
					res.detail("%s was shown %s of %s, which is not kept", t.name, id, a.what)
					continue
				case had[id]:
					res.Twice++
					res.detail("%s was shown %s of %s twice on one stream", t.name, a.es[i].key, a.what)
				case i < last:
					res.Reordered++
					res.detail("%s was shown %s of %s after %s", t.name, a.es[i].key, a.what, a.es[last].key)
				case a.all && last >= 0 && i > last+1:
					res.Skipped += i - last - 1
					res.detail("%s was not shown %d of %s before %s", t.name, i-last-1, a.what, a.es[i].key)
				}
				had[id] = true
				last = max(i, last)
			}
		}
	}
}

const samples = 12 // words of each talker that are looked for

// found searches for some of the acknowledged messages, among them the last ones.
func (t *talker) found(ctx context.Context, a *asker, own, group []entry, res *Result) error {
	var acked []*sent
	for _, m := range t.all {
		if m.acked {
			acked = append(acked, m)
		}
	}
	for n := range min(samples, len(acked)) {
		m := acked[len(acked)-1-n*len(acked)/samples]
		of, es := "", own
		if m.room {
			of, es = room, group
		}
		want := 0
		for _, e := range es {
			if e.key == m.key {
				want++
			}
		}
		got, err := a.archive(ctx, of, m.key)
		if err != nil {
			return err
		}
		if len(got) != want || want == 0 {
			res.NotFound++
			res.detail("%s is found %d times, and is there %d times", m.key, len(got), want)
		}
	}
	return nil
}

// unread compares the inbox (XEP-0430) with the archives: no client marks messages as read, and none answers.
func unread(ctx context.Context, srv *server, ts []*talker, own [][]entry, group int, ask *asker, res *Result) error {
	compare := func(a *asker, with string, want int) error {
		ms, err := a.askAs(ctx, "get", "", "<inbox xmlns='urn:xmpp:inbox:1' messages='false'/>")
		if err != nil {
			return err
		}
		got := -1
		for _, m := range ms {
			if m.Entry != nil && m.Entry.JID == with {
				got = m.Entry.Unread
			}
		}
		// more unread messages than that are not counted
		if want = min(want, org.MaxUnread); got != want && (want > 0 || got > 0) {
			res.WrongUnread++
			res.detail("%s has %d unread of %s, and %d are there", a.name, got, with, want)
		}
		return nil
	}
	if err := compare(ask, room, group); err != nil {
		return err
	}
	for i := range ts {
		writer := user((i+len(ts)-1)%len(ts)) + "@" + host
		want := 0
		for _, e := range own[i] {
			if strings.HasPrefix(e.from, writer) {
				want++
			}
		}
		a, err := newAsker(ctx, srv, ts[i].name)
		if err != nil {
			return err
		}
		if err := compare(a, writer, want); err != nil {
			return err
		}
		a.s.Close()
	}
	return nil
}
