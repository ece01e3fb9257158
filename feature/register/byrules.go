package register

import (
	"context"
	"errors"
	"net/netip"

	"parley/acts"
	"parley/people"
	"parley/server"
	"parley/wire/jid"
)

// ByRules lets people change and delete their own account as the rules for accounts allow, on all hosts (Accounts), and
// strangers register.
type ByRules struct {
	People map[string]*people.People // People are the rules of each host.
	Open   bool                      // Open says that strangers may register without an invitation.
}

var _ Accounts = ByRules{}

// SetOwnPassword sets the password of the session's account and ends the account's other sessions.
func (c ByRules) SetOwnPassword(ctx context.Context, s *server.Session, password string) error {
	p := c.People[s.Host.Domain]
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
func (c ByRules) MayLeave(ctx context.Context, s *server.Session) error {
	p := c.People[s.Host.Domain]
	if err := ownsPassword(ctx, p, s); err != nil {
		return err
	}
	return p.MayLeave(ctx, s.JID.Local())
}

// Delete removes the session's account. MayLeave has been asked before.
func (c ByRules) Delete(ctx context.Context, s *server.Session) error {
	p := c.People[s.Host.Domain]
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

// Register makes an account for a stranger, in a client. token is that of an invitation (XEP-0445), or "". The error is
// a stanza error for the person.
func (c ByRules) Register(ctx context.Context, h *server.Host, name, password, token string, remote netip.Addr) error {
	if token == "" && !c.Open {
		return server.NotAllowed
	}
	j, err := jid.New(name, h.Domain, "")
	if err != nil {
		return server.WithText(server.NotAcceptable, "this name cannot be the name of an account")
	}
	from := people.Actor{Door: acts.Client}
	if remote.IsValid() {
		from.Remote = remote.String()
	}
	p := c.People[h.Domain]
	if token == "" {
		_, err = p.Register(ctx, from, j.Local(), password)
		return err
	}
	_, err = p.Accept(ctx, from, token, people.Acceptance{Name: j.Local(), Password: password, How: "app"})
	var d *people.Dead
	if errors.As(err, &d) {
		return server.WithText(server.NotAllowed, "this invitation is no longer valid")
	}
	return err
}
