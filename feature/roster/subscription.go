package roster

import (
	"context"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// from and to split a subscription into its two directions; join puts them together.
func from(sub string) bool { return sub == store.SubFrom || sub == store.SubBoth }
func to(sub string) bool   { return sub == store.SubTo || sub == store.SubBoth }

func join(from, to bool) string {
	switch {
	case from && to:
		return store.SubBoth
	case from:
		return store.SubFrom
	case to:
		return store.SubTo
	}
	return store.SubNone
}

// outbound handles what a user's own client sends about a subscription (RFC 6121, Appendix A.2).
func (r *roster) outbound(ctx context.Context, p *server.Pass) error {
	st, contact := p.Stanza, p.Stanza.To
	if contact == st.From {
		return errSelf
	}
	route, shown, hidden := true, false, false
	c, err := r.update(ctx, p.Account, contact, r.cfg.MaxContacts,
		func(c *store.Contact) (bool, error) {
			before := *c
			route, shown, hidden = true, false, false
			switch st.Type {
			case "subscribe":
				if !to(c.Subscription) {
					c.Ask, c.InRoster = true, true
				}
			case "unsubscribe":
				c.Ask, c.Subscription = false, join(from(c.Subscription), false)
			case "subscribed":
				switch {
				case from(c.Subscription):
					route = false
				case c.Request != nil:
					c.Request, c.InRoster, c.Subscription, shown = nil, true, join(true, to(c.Subscription)), true
				default: // section 3.4: approved before the request
					c.Approved, c.InRoster, route = true, true, false
				}
			case "unsubscribed":
				hidden = from(c.Subscription)
				route = hidden || c.Request != nil
				c.Request, c.Approved, c.Subscription = nil, false, join(false, to(c.Subscription))
			}
			return settle(c, before)
		})
	if err != nil {
		return err
	}
	if c.Version > 0 {
		r.changed(ctx, p.Account, c)
	}
	if !route {
		return nil
	}
	if err := r.h.Router.Route(ctx, st); err != nil {
		return err
	}
	if shown {
		r.appear(ctx, p.Account, contact)
	}
	if hidden {
		r.vanish(ctx, p.Account, contact)
	}
	return nil
}

// settle says what to keep: ErrNoChange if nothing changed, and no row if nothing is left to remember.
func settle(c *store.Contact, before store.Contact) (remove bool, err error) {
	if c.Subscription == before.Subscription && c.Ask == before.Ask && c.Approved == before.Approved &&
		c.InRoster == before.InRoster && (c.Request == nil) == (before.Request == nil) {
		return false, store.ErrNoChange
	}
	return !c.InRoster && c.Request == nil && !c.Approved && c.Subscription == store.SubNone && !c.Ask, nil
}

// inbound handles what a contact sends about a subscription (RFC 6121, Appendix A.3).
func (r *roster) inbound(ctx context.Context, p *server.Pass) error {
	st, contact := p.Stanza, p.Stanza.From
	self := st.To
	if contact == self {
		return server.ErrHandled
	}
	request := st.AppendXML(nil, self, wire.Client)
	cs, err := r.h.Contacts(ctx, p.Account)
	if err != nil {
		return err
	}
	_, teammate := cs.Teammate(contact)
	var does effect
	c, err := r.update(ctx, p.Account, contact, r.cfg.MaxContacts,
		func(c *store.Contact) (bool, error) {
			before := *c
			if does, err = receive(c, st.Type, request, teammate); err != nil {
				return false, err
			}
			return settle(c, before)
		})
	if err != nil {
		return err
	}
	if does.deliver {
		r.h.Shown(r.h.Account(p.Account), st)
	}
	if c.Version > 0 && st.Type != "subscribe" || does.granted && c.Version > 0 {
		r.changed(ctx, p.Account, c)
	}
	if does.granted {
		r.h.Router.Send(ctx, about("subscribed", self, contact, st.ID))
		r.appear(ctx, p.Account, contact)
	}
	if does.hidden {
		r.vanish(ctx, p.Account, contact)
	}
	return nil
}

// effect says what follows from a contact's stanza about a subscription.
type effect struct {
	deliver bool // The user sees the stanza.
	granted bool // The server grants the subscription in the user's name.
	hidden  bool // The contact no longer sees the user's presence.
}

// receive changes c as a contact's stanza of this type asks. request is the stanza as it is kept until the user
// answers. People in a team with the user need not ask: teammate.
func receive(c *store.Contact, typ string, request []byte, teammate bool) (does effect, err error) {
	switch typ {
	case "subscribe":
		switch {
		case from(c.Subscription): // Section 3.1.3: the server answers for the user.
			does.granted = true
		case c.Approved || teammate:
			does.granted, c.Subscription, c.InRoster = true, join(true, to(c.Subscription)), true
		case c.Request != nil: // The user has not answered an earlier one: once is enough (appendix A.3.1).
		case len(request) > maxRequest:
			return does, server.PolicyViolation
		default:
			does.deliver, c.Request = true, request
		}
	case "subscribed":
		if does.deliver = c.Ask; c.Ask {
			c.Ask, c.Subscription = false, join(from(c.Subscription), true)
		}
	case "unsubscribe":
		does.hidden = from(c.Subscription)
		does.deliver = does.hidden || c.Request != nil
		c.Request, c.Subscription = nil, join(false, to(c.Subscription))
	case "unsubscribed":
		does.deliver = c.Ask || to(c.Subscription)
		c.Ask, c.Subscription = false, join(from(c.Subscription), false)
	}
	return does, nil
}

// maxRequest is the longest subscription request that is kept, in bytes.
const maxRequest = 4096

// requests delivers pending subscription requests to a client that becomes available (RFC 6121, section 3.1.3).
func (r *roster) requests(ctx context.Context, p *server.Pass) error {
	if !p.Initial {
		return nil
	}
	cs, err := r.h.Contacts(ctx, p.Account)
	if err != nil {
		return err
	}
	all, _ := cs.All()
	for _, c := range all {
		if c.Request == nil {
			continue
		}
		st, err := wire.ParseStanza(c.Request, wire.Limits{})
		if err != nil {
			continue
		}
		_ = p.Session.Send(st)
	}
	return nil
}

// appear sends the account's presence to a contact that may see it from now on.
func (r *roster) appear(ctx context.Context, account string, contact jid.JID) {
	for _, s := range r.h.Account(account).Sessions() {
		if pr, _ := s.Presence(); pr != nil {
			c := pr.Copy()
			c.To = contact
			r.h.Router.Send(ctx, c)
		}
	}
	for _, f := range r.h.Features {
		if f.Granted != nil {
			f.Granted(ctx, account, contact)
		}
	}
}

func (r *roster) vanish(ctx context.Context, account string, contact jid.JID) {
	if cs, err := r.h.Contacts(ctx, account); err == nil && cs.SubscribedFrom(contact) {
		return // they still share a team
	}
	for _, s := range r.h.Account(account).Sessions() {
		if s.Available() {
			r.h.Router.Send(ctx, about("unavailable", s.JID, contact, ""))
		}
	}
}
