package node

import (
	"context"

	"parley/admin"
	"parley/people"
	"parley/store"
)

// owner finds an account's people and its name.
func (o *operations) owner(ctx context.Context, address string) (*people.People, string, error) {
	h, u, err := o.existing(ctx, "address", address)
	if err != nil {
		return nil, "", err
	}
	return o.n.people[h.Domain], u.Name, nil
}

func showApp(a store.AppPassword) admin.AppPassword {
	return admin.AppPassword{ID: a.ID, Name: a.Name, Created: a.Created, Used: a.Used}
}

func (o *operations) AppPasswords(ctx context.Context, address string) ([]admin.AppPassword, error) {
	p, name, err := o.owner(ctx, address)
	if err != nil {
		return nil, err
	}
	as, err := p.AppPasswords(ctx, name)
	if err != nil {
		return nil, err
	}
	out := make([]admin.AppPassword, len(as))
	for i, a := range as {
		out[i] = showApp(a)
	}
	return out, nil
}

func (o *operations) AddAppPassword(ctx context.Context, address, label string) (admin.AppPassword, error) {
	p, name, err := o.owner(ctx, address)
	if err != nil {
		return admin.AppPassword{}, err
	}
	a, password, err := p.AddAppPassword(ctx, people.System, name, label)
	if err != nil {
		return admin.AppPassword{}, peopleError(err)
	}
	made := showApp(a)
	made.Password = password
	return made, nil
}

func (o *operations) RevokeAppPassword(ctx context.Context, address, id string) error {
	p, name, err := o.owner(ctx, address)
	if err != nil {
		return err
	}
	return peopleError(p.RevokeAppPassword(ctx, people.System, name, id))
}

func (o *operations) FactorOff(ctx context.Context, address string) error {
	p, name, err := o.owner(ctx, address)
	if err != nil {
		return err
	}
	return peopleError(p.FactorOff(ctx, people.System, name))
}
