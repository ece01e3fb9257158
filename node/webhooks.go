package node

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"parley/admin"
	"parley/feature/webhooks"
	"parley/muc"
	"parley/server"
	"parley/store"
)

const hooksPath = "/hooks/"

// buildWebhooks makes the webhooks of a host. Its rooms are built with them, and are found when one posts.
func (n *Node) buildWebhooks(h *server.Host) *webhooks.Webhooks {
	c := n.Config.Webhooks
	var allow []netip.Prefix
	for _, s := range c.Allow {
		if p, err := netip.ParsePrefix(s); err == nil { // the configuration has been checked
			allow = append(allow, p)
		}
	}
	return webhooks.New(webhooks.Config{Host: h, Org: n.Org, Max: c.MaxPerGroup, Rate: float64(c.Rate), Burst: c.Burst, Retry: c.Retry, Attempts: c.Attempts,
		Timeout: c.Timeout, Kept: c.Log, Allow: allow,
		Post: func(ctx context.Context, room string, p webhooks.Post) (store.ID, error) {
			return n.host(h.Domain).rooms.Say(ctx, room, muc.Said{ID: p.Hook, Nick: p.Name, Body: p.Body, File: p.File, Hat: "bot", Once: p.Once, Since: p.Since})
		}})
}

// host finds a hosted domain with its services; nil if it is none.
func (n *Node) host(domain string) *host {
	for _, h := range n.hosts {
		if h.Domain == domain {
			return h
		}
	}
	return nil
}

// handleWebhooks serves POST /hooks/<token> for all hosts: a token says whose it is.
func (n *Node) handleWebhooks(mux *http.ServeMux) {
	mux.Handle(hooksPath, http.StripPrefix(hooksPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range n.hosts {
			if h.hooks.Knows(r.Context(), strings.Trim(r.URL.Path, "/")) {
				h.hooks.ServeHTTP(w, r)
				return
			}
		}
		http.Error(w, "there is no such webhook", http.StatusNotFound)
	})))
}

// hookURL is where a program posts to.
func (n *Node) hookURL(domain, secret string) string {
	if u := n.Config.Webhooks.URL; u != "" {
		return u + "/" + secret
	}
	return n.listenerURL(domain, hooksPath) + "/" + secret
}

// listenerURL is a path of the websocket listener's, as others see it, without the slash at its end.
func (n *Node) listenerURL(domain, path string) string {
	at := domain
	if a, ok := n.Addr("websocket").(*net.TCPAddr); ok && a.Port != 443 {
		at = net.JoinHostPort(domain, strconv.Itoa(a.Port))
	}
	return "https://" + at + strings.TrimSuffix(path, "/")
}

// spacesPath is where the photos of groups are (XEP-0503).
const spacesPath = "/spaces/"

func (n *Node) handleSpaces(mux *http.ServeMux) {
	for domain, s := range n.spaces {
		p := spacesPath + domain
		mux.Handle(p+"/", http.StripPrefix(p, s))
	}
}

func (o *operations) hooks(domain string) (*server.Host, *webhooks.Webhooks, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, nil, err
	}
	return h, o.n.host(h.Domain).hooks, nil
}

func (o *operations) CreateWebhook(ctx context.Context, in admin.NewWebhook) (admin.Webhook, error) {
	h, w, err := o.hooks(in.Host)
	if err != nil {
		return admin.Webhook{}, err
	}
	_, g, err := o.group(ctx, h.Domain, in.Group)
	if err != nil {
		return admin.Webhook{}, err
	}
	n := webhooks.NewHook{Direction: store.HookIn, Name: in.Name, Group: g.ID, Theme: in.Theme, URL: in.URL, Events: in.Events}
	if in.URL != "" {
		n.Direction = store.HookOut
	} else if len(in.Events) > 0 {
		return admin.Webhook{}, admin.Invalid("events", "events are for webhooks that go out, which have a URL")
	}
	made, secret, err := w.Create(ctx, n)
	if err != nil {
		return admin.Webhook{}, orgError(err)
	}
	out := o.showWebhook(ctx, made)
	if made.Direction == store.HookIn {
		out.URL = o.n.hookURL(h.Domain, secret)
	} else {
		out.Secret = secret
	}
	return out, nil
}

func (o *operations) showWebhook(ctx context.Context, w store.Webhook) admin.Webhook {
	out := admin.Webhook{Host: w.Host, ID: w.ID, Direction: w.Direction, Name: w.Name, Theme: w.Theme, URL: w.URL, Events: strings.Fields(w.Events),
		Creator: w.Creator, Created: w.Created, Disabled: w.Disabled}
	if g, err := o.n.Org.GroupByID(ctx, w.Host, w.Group); err == nil {
		out.Group = g.Slug
	}
	return out
}

func (o *operations) Webhooks(ctx context.Context, domain, group string) ([]admin.Webhook, error) {
	h, w, err := o.hooks(domain)
	if err != nil {
		return nil, err
	}
	id := ""
	if group != "" {
		_, g, err := o.group(ctx, h.Domain, group)
		if err != nil {
			return nil, err
		}
		id = g.ID
	}
	all, err := w.Hooks(ctx, id)
	out := make([]admin.Webhook, len(all))
	for i, x := range all {
		out[i] = o.showWebhook(ctx, x)
	}
	return out, err
}

func (o *operations) SetWebhookDisabled(ctx context.Context, domain, id string, disabled bool) error {
	_, w, err := o.hooks(domain)
	if err != nil {
		return err
	}
	return orgError(w.SetDisabled(ctx, id, disabled))
}

func (o *operations) DeleteWebhook(ctx context.Context, domain, id string) error {
	_, w, err := o.hooks(domain)
	if err != nil {
		return err
	}
	return orgError(w.Delete(ctx, id))
}

func (o *operations) Deliveries(ctx context.Context, domain, id, state string, limit int) ([]admin.Delivery, error) {
	h, w, err := o.hooks(domain)
	if err != nil {
		return nil, err
	}
	switch state {
	case "", store.DeliveryWaiting, store.DeliveryDone, store.DeliveryDead:
	default:
		return nil, admin.Invalid("state", "state: is waiting, done or dead")
	}
	ds, err := w.Log(ctx, id, state, limit)
	out := make([]admin.Delivery, len(ds))
	for i, d := range ds {
		out[i] = admin.Delivery{ID: d.ID.String(), Room: o.n.Org.RoomJID(h.Domain, d.Room).String(), Event: d.Event, State: d.State, Attempts: d.Attempts,
			Status: d.Status, Error: d.Error, Updated: d.Updated}
	}
	return out, orgError(err)
}

func (o *operations) Redeliver(ctx context.Context, domain, id string) (int, error) {
	_, w, err := o.hooks(domain)
	if err != nil {
		return 0, err
	}
	n, err := w.Redeliver(ctx, id)
	return n, orgError(err)
}
