package pubsub

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// subOptions holds a subscriber's options (section 6.3). The store keeps them as JSON.
type subOptions struct {
	Silent bool     `json:"silent,omitempty"` // the subscription delivers nothing
	Show   []string `json:"show,omitempty"`   // only in one of these states of presence; empty: in any
}

// The names of the fields, and the states of presence: the content of <show/>, or "online" without it.
const (
	optDeliver = "pubsub#deliver"
	optExpire  = "pubsub#expire"
	optShow    = "pubsub#show-values"
	online     = "online"
)

var shows = []string{"away", "chat", "dnd", online, "xa"}

func optionsOf(s *store.NodeSubscription) (o subOptions) {
	if len(s.Options) > 0 {
		_ = json.Unmarshal(s.Options, &o) // we wrote it ourselves; unreadable options are the defaults
	}
	return o
}

// wants reports whether a client in its current state of presence gets events by the subscription.
func (o *subOptions) wants(s *server.Session) bool {
	return !o.Silent && (len(o.Show) == 0 || slices.Contains(o.Show, showOf(s)))
}

func showOf(s *server.Session) string {
	st, _ := s.Presence()
	if st == nil {
		return ""
	}
	if show := st.Element(wire.NSClient, "show").Text(); show != "" {
		return show
	}
	return online
}

// over reports whether a subscription has expired.
func (e *engine) over(s *store.NodeSubscription) bool {
	return !s.Expires.IsZero() && !e.h.Clock.Now().Before(s.Expires)
}

// ours reports whether the server knows the presence of an address: it does not ask other servers for it.
func (e *engine) ours(who jid.JID) bool { return e.h.Router.Host(who.Domain()) != nil }

// subscriptionForm returns a subscription's options as a form of this type.
func (e *engine) subscriptionForm(typ string, s *store.NodeSubscription, who jid.JID) *wire.Element {
	o := optionsOf(s)
	f := form.New(typ, nsSubOptions)
	f.AddBool(optDeliver, "Send notifications", !o.Silent)
	if s.Expires.IsZero() {
		f.Add(optExpire, form.TextSingle, "When the subscription ends")
	} else {
		f.Add(optExpire, form.TextSingle, "When the subscription ends", s.Expires.UTC().Format(time.RFC3339))
	}
	if !e.ours(who) {
		return f.Element()
	}
	values := o.Show
	if len(values) == 0 {
		values = shows
	}
	f.Add(optShow, form.ListMulti, "Only while in one of these states", values...)
	if typ == form.Ask {
		fd := &f.Fields[len(f.Fields)-1]
		for _, v := range shows {
			fd.Options = append(fd.Options, form.Option{Value: v})
		}
	}
	return f.Element()
}

// setOptions changes a subscription by a submitted form. Missing fields stay as they are.
func (e *engine) setOptions(s *store.NodeSubscription, f form.Form, who jid.JID) error {
	o := optionsOf(s)
	for i := range f.Fields {
		fd := &f.Fields[i]
		switch fd.Var {
		case optDeliver:
			deliver, ok := f.Bool(optDeliver)
			if !ok {
				return errOptions
			}
			o.Silent = !deliver
		case optExpire:
			s.Expires = time.Time{}
			if v := one(fd.Values); v != "" {
				t, err := time.Parse(time.RFC3339, v)
				if err != nil || !t.After(e.h.Clock.Now()) {
					return errOptions
				}
				s.Expires = t.UTC().Truncate(time.Microsecond)
			}
		case optShow:
			o.Show = nil
			for _, v := range fd.Values {
				if !slices.Contains(shows, v) || !e.ours(who) {
					return errOptions
				}
				if !slices.Contains(o.Show, v) {
					o.Show = append(o.Show, v)
				}
			}
			if len(o.Show) == len(shows) {
				o.Show = nil
			}
		case "pubsub#digest", "pubsub#include_body": // old clients send these by default; only "no" is possible
			if yes, ok := f.Bool(fd.Var); !ok || yes {
				return errOptions
			}
		}
	}
	s.Options = nil
	if o.Silent || len(o.Show) > 0 {
		b, err := json.Marshal(o)
		if err != nil {
			return err
		}
		s.Options = b
	}
	return nil
}

// optionsTarget returns the subscription that an <options/> is about. An address has one subscription to a node, so the
// id may be left out (section 6.3.4.4).
func (a ask) optionsTarget(ctx context.Context, verb *wire.Element) (*node, *store.NodeSubscription, jid.JID, error) {
	s := verb.Attr("jid")
	if s == "" {
		return nil, nil, jid.JID{}, errJIDRequired
	}
	who, err := jid.Parse(s)
	if err != nil {
		return nil, nil, who, server.MalformedJID
	}
	if who.Bare() != a.from.Bare() {
		return nil, nil, who, server.Forbidden
	}
	n, err := a.load(ctx, verb.Attr("node"))
	if err != nil {
		return nil, nil, who, err
	}
	if n.virtual != nil {
		return nil, nil, who, unsupported("subscription-options")
	}
	sub, err := n.exactly(ctx, who)
	if err != nil {
		return nil, nil, who, err
	}
	if sub == nil {
		return nil, nil, who, errNoSubscriber
	}
	if id := verb.Attr("subid"); id != "" && id != sub.SubID {
		return nil, nil, who, errSubID
	}
	return n, sub, who, nil
}

// getOptions returns a subscription's options as a form (section 6.3).
func (a ask) getOptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, sub, who, err := a.optionsTarget(ctx, verb)
	if err != nil {
		return nil, err
	}
	o := wire.E(wire.NSPubSub, "options", a.subscriptionForm(form.Ask, sub, who)).Set("node", n.name).
		Set("jid", sub.JID).Set("subid", sub.SubID)
	return wire.E(wire.NSPubSub, "pubsub", o), nil
}

func (a ask) setOptionsOf(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, sub, who, err := a.optionsTarget(ctx, verb)
	if err != nil {
		return nil, err
	}
	if verb.Child(wire.NSForm, "x") == nil {
		return nil, errOptions
	}
	f, ok, err := submitted(verb, nsSubOptions)
	if err != nil || !ok {
		return nil, err
	}
	if err := a.setOptions(sub, f, who); err != nil {
		return nil, err
	}
	return nil, n.saveSubscriptions(ctx, *sub)
}

// defaultOptions returns the default options (section 6.4), which are the same for the service and all nodes.
func (a ask) defaultOptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	d := wire.E(wire.NSPubSub, "default")
	if name := verb.Attr("node"); name != "" {
		n, err := a.load(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := n.maySee(ctx, a.from); err != nil {
			return nil, err
		}
		d.Set("node", name)
	}
	return wire.E(wire.NSPubSub, "pubsub",
		d.Add(a.subscriptionForm(form.Result, new(store.NodeSubscription), a.from))), nil
}
