package groups

import (
	"context"

	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Membership of a group for people who ask: registration with its room (XEP-0045, sections 7.10 and 9.9). A wish is
// kept until a moderator answers it, in whichever way.

const (
	nsRegForm  = "http://jabber.org/protocol/muc#register"
	nsRegister = "jabber:iq:register"
	regAllow   = "muc#register_allow"
	regNick    = "muc#register_roomnick"

	// Fields that the registry of the form does not name (XEP-0068, section 3.2).
	regJID    = "x-jid"
	regReason = "x-reason"
)

// Register takes a request for membership, or makes people members if the kind of group lets them join.
func (k *keeper) Register(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	o, host, who := k.org, k.host, st.From.Bare()
	a, err := k.access(ctx, who)
	switch {
	case err != nil:
		return nil, err
	case a.Affiliation == muc.Outcast:
		return nil, server.Forbidden
	case !a.Know:
		return nil, server.ItemNotFound
	case k.theme != "":
		return nil, server.WithText(server.NotAllowed, "membership of a theme follows from its group")
	}
	if st.Type == "get" {
		if muc.AtLeast(a.Affiliation, muc.Member) {
			return wire.E(
				nsRegister,
				"query",
				wire.E(nsRegister, "registered"),
				wire.T(nsRegister, "username", who.Name()),
			), nil
		}
		if !a.Ask && !a.Join {
			return nil, server.WithText(server.NotAllowed, "membership of this group is given by its moderators")
		}
		f := k.requestForm(a, who)
		return wire.E(nsRegister, "query", wire.T(nsRegister, "instructions", f.Instructions), f.Element()), nil
	}
	if q.Child(nsRegister, "remove") != nil {
		if !muc.AtLeast(a.Affiliation, muc.Member) {
			return nil, o.Withdraw(ctx, k.s.by(st.From), host, k.group)
		}
		return nil, o.Leave(ctx, k.s.by(st.From), host, k.group)
	}
	f, err := form.Parse(q.Child(wire.NSForm, "x"))
	if err != nil || f.About() != nsRegForm && f.About() != "" {
		return nil, server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil, nil
	}
	if joined, err := o.Join(ctx, k.s.by(st.From), host, k.group); err != nil || joined {
		return nil, err
	}
	return nil, o.Request(ctx, k.s.by(st.From), host, k.group, f.Text(regReason))
}

func (k *keeper) requestForm(a org.Access, who jid.JID) *form.Form {
	f := form.New(form.Ask, nsRegForm)
	f.Title, f.Instructions = "Membership of "+k.r.Now().Name, "You become a member by sending this form."
	if a.Ask {
		f.Instructions = "The moderators of this group decide who becomes a member. You will be told their decision."
	}
	f.Add(regNick, form.TextSingle, "Nickname", who.Name())
	if a.Ask {
		f.AddText(regReason, "Why you would like to be a member", "")
	}
	return f
}

// askModerators passes a request on to everyone who may answer it, in the room or not.
func (s *Service) askModerators(e org.Event) {
	s.Background(func(ctx context.Context) {
		all, err := s.cfg.Org.AffiliationsOf(ctx, e.Host, e.Group.ID, "")
		if err != nil {
			s.log.Error("moderators are not asked", "group", e.Group.ID, "err", err)
			return
		}
		for j, a := range all {
			if muc.AtLeast(a, muc.Admin) {
				q := store.GroupRequest{JID: e.Actor.String(), Reason: e.Reason}
				s.host.Router.Send(ctx, s.requestMessage(e.Group, e.Rooms[0], j, q))
			}
		}
	})
}

func (s *Service) requestMessage(g store.Group, room, to jid.JID, q store.GroupRequest) *wire.Stanza {
	body := q.JID + " asks to be a member of " + g.Name + "."
	f := form.New(form.Ask, nsRegForm)
	f.Title, f.Instructions = "Membership of "+g.Name, "To approve this request, select the checkbox and send the form."
	f.Add(regJID, form.JIDSingle, "Who asks", q.JID)
	if j, err := jid.Parse(q.JID); err == nil {
		f.Add(regNick, form.TextSingle, "Desired nickname", j.Name())
	}
	if q.Reason != "" {
		f.AddFixed(q.Reason)
		body += "\n> " + q.Reason
	}
	f.AddBool(regAllow, "Make this person a member?", false)
	body += "\nIn the group's room, write !approve " + q.JID + " or !deny " + q.JID
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "normal", From: room, To: to, ID: s.host.NewID()}
	return st.Add(wire.T(wire.NSClient, "body", body), f.Element())
}

