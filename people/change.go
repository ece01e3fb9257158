package people

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Change is a change of an account; nil: unchanged.
type Change struct {
	Profile
	Disabled  *bool
	Archived  *bool
	Show      map[string]string // by field, one of ShownTo
	Retention *time.Duration    // of the account's messages; 0: the host's setting; or store.Forever
}

// locked says whether a change has something that people cannot change for themselves: an administrator does.
func (c Change) locked() bool {
	return c.Profile.locked() || c.Disabled != nil || c.Archived != nil || c.Retention != nil
}

// Update changes an account. People may change their own name, telephone number, job title, language, and who sees
// their fields. Disabling and archiving end all sessions.
func (p *People) Update(ctx context.Context, by Actor, name string, c Change) (is store.Person, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) (err error) {
		is, err = p.update(ctx, a, name, c)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return is, fault.New(fault.NotFound, "", "There is no account {{.Name}}", "Name", name+"@"+p.h.Domain)
	case errors.Is(err, store.ErrLast):
		return is, errLastOwner
	case errors.Is(err, store.ErrExists):
		is.Email = *c.Email
		if err := p.taken(ctx, store.Person{
			User:  store.User{Host: p.h.Domain, Name: ""},
			Email: *c.Email,
		}); err != nil {
			return is, err
		}
		return is, fault.New(fault.Exists, "email", "This e-mail address belongs to someone else")
	}
	return is, err
}

// changed has all nodes forget an account that an act changes, and tells the features of this one.
func (p *People) changed(a *acts.Act, name string) {
	a.Changed(changes.Account, name)
	a.Kept(func(context.Context) { p.h.Changed(name) })
}

// update is Update within its act.
func (p *People) update(ctx context.Context, a *acts.Act, name string, c Change) (store.Person, error) {
	detail := acts.Detail{}
	was, is, err := p.st.UpdateOwner(ctx, p.h.Domain, name, func(u *store.Person) error {
		before := *u
		if err := p.mayChange(ctx, a.By, *u, c); err != nil {
			return err
		}
		if err := p.apply(ctx, a.By, u, c); err != nil {
			return err
		}
		clear(detail)
		differences(detail, before, *u)
		if c.Role != nil && before.Role != u.Role {
			if err := may(a.By, SetRole, *u); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && c.Retention != nil {
		err = p.setRetention(ctx, name, *c.Retention, detail)
	}
	if err != nil || len(detail) == 0 {
		return is, err
	}
	p.changed(a, name)
	verb := acts.PersonChange
	switch {
	case is.Disabled && !was.Disabled:
		verb = acts.PersonDisable
		if !is.Archived.IsZero() {
			verb = acts.PersonArchive
		}
		if _, err := p.signOut(ctx, a, is, "not-authorized", "this account has been disabled"); err != nil {
			return is, err
		}
	case was.Disabled && !is.Disabled:
		verb = acts.PersonEnable
	}
	needs, err := p.NeedsFactor(ctx, is)
	if err != nil {
		return is, err
	}
	if needs && was.Role != is.Role {
		a.After(func(context.Context) { p.h.Kick(name, errFactor) })
	}
	if verb == acts.PersonArchive {
		a.Then(func(ctx context.Context) {
			p.after(ctx, is, "an account was archived, and what only it owned has no owner yet", p.cfg.Retired)
		})
	}
	a.Note(verb, is.Address(), detail)
	return is, nil
}

// apply makes the changes to a person's fields, and checks them.
func (p *People) apply(ctx context.Context, by Actor, u *store.Person, c Change) error {
	c.Into(u)
	if err := p.setFields(ctx, by, u, c.Fields); err != nil {
		return err
	}
	if c.Disabled != nil {
		if u.Disabled = *c.Disabled; !u.Disabled { // an enabled account is not archived: it has one state
			u.Archived = time.Time{}
		}
	}
	if c.Archived != nil {
		if u.Archived = (time.Time{}); *c.Archived {
			u.Archived = p.h.Clock.Now().UTC()
		}
		u.Disabled = *c.Archived
	}
	if err := setShown(u, c.Show); err != nil {
		return err
	}
	return p.fields(u)
}

// Try gives the person as their own change would make them, without making it.
func (p *People) Try(ctx context.Context, u store.Person, c Change) (store.Person, error) {
	self := As(u, acts.Server, "")
	if err := p.mayChange(ctx, self, u, c); err != nil {
		return u, err
	}
	u.Fields = maps.Clone(u.Fields)
	err := p.apply(ctx, self, &u, c)
	return u, err
}

// mayChange checks the right to each kind of change.
func (p *People) mayChange(_ context.Context, a Actor, u store.Person, c Change) error {
	self := a.Name != "" && a.Name == u.Name
	if c.Disabled != nil || c.Archived != nil {
		if self {
			return fault.New(fault.Forbidden, "", "You cannot close your own account here")
		}
		if err := may(a, Disable, u); err != nil {
			return err
		}
	}
	if c.Role != nil && *c.Role != u.Role {
		if self && a.Role != store.RoleOwner {
			return fault.New(fault.Forbidden, "role", "You cannot change your own role")
		}
		if err := may(a, SetRole, u); err != nil {
			return err
		}
	}
	if self && !c.locked() {
		return nil
	}
	if !c.Profile.empty() || len(c.Show) > 0 || c.Retention != nil {
		return may(a, Edit, u)
	}
	return nil
}

func differences(d acts.Detail, was, is store.Person) {
	before, now := Columns(&was), Columns(&is)
	for name := range before {
		acts.Was(d, name, *before[name], *now[name])
	}
	acts.Was(d, "disabled", was.Disabled, is.Disabled)
	acts.Was(d, "archived", !was.Archived.IsZero(), !is.Archived.IsZero())
	for key := range is.Fields {
		acts.Was(d, key, was.Fields[key], is.Fields[key])
	}
	for key := range was.Fields {
		acts.Was(d, key, was.Fields[key], is.Fields[key])
	}
	for _, f := range ShownFields {
		if a, b := ShownOf(was, f), ShownOf(is, f); a != b {
			d["shown_"+f] = []any{a, b}
		}
	}
}

// anotherOwner returns an error if the person is the last owner.
func (p *People) anotherOwner(ctx context.Context, name string) error {
	owners, _, err := p.st.People(ctx, p.h.Domain, store.PeopleFilter{Role: store.RoleOwner, Limit: 50})
	if err != nil {
		return err
	}
	for _, o := range owners {
		if o.Name != name && o.State() == store.StateActive {
			return nil
		}
	}
	return errLastOwner
}

var errLastOwner = fault.New(fault.NotAllowed, "role", "This is the last owner: make somebody else an owner first")

// signOut ends every session of an account, those of clients after the commit. It gives how many clients.
func (p *People) signOut(ctx context.Context, a *acts.Act, u store.Person, condition, text string) (int, error) {
	if err := p.st.DeleteWebSessions(ctx, u.Host, u.Name, ""); err != nil {
		return 0, fmt.Errorf("end web sessions of %s: %w", u.Name, err)
	}
	a.After(func(context.Context) { p.h.Kick(u.Name, &wire.StreamError{Condition: condition, Text: text}) })
	return len(p.Sessions(u.Name)), nil
}

// SignOut ends every session of an account, and gives how many clients had one.
func (p *People) SignOut(ctx context.Context, by Actor, name string) (n int, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Disable, name, true)
		if err != nil {
			return err
		}
		if n, err = p.signOut(ctx, a, u, "policy-violation", byAdministrator); err != nil {
			return err
		}
		if err := p.st.DeleteTokens(ctx, u.Host, u.Name, ""); err != nil {
			return err
		}
		a.Note(acts.PersonSignout, u.Address(), acts.Detail{"sessions": n})
		return nil
	})
	return n, err
}

