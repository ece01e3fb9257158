package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Change changes what is not nil.
type Change struct {
	FullName, Email, Phone, Title, Department, Role, Lang *string
	Disabled, Archived                                    *bool
	Show                                                  map[string]string // by field, one of ShownTo
}

// locked are the fields that a person cannot change in the own profile: an administrator does.
func (c Change) locked() bool {
	return c.Email != nil || c.Department != nil || c.Role != nil || c.Disabled != nil || c.Archived != nil
}

// Locked are the names of those among a profile's fields.
var Locked = []string{"email", "department", "role"}

// Update changes an account. The person may change the own name, telephone number, job title and language, and whom what is
// known is shown to. Disabling and archiving end all sessions.
func (p *People) Update(ctx context.Context, a Actor, name string, c Change) (store.Person, error) {
	detail := make(map[string]any)
	was, is, err := p.st.UpdateOwner(ctx, p.h.Domain, name, func(u *store.Person) error {
		before := *u
		if err := p.mayChange(ctx, a, *u, c); err != nil {
			return err
		}
		if err := p.apply(u, c); err != nil {
			return err
		}
		clear(detail)
		differences(detail, before, *u)
		if c.Role != nil && before.Role != u.Role {
			if err := a.may(SetRole, *u); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return is, fail(org.NotFound, "", "There is no account {{.Name}}", "Name", name+"@"+p.h.Domain)
	case errors.Is(err, store.ErrLast):
		return is, errLastOwner
	case errors.Is(err, store.ErrExists):
		is.Email = *c.Email
		if err := p.taken(ctx, store.Person{User: store.User{Host: p.h.Domain, Name: ""}, Email: *c.Email}); err != nil {
			return is, err
		}
		return is, fail(org.Exists, "email", "This e-mail address belongs to someone else")
	case err != nil:
		return is, err
	}
	if len(detail) == 0 {
		return is, nil
	}
	p.h.Forget(name)
	action := "person.change"
	switch {
	case is.Disabled && !was.Disabled:
		action = "person.disable"
		if !is.Archived.IsZero() {
			action = "person.archive"
		}
		p.signOut(ctx, is, "not-authorized", "this account has been disabled")
	case was.Disabled && !is.Disabled:
		action = "person.enable"
	}
	if needs, err := p.NeedsFactor(ctx, is); err != nil {
		return is, err
	} else if needs && was.Role != is.Role {
		p.h.Kick(name, errFactor)
	}
	p.audit(ctx, a, action, is.Address(), detail)
	return is, nil
}

// apply makes the change to what is known of a person, if that is good.
func (p *People) apply(u *store.Person, c Change) error {
	for _, f := range []struct {
		to   *string
		from *string
	}{{&u.FullName, c.FullName}, {&u.Email, c.Email}, {&u.Phone, c.Phone}, {&u.Title, c.Title}, {&u.Department, c.Department}, {&u.Role, c.Role}, {&u.Lang, c.Lang}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	if c.Archived != nil {
		if u.Archived = (time.Time{}); *c.Archived {
			u.Archived = time.Now().UTC()
		}
		u.Disabled = *c.Archived
	}
	if err := setShown(u, c.Show); err != nil {
		return err
	}
	return p.fields(u)
}

// Try gives what an own change of a person's would make of them, without making it.
func (p *People) Try(ctx context.Context, u store.Person, c Change) (store.Person, error) {
	if err := p.mayChange(ctx, As(u, ""), u, c); err != nil {
		return u, err
	}
	err := p.apply(&u, c)
	return u, err
}

// mayChange asks for each kind of change by itself.
func (p *People) mayChange(_ context.Context, a Actor, u store.Person, c Change) error {
	self := a.Name != "" && a.Name == u.Name
	if c.Disabled != nil || c.Archived != nil {
		if self {
			return fail(org.Forbidden, "", "You cannot close your own account here")
		}
		if err := a.may(Disable, u); err != nil {
			return err
		}
	}
	if c.Role != nil && *c.Role != u.Role {
		if self && a.Role != store.RoleOwner {
			return fail(org.Forbidden, "role", "You cannot change your own role")
		}
		if err := a.may(SetRole, u); err != nil {
			return err
		}
	}
	if self && !c.locked() {
		return nil
	}
	if c.FullName != nil || c.Email != nil || c.Phone != nil || c.Title != nil || c.Department != nil || c.Lang != nil || len(c.Show) > 0 {
		return a.may(Edit, u)
	}
	return nil
}

func differences(d map[string]any, was, is store.Person) {
	for _, f := range []struct {
		name    string
		was, is any
	}{{"full_name", was.FullName, is.FullName}, {"email", was.Email, is.Email}, {"phone", was.Phone, is.Phone}, {"title", was.Title, is.Title},
		{"department", was.Department, is.Department}, {"role", was.Role, is.Role}, {"lang", was.Lang, is.Lang}, {"disabled", was.Disabled, is.Disabled},
		{"archived", !was.Archived.IsZero(), !is.Archived.IsZero()}} {
		if f.was != f.is {
			d[f.name] = []any{f.was, f.is}
		}
	}
	for _, f := range ShownFields {
		if a, b := ShownOf(was, f), ShownOf(is, f); a != b {
			d["shown_"+f] = []any{a, b}
		}
	}
}

// anotherOwner: the last owner cannot be removed.
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

var errLastOwner = &Error{Kind: org.Forbidden, Field: "role", Text: "This is the last owner: name another one first"}

// signOut ends every session of an account, in clients and browsers.
func (p *People) signOut(ctx context.Context, u store.Person, condition, text string) int {
	if err := p.st.DeleteWebSessions(ctx, u.Host, u.Name, ""); err != nil {
		p.cfg.Log.Error("end web sessions", "account", u.Address(), "err", err)
	}
	return p.h.Kick(u.Name, &wire.StreamError{Condition: condition, Text: text})
}

// SignOut ends every session of an account.
func (p *People) SignOut(ctx context.Context, a Actor, name string) (int, error) {
	u, err := p.Get(ctx, name)
	if err != nil {
		return 0, err
	}
	if a.Name != name {
		if err := a.may(Disable, u); err != nil {
			return 0, err
		}
	}
	n := p.signOut(ctx, u, "policy-violation", "an administrator has closed this session")
	if err := p.st.DeleteTokens(ctx, u.Host, u.Name, ""); err != nil {
		return n, err
	}
	p.audit(ctx, a, "person.signout", u.Address(), map[string]any{"sessions": n})
	return n, nil
}

// SetPassword sets it and ends all sessions, those of browsers too. Where another sets it, app passwords and API tokens are
// no more either: whoever had the account in hand has nothing left of it.
func (p *People) SetPassword(ctx context.Context, a Actor, name, password string) error {
	u, err := p.Get(ctx, name)
	if err != nil {
		return err
	}
	if a.Name != name {
		if err := a.may(Reset, u); err != nil {
			return err
		}
	}
	keys, err := p.KeysFor(ctx, name, password)
	if err != nil {
		return err
	}
	if err := p.st.SetKeys(ctx, p.h.Domain, name, keys); err != nil {
		return err
	}
	if err := p.revokeOthers(ctx, a, store.KindReset, name); err != nil {
		return err
	}
	if a.Name != name {
		if err := p.st.RevokePrograms(ctx, p.h.Domain, name); err != nil {
			return err
		}
	}
	p.h.Kick(name, &wire.StreamError{Condition: "reset", Text: "the password has been changed"})
	p.audit(ctx, a, "person.password", u.Address(), nil)
	return nil
}

// Delete removes an account with all that is its own. It has to be disabled before.
func (p *People) Delete(ctx context.Context, a Actor, name string) error {
	u, err := p.Get(ctx, name)
	if err != nil {
		return err
	}
	if err := a.may(Delete, u); err != nil {
		return err
	}
	if a.Name == name {
		return fail(org.Forbidden, "", "You cannot close your own account here")
	}
	if err := p.MayLeave(ctx, name); err != nil {
		return err
	}
	if err := p.remove(ctx, u); err != nil {
		return err
	}
	p.audit(ctx, a, "person.delete", u.Address(), map[string]any{"email": u.Email, "role": u.Role})
	return nil
}

// remove takes an account away with all that is its own.
func (p *People) remove(ctx context.Context, u store.Person) error {
	p.farewell(ctx, u.Name)
	// Closed first: a client that comes back in between would write into an account that is going.
	_, _, err := p.st.UpdateOwner(ctx, u.Host, u.Name, func(u *store.Person) error { u.Disabled = true; return nil })
	if errors.Is(err, store.ErrLast) { // another went meanwhile
		return errLastOwner
	}
	if err != nil {
		return fmt.Errorf("disable %s: %w", u.Name, err)
	}
	p.signOut(ctx, u, "not-authorized", "this account has been deleted")
	if err := p.st.DeleteUser(ctx, u.Host, u.Name); err != nil {
		return fmt.Errorf("delete %s: %w", u.Name, err)
	}
	p.h.Deleted(ctx, u.Name)
	return nil
}

// MayLeave says why an account cannot go: the organization, or a group, would be left without an owner.
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

// farewell ends the subscriptions of an account that goes, so that contacts do not wait for it for ever.
func (p *People) farewell(ctx context.Context, name string) {
	cs, err := p.h.Contacts(ctx, name)
	self, jerr := jid.New(name, p.h.Domain, "")
	if err != nil || jerr != nil {
		return // they learn of it by asking
	}
	tell := func(to jid.JID, kind string) {
		p.h.Router.Send(ctx, &wire.Stanza{Kind: wire.Presence, Name: wire.Name{Space: wire.NSClient, Local: "presence"}, Type: kind, ID: p.h.NewID(), From: self, To: to})
	}
	for _, to := range cs.From {
		tell(to, "unsubscribed")
	}
	for _, to := range cs.To {
		tell(to, "unsubscribe")
	}
}

// Sessions gives an account's clients that are signed in now.
func (p *People) Sessions(name string) []*server.Session { return p.h.Account(name).Sessions() }
