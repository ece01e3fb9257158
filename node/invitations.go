package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/admin"
	"parley/people"
	"parley/settings"
	"parley/store"
)

// ofHost gives the rules for the people of a host.
func (o *operations) ofHost(domain string) (*people.People, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, err
	}
	return o.n.people[h.Domain], nil
}

// validity reads how long something is to be good; "" is 0.
func validity(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, ok := settings.ParseDuration(s)
	if !ok || d < time.Minute {
		return 0, admin.Invalid("valid", "%q is no time: write it like 12h or 7d", s)
	}
	return d, nil
}

func (o *operations) showInvitation(ctx context.Context, p *people.People, i store.Invitation) (admin.Invitation, error) {
	v := admin.Invitation{ID: i.ID, Kind: i.Kind, Email: i.Email, State: i.State, Uses: i.Uses, MaxUses: i.MaxUses, By: i.Inviter, Created: i.Created, Expires: i.Expires}
	if i.Username != "" {
		v.Address = i.Username + "@" + i.Host
	}
	if !i.Good(time.Now()) {
		if i.State == store.InviteOpen {
			v.State = people.Expired
		}
		return v, nil
	}
	token, err := p.Link(ctx, o.actor(), i)
	var pe *people.Error
	if errors.As(err, &pe) { // the account is gone
		return v, nil
	}
	if err == nil {
		v.Link, v.URI = p.LinkURL(i.Kind, token), p.URI(i, token)
	}
	return v, err
}

func (o *operations) Invitations(ctx context.Context, domain string, skip, limit int) ([]admin.Invitation, error) {
	p, err := o.ofHost(domain)
	if err != nil {
		return nil, err
	}
	is, _, err := o.n.Store.Invitations(ctx, p.Host(), store.InvitationFilter{Offset: skip, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := make([]admin.Invitation, len(is))
	for n, i := range is {
		if out[n], err = o.showInvitation(ctx, p, i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (o *operations) Invite(ctx context.Context, in admin.NewInvitation) (admin.Invitation, error) {
	name, domain := "", in.Host
	if in.Address != "" {
		h, j, err := o.local("address", in.Address)
		if err != nil {
			return admin.Invitation{}, err
		}
		name, domain = j.Local(), h.Domain
	} else if in.Name+in.Email+in.Role != "" || len(in.Groups) > 0 || in.Send {
		return admin.Invitation{}, admin.Invalid("address", "say whose account it is: who chooses an address by a link has none of this yet")
	}
	p, err := o.ofHost(domain)
	if err != nil {
		return admin.Invitation{}, err
	}
	valid, err := validity(in.Valid)
	if err != nil {
		return admin.Invitation{}, err
	}
	if in.Send && !p.Mails() {
		return admin.Invitation{}, admin.Conflict("send", "no e-mail is sent from here: set up mail in the configuration, or pass the link on yourself")
	}
	if name != "" {
		if err := o.awaited(ctx, p, name, in); err != nil {
			return admin.Invitation{}, err
		}
	}
	i, _, err := p.Invite(ctx, o.actor(), people.Invite{Username: name, Expiry: valid, Note: in.Note, Send: in.Send, MaxUses: in.MaxUses, Lang: in.Lang})
	if err != nil {
		return admin.Invitation{}, peopleError(err)
	}
	return o.showInvitation(ctx, p, i)
}

// awaited makes the account of who is invited, if there is none.
func (o *operations) awaited(ctx context.Context, p *people.People, name string, in admin.NewInvitation) error {
	_, err := o.n.Store.User(ctx, p.Host(), name)
	if err == nil && in.Name+in.Email+in.Role == "" && len(in.Groups) == 0 {
		return nil
	}
	if err == nil {
		return admin.Conflict("address", "the account %s@%s exists already: leave out what is of a new one", name, p.Host())
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if in.Send && in.Email == "" {
		return admin.Invalid("email", "an e-mail address is needed to send the invitation to")
	}
	_, err = p.Create(ctx, o.actor(), people.NewPerson{Name: name, FullName: in.Name, Email: in.Email, Role: in.Role, Groups: in.Groups, Lang: in.Lang})
	return peopleError(err)
}

func (o *operations) changedInvitation(ctx context.Context, domain string, f func(p *people.People) (store.Invitation, error)) (admin.Invitation, error) {
	p, err := o.ofHost(domain)
	if err != nil {
		return admin.Invitation{}, err
	}
	i, err := f(p)
	if err != nil {
		return admin.Invitation{}, peopleError(err)
	}
	return o.showInvitation(ctx, p, i)
}

func (o *operations) ResendInvitation(ctx context.Context, domain, id string, send bool) (admin.Invitation, error) {
	return o.changedInvitation(ctx, domain, func(p *people.People) (store.Invitation, error) {
		i, _, err := p.Resend(ctx, o.actor(), id, send)
		return i, err
	})
}

func (o *operations) RevokeInvitation(ctx context.Context, domain, id string) (admin.Invitation, error) {
	return o.changedInvitation(ctx, domain, func(p *people.People) (store.Invitation, error) { return p.Revoke(ctx, o.actor(), id) })
}

func (o *operations) ExtendInvitation(ctx context.Context, domain, id, valid string) (admin.Invitation, error) {
	d, err := validity(valid)
	if err != nil {
		return admin.Invitation{}, err
	}
	return o.changedInvitation(ctx, domain, func(p *people.People) (store.Invitation, error) {
		if d == 0 {
			d = p.Policy().InviteTime
		}
		return p.Extend(ctx, o.actor(), id, d)
	})
}

// tokenID is how a token is named without telling it: the beginning of its hash.
const tokenID = 12

func showToken(t store.APIToken) admin.Token {
	return admin.Token{ID: t.Hash[:min(tokenID, len(t.Hash))], Owner: t.Owner + "@" + t.Host, Name: t.Name, Scopes: strings.Fields(t.Scopes), Created: t.Created, Expires: t.Expires, Used: t.Used}
}

func (o *operations) Tokens(ctx context.Context, domain string) ([]admin.Token, error) {
	p, err := o.ofHost(domain)
	if err != nil {
		return nil, err
	}
	ts, err := p.Tokens(ctx, o.actor())
	if err != nil {
		return nil, peopleError(err)
	}
	out := make([]admin.Token, len(ts))
	for i, t := range ts {
		out[i] = showToken(t)
	}
	return out, nil
}

func (o *operations) CreateToken(ctx context.Context, n admin.NewToken) (admin.Token, error) {
	h, j, err := o.local("owner", n.Owner)
	if err != nil {
		return admin.Token{}, err
	}
	keep, err := validity(n.Valid)
	if err != nil {
		return admin.Token{}, err
	}
	secret, t, err := o.n.people[h.Domain].CreateToken(ctx, o.actor(), j.Local(), n.Name, n.Scopes, keep)
	if err != nil {
		return admin.Token{}, peopleError(err)
	}
	out := showToken(t)
	out.Secret = secret
	return out, nil
}

func (o *operations) RevokeToken(ctx context.Context, domain, id string) error {
	p, err := o.ofHost(domain)
	if err != nil {
		return err
	}
	ts, err := p.Tokens(ctx, o.actor())
	if err != nil {
		return peopleError(err)
	}
	for _, t := range ts {
		if showToken(t).ID == id {
			return peopleError(p.RevokeToken(ctx, o.actor(), t.Owner, t.Hash))
		}
	}
	return admin.NotFound("id", "there is no token %s: `parley token list` shows those there are", id)
}
