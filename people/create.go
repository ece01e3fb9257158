package people

import (
	"context"
	"errors"
	"strings"

	"parley/acts"
	"parley/auth"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Newcomer describes a new colleague: the account, the photo and the invitation.
type Newcomer struct {
	NewPerson
	Photo  Photo   // zero: none
	Invite *Invite // nil: no invitation; its Username is the account's
}

// Welcomed is the result of Welcome.
type Welcomed struct {
	store.Person
	Invitation store.Invitation
	Token      string // of the invitation; "" without one
}

// Create makes an account and adds it to its groups, or does nothing. If the name or the address is taken, the error's
// Args name the account that has it, as "Name".
func (p *People) Create(ctx context.Context, by Actor, n NewPerson) (store.Person, error) {
	w, err := p.Welcome(ctx, by, Newcomer{NewPerson: n})
	return w.Person, err
}

// Welcome is Create with a photo and an invitation: either all of it is done or nothing.
func (p *People) Welcome(ctx context.Context, by Actor, n Newcomer) (w Welcomed, err error) {
	u, err := p.prepare(ctx, by, n.NewPerson)
	if err != nil {
		return w, err
	}
	if n.Password != "" { // slow, so it runs outside the transaction
		if u.Keys, err = p.keysLike(u.Name, n.Password, auth.Keys{}, n.SkipPolicy); err != nil {
			return w, err
		}
	}
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		w = Welcomed{Person: u}
		if err := p.mayPutAll(ctx, by, n.Groups); err != nil {
			return err
		}
		if err := p.create(ctx, a, u, acts.Detail{"role": u.Role, "email": u.Email, "groups": n.Groups}); err != nil {
			return err
		}
		if err := p.join(ctx, by, u, n.Groups); err != nil {
			return err
		}
		if len(n.Photo.data) > 0 {
			if err := p.SetPhoto(ctx, by, u.Name, n.Photo); err != nil {
				return err
			}
		}
		if n.Invite != nil {
			v := *n.Invite
			v.Username = u.Name
			if w.Invitation, w.Token, err = p.Invite(ctx, by, v); err != nil {
				return err
			}
		}
		p.begins(a, u.Name)
		return nil
	})
	return w, p.refused(ctx, u, err)
}

// Founder is the first owner of an organization.
type Founder struct {
	NewPerson
	Organization string // its name; "": as the configuration says
}

// Found makes the first owner's account and names the organization, in one act with take, which uses up the setup key:
// all of it happens, or nothing.
func (p *People) Found(ctx context.Context, by Actor, n Founder,
	take func(context.Context) error) (u store.Person, err error) {
	err = p.do(ctx, by, func(ctx context.Context, _ *acts.Act) error {
		if err := take(ctx); err != nil {
			return err
		}
		u, err = p.Create(ctx, by, n.NewPerson)
		if err != nil || n.Organization == "" || n.Organization == p.Company() {
			return err
		}
		_, err = p.ChangeSettings(ctx, As(u, by.Door, by.Remote), map[string]*string{titleSetting: &n.Organization})
		if ms := Mistaken(err); len(ms) > 0 {
			return fault.New(ms[0].Kind, "organization", ms[0].Text, ms[0].Args...)
		}
		return err
	})
	return u, err
}

// titleSetting is the setting with the organization's name.
const titleSetting = "organization.title"

// create keeps a new account, with its audit entry.
func (p *People) create(ctx context.Context, a *acts.Act, u store.Person, detail acts.Detail) error {
	if err := p.st.CreatePerson(ctx, u); err != nil {
		return err
	}
	a.Note(acts.PersonCreate, u.Address(), detail)
	p.changed(a, u.Name)
	return nil
}

// begins tells the features of a new account, after the act has been told.
func (p *People) begins(a *acts.Act, name string) {
	a.Then(func(ctx context.Context) { p.h.Created(ctx, name) })
}

// refused turns the store's error about a new account into an error for people; other errors stay as they are.
func (p *People) refused(ctx context.Context, u store.Person, err error) error {
	if !errors.Is(err, store.ErrExists) {
		return p.RefusedName(ctx, u.User, err)
	}
	if err := p.taken(ctx, u); err != nil {
		return err
	}
	return fault.New(fault.Exists, "name", "This name is taken")
}

