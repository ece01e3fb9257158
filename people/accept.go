package people

import (
	"context"
	"errors"
	"time"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Acceptance is the input of a person who accepts an invitation.
type Acceptance struct {
	Name     string // of the account, if the invitation does not say it
	FullName string
	Password string
	Lang     string // address of the person, if it is not known yet
	How      string // "web" or "app"
}

// Accept uses an invitation's link: the account gets its password, or is made under the chosen name. from says by which
// door and from where. The error is a *Dead if the link cannot be used.
func (p *People) Accept(ctx context.Context, from Actor, token string, in Acceptance) (store.Person, error) {
	i, err := p.Look(ctx, store.KindInvite, token)
	if err != nil {
		return store.Person{}, err
	}
	u, err := p.accepted(i, in)
	if err != nil {
		return store.Person{}, err
	}
	if u.Keys, err = p.keys(u.Name, in.Password); err != nil { // slow, so it runs outside the transaction
		return store.Person{}, err
	}
	from.Name = u.Name
	var made store.Person
	err = p.do(ctx, from, func(ctx context.Context, a *acts.Act) error {
		used, err := p.use(ctx, i, &u, p.event("accepted", u.Name, in.How))
		if err != nil {
			return err
		}
		a.Note(acts.InvitationAccept, u.Name+"@"+u.Host, acts.Detail{"id": i.ID, "how": in.How})
		p.changed(a, u.Name)
		if used.Username == "" {
			p.begins(a, u.Name)
		}
		if used.Contact && used.Inviter != "" && used.Inviter != u.Name {
			if err := p.befriend(ctx, a, used.Inviter, u.Name); err != nil {
				return err
			}
		}
		if made, err = p.Get(ctx, u.Name); err != nil || made.Lang != "" || in.Lang == "" {
			return err
		}
		_, made, err = p.st.UpdateOwner(ctx, u.Host, u.Name, func(u *store.Person) error {
			u.Lang = in.Lang
			return p.fields(u)
		})
		return err
	})
	return made, err
}

// accepted gives the account that an invitation makes, without its password.
func (p *People) accepted(i store.Invitation, in Acceptance) (u store.User, err error) {
	if !i.Account {
		return u, &Dead{Why: Unknown}
	}
	name := in.Name
	if i.Username != "" {
		name = i.Username
	}
	j, err := jid.New(name, p.h.Domain, "")
	if err != nil || name == "" {
		return u, fault.New(fault.Invalid, "name",
			"This cannot be the name of an account: use letters, digits, dots and hyphens")
	}
	if p.h.Reserved(j.Local()) {
		return u, fault.New(fault.Exists, "name", "This name is taken")
	}
	u = store.User{Host: p.h.Domain, Name: j.Local(), Created: p.h.Clock.Now().UTC()}
	if u.FullName, err = line("full_name", in.FullName); err != nil {
		return u, err
	}
	u.FreeSince, err = p.FreeSince(Actor{}, false)
	return u, err
}

func (p *People) use(ctx context.Context, i store.Invitation, u *store.User,
	e store.InvitationEvent) (store.Invitation, error) {
	used, err := p.st.UseInvitation(ctx, i.Host, i.ID, i.Generation, p.h.Clock.Now(), u, e)
	switch {
	case errors.Is(err, store.ErrNotFound): // somebody else was faster
		return i, &Dead{Accepted, i}
	case errors.Is(err, store.ErrExists):
		return i, fault.New(fault.Exists, "name", textExists, "Name", u.Name+"@"+u.Host)
	case errors.Is(err, store.ErrReserved): // strangers must not learn whose name it was and when they left
		return i, fault.New(fault.Exists, "name", textNotNow, "Name", u.Name)
	}
	return used, err
}

// UseContact uses an invitation that only makes contacts: the inviter approves the person who comes with it.
func (p *People) UseContact(ctx context.Context, by Actor, i store.Invitation) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if _, err := p.use(ctx, i, nil, p.event("accepted", "", "contact")); err != nil {
			return err
		}
		a.Note(acts.InvitationAccept, who(i), acts.Detail{"id": i.ID, "how": "contact"})
		contact := by.Who.Bare()
		_, err := p.st.UpdateContact(ctx, p.h.Domain, i.Inviter, contact.String(), 0,
			func(c *store.Contact) (bool, error) {
				if c.Subscription == store.SubFrom || c.Subscription == store.SubBoth {
					return false, store.ErrNoChange
				}
				c.Approved, c.InRoster = true, true
				return false, nil
			})
		if err != nil {
			return err
		}
		a.Changed(changes.Roster, i.Inviter)
		return nil
	})
}

