package people

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"parley/acts"
	"parley/auth"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
)

// maxAppPasswords is how many app passwords an account may have: signing in compares the client's proof with each.
const maxAppPasswords = 25

// NeedsFactor says whether a person has to set up the second factor before anything else: their role demands it and
// they have none.
func (p *People) NeedsFactor(ctx context.Context, u store.Person) (bool, error) {
	if !p.DemandsFactor(u.Role) {
		return false, nil
	}
	on, err := p.HasFactor(ctx, u.Name)
	return !on, err
}

// DemandsFactor says whether people with this role must have a second factor.
func (p *People) DemandsFactor(role string) bool { return slices.Contains(p.Policy().TwoFactor, role) }

// HasFactor says whether an account's second factor is required at sign-in.
func (p *People) HasFactor(ctx context.Context, name string) (bool, error) {
	f, err := p.st.SecondFactor(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return f.Confirmed, err
}

// Secrets gives the passwords with which a client may sign in; none if the account cannot sign in at all. With a second
// factor, the account's own password works on the pages only: a client cannot ask for a code.
func (p *People) Secrets(ctx context.Context, name string) ([]auth.Secret, error) {
	u, err := p.st.Person(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.State() != store.StateActive {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ss, err := p.apps(ctx, name)
	if err != nil {
		return nil, err
	}
	own := auth.Secret{}
	if err := own.Keys.UnmarshalBinary(u.Keys); err != nil {
		return nil, err
	}
	on, err := p.HasFactor(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case !on && p.DemandsFactor(u.Role):
		own.Refuse = "your role needs the second step: set it up at " + p.URL() +
			"/me/security, and make an app password for this program there"
		for i := range ss {
			ss[i].Refuse = own.Refuse
		}
	case on:
		own.Refuse = "the second step is on: make an app password for this program at " + p.URL() + "/me/security"
	default: // the account's own parameters count if an app password has others
		return append([]auth.Secret{own}, ss...), nil
	}
	return append(ss, own), nil
}

// apps gives the app passwords in the form that package auth takes.
func (p *People) apps(ctx context.Context, name string) (ss []auth.Secret, err error) {
	as, err := p.st.AppPasswords(ctx, p.h.Domain, name)
	for _, a := range as {
		s := auth.Secret{ID: a.ID}
		if err := s.Keys.UnmarshalBinary(a.Keys); err != nil {
			return nil, err
		}
		ss = append(ss, s)
	}
	return ss, err
}

// keysFor makes the keys of a new password with the parameters of the account's app passwords, which stay.
func (p *People) keysFor(ctx context.Context, name, password string, skipPolicy bool) ([]byte, error) {
	ss, err := p.apps(ctx, name)
	if err != nil {
		return nil, err
	}
	return p.keysLike(name, password, auth.Like(ss), skipPolicy)
}

// AppPasswords gives an account's app passwords without their keys, the oldest first.
func (p *People) AppPasswords(ctx context.Context, name string) ([]store.AppPassword, error) {
	as, err := p.st.AppPasswords(ctx, p.h.Domain, name)
	for i := range as {
		as[i].Keys = nil
	}
	return as, err
}

// AddAppPassword makes a password for one program and returns it; it cannot be shown again. Only the person and the
// machine's operator may do this.
func (p *People) AddAppPassword(ctx context.Context, by Actor,
	name, label string) (made store.AppPassword, password string, err error) {
	u, err := p.Get(ctx, name)
	if err != nil {
		return made, "", err
	}
	if by.Name != name && !by.Machine() {
		return made, "", fault.ErrRole
	}
	if u.State() != store.StateActive {
		return made, "", fault.New(fault.Invalid, "",
			"{{.Name}} cannot sign in now: no new password is needed", "Name", u.Display())
	}
	if label, err = line("name", label); err != nil {
		return made, "", err
	}
	if label == "" {
		return made, "", fault.New(fault.Invalid, "name", "Enter the program's name so that you recognise it later")
	}
	ss, err := p.apps(ctx, name)
	if err != nil {
		return made, "", err
	}
	own := auth.Secret{}
	if err := own.Keys.UnmarshalBinary(u.Keys); err != nil {
		return made, "", err
	}
	password = appPassword()
	// slow, so it runs outside the transaction
	keys, err := auth.KeysLike(password, p.cfg.Iterations, auth.Like(append([]auth.Secret{own}, ss...)))
	if err != nil {
		return made, "", err
	}
	made = store.AppPassword{ID: p.h.IDs.Next().String(), Name: label, Created: p.h.Clock.Now().UTC()}
	kept := made
	if kept.Keys, err = keys.MarshalBinary(); err != nil {
		return made, "", err
	}
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		err := p.st.AddAppPassword(ctx, p.h.Domain, name, kept, maxAppPasswords)
		if errors.Is(err, store.ErrLimit) {
			return fault.New(fault.Limit, "name", "You cannot have more app passwords: revoke one first")
		}
		if err != nil {
			return err
		}
		a.Note(acts.PersonAppCreate, u.Address(), acts.Detail{"name": label})
		return nil
	})
	if err != nil {
		return made, "", err
	}
	return made, password, nil
}

// appPassword makes a password of a hundred bits, in groups that can be typed.
func appPassword() string {
	t := strings.ToLower(rand.Text())
	return t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20]
}