// SetPassword sets a password and ends all sessions, also those of browsers. If somebody else sets it, app passwords
// and API tokens are removed too: somebody who had got control of the account loses it.
func (p *People) SetPassword(ctx context.Context, by Actor, name, password string) error {
	return p.SetPasswordAs(ctx, by, name, password, PasswordBy{})
}

// PasswordBy says how a password is set.
type PasswordBy struct {
	SkipPolicy bool            // it need not be strong: an administrator sets it with a client
	Keep       *server.Session // not ended: the person sets the password from it
}

// SetPasswordAs is SetPassword for every door. It ends password links and makes an audit entry.
func (p *People) SetPasswordAs(ctx context.Context, by Actor, name, password string, how PasswordBy) error {
	if _, err := p.FindFor(ctx, by, Reset, name, true); err != nil {
		return err
	}
	keys, err := p.keysFor(ctx, name, password, how.SkipPolicy) // slow, so it runs outside the transaction
	if err != nil {
		return err
	}
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Reset, name, true)
		if err != nil {
			return err
		}
		if err := p.st.SetKeys(ctx, p.h.Domain, name, keys); err != nil {
			return err
		}
		if err := p.revokeOthers(ctx, by, store.KindReset, name); err != nil {
			return err
		}
		if by.Name != name {
			if err := p.st.RevokePrograms(ctx, p.h.Domain, name); err != nil {
				return err
			}
		}
		a.Note(acts.PersonPassword, u.Address(), nil)
		a.After(func(context.Context) {
			p.h.End(name, func(s *server.Session) bool { return s != how.Keep },
				&wire.StreamError{Condition: "reset", Text: "the password has been changed"})
		})
		return nil
	})
}

// Delete removes an account with all that is its own. It first disables the account in an act of its own; otherwise a
// client that reconnects in between would write into an account that is being removed.
func (p *People) Delete(ctx context.Context, by Actor, name string) error {
	u, err := p.mayDelete(ctx, by, name)
	if err != nil {
		return err
	}
	if !u.Disabled {
		err := p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
			if _, err := p.mayDelete(ctx, by, name); err != nil {
				return err
			}
			return p.shut(ctx, a, u)
		})
		if errors.Is(err, store.ErrLast) { // another owner left meanwhile
			return errLastOwner
		}
		if err != nil {
			return err
		}
	}
	bye := p.farewell(ctx, name)
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.mayDelete(ctx, by, name)
		if err != nil {
			return err
		}
		a.After(bye)
		if err := p.remove(ctx, a, u); err != nil {
			return err
		}
		a.Note(acts.PersonDelete, u.Address(), acts.Detail{"email": u.Email, "role": u.Role})
		return nil
	})
}

