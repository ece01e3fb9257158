package pubsub

import (
	"context"
	"errors"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// ServiceConfig holds what NewService needs.
type ServiceConfig struct {
	Domain string
	Name   string // for people; "": "Publish-Subscribe"
	Host   *server.Host
	Store  Store
	Limits Limits
	// Create reports whether somebody may make nodes; nil: accounts of the host may.
	Create func(ctx context.Context, who jid.JID) bool
}

// Service is a publish-subscribe service with a domain of its own.
type Service struct {
	engine
	cfg ServiceConfig
	jid jid.JID
}

// NewService makes a service, puts it on the router and into the host's disco#items. It fails if the domain is taken.
func NewService(c ServiceConfig) (*Service, error) {
	j, err := jid.New("", c.Domain, "")
	if err != nil {
		return nil, err
	}
	if c.Name == "" {
		c.Name = "Publish-Subscribe"
	}
	s := &Service{
		engine: engine{
			h:         c.Host,
			st:        c.Store,
			limits:    c.Limits.withDefaults(10_000),
			def:       serviceDefault,
			mayCreate: c.Create,
		},
		cfg: c,
		jid: j,
	}
	if s.mayCreate == nil {
		s.mayCreate = func(_ context.Context, who jid.JID) bool { return who.Domain() == c.Host.Domain }
	}
	if err := c.Host.Router.Add(c.Domain, s); err != nil {
		return nil, err
	}
	c.Host.AddItem(server.Item{JID: j, Name: c.Name})
	return s, nil
}

func (s *Service) ask(from jid.JID) ask {
	return ask{engine: &s.engine, place: place{jid: s.jid, host: s.cfg.Domain}, from: from}
}

// Keep publishes the only item of a node that belongs to the host and that everyone may read. It deletes a node of that
// name that somebody else made.
func (s *Service) Keep(ctx context.Context, name, title string, it server.PEPItem) error {
	a := s.ask(s.cfg.Host.JID)
	n, err := a.kept(ctx, name)
	if isNotFound(err) {
		cfg := a.def
		cfg.Title, cfg.Access, cfg.Max = title, "open", 1
		n, err = a.made(ctx, name, cfg)
	}
	if err != nil {
		return err
	}
	it.Publisher = a.from
	return n.put(ctx, []server.PEPItem{it})
}

// kept returns the asker's own node, or item-not-found. It deletes a node of that name that somebody else made.
func (a ask) kept(ctx context.Context, name string) (*node, error) {
	if _, err := a.load(ctx, name); err != nil {
		return nil, err
	}
	n, err := a.owned(ctx, name)
	if !errors.Is(err, server.Forbidden) {
		return n, err
	}
	if n, err = a.load(ctx, name); err != nil {
		return nil, err
	}
	if err := n.delete(ctx, ""); err != nil {
		return nil, err
	}
	return nil, server.ItemNotFound
}

// made makes a node and returns it.
func (a ask) made(ctx context.Context, name string, cfg NodeConfig) (*node, error) {
	if err := a.make(ctx, name, cfg); err != nil {
		return nil, err
	}
	return a.load(ctx, name)
}

func (s *Service) commands() []server.Command {
	return []server.Command{s.getPending(func(who jid.JID) (ask, error) { return s.ask(who), nil })}
}

// Run removes expired items and subscriptions until ctx ends.
func (s *Service) Run(ctx context.Context) error { return s.expire(ctx, s.cfg.Domain) }

// Receive takes a stanza to the service.
func (s *Service) Receive(ctx context.Context, st *wire.Stanza) error {
	if st.To != s.jid {
		if st.Kind == wire.Presence {
			return nil
		}
		return server.ServiceUnavailable
	}
	switch st.Kind {
	case wire.IQ:
		return server.AnswerIQ(ctx, s.h.Router, st, s.serve)
	case wire.Message:
		if x := st.Element(wire.NSForm, "x"); x != nil && st.Type != "error" {
			return s.ask(st.From).approve(ctx, x)
		}
		if st.Type == "error" || st.Type == "headline" {
			return nil
		}
		return server.ServiceUnavailable
	}
	return nil // the service has no presence
}

func (s *Service) serve(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	a := s.ask(st.From)
	node := e.Attr("node")
	switch st.Type + " " + e.Name.Space + " " + e.Name.Local {
	case "get " + wire.NSDiscoInfo + " query":
		if c := server.CommandInfo(s.commands(), node); c != nil {
			return c, nil
		}
		if node != "" {
			return a.info(ctx, node)
		}
		i := server.Info{
			Identities: []server.Identity{{Category: "pubsub", Type: "service", Name: s.cfg.Name}},
			Features: append(features(false), wire.NSDiscoInfo, wire.NSDiscoItems, wire.NSCommands,
				wire.NSRSM, "urn:xmpp:ping"),
		}
		return i.Element(""), nil
	case "get " + wire.NSDiscoItems + " query":
		if c := server.CommandItems(ctx, s.commands(), st.From, s.jid, node); c != nil {
			return c, nil
		}
		if node != "" {
			return a.itemsOf(ctx, node)
		}
		return a.list(ctx, e)
	case "get urn:xmpp:ping ping":
		return nil, nil
	case "set " + wire.NSCommands + " command":
		return server.RunCommand(ctx, s.commands(), st.From, e)
	case "get " + wire.NSPubSub + " pubsub", "set " + wire.NSPubSub + " pubsub", "get " + nsOwner + " pubsub",
		"set " + nsOwner + " pubsub":
		return a.do(ctx, st.Type, e)
	}
	return nil, stanza.Error{Type: stanza.Cancel, Condition: stanza.ServiceUnavailable}
}
