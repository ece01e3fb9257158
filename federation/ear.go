package federation

import (
	"golang.org/x/time/rate"

	"parley/wire"
)

// ear takes in what another server sends, on a stream of either side's making. It belongs to the stream's reader.
type ear struct {
	srv   *Server
	voice voice
	lang  string
	paces map[string]*rate.Limiter
}

// hear lets a stanza in, at its domain's pace. An error ends the stream.
func (e *ear) hear(x *wire.Stanza) error {
	if err := e.voice.allows(x); err != nil {
		return err
	}
	if err := e.pace(x.From.Domain()); err != nil {
		return err
	}
	if x.Lang == "" {
		x.Lang = e.lang
	}
	if err := e.srv.cfg.Router.Route(e.srv.ctx, x); err != nil {
		e.srv.cfg.Router.Reply(e.srv.ctx, x, err)
	}
	return nil
}

// pace makes who is too fast wait; TCP then makes the other server wait too.
func (e *ear) pace(domain string) error {
	l := e.paces[domain]
	if l == nil {
		if e.paces == nil {
			e.paces = make(map[string]*rate.Limiter)
		}
		l = e.srv.rates.take(domain)
		e.paces[domain] = l
	}
	if l.Allow() {
		return nil
	}
	return l.Wait(e.srv.ctx)
}

// close gives back what is shared with the domain's other streams.
func (e *ear) close() {
	for d := range e.paces {
		e.srv.rates.give(d)
	}
	e.paces = nil
}
