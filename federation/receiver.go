package federation

import (
	"golang.org/x/time/rate"

	"parley/wire"
)

// receiver receives what another server sends, on a stream that either side opened. It belongs to the stream's reader.
type receiver struct {
	srv   *Server
	authz authz
	lang  string
	paces map[string]*rate.Limiter
}

// receive admits a stanza at its domain's pace. An error ends the stream.
func (e *receiver) receive(x *wire.Stanza) error {
	if err := e.authz.allows(x); err != nil {
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

// pace delays a domain that sends too fast. TCP then slows the other server.
func (e *receiver) pace(domain string) error {
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

// close gives back the limiter that the domain's streams share.
func (e *receiver) close() {
	for d := range e.paces {
		e.srv.rates.give(d)
	}
	e.paces = nil
}
