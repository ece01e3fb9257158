package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/people"
	"parley/store"
)

// apiInvitation is an invitation, or a link for a new password, in JSON.
type apiInvitation struct {
	ID      string     `json:"id"`
	Kind    string     `json:"kind" doc:"invite or reset"`
	State   string     `json:"state" doc:"open, accepted, declined, revoked, superseded, expired"`
	Name    string     `json:"name,omitempty" doc:"of the account; none where it is chosen"`
	Email   string     `json:"email,omitempty" doc:"where it was sent"`
	Inviter string     `json:"inviter,omitempty"`
	Uses    int        `json:"uses"`
	MaxUses int        `json:"max_uses"`
	Created time.Time  `json:"created"`
	Expires time.Time  `json:"expires"`
	Link    string     `json:"link,omitempty" doc:"to who may give it"`
	URI     string     `json:"uri,omitempty" doc:"the same for apps"`
	History []apiEvent `json:"history,omitempty"`
}

type apiEvent struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Actor  string    `json:"actor,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// showInvite is one as a caller may see it; the link is only for who may give it.
func (s *Server) showInvite(ctx context.Context, c caller, i store.Invitation) (v apiInvitation, err error) {
	v = apiInvitation{ID: i.ID, Kind: i.Kind, State: i.State, Name: i.Username, Email: i.Email, Inviter: i.Inviter, Uses: i.Uses, MaxUses: i.MaxUses, Created: i.Created, Expires: i.Expires}
	now := time.Now()
	if i.State == store.InviteOpen && !i.Good(now) {
		v.State = people.Expired
	}
	if !i.Good(now) {
		return v, nil
	}
	token, err := c.p.Link(ctx, c.actor, i)
	var refused *people.Error
	if errors.As(err, &refused) {
		return v, nil
	}
	if err == nil {
		v.Link, v.URI = c.p.LinkURL(i.Kind, token), c.p.URI(i, token)
	}
	return v, err
}

// mayInvitation finds one that the caller may have to do with: the rule of the console's page.
func (s *Server) mayInvitation(ctx context.Context, p *people.People, actor people.Actor, id string) (store.Invitation, error) {
	i, err := s.Store.Invitation(ctx, p.Host(), id)
	if err != nil {
		return i, err
	}
	if actor.Runs() || i.Inviter == actor.Name {
		return i, nil
	}
	if i.Username == "" {
		return i, forbidden
	}
	u, err := p.Get(ctx, i.Username)
	if err == nil && !actor.May(people.Create, u) {
		err = forbidden
	}
	return i, err
}

func (s *Server) apiInvitations(a huma.API) {
	type Named struct {
		ID string `path:"id" maxLength:"13"`
	}
	console := people.Actor.Console
	type InvitationPage struct {
		Invitations []apiInvitation `json:"invitations"`
		Total       int             `json:"total"`
	}
	type Listed struct {
		Name   string `query:"name" maxLength:"1023" doc:"of the account"`
		Offset int    `query:"offset" minimum:"0" maximum:"10000000"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	route(s, a, operation("list-invitations", http.MethodGet, "/invitations", "people:read", "Invitations, the newest first: all, or for a supervisor the own"), console, func(ctx context.Context, c caller, in *Listed) (InvitationPage, error) {
		f := store.InvitationFilter{Kind: store.KindInvite, Username: in.Name, Offset: in.Offset, Limit: in.Limit}
		if !c.actor.Runs() {
			f.Inviter = c.me.Name
		}
		is, total, err := s.Store.Invitations(ctx, c.me.Host, f)
		out := InvitationPage{Invitations: []apiInvitation{}, Total: total}
		for _, i := range is {
			v, err := s.showInvite(ctx, c, i)
			if err != nil {
				return out, err
			}
			out.Invitations = append(out.Invitations, v)
		}
		return out, err
	})
	route(s, a, operation("get-invitation", http.MethodGet, "/invitations/{id}", "people:read", "One invitation with its history"), console, func(ctx context.Context, c caller, in *Named) (v apiInvitation, err error) {
		i, err := s.mayInvitation(ctx, c.p, c.actor, in.ID)
		if err != nil {
			return v, err
		}
		if v, err = s.showInvite(ctx, c, i); err != nil {
			return v, err
		}
		es, err := s.Store.InvitationEvents(ctx, i.Host, i.ID)
		for _, e := range es {
			v.History = append(v.History, apiEvent{e.ID.Time(), e.Kind, e.Actor, e.Detail})
		}
		return v, err
	})
	type NewInvitation struct {
		Hours int    `json:"hours,omitempty" minimum:"1" maximum:"8760" doc:"how long the link is good"`
		Uses  int    `json:"uses,omitempty" minimum:"1" maximum:"500"`
		Note  string `json:"note,omitempty" maxLength:"1000"`
	}
	route(s, a, created(operation("create-invitation", http.MethodPost, "/invitations", "people:write", "Make a link for people who choose their names")), console, func(ctx context.Context, c caller, in *body[NewInvitation]) (apiInvitation, error) {
		i, _, err := c.p.Invite(ctx, c.actor, people.Invite{Expiry: time.Duration(in.Body.Hours) * time.Hour, MaxUses: max(1, in.Body.Uses), Note: in.Body.Note})
		if err != nil {
			return apiInvitation{}, err
		}
		return s.showInvite(ctx, c, i)
	})
	type ResendInvitation struct {
		Named
		Body struct {
			Send bool `json:"send,omitempty" doc:"by e-mail"`
		}
	}
	route(s, a, operation("resend-invitation", http.MethodPost, "/invitations/{id}/resend", "people:write", "Make a new link, after which the old one is no good"), console, func(ctx context.Context, c caller, in *ResendInvitation) (apiInvitation, error) {
		if _, err := s.mayInvitation(ctx, c.p, c.actor, in.ID); err != nil {
			return apiInvitation{}, err
		}
		i, _, err := c.p.Resend(ctx, c.actor, in.ID, in.Body.Send)
		if err != nil {
			return apiInvitation{}, err
		}
		return s.showInvite(ctx, c, i)
	})
	type ExtendInvitation struct {
		Named
		Body struct {
			Hours int `json:"hours" minimum:"1" maximum:"8760" doc:"from now"`
		}
	}
	route(s, a, operation("extend-invitation", http.MethodPost, "/invitations/{id}/extend", "people:write", "Let an invitation be good for longer"), console, func(ctx context.Context, c caller, in *ExtendInvitation) (apiInvitation, error) {
		if _, err := s.mayInvitation(ctx, c.p, c.actor, in.ID); err != nil {
			return apiInvitation{}, err
		}
		i, err := c.p.Extend(ctx, c.actor, in.ID, time.Duration(in.Body.Hours)*time.Hour)
		if err != nil {
			return apiInvitation{}, err
		}
		return s.showInvite(ctx, c, i)
	})
	act(s, a, operation("revoke-invitation", http.MethodDelete, "/invitations/{id}", "people:write", "Revoke an invitation"), console, func(ctx context.Context, c caller, in *Named) error {
		if _, err := s.mayInvitation(ctx, c.p, c.actor, in.ID); err != nil {
			return err
		}
		_, err := c.p.Revoke(ctx, c.actor, in.ID)
		return err
	})
	type ResetPassword struct {
		Name string `path:"name" maxLength:"1023"`
		Body struct {
			Send bool `json:"send,omitempty" doc:"by e-mail"`
		}
	}
	route(s, a, operation("reset-password", http.MethodPost, "/people/{name}/reset", "people:write", "Make a link for a new password"), console, func(ctx context.Context, c caller, in *ResetPassword) (apiInvitation, error) {
		if _, err := seen(ctx, c, in.Name); err != nil {
			return apiInvitation{}, err
		}
		i, _, err := c.p.Reset(ctx, c.actor, in.Name, in.Body.Send)
		if err != nil {
			return apiInvitation{}, err
		}
		return s.showInvite(ctx, c, i)
	})
}
