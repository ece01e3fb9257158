// Package digest lets people set in their clients how they are notified of missed messages (XEP-0050): how often by
// e-mail, in which hours not at all, and which themes are muted.
package digest

import (
	"context"
	"slices"

	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

// Node is the command's node.
const Node = "https://parley.im/commands#notifications"

type digest struct {
	h *server.Host
	p *people.People
	o *org.Org
}

// New makes the feature.
func New(h *server.Host, p *people.People, o *org.Org) *server.Feature {
	d := &digest{h, p, o}
	return &server.Feature{Name: "digest", Commands: []server.Command{
		{
			Node:    Node,
			Name:    "Notifications: e-mail, quiet hours and muted themes",
			Allowed: d.here,
			Form:    d.form,
			Do:      d.set,
		},
	}}
}

func (d *digest) here(_ context.Context, who jid.JID) bool {
	return who.Domain() == d.h.Domain && who.Local() != ""
}

// maxThemes is how many themes the form lists; the page lists all.
const maxThemes = 200

func (d *digest) themes(ctx context.Context, who jid.JID) ([]org.Followed, error) {
	fs, err := d.o.Following(ctx, d.h.Domain, who)
	return fs[:min(len(fs), maxThemes)], err
}

func (d *digest) form(ctx context.Context, who jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, Node)
	f.Title = "Notifications"
	if d.p.WritesDigests() {
		every, err := d.p.DigestOf(ctx, who.Local())
		if err != nil {
			return nil, err
		}
		f.AddList("digest", "E-mail about missed activity", every, form.Option{Label: "None", Value: store.DigestOff},
			form.Option{Label: "At most once a day", Value: store.DigestDaily},
			form.Option{Label: "At most once a week", Value: store.DigestWeekly})
	}
	if err := d.quiet(ctx, who, f); err != nil {
		return nil, err
	}
	fs, err := d.themes(ctx, who)
	if err != nil {
		return nil, err
	}
	var muted []string
	var os []form.Option
	for _, x := range fs {
		os = append(os, form.Option{Label: x.Group.Name + " › " + x.Theme.Name, Value: x.Theme.Key})
		if x.State == store.FollowMuted {
			muted = append(muted, x.Theme.Key)
		}
	}
	if len(os) > 0 {
		f.Add("muted", form.ListMulti, "Muted themes: your clients do not enter them", muted...)
		f.Field("muted").Options = os
	}
	return f, nil
}

func (d *digest) set(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	u, err := d.p.Get(ctx, who.Local())
	if err != nil {
		return "", nil, server.Noted(err)
	}
	if f.Has("digest") {
		if err := d.p.SetDigest(ctx, d.p.ByClient(u, who), u.Name, f.Get("digest")); err != nil {
			return "", nil, server.Noted(err)
		}
	}
	if err := d.setQuiet(ctx, d.p.ByClient(u, who), f); err != nil {
		return "", nil, server.Noted(err)
	}
	if !f.Has("muted") {
		return "Saved.", nil, nil
	}
	fs, err := d.themes(ctx, who)
	if err != nil {
		return "", nil, err
	}
	for _, x := range fs {
		want := slices.Contains(f.Values("muted"), x.Theme.Key)
		if want == (x.State == store.FollowMuted) {
			continue
		}
		state := store.FollowMuted
		if !want {
			state = store.FollowAuto
		}
		if err := d.o.Follow(ctx, d.h.Domain, x.Theme.Key, u.Name, state); err != nil {
			return "", nil, server.Noted(err)
		}
	}
	return "Saved.", nil, nil
}
