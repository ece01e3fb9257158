package people

import (
	"context"
	"errors"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
)

// Find gives an actor their own account or an account that they see in the console; NotFound for any other, as if it
// did not exist. Actors without the console are refused before anything is looked up.
func (p *People) Find(ctx context.Context, a Actor, name string) (store.Person, error) {
	own := a.Name == name && name != ""
	if !own && !a.Console() {
		return store.Person{}, fault.ErrRole
	}
	u, err := p.Get(ctx, name)
	if err == nil && !own && !a.May(See, u) {
		return store.Person{}, p.noAccount(name)
	}
	return u, err
}

// FindFor is Find for an actor who wants to do something to the account, and checks that right. With own, everybody may
// do it to their own account.
func (p *People) FindFor(ctx context.Context, a Actor, act acts.Deed, name string, own bool) (store.Person, error) {
	u, err := p.Find(ctx, a, name)
	if err != nil || own && a.Name == name && a.Name != "" {
		return u, err
	}
	return u, may(a, act, u)
}

func (p *People) noAccount(name string) error {
	return fault.New(fault.NotFound, "", "There is no account {{.Name}}", "Name", name+"@"+p.h.Domain)
}

// FindInvitation gives an invitation to the person who made it, and to people who may create the account that it is
// for; NotFound for any other, as if it did not exist.
func (p *People) FindInvitation(ctx context.Context, a Actor, id string) (store.Invitation, error) {
	if !a.Console() {
		return store.Invitation{}, fault.ErrRole
	}
	i, err := p.st.Invitation(ctx, p.h.Domain, id)
	if err != nil || a.Runs() || i.Inviter == a.Name {
		return i, p.noInvitation(err)
	}
	if i.Username == "" {
		return store.Invitation{}, p.noInvitation(store.ErrNotFound)
	}
	u, err := p.st.Person(ctx, p.h.Domain, i.Username)
	if err == nil && !a.May(Create, u) {
		err = store.ErrNotFound
	}
	return i, p.noInvitation(err)
}

// MayChange returns an error if an actor may no longer manage an invitation that they have found.
func (p *People) MayChange(ctx context.Context, a Actor, i store.Invitation) error {
	_, err := p.passes(ctx, a, i)
	return err
}

// noInvitation gives the error for an invitation that does not exist.
func (p *People) noInvitation(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "", "There is no such invitation")
	}
	return err
}
