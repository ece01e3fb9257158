package node

import (
	"context"
	"errors"

	"parley/acts"
	"parley/feature/serviceadmin"
	"parley/federation"
	"parley/internal/fault"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// byCommand gives administrators access to accounts by ad-hoc commands (XEP-0133), on all hosts.
type byCommand struct{ n *Node }

var (
	_ serviceadmin.Accounts = byCommand{}
	_ serviceadmin.Domains  = byCommand{}
)

// asker gives the people of a host, and the person who runs the command as an actor.
func (c byCommand) asker(ctx context.Context, domain string) (*people.People, people.Actor, error) {
	by := serviceadmin.Asker(ctx)
	p := c.n.people[by.Domain()]
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
func (c byCommand) do(ctx context.Context, who jid.JID, f func(p *people.People, by people.Actor) error) error {
	p, by, err := c.asker(ctx, who.Domain())
	if err != nil {
		return err
	}
	return f(p, by)
}

// May asks the rules whether the asker may do something to an account.
func (c byCommand) May(ctx context.Context, who jid.JID, act acts.Deed) error {
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

// End ends sessions: of accounts that the asker may disable, as on the pages, and the asker's own.
func (c byCommand) End(ctx context.Context, who jid.JID) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error {
		_, err := p.EndDevices(ctx, by, who.Local(), who.Resource())
		return err
	})
}

// Add makes an account. An administrator's password in a client need not follow the password policy.
func (c byCommand) Add(ctx context.Context, who jid.JID, password, name string) error {
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

func (c byCommand) Delete(ctx context.Context, who jid.JID) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error { return p.Delete(ctx, by, who.Local()) })
}

func (c byCommand) SetPassword(ctx context.Context, who jid.JID, password string) error {
	return c.do(ctx, who, func(p *people.People, by people.Actor) error {
		return p.SetPasswordAs(ctx, by, who.Local(), password, people.PasswordBy{SkipPolicy: true})
	})
}

func (c byCommand) Edit(ctx context.Context, who jid.JID, e serviceadmin.Edit) error {
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

func (c byCommand) Retention(ctx context.Context, who jid.JID) (string, error) {
	return c.n.people[who.Domain()].SetRetention(ctx, who.Local())
}

func (c byCommand) Listed(ctx context.Context, blocked bool) ([]string, error) {
	rs, _, err := c.n.others.Rules(ctx)
	var ds []string
	for _, r := range rs {
		if federation.Blocks(r) == blocked { // several actions allow a domain
			ds = append(ds, r.Domain)
		}
	}
	return ds, err
}

func (c byCommand) SetListed(ctx context.Context, host string, blocked bool, domains []string) error {
	_, by, err := c.asker(ctx, host)
	if err != nil {
		return err
	}
	return c.n.others.SetListed(ctx, by, blocked, domains)
}

// ErrRestart is the error of Run when an administrator restarts the program.
var ErrRestart = errors.New("an administrator restarts the server")

// stopper gives the function that stops this node from a client; nil if the operator does not allow it, and for
// administrators of other hosts than the first, because it stops all hosts.
func (n *Node) stopper(h *server.Host) func(restart bool) {
	if !n.Config.Shutdown.ByCommand || !n.primary(h) {
		return nil
	}
	return func(restart bool) {
		var why error
		if restart {
			why = ErrRestart
		}
		select {
		case n.quit <- why:
		default: // the node is stopping already
		}
	}
}

var errNoPassword = fault.New(fault.Invalid, "password", "the password is empty")
