package testrig

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"

	"parley/config"
)

// ComponentSecret is that of every component of a rig.
const ComponentSecret = "component-secret"

// WithComponent has a rig let an external component in.
func WithComponent(domain string) func(*config.Config) {
	return func(c *config.Config) {
		c.Components = append(c.Components, config.Component{Domain: domain, Secret: ComponentSecret})
	}
}

// Component is an external component (XEP-0114) that has proven its secret. Stanzas to it are in the namespace
// jabber:component:accept.
func (r *Rig) Component(domain string) (*Client, error) { return r.ComponentVia(nil, domain) }

// ComponentVia is Component for a component behind a proxy.
func (r *Rig) ComponentVia(p *Proxied, domain string) (*Client, error) {
	c, err := r.ConnectVia(p, "component", domain)
	if err != nil {
		return nil, err
	}
	if err := c.Write(fmt.Sprintf("<stream:stream xmlns='jabber:component:accept' xmlns:stream='%s' to='%s'>",
		nsStream, domain)); err != nil {
		return nil, err
	}
	c.Listen()
	head, err := c.Next()
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum([]byte(head.Attr("id") + ComponentSecret))
	if err := c.Write("<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>"); err != nil {
		return nil, err
	}
	e, err := c.Next()
	if err == nil && e.Name.Local != "handshake" {
		err = fmt.Errorf("no handshake: %s", e)
	}
	return c, err
}