// Decline declines the invitation of a link.
func (p *People) Decline(ctx context.Context, from Actor, token string) (i store.Invitation, err error) {
	// a link for several people cannot be declined
	if i, err = p.Look(ctx, store.KindInvite, token); err != nil || i.MaxUses > 1 {
		return i, err
	}
	id := i.ID
	err = p.do(ctx, from, func(ctx context.Context, a *acts.Act) error {
		i, err = p.st.UpdateInvitation(ctx, p.h.Domain, id, func(i *store.Invitation) (store.InvitationEvent, error) {
			i.State = store.InviteDeclined
			return p.event("declined", "", ""), nil
		})
		if err == nil {
			a.Note(acts.InvitationDecline, who(i), acts.Detail{"id": i.ID})
		}
		return err
	})
	return i, err
}

// maxLinks limits the valid password links of one account, so that nobody can fill a mailbox by asking again and again
// in somebody's name.
const maxLinks = 10

// resetExpiry is how long a password link is valid.
const resetExpiry = 24 * time.Hour

// Reset makes a link for a new password and, with send, mails it if the account has an address.
func (p *People) Reset(ctx context.Context, by Actor, name string,
	send bool) (i store.Invitation, token string, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Reset, name, true)
		if err != nil {
			return err
		}
		if u.State() != store.StateActive {
			return fault.New(fault.Invalid, "",
				"{{.Name}} cannot sign in now: no new password is needed", "Name", u.Display())
		}
		if err := p.notTooMany(ctx, name); err != nil {
			return err
		}
		i = store.Invitation{Kind: store.KindReset, Inviter: by.Name, Username: name, Lang: p.langOf(u.Lang)}
		if i, token, err = p.open(ctx, i, p.Policy().MaxInvites, resetExpiry); err != nil {
			return err
		}
		a.Note(acts.PersonReset, u.Address(), acts.Detail{"id": i.ID, "sent": send})
		if send {
			i, err = p.send(ctx, by, i, token, u, 0)
		}
		return err
	})
	return i, token, err
}

// notTooMany returns an error if maxLinks password links of an account are valid.
func (p *People) notTooMany(ctx context.Context, name string) error {
	is, _, err := p.st.Invitations(ctx, p.h.Domain,
		store.InvitationFilter{Kind: store.KindReset, Username: name, Limit: maxLinks})
	if err != nil {
		return err
	}
	good := 0
	for _, i := range is {
		if i.Good(p.h.Clock.Now()) {
			good++
		}
	}
	if good == maxLinks {
		return fault.New(fault.Limit, "",
			"Too many links for a new password are waiting: use one of them, or try tomorrow")
	}
	return nil
}

// NewPassword sets a new password by a link. from says by which door and from where. The error is a *Dead if the link
// cannot be used.
func (p *People) NewPassword(ctx context.Context, from Actor, token, password string) (u store.Person, err error) {
	i, err := p.Look(ctx, store.KindReset, token)
	if err != nil {
		return u, err
	}
	keys, err := p.keys(i.Username, password)
	if err != nil {
		return u, err
	}
	from.Name = i.Username
	err = p.do(ctx, from, func(ctx context.Context, a *acts.Act) error {
		account := store.User{Host: p.h.Domain, Name: i.Username, Keys: keys}
		if _, err := p.use(ctx, i, &account, p.event("accepted", account.Name, "reset")); err != nil {
			return err
		}
		if err := p.revokeOthers(ctx, from, store.KindReset, account.Name); err != nil {
			return err
		}
		a.Note(acts.PersonPassword, account.Name+"@"+account.Host, acts.Detail{"id": i.ID})
		a.After(func(context.Context) {
			p.h.Kick(account.Name, &wire.StreamError{Condition: "reset", Text: "the password has been changed"})
		})
		u, err = p.Get(ctx, account.Name)
		return err
	})
	return u, err
}

// befriend makes two accounts contacts of each other.
func (p *People) befriend(ctx context.Context, a *acts.Act, one, two string) error {
	for _, pair := range [][2]string{{one, two}, {two, one}} {
		other, err := jid.New(pair[1], p.h.Domain, "")
		if err != nil {
			return err
		}
		c, err := p.st.UpdateContact(ctx, p.h.Domain, pair[0], other.String(), 0, func(c *store.Contact) (bool, error) {
			c.Subscription, c.InRoster, c.Ask, c.Request, c.Approved = store.SubBoth, true, false, nil, false
			return false, nil
		})
		if err != nil {
			return err
		}
		a.Changed(changes.Roster, pair[0])
		a.After(func(context.Context) { p.push(pair[0], c) })
	}
	return nil
}