// Register makes an account for a stranger who chose its name and password in a client. Strangers do not learn whether
// the name belonged to somebody else.
func (p *People) Register(ctx context.Context, from Actor, name, password string) (u store.Person, err error) {
	if !p.cfg.Open {
		return u, fault.New(fault.NotAllowed, "", "Strangers cannot create accounts here")
	}
	n := NewPerson{Name: name}
	if u, err = p.prepare(ctx, System, n); err != nil {
		return u, err
	}
	if u.Keys, err = p.keys(u.Name, password); err != nil {
		return u, err
	}
	from.Name = u.Name
	err = p.do(ctx, from, func(ctx context.Context, a *acts.Act) error {
		p.begins(a, u.Name)
		return p.create(ctx, a, u, acts.Detail{"role": u.Role})
	})
	switch {
	case errors.Is(err, store.ErrExists):
		return u, fault.New(fault.Exists, "name", textExists, "Name", u.Address())
	case errors.Is(err, store.ErrReserved):
		return u, fault.New(fault.Exists, "name",
			"The name {{.Name}} cannot be used at the moment: choose another", "Name", u.Name)
	}
	return u, err
}

const (
	textExists = "The account {{.Name}} exists already"
	textNotNow = "The name {{.Name}} cannot be used at the moment: choose another, or ask an administrator"
)

// Check checks an account that is to be created, and gives it as it would be kept.
func (p *People) Check(ctx context.Context, by Actor, n NewPerson) (store.Person, error) {
	u, err := p.prepare(ctx, by, n)
	if err == nil {
		err = p.mayPutAll(ctx, by, n.Groups)
	}
	if err == nil && n.Password != "" {
		_, err = p.keys(u.Name, n.Password)
	}
	if err == nil {
		err = p.taken(ctx, u)
	}
	return u, err
}

// prepare makes an account from its description, if the actor may create it. It does not check the password.
func (p *People) prepare(ctx context.Context, by Actor, n NewPerson) (u store.Person, err error) {
	if n.Role == "" {
		n.Role = store.RoleMember
	}
	u = n.person(p.h.Domain, p.h.Clock.Now())
	if err := p.fields(&u); err != nil {
		return u, err
	}
	name := strings.TrimSpace(n.Name)
	if name == "" {
		name = Propose(u.Email, u.FullName)
	}
	if name == "" {
		return u, fault.New(fault.Invalid, "name", "Enter a name or an e-mail address")
	}
	j, err := jid.New(name, p.h.Domain, "")
	if err != nil {
		return u, fault.New(fault.Invalid, "name",
			"This cannot be the name of an account: use letters, digits, dots and hyphens")
	}
	if p.h.Reserved(j.Local()) {
		return u, fault.New(fault.Exists, "name", "This name is taken")
	}
	u.Name = j.Local()
	u.Admin = u.Role == store.RoleOwner || u.Role == store.RoleAdmin
	if err := may(by, Create, u); err != nil {
		return u, err
	}
	if err := p.setFields(ctx, by, &u, n.Fields); err != nil {
		return u, err
	}
	u.FreeSince, err = p.FreeSince(by, n.ReuseName)
	return u, err
}

// taken returns an error that names the account which has the name or the address; nil if none has.
func (p *People) taken(ctx context.Context, u store.Person) error {
	if _, err := p.st.Person(ctx, u.Host, u.Name); err == nil {
		return fault.New(fault.Exists, "name", textExists, "Name", u.Address(), "Account", u.Name)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := p.Reserved(ctx, u.Name, u.FreeSince); u.Name != "" && err != nil {
		return err
	}
	if other, err := p.st.PersonByEmail(ctx, u.Host, u.Email); err == nil && other.Name != u.Name {
		return fault.New(fault.Exists, "email", "This e-mail address belongs to {{.Name}}", "Name",
			other.Display(), "Account", other.Name)
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// mayPutAll is mayPut for several groups: an error for the first that the actor may not put accounts into.
func (p *People) mayPutAll(ctx context.Context, by Actor, slugs []string) error {
	for _, slug := range slugs {
		if ok, err := p.mayPut(ctx, by, slug); err != nil {
			return err
		} else if !ok {
			return fault.New(fault.Invalid, "groups", "There is no group {{.Name}}", "Name", slug)
		}
	}
	return nil
}

// join adds an account to groups.
func (p *People) join(ctx context.Context, by Actor, u store.Person, slugs []string) error {
	j, err := jid.New(u.Name, u.Host, "")
	if err != nil {
		return err
	}
	for _, slug := range slugs {
		g, err := p.cfg.Org.Group(ctx, p.h.Domain, slug)
		if err == nil {
			err = p.cfg.Org.AddNewcomer(ctx, by, p.h.Domain, g.ID, j)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
