package api

import (
	"context"
	"net/http"
	"time"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
)

// Invitation is an invitation, or a link for a new password.
type Invitation struct {
	ID      string            `json:"id"`
	Kind    string            `json:"kind" doc:"invite or reset"`
	State   string            `json:"state" doc:"open, accepted, declined, revoked, superseded, expired"`
	Name    string            `json:"name,omitempty" doc:"of the account; missing if the invited person chooses it"`
	Address string            `json:"address,omitempty" doc:"of the account; missing if the invited person chooses it"`
	Email   string            `json:"email,omitempty" doc:"e-mail address that it was sent to"`
	Inviter string            `json:"inviter,omitempty"`
	Uses    int               `json:"uses"`
	MaxUses int               `json:"max_uses"`
	Created time.Time         `json:"created"`
	Expires time.Time         `json:"expires"`
	Link    string            `json:"link,omitempty" doc:"only for callers who may share the link"`
	URI     string            `json:"uri,omitempty" doc:"the same link for apps"`
	History []InvitationEvent `json:"history,omitempty"`
}

// InvitationEvent is an event in the history of an invitation.
type InvitationEvent struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Actor  string    `json:"actor,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// InInvitation is the invitation in a path.
type InInvitation struct {
	ID string `path:"id" maxLength:"13"`
}

// FindInvitations chooses invitations.
type FindInvitations struct {
	Name   string `query:"name" maxLength:"1023" doc:"of the account"`
	Kind   string `query:"kind" enum:"invite,reset,any" default:"invite"`
	Offset int    `query:"offset" minimum:"0" maximum:"10000000"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// InvitationPage is a part of the invitations, with the number of all of them.
type InvitationPage struct {
	Invitations []Invitation `json:"invitations"`
	Total       int          `json:"total"`
}

// OpenInvite is a link for people who choose their names.
type OpenInvite struct {
	Hours int    `json:"hours,omitempty" minimum:"1" maximum:"8760" doc:"validity of the link in hours"`
	Valid string `json:"valid,omitempty" maxLength:"20" doc:"the same, as 12h or 7d"`
	Uses  int    `json:"uses,omitempty" minimum:"1" maximum:"10000000" doc:"number of people who can use the link; the settings limit it"`
	Note  string `json:"note,omitempty" maxLength:"1000"`
	Lang  string `json:"lang,omitempty" enum:"en,fr"`
}

// Sending says whether to send the link by e-mail.
type Sending struct {
	Send bool `json:"send,omitempty" doc:"send the link by e-mail"`
}

// ResendInvitationInput replaces the link of an invitation.
type ResendInvitationInput struct {
	InInvitation
	Body Sending
}

// ExtendInvitationInput extends the validity of an invitation.
type ExtendInvitationInput struct {
	InInvitation
	Body struct {
		Hours int    `json:"hours,omitempty" minimum:"1" maximum:"8760" doc:"new validity, in hours from now"`
		Valid string `json:"valid,omitempty" maxLength:"20" doc:"the same, as 12h or 7d; without either: from the settings"`
	}
}

// ResetPasswordInput makes a link for a new password.
type ResetPasswordInput struct {
	InPerson
	Body Sending
}

// Operations on invitations.
var (
	ListInvitations = op[FindInvitations, InvitationPage](
		"list-invitations", http.MethodGet, "/invitations", "people:read",
		"Invitations, newest first: all, or a supervisor's own",
	)
	GetInvitation = op[InInvitation, Invitation](
		"get-invitation", http.MethodGet, "/invitations/{id}", "people:read",
		"One invitation with its history",
	)
	CreateInvitation = creates[Body[OpenInvite], Invitation](
		"create-invitation", "/invitations", "people:write",
		"Create a link for people who choose their names",
	)
	ResendInvitation = op[ResendInvitationInput, Invitation](
		"resend-invitation", http.MethodPost, "/invitations/{id}/resend", "people:write",
		"Create a new link; the old one stops working",
	)
	ExtendInvitation = op[ExtendInvitationInput, Invitation](
		"extend-invitation", http.MethodPost, "/invitations/{id}/extend", "people:write",
		"Extend the validity of an invitation",
	)
	RevokeInvitation = op[InInvitation, None](
		"revoke-invitation", http.MethodDelete, "/invitations/{id}", "people:write",
		"Revoke an invitation",
	)
	ResetPassword = op[ResetPasswordInput, Invitation](
		"reset-password", http.MethodPost, "/people/{name}/reset", "people:write",
		"Create a link for a new password",
	)
)

