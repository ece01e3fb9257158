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

// byClient gives people access to their own account from a client (XEP-0077), on all hosts.
type byClient struct{ n *Node }

var _ register.Accounts = byClient{}

// SetOwnPassword sets the password of the session's account and ends the account's other sessions.
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

// MayLeave returns an error if the organization or a group would lose its last owner.
func (c byClient) MayLeave(ctx context.Context, s *server.Session) error {
	p := c.n.people[s.Host.Domain]
	if err := ownsPassword(ctx, p, s); err != nil {
		return err
	}
	return p.MayLeave(ctx, s.JID.Local())
}

// Delete removes the session's account. MayLeave has been asked before.
func (c byClient) Delete(ctx context.Context, s *server.Session) error {
	p := c.n.people[s.Host.Domain]
	me, err := p.Get(ctx, s.JID.Local())
	if err == nil {
		err = p.Delete(ctx, p.ByClient(me, s.JID), me.Name)
	}
	return err
}

// ownsPassword refuses sessions that signed in with less than the account's own password and, if there is one, the
// second factor: an app password is for chatting, not for taking over the account.
func ownsPassword(ctx context.Context, p *people.People, s *server.Session) error {
	on, err := p.HasFactor(ctx, s.JID.Local())
	if err != nil {
		return err
	}
	if on || s.Info.Credential != "" {
		return server.WithText(server.NotAllowed,
			"this is done with the account's own password, at "+p.URL()+"/me/security")
	}
	return nil
}

// register gives the function that registers accounts for strangers.
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

// invited gives the function that checks strangers' tokens.
func (n *Node) invited() c2s.Invited {
	return func(ctx context.Context, h *server.Host, token string) (string, error) {
		return n.invitations[h.Domain].Check(ctx, token)
	}
}

// invites says whether a host's invitations let people register in apps.
func (n *Node) invites(h *server.Host) bool { return n.settings.Of(h.Domain).InviteApps != "nobody" }
