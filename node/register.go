package node

import (
	"context"
	"net/netip"

	"parley/acts"
	"parley/feature/register"
	"parley/people"
	"parley/server"
	"parley/server/c2s"
	"parley/wire/jid"
)

// byClient is the accounts of all hosts for people who manage their own account from a client (XEP-0077).
type byClient struct{ n *Node }

var _ register.Accounts = byClient{}

// SetOwnPassword keeps the session it comes from and ends the account's others.
func (c byClient) SetOwnPassword(ctx context.Context, s *server.Session, password string) error {
	p := c.n.people[s.Host.Domain]
	if err := ownsPassword(ctx, p, s); err != nil {
		return err
	}
	me, err := p.Get(ctx, s.JID.Local())
	if err == nil {
		err = p.SetPasswordAs(ctx, p.ByClient(me, s.JID), me.Name, password, people.PasswordBy{Keep: s})
	}
	return err
}

// MayLeave asks whether anybody is left in charge.
func (c byClient) MayLeave(ctx context.Context, s *server.Session) error {
	p := c.n.people[s.Host.Domain]
	if err := ownsPassword(ctx, p, s); err != nil {
		return err
	}
	return p.MayLeave(ctx, s.JID.Local())
}

// Delete is of the own account, which MayLeave was asked about.
func (c byClient) Delete(ctx context.Context, s *server.Session) error {
	p := c.n.people[s.Host.Domain]
	me, err := p.Get(ctx, s.JID.Local())
	if err == nil {
		err = p.Delete(ctx, p.ByClient(me, s.JID), me.Name)
	}
	return err
}

// ownsPassword refuses who has signed in with less than the account's own password and, where there is one, the second step:
// an app password is for reading and writing, not for taking the account over.
func ownsPassword(ctx context.Context, p *people.People, s *server.Session) error {
	on, err := p.HasFactor(ctx, s.JID.Local())
	if err != nil {
		return err
	}
	if on || s.Info.Credential != "" {
		return server.WithText(server.NotAllowed, "this is done with the account's own password, at "+p.URL()+"/me/security")
	}
	return nil
}

// register gives what makes accounts for strangers.
func (n *Node) register() c2s.Register {
	return func(ctx context.Context, h *server.Host, name, password, token string, remote netip.Addr) error {
		if token == "" && !n.Config.Registration.Enabled {
			return server.NotAllowed
		}
		j, err := jid.New(name, h.Domain, "")
		if err != nil {
			return server.WithText(server.NotAcceptable, "this name cannot be one of an account")
		}
		from := people.Actor{Door: acts.Client}
		if remote.IsValid() {
			from.Remote = remote.String()
		}
		if token != "" {
			return n.accept(ctx, h, from, j.Local(), password, token)
		}
		_, err = n.people[h.Domain].Register(ctx, from, j.Local(), password)
		return err
	}
}

// invited looks at tokens of strangers.
func (n *Node) invited() c2s.Invited {
	return func(ctx context.Context, h *server.Host, token string) (string, error) {
		return n.invitations[h.Domain].Check(ctx, token)
	}
}

// invites says whether the invitations of a host make accounts in apps.
func (n *Node) invites(h *server.Host) bool { return n.settings.Of(h.Domain).InviteApps != "nobody" }
