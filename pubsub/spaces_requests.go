package pubsub

import (
	"context"
	"errors"
	"slices"

	"parley/internal/fault"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Groups with requests to join: their spaces have pending subscriptions, on which moderators decide (XEP-0060, sections
// 8.6 and 8.7).

const nodeGetPending = wire.NSPubSub + "#get-pending"

func ignoreNotFound(err error) error {
	if fault.Is(err, fault.NotFound) || errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// pending reports whether a person waits for admission to a group.
func (s *Spaces) pending(ctx context.Context, group string, who jid.JID) (bool, error) {
	rs, err := s.o.Requests(ctx, s.h.Domain, group)
	bare := who.Bare().String()
	return slices.ContainsFunc(rs, func(r store.GroupRequest) bool { return r.JID == bare }), err
}

// waiting returns the groups that a person waits for.
func (s *Spaces) waiting(ctx context.Context, who jid.JID) (out []store.Group, err error) {
	gs, err := s.o.VisibleGroups(ctx, s.h.Domain, who, everything)
	if err != nil {
		return nil, err
	}
	for _, g := range gs {
		if !org.RulesOf(g).Asks {
			continue
		}
		if ok, err := s.pending(ctx, g.ID, who); err != nil {
			return nil, err
		} else if ok {
			out = append(out, g)
		}
	}
	return out, nil
}

// commands returns get-pending (section 8.7): an ad-hoc command with one form that sends a message for each open
// request.
func (s *Spaces) commands() []server.Command {
	return []server.Command{{Node: nodeGetPending, Name: "Get pending subscription requests",
		Form: func(ctx context.Context, who jid.JID) (*form.Form, error) {
			gs, err := s.leads(ctx, who)
			if err != nil {
				return nil, err
			}
			f := form.New(form.Ask, nsSubAuth)
			var os []form.Option
			for _, g := range gs {
				os = append(os, form.Option{Label: g.Name, Value: g.ID})
			}
			f.AddList("pubsub#node", "Group", "", os...)
			return f, nil
		},
		Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
			sp, err := s.led(ctx, who, f.Get("pubsub#node"))
			if err != nil {
				return "", nil, err
			}
			rs, err := s.o.Requests(ctx, s.h.Domain, sp.group.ID)
			for _, r := range rs {
				s.h.Router.Send(ctx, s.request(who, sp.group, r))
			}
			return "", nil, err
		}}}
}

// leads returns the groups that somebody moderates and that have open requests.
func (s *Spaces) leads(ctx context.Context, who jid.JID) (out []store.Group, err error) {
	gs, err := s.o.GroupsOf(ctx, s.h.Domain, who)
	for _, g := range gs {
		rs, err := s.o.Requests(ctx, s.h.Domain, g.ID)
		if err != nil {
			return nil, err
		}
		if _, err := s.led(ctx, who, g.ID); err == nil && len(rs) > 0 {
			out = append(out, g)
		}
	}
	return out, err
}

// request returns the form with which a moderator decides.
func (s *Spaces) request(to jid.JID, g store.Group, r store.GroupRequest) *wire.Stanza {
	f := form.New(form.Ask, nsSubAuth)
	f.Title = "Request to join " + g.Name
	f.Instructions = r.Reason
	f.Add("pubsub#node", form.TextSingle, "Group", g.ID).Add("pubsub#subscriber_jid", form.JIDSingle, "Who", r.JID).
		AddBool("pubsub#allow", "Let them in?", false)
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: s.jid, To: to, ID: s.h.NewID()}
	return st.Add(f.Element())
}

// answer handles the completed form (section 8.6).
func (s *Spaces) answer(ctx context.Context, from jid.JID, x *wire.Element) error {
	f, err := form.Parse(x)
	if err != nil || f.About() != nsSubAuth || f.Type != form.Submit && f.Type != form.Cancel {
		return server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil
	}
	who, err := jid.Parse(f.Get("pubsub#subscriber_jid"))
	if err != nil {
		return server.BadRequest
	}
	sp, err := s.led(ctx, from, f.Get("pubsub#node"))
	if err != nil {
		return err
	}
	allow, _ := f.Bool("pubsub#allow")
	return s.o.AnswerRequest(ctx, s.by(from), s.h.Domain, sp.group.ID, who, allow)
}

// tellAnswer notifies somebody whose request was refused. Somebody admitted is notified as a new member.
func (s *Spaces) tellAnswer(ctx context.Context, e org.Event) {
	for _, m := range e.Members {
		if to, err := jid.Parse(m.JID); err == nil {
			st := s.message(wire.E(wire.NSPubSubEv, "subscription").Set("node", e.Group.ID).Set("jid", m.JID).
				Set("subscription", none))
			s.give(ctx, st, to, false)
		}
	}
}
