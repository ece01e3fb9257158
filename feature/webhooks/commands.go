package webhooks

import (
	"context"
	"strings"

	"parley/acts"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

const nodes = "https://parley.im/commands#"

// Commands gives the commands of a group's room for managing webhooks (XEP-0050), for the group's owners.
func (w *Webhooks) Commands(group string) []server.Command {
	owner := func(ctx context.Context, who jid.JID) bool {
		a, err := w.o.Affiliation(ctx, w.h.Domain, group, "", who)
		return err == nil && a == org.Owner
	}
	return []server.Command{
		{
			Node:    nodes + "webhooks",
			Name:    "Webhooks of this group",
			Allowed: owner,
			Do: func(ctx context.Context, _ jid.JID, _ form.Form) (string, *form.Form, error) {
				return w.listed(ctx, group)
			},
		},
		{
			Node:    nodes + "new-webhook",
			Name:    "Let a program post here",
			Allowed: owner,
			Form:    inForm,
			Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
				_, secret, err := w.Create(ctx, w.by(who), NewHook{
					Direction: store.HookIn,
					Name:      f.Get("name"),
					Group:     group,
					Theme:     f.Get("theme"),
				})
				if err != nil {
					return "", nil, server.Noted(err)
				}
				res := form.New(form.Result, nodes+"new-webhook")
				res.Add("url", form.TextSingle, "Programs post to (shown only once)", w.cfg.URL(secret))
				return "Programs post to " + w.cfg.URL(secret), res, nil
			},
		},
		{
			Node:    nodes + "new-outgoing-webhook",
			Name:    "Send events of this group to a program",
			Allowed: owner,
			Form:    outForm,
			Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
				var events []string
				if fd := f.Field("events"); fd != nil {
					events = fd.Values
				}
				_, secret, err := w.Create(ctx, w.by(who), NewHook{
					Direction: store.HookOut,
					Name:      f.Get("name"),
					Group:     group,
					Theme:     f.Get("theme"),
					URL:       f.Get("url"),
					Events:    events,
				})
				if err != nil {
					return "", nil, server.Noted(err)
				}
				res := form.New(form.Result, nodes+"new-outgoing-webhook")
				res.Add("secret", form.TextSingle, "Requests are signed with (shown only once)", secret)
				return "Requests are signed with " + secret, res, nil
			},
		},
		{
			Node:    nodes + "delete-webhook",
			Name:    "Delete a webhook",
			Allowed: owner,
			Form: func(ctx context.Context, _ jid.JID) (*form.Form, error) {
				return w.deleteForm(ctx, group)
			},
			Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
				return w.deleted(ctx, w.by(who), group, f.Get("webhook"))
			},
		},
	}
}

// by gives the actor of a person who runs a command with a client.
func (w *Webhooks) by(who jid.JID) acts.Actor {
	by := acts.Person(who, w.h.Domain, acts.Client)
	if by.Name != "" {
		by.Remote = w.h.Remote(who)
	}
	return by
}

func inForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodes+"new-webhook")
	f.Title, f.Instructions = "Let a program post here",
		"Its posts appear under this name. Its address is a password: anybody who knows it can post."
	f.Add("name", form.TextSingle, "Name").Required()
	f.Add("theme", form.TextSingle, "Key of the theme, if it posts to a theme")
	return f, nil
}

func outForm(context.Context, jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodes+"new-outgoing-webhook")
	f.Title, f.Instructions = "Send events of this group to a program",
		"Events are posted there as JSON, signed with a secret."
	f.Add("name", form.TextSingle, "Name").Required()
	f.Add("url", form.TextSingle, "Where to").Required()
	fd := form.Field{Var: "events", Type: form.ListMulti, Label: "What", Values: []string{EventMessage}}
	for _, e := range Events {
		fd.Options = append(fd.Options, form.Option{Label: e, Value: e})
	}
	f.Fields = append(f.Fields, fd)
	f.Add("theme", form.TextSingle, "Key of the theme, if only its events are sent")
	return f, nil
}

// describe describes a webhook and its deliveries.
func (w *Webhooks) describe(ctx context.Context, h store.Webhook) (string, error) {
	if h.Direction == store.HookIn {
		return "programs post here", nil
	}
	text := h.Events + " to " + h.URL
	ds, err := w.st.Deliveries(ctx, w.h.Domain, h.ID, "", 0, 1)
	if err == nil && len(ds) > 0 {
		text += "; last: " + strings.TrimSpace(ds[0].State+" "+ds[0].Error)
	}
	return text, err
}

func (w *Webhooks) listed(ctx context.Context, group string) (string, *form.Form, error) {
	hooks, err := w.Hooks(ctx, group)
	if err != nil || len(hooks) == 0 {
		return "There are no webhooks yet.", nil, err
	}
	f := form.New(form.Result, nodes+"webhooks")
	f.Title = "Webhooks of this group"
	for _, h := range hooks {
		text, err := w.describe(ctx, h)
		if err != nil {
			return "", nil, err
		}
		if h.Disabled {
			text += " (disabled)"
		}
		f.Add(h.ID, form.TextSingle, h.Name, text)
	}
	return "", f, nil
}

func (w *Webhooks) deleteForm(ctx context.Context, group string) (*form.Form, error) {
	hooks, err := w.Hooks(ctx, group)
	if err != nil {
		return nil, err
	}
	f := form.New(form.Ask, nodes+"delete-webhook")
	f.Title = "Delete a webhook"
	var os []form.Option
	for _, h := range hooks {
		os = append(os, form.Option{Label: h.Name + " (" + h.Direction + ")", Value: h.ID})
	}
	f.AddList("webhook", "Which", "", os...)
	return f, nil
}

// deleted deletes a webhook if it belongs to the group.
func (w *Webhooks) deleted(ctx context.Context, by acts.Actor, group, id string) (string, *form.Form, error) {
	hooks, err := w.Hooks(ctx, group)
	for _, h := range hooks {
		if h.ID == id {
			return "Deleted.", nil, server.Noted(w.Delete(ctx, by, id))
		}
	}
	if err == nil {
		err = &server.NoteError{Text: "there is no such webhook in this group"}
	}
	return "", nil, err
}