// RevokeAppPassword removes an app password and ends the streams of clients that signed in with it.
func (p *People) RevokeAppPassword(ctx context.Context, by Actor, name, id string) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Reset, name, true)
		if err != nil {
			return err
		}
		as, err := p.st.AppPasswords(ctx, p.h.Domain, name)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(as, func(x store.AppPassword) bool { return x.ID == id })
		if i < 0 {
			return fault.New(fault.NotFound, "", "There is no such app password")
		}
		if err := p.st.DeleteAppPassword(ctx, p.h.Domain, name, id); err != nil {
			return err
		}
		a.Note(acts.PersonAppRevoke, u.Address(), acts.Detail{"name": as[i].Name})
		a.Changed(changes.Account, name) // a node that cannot be heard has to look which sessions it ends
		a.After(func(context.Context) {
			p.CloseStreams(name, func(i server.SessionInfo) bool { return i.Credential == id },
				&wire.StreamError{Condition: "reset", Text: "the app password has been revoked"})
		})
		return nil
	})
}

// enforceFactor ends the streams of people who must set up a second factor first, after the policy has changed.
func (p *People) enforceFactor(ctx context.Context) {
	p.h.Accounts(func(a *server.Account) bool {
		u, err := p.Get(ctx, a.Name)
		if err == nil {
			var needs bool
			if needs, err = p.NeedsFactor(ctx, u); needs {
				p.h.Kick(a.Name, errFactor)
			}
		}
		if err != nil {
			p.cfg.Log.Error("cannot end streams of people who need a second factor", "account", a.Name, "err", err)
		}
		return true
	})
}

var errFactor = &wire.StreamError{
	Condition: "policy-violation",
	Text:      "the role needs the second step: set it up first",
}

// CloseStreams ends the streams of an account that choose accepts, on whatever node, and gives how many.
func (p *People) CloseStreams(name string, choose func(server.SessionInfo) bool, why *wire.StreamError) int {
	return p.h.End(name, func(s *server.Session) bool { return choose(s.Info) }, why)
}

// FactorOn turns a person's second factor on. Clients that signed in with the account's own password are signed out.
func (p *People) FactorOn(ctx context.Context, by Actor, name string, f store.SecondFactor) error {
	if by.Name != name || name == "" {
		return fault.ErrRole
	}
	f.Confirmed = true
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if err := p.st.SetSecondFactor(ctx, p.h.Domain, name, f); err != nil {
			return err
		}
		if err := p.st.DeleteTokens(ctx, p.h.Domain, name, ""); err != nil {
			return err
		}
		a.Note(acts.PersonFactorOn, name+"@"+p.h.Domain, nil)
		a.After(func(context.Context) {
			p.CloseStreams(name, ownPassword,
				&wire.StreamError{Condition: "reset", Text: "the second step is on: sign in with an app password"})
		})
		return nil
	})
}

// SetRecovery replaces a person's recovery codes; only hashes are kept.
func (p *People) SetRecovery(ctx context.Context, by Actor, name string, hashes []string) error {
	if by.Name != name || name == "" {
		return fault.ErrRole
	}
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		err := p.st.UseSecondFactor(ctx, p.h.Domain,
			name, func(f *store.SecondFactor) error { f.Recovery = hashes; return nil })
		if err == nil {
			a.Note(acts.PersonFactorCodes, name+"@"+p.h.Domain, nil)
		}
		return err
	})
}

// ownPassword says whether a client signed in with the account's own password, or with a token got by it.
func ownPassword(i server.SessionInfo) bool { return i.Credential == "" && i.Mechanism != "" }

// FactorOff turns a second factor off: one's own if the role does not demand it, or that of somebody who has lost their
// device and codes.
func (p *People) FactorOff(ctx context.Context, by Actor, name string) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.Get(ctx, name)
		if err != nil {
			return err
		}
		verb := acts.PersonFactorOff
		switch {
		case by.Name != name:
			if err := may(by, Reset, u); err != nil {
				return err
			}
			verb = acts.PersonFactorReset
		case p.DemandsFactor(u.Role):
			return fault.New(fault.NotAllowed, "", "Your role needs the second step: it cannot be turned off")
		}
		if err := p.st.DeleteSecondFactor(ctx, p.h.Domain, name); err != nil {
			return err
		}
		a.Note(verb, u.Address(), nil)
		return nil
	})
}
