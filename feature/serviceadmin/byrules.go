package serviceadmin

import (
	"context"

	"parley/acts"
	"parley/internal/fault"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// ByRules changes accounts as their rules allow, on all hosts (Accounts), and the lists of domains (Domains).
type ByRules struct {
	People map[string]*people.People // People are the rules of each host.
	Others func() Others
}

// Others is what administrators decide about other servers.
type Others interface {
	Listed(ctx context.Context, blocked bool) ([]string, error)
	SetListed(ctx context.Context, by acts.Actor, block bool, domains []string) error
}

var (
	_ Accounts = ByRules{}
	_ Domains  = ByRules{}
)

// asker gives the people of a host, and the person who runs the command as an actor.
func (c ByRules) asker(ctx context.Context, domain string) (*people.People, people.Actor, error) {
	by := Asker(ctx)
	p := c.People[by.Domain()]
	if p == nil || by.Domain() != domain {
		return nil, people.Actor{}, server.Forbidden
	}
	me, err := p.Get(ctx, by.Local())
	if err != nil {
		return nil, people.Actor{}, err
	}
	return p, p.ByClient(me, by), nil
}

// do does something to an account as the person who runs the command.
func (c ByRules) do(ctx context.Context, who jid.JID, f func(p *people.People, by people.Actor) error) error {
	p, by, err := c.asker(ctx, who.Domain())
	if err != nil {
		return err
	}
	return f(p, by)
}

// May asks the rules whether the asker may do something to an account.
func (c ByRules) May(ctx context.Context, who jid.JID, act acts.Deed) error {
	p, by, err := c.asker(ctx, who.Domain())
	if err != nil {
		return err
	}
	u, err := p.Get(ctx, who.Local())
	if err != nil {
		return err
	}
	if !by.May(act, u) && !(act == people.Reset && by.Name == u.Name) {
		return fault.ErrRole
	}
	return nil
}

// End closes sessions: of accounts that the asker may disable, as on the pages, and the asker's own.
func (c ByRules) End(ctx context.Context, who jid.JID) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error {
		_, err := p.EndDevices(ctx, by, who.Local(), who.Resource())
		return err
	})
}

// Add makes an account. An administrator's password in a client need not follow the password policy.
func (c ByRules) Add(ctx context.Context, who jid.JID, password, name string) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error {
		if password == "" {
			return errNoPassword
		}
		_, err := p.Create(ctx, by, people.NewPerson{
			Name:       who.Local(),
			FullName:   name,
			Password:   password,
			SkipPolicy: true,
		})
		return err
	})
}

// Delete removes an account.
func (c ByRules) Delete(ctx context.Context, who jid.JID) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error { return p.Delete(ctx, by, who.Local()) })
}

// SetPassword sets an account's password, which need not follow the password policy.
func (c ByRules) SetPassword(ctx context.Context, who jid.JID, password string) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error {
		return p.SetPasswordAs(ctx, by, who.Local(), password, people.PasswordBy{SkipPolicy: true})
	})
}

// Edit changes an account: everything in e, or nothing.
func (c ByRules) Edit(ctx context.Context, who jid.JID, e Edit) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error {
		u, err := p.Get(ctx, who.Local())
		if err != nil {
			return err
		}
		ch := people.Change{Profile: people.Profile{FullName: e.Name}, Disabled: e.Disabled}
		if e.Retention != nil {
			keep, err := people.ParseRetention(*e.Retention)
			if err != nil {
				return err
			}
			ch.Retention = &keep
		}
		if e.Admin != nil && *e.Admin != u.Admin {
			role := store.RoleMember
			if *e.Admin {
				role = store.RoleAdmin
			}
			ch.Role = &role
		}
		_, err = p.Update(ctx, by, u.Name, ch)
		return err
	})
}

// Retention gives how long an account's messages are kept, in the form of Edit.
func (c ByRules) Retention(ctx context.Context, who jid.JID) (string, error) {
	return c.People[who.Domain()].SetRetention(ctx, who.Local())
}

// Listed gives the domains that are blocked, or those that are always allowed.
func (c ByRules) Listed(ctx context.Context, blocked bool) ([]string, error) {
	return c.Others().Listed(ctx, blocked)
}

// SetListed replaces a list of domains as the person who runs the command.
func (c ByRules) SetListed(ctx context.Context, host string, blocked bool, domains []string) error {
	_, by, err := c.asker(ctx, host)
	if err != nil {
		return err
	}
	return c.Others().SetListed(ctx, by, blocked, domains)
}

var errNoPassword = fault.New(fault.Invalid, "password", "the password is empty")
