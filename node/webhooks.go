package node

import (
	"context"
	"net/http"
	"strings"

	"parley/config"
	"parley/feature/webhooks"
	"parley/muc/groups"
	"parley/server"
	"parley/store"
)

const hooksPath = "/hooks/"

// buildWebhooks makes the webhooks of a host. The rooms are built with them, and are looked up when a program posts.
func (n *Node) buildWebhooks(h *server.Host) *webhooks.Webhooks {
	c := n.Config.Webhooks
	return webhooks.New(webhooks.Config{
		Host:     h,
		Store:    n.Store,
		Org:      n.Org,
		Acts:     n.acts,
		Max:      c.MaxPerGroup,
		Rate:     float64(c.Rate),
		Burst:    c.Burst,
		Retry:    c.Retry,
		Attempts: c.Attempts,
		Timeout:  c.Timeout,
		Kept:     c.Log,
		Allow:    config.Networks(c.Allow),
		URL:      func(secret string) string { return n.hookURL(h.Domain, secret) },
		Post: func(ctx context.Context, room string, p webhooks.Post) (store.ID, error) {
			return n.host(h.Domain).rooms.Say(ctx, room, groups.Said{
				ID:    p.Hook,
				Nick:  p.Name,
				Body:  p.Body,
				File:  p.File,
				Hat:   "bot",
				Once:  p.Once,
				Since: p.Since,
			})
		},
	})
}

// host gives a hosted domain with its services; nil if there is none.
func (n *Node) host(domain string) *host {
	for _, h := range n.hosts {
		if h.Domain == domain {
			return h
		}
	}
	return nil
}

// handleWebhooks serves POST /hooks/<token> for all hosts.
func (n *Node) handleWebhooks(mux *http.ServeMux) {
	var all []*webhooks.Webhooks
	for _, h := range n.hosts {
		all = append(all, h.hooks)
	}
	mux.Handle(hooksPath, http.StripPrefix(hooksPath, webhooks.Handler(all)))
}

// hookURL gives the URL that a program posts to.
func (n *Node) hookURL(domain, secret string) string {
	if u := n.Config.Webhooks.URL; u != "" {
		return u + "/" + secret
	}
	return n.listenerURL(domain, hooksPath) + "/" + secret
}

// listenerURL gives the URL of a path on the websocket listener, as others see it, without a slash at its end.
func (n *Node) listenerURL(domain, path string) string {
	return n.publicURL(domain) + strings.TrimSuffix(path, "/")
}

// spacesPath is the path of groups' photos (XEP-0503).
const spacesPath = "/spaces/"

func (n *Node) handleSpaces(mux *http.ServeMux) {
	for domain, s := range n.spaces {
		p := spacesPath + domain
		mux.Handle(p+"/", http.StripPrefix(p, s))
	}
}
