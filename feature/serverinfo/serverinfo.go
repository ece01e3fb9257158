// Package serverinfo publishes which servers this one is connected with (XEP-0485), if its operator wants that, and
// where people find the server's status during an outage (XEP-0455).
package serverinfo

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const ns = "urn:xmpp:serverinfo:0"

// Node is the name of the node; Item is the id of its only item.
const (
	Node = "serverinfo"
	Item = "current"
)

// Peer is a connection to another server.
type Peer struct {
	Domain string
	Type   string // incoming, outgoing, bidi
}

// Config of the feature.
type Config struct {
	Publish bool   // XEP-0485
	Service string // domain of the publish-subscribe service
	Version string // the software's version; "": not published
	// Peers gives the connections of the host and its services; nil: never any.
	Peers func() []Peer
	// Keep publishes the item; the service makes the node.
	Keep   func(ctx context.Context, payload []byte) error
	Status []string // URLs of files that report outages (XEP-0455)
}

type info struct {
	h   *server.Host
	cfg Config

	mu    sync.Mutex
	known map[string]opted // the answers of other domains
}

// opted says whether a domain wants to be named, and when it answered.
type opted struct {
	in bool
	at time.Time
}

const (
	every    = 5 * time.Minute
	believed = 24 * time.Hour
	maxNamed = 1000 // domains that are asked and named
	patience = 20 * time.Second
)

// New makes the feature.
func New(h *server.Host, c Config) *server.Feature {
	i := &info{h: h, cfg: c, known: make(map[string]opted)}
	f := &server.Feature{
		Name: "serverinfo",
		XEP: []server.XEP{
			{Number: 485, Title: "PubSub Server Information", Version: "1.0.0", Notes: "if the operator wants it"},
			{
				Number:  455,
				Title:   "Service Outage Status",
				Version: "0.4.0",
				Notes:   "publishes the address of the file, which is kept elsewhere",
			},
		},
	}
	if len(c.Status) > 0 {
		f.Forms = append(f.Forms, form.New(form.Result, "urn:xmpp:sos:0").Add("external-status-addresses",
			form.ListMulti, "", c.Status...).Element())
	}
	if c.Publish {
		f.Disco = []string{ns}
		f.Run = i.run
	}
	return f
}

// Address gives the URI of the information, for the host's form of contact addresses (section 3: both are in one form).
func Address(service string) string { return "xmpp:" + service + "?;node=" + Node }

// run publishes changes until ctx ends.
func (i *info) run(ctx context.Context) error {
	t := time.NewTicker(every)
	defer t.Stop()
	var last []byte
	for {
		now := i.payload(ctx).AppendXML(nil, "")
		if !bytes.Equal(now, last) {
			if err := i.cfg.Keep(ctx, now); err == nil {
				last = now
			} else if ctx.Err() == nil {
				i.h.Log.Error("cannot publish information of the server", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// payload makes the item (section 4).
func (i *info) payload(ctx context.Context) *wire.Element {
	d := wire.E(ns, "domain").Set("name", i.h.Domain)
	if i.cfg.Peers != nil {
		by := make(map[string][]string)
		for _, p := range i.cfg.Peers() {
			if !slices.Contains(by[p.Domain], p.Type) {
				by[p.Domain] = append(by[p.Domain], p.Type)
			}
		}
		fed := wire.E(ns, "federation")
		var names []string
		for name := range by {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			r := wire.E(ns, "remote-domain")
			if i.named(ctx, name) {
				r.Set("name", name)
			}
			slices.Sort(by[name])
			for _, typ := range by[name] {
				r.Add(wire.E(ns, "connection").Set("type", typ))
			}
			fed.Add(r)
		}
		d.Add(fed)
	}
	e := wire.E(ns, "serverinfo", d)
	if i.cfg.Version != "" {
		e.Add(wire.E("jabber:iq:version", "query", wire.T("jabber:iq:version", "name", "parley"),
			wire.T("jabber:iq:version", "version", i.cfg.Version)))
	}
	return e
}

// named says whether a domain may be named: only if it publishes such information itself (section 6).
func (i *info) named(ctx context.Context, domain string) bool {
	i.mu.Lock()
	o, ok := i.known[domain]
	if !ok && len(i.known) >= maxNamed {
		i.mu.Unlock()
		return false
	}
	i.mu.Unlock()
	if ok && time.Since(o.at) < believed {
		return o.in
	}
	to, err := jid.New("", domain, "")
	if err != nil {
		return false
	}
	q := &wire.Stanza{
		Kind: wire.IQ,
		Name: wire.Name{Space: wire.NSClient, Local: "iq"},
		Type: "get",
		From: i.h.JID,
		To:   to,
	}
	answer, err := i.h.Ask(ctx, q.Add(wire.E(wire.NSDiscoInfo, "query")), patience)
	o = opted{at: time.Now()}
	if err == nil && answer.Type == "result" {
		for _, f := range answer.Element(wire.NSDiscoInfo, "query").Elements() {
			o.in = o.in || f.Name.Local == "feature" && f.Attr("var") == ns
		}
	}
	i.mu.Lock()
	i.known[domain] = o
	i.mu.Unlock()
	return o.in
}