// Answer takes a moderator's answer; the moderator need not be in the room.
func (k *keeper) Answer(ctx context.Context, _ *muc.Occupant, st *wire.Stanza, f form.Form) error {
	js, err := f.JIDs(regJID)
	if err != nil || len(js) != 1 || k.theme != "" {
		return server.BadRequest
	}
	yes, ok := f.Bool(regAllow)
	if !ok {
		return server.BadRequest
	}
	return k.org.AnswerRequest(ctx, k.s.by(st.From), k.host, k.group, js[0].Bare(), yes)
}

// tellAsker tells a person what has become of the wish.
func (s *Service) tellAsker(e org.Event) {
	to, err := jid.Parse(e.Members[0].JID)
	if err != nil {
		return
	}
	body, affiliation := "You are a member of "+e.Group.Name+" now.", muc.Member
	if e.Kind == org.MembershipDenied {
		body = "You have asked to be a member of " + e.Group.Name + ": its moderators have declined."
		affiliation = muc.None
	}
	s.Background(func(ctx context.Context) {
		st := &wire.Stanza{
			Kind: wire.Message,
			Name: messageName,
			Type: "normal",
			From: e.Rooms[0],
			To:   to,
			ID:   s.host.NewID(),
		}
		it := wire.E(wire.NSMUCUser, "item").Set("affiliation", affiliation).Set("role", "none").Set("jid", to.String())
		s.host.Router.Send(ctx, st.Add(wire.T(wire.NSClient, "body", body), wire.E(wire.NSMUCUser, "x", it)))
	})
}

const nodeRequests = "https://parley.im/commands#requests"

// requestsCommand answers requests in a form.
func (k *keeper) requestsCommand() server.Command {
	o, host := k.org, k.host
	return server.Command{Node: nodeRequests, Name: "Requests to join", Allowed: k.ranked(muc.Admin),
		Form: func(ctx context.Context, _ jid.JID) (*form.Form, error) {
			rs, err := o.Requests(ctx, host, k.group)
			if err != nil {
				return nil, err
			}
			f := form.New(form.Ask, nodeRequests)
			f.Title = "Requests to join"
			if len(rs) == 0 {
				f.Instructions = "Nobody is waiting."
			}
			var os []form.Option
			for _, q := range rs {
				label := q.JID
				if q.Reason != "" {
					label += ": " + q.Reason
				}
				os = append(os, form.Option{Label: label, Value: q.JID})
			}
			f.Fields = append(
				f.Fields,
				form.Field{Var: "approve", Type: form.ListMulti, Label: "Accept as members", Options: os},
				form.Field{Var: "deny", Type: form.ListMulti, Label: "Decline", Options: os},
			)
			return f, nil
		},
		Do: func(ctx context.Context, by jid.JID, f form.Form) (string, *form.Form, error) {
			for _, a := range []struct {
				field string
				yes   bool
			}{{"approve", true}, {"deny", false}} {
				js, err := f.JIDs(a.field)
				if err != nil {
					return "", nil, server.NotAcceptable
				}
				for _, j := range js {
					if err := o.AnswerRequest(ctx, k.s.by(by), host, k.group, j, a.yes); err != nil {
						return "", nil, err
					}
				}
			}
			return "They have been told.", nil, nil
		}}
}
