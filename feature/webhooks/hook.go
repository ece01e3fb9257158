package webhooks

import (
	"context"

	"parley/acts"
	"parley/store"
)

// Hook is a webhook as its administrators see it.
type Hook struct {
	store.Webhook
	Slug   string // slug of its group; "": the group is gone
	Secret string // the key that signs requests; "" unless it is outgoing and was just made
}

// Make is Create for a group named by its slug. With a URL the webhook is outgoing, without one incoming. The result
// holds the secret or, for an incoming one, the URL to post to; neither can be shown again.
func (w *Webhooks) Make(ctx context.Context, by acts.Actor, slug string, n NewHook) (Hook, error) {
	g, err := w.o.Group(ctx, w.h.Domain, slug)
	if err != nil {
		return Hook{}, err
	}
	n.Group, n.Direction = g.ID, store.HookIn
	if n.URL != "" {
		n.Direction = store.HookOut
	}
	made, secret, err := w.Create(ctx, by, n)
	if err != nil {
		return Hook{}, err
	}
	h := Hook{Webhook: made, Slug: g.Slug}
	h.Webhook.Secret = ""
	if made.Direction == store.HookIn {
		h.URL = w.cfg.URL(secret)
	} else {
		h.Secret = secret
	}
	return h, nil
}

// Find gives a webhook by its id; an error if there is none.
func (w *Webhooks) Find(ctx context.Context, id string) (Hook, error) {
	h, err := w.st.Webhook(ctx, w.h.Domain, id)
	if err != nil {
		return Hook{}, noHook(err, id)
	}
	return w.shown(ctx, h), nil
}

// List gives the webhooks of the group with this slug, or with "" all.
func (w *Webhooks) List(ctx context.Context, slug string) ([]Hook, error) {
	id := ""
	if slug != "" {
		g, err := w.o.Group(ctx, w.h.Domain, slug)
		if err != nil {
			return nil, err
		}
		id = g.ID
	}
	all, err := w.Hooks(ctx, id)
	out := make([]Hook, len(all))
	for i, h := range all {
		out[i] = w.shown(ctx, h)
	}
	return out, err
}

func (w *Webhooks) shown(ctx context.Context, h store.Webhook) Hook {
	out := Hook{Webhook: h}
	out.Webhook.Secret, out.Token = "", nil
	if g, err := w.o.GroupByID(ctx, w.h.Domain, h.Group); err == nil {
		out.Slug = g.Slug
	}
	return out
}