func (s *Server) invitations(d *doors) {
	serve(s, d, ListInvitations, hasConsole, s.listInvitations)
	serve(s, d, GetInvitation, seesInvitation, s.getInvitation)
	serve(s, d, CreateInvitation, invites, func(ctx context.Context, c caller,
		in *Body[OpenInvite]) (Invitation, error) {
		valid, err := validity(in.Body.Hours, in.Body.Valid)
		if err != nil {
			return Invitation{}, err
		}
		i, _, err := c.p.Invite(ctx, c.actor, people.Invite{
			Expiry:  valid,
			MaxUses: max(1, in.Body.Uses),
			Note:    in.Body.Note,
			Lang:    in.Body.Lang,
		})
		if err != nil {
			return Invitation{}, err
		}
		return s.showInvitation(ctx, c, i)
	})
	serve(s, d, ResendInvitation, changesInvitation, func(ctx context.Context, c caller,
		in *ResendInvitationInput) (Invitation, error) {
		i, _, err := c.p.Resend(ctx, c.actor, in.ID, in.Body.Send)
		if err != nil {
			return Invitation{}, err
		}
		return s.showInvitation(ctx, c, i)
	})
	serve(s, d, ExtendInvitation, changesInvitation, func(ctx context.Context, c caller,
		in *ExtendInvitationInput) (Invitation, error) {
		valid, err := validity(in.Body.Hours, in.Body.Valid)
		if err != nil {
			return Invitation{}, err
		}
		if valid == 0 {
			valid = c.p.Policy().InviteTime
		}
		i, err := c.p.Extend(ctx, c.actor, in.ID, valid)
		if err != nil {
			return Invitation{}, err
		}
		return s.showInvitation(ctx, c, i)
	})
	act(s, d, RevokeInvitation, changesInvitation, func(ctx context.Context, c caller, in *InInvitation) error {
		_, err := c.p.Revoke(ctx, c.actor, in.ID)
		return err
	})
	serve(s, d, ResetPassword, doesTo(people.Reset, true), func(ctx context.Context, c caller,
		in *ResetPasswordInput) (Invitation, error) {
		i, _, err := c.p.Reset(ctx, c.actor, in.Name, in.Body.Send)
		if err != nil {
			return Invitation{}, err
		}
		return s.showInvitation(ctx, c, i)
	})
}

// showInvitation returns an invitation as the caller may see it. Only people who may share the link get it.
func (s *Server) showInvitation(ctx context.Context, c caller, i store.Invitation) (v Invitation, err error) {
	v = Invitation{
		ID:      i.ID,
		Kind:    i.Kind,
		State:   i.State,
		Name:    i.Username,
		Email:   i.Email,
		Inviter: i.Inviter,
		Uses:    i.Uses,
		MaxUses: i.MaxUses,
		Created: i.Created,
		Expires: i.Expires,
	}
	if i.Username != "" {
		v.Address = i.Username + "@" + i.Host
	}
	if !i.Good(s.Clock.Now()) {
		if i.State == store.InviteOpen {
			v.State = people.Expired
		}
		return v, nil
	}
	token, err := c.p.Link(ctx, c.actor, i)
	if fault.Of(err) != nil { // the caller may not share it, or the account is gone
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.Link, v.URI = c.p.LinkURL(i.Kind, token), c.p.URI(i, token)
	return v, nil
}

func (s *Server) listInvitations(ctx context.Context, c caller, in *FindInvitations) (InvitationPage, error) {
	f := store.InvitationFilter{Kind: in.Kind, Username: in.Name, Offset: in.Offset, Limit: in.Limit}
	if in.Kind == "any" {
		f.Kind = ""
	}
	if !c.actor.Runs() {
		f.Inviter = c.me.Name
	}
	is, total, err := s.Store.Invitations(ctx, c.host(), f)
	out := InvitationPage{Invitations: []Invitation{}, Total: total}
	for _, i := range is {
		v, err := s.showInvitation(ctx, c, i)
		if err != nil {
			return out, err
		}
		out.Invitations = append(out.Invitations, v)
	}
	return out, err
}

func (s *Server) getInvitation(ctx context.Context, c caller, in *InInvitation) (v Invitation, err error) {
	i, err := c.p.FindInvitation(ctx, c.actor, in.ID)
	if err != nil {
		return v, err
	}
	if v, err = s.showInvitation(ctx, c, i); err != nil {
		return v, err
	}
	es, err := s.Store.InvitationEvents(ctx, i.Host, i.ID)
	for _, e := range es {
		v.History = append(v.History, InvitationEvent{e.ID.Time(), e.Kind, e.Actor, e.Detail})
	}
	return v, err
}