// mayDelete gives an account that the actor may delete. People delete their own with a client.
func (p *People) mayDelete(ctx context.Context, by Actor, name string) (store.Person, error) {
	u, err := p.FindFor(ctx, by, Delete, name, by.Door == acts.Client)
	if err != nil {
		return u, err
	}
	if by.Name == name && by.Door != acts.Client {
		return u, fault.New(fault.Forbidden, "", "You cannot close your own account here")
	}
	return u, p.MayLeave(ctx, name)
}

// shut disables an account that will be deleted, and signs it out.
func (p *People) shut(ctx context.Context, a *acts.Act, u store.Person) error {
	if _, _, err := p.st.UpdateOwner(ctx, u.Host,
		u.Name, func(u *store.Person) error { u.Disabled = true; return nil }); err != nil {
		return fmt.Errorf("disable %s: %w", u.Name, err)
	}
	a.Changed(changes.Account, u.Name)
	if _, err := p.signOut(ctx, a, u, "not-authorized", "this account has been deleted"); err != nil {
		return err
	}
	a.Note(acts.PersonDisable, u.Address(), acts.Detail{"disabled": []bool{false, true}})
	return nil
}

// remove removes an account with all that is its own. Its name is kept from others for a time.
func (p *People) remove(ctx context.Context, a *acts.Act, u store.Person) error {
	if _, err := p.signOut(ctx, a, u, "not-authorized", "this account has been deleted"); err != nil {
		return err
	}
	if err := p.st.DeleteUser(ctx, u.Host, u.Name); err != nil {
		return fmt.Errorf("delete %s: %w", u.Name, err)
	}
	a.Changed(changes.Account, u.Name)
	a.Then(func(ctx context.Context) {
		p.h.Deleted(ctx, u.Name)
		p.after(ctx, u, "an account was deleted, and not all rooms and nodes know it yet", p.cfg.Departed)
	})
	return nil
}

// after does what follows from a change that is made. Failures are logged, and not shown to the person who made the
// change.
func (p *People) after(ctx context.Context, u store.Person, fault string,
	do func(ctx context.Context, who jid.JID) error) {
	who, err := jid.New(u.Name, u.Host, "")
	if err == nil && do != nil {
		err = do(context.WithoutCancel(ctx), who)
	}
	if err != nil {
		p.cfg.Log.Error(fault, "account", u.Address(), "err", err)
	}
}

// Unlist removes a deleted account from the contact lists of this host's people, with its subscription requests.
func (p *People) Unlist(ctx context.Context, who jid.JID) error {
	names, err := p.st.Holders(ctx, p.h.Domain, who.String())
	if err != nil {
		return err
	}
	for _, name := range names {
		listed := false
		c, err := p.st.UpdateContact(ctx, p.h.Domain, name, who.String(), 0, func(c *store.Contact) (bool, error) {
			listed = c.InRoster
			return true, nil
		})
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		// also after an error: the change may be kept, and only the answer be lost
		if err := errors.Join(err, p.h.ContactsChanged(ctx, name)); err != nil {
			return fmt.Errorf("contact list of %s: %w", name, err)
		}
		if listed {
			c.Subscription = "remove"
			p.push(name, c)
		}
	}
	return nil
}

// MayLeave returns an error if an account cannot be deleted because the organization or a group would lose its last
// owner.
func (p *People) MayLeave(ctx context.Context, name string) error {
	u, err := p.Get(ctx, name)
	if err != nil {
		return err
	}
	if u.Role == store.RoleOwner {
		if err := p.anotherOwner(ctx, name); err != nil {
			return err
		}
	}
	return p.cfg.Org.MayGo(ctx, u.Host, u.Name)
}

// farewell gives a function that ends the subscriptions of a deleted account, so that its contacts do not wait for it
// for ever.
func (p *People) farewell(ctx context.Context, name string) func(context.Context) {
	cs, err := p.h.Contacts(ctx, name)
	self, jerr := jid.New(name, p.h.Domain, "")
	if err != nil || jerr != nil {
		return func(context.Context) {} // contacts learn of it when they ask
	}
	return func(ctx context.Context) {
		tell := func(to jid.JID, kind string) {
			name := wire.Name{Space: wire.NSClient, Local: "presence"}
			p.h.Router.Send(ctx, &wire.Stanza{
				Kind: wire.Presence,
				Name: name,
				Type: kind,
				ID:   p.h.NewID(),
				From: self,
				To:   to,
			})
		}
		for _, to := range cs.From {
			tell(to, "unsubscribed")
		}
		for _, to := range cs.To {
			tell(to, "unsubscribe")
		}
	}
}

// Sessions gives the clients of an account that are signed in now.
func (p *People) Sessions(name string) []*server.Session { return p.h.Account(name).Sessions() }
