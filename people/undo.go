package people

import (
	"context"
	"fmt"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
)

// undoable is how long the creation of an account can be undone.
const undoable = 10 * time.Minute

// Undo removes an account that nobody has used yet, as if it had not been created. Its creator may, within ten minutes.
// A waiting mail is not sent; a link that was sent is dead.
func (p *People) Undo(ctx context.Context, by Actor, name string) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error { return p.undo(ctx, a, name) })
}

func (p *People) undo(ctx context.Context, a *acts.Act, name string) error {
	u, err := p.FindFor(ctx, a.By, Create, name, false)
	if err != nil {
		return err
	}
	es, err := p.st.AuditEntries(ctx, p.h.Domain,
		store.AuditFilter{Target: u.Address(), Action: string(acts.PersonCreate), Limit: 1})
	if err != nil {
		return err
	}
	if len(es) == 0 || es[0].Actor != a.By.Name {
		return fault.New(fault.Forbidden, "", "Only the person who created the account can undo this")
	}
	if u.State() != store.StateInvited || p.h.Clock.Now().Sub(u.Created) > undoable {
		return fault.New(fault.NotAllowed, "", "It is too late to undo this: disable the account instead")
	}
	if err := p.dropMails(ctx, u); err != nil {
		return err
	}
	if err := p.remove(ctx, a, u); err != nil {
		return err
	}
	if err := p.st.FreeName(ctx, u.Host, u.Name); err != nil { // nobody has known the name, so it is available at once
		return err
	}
	a.Note(acts.PersonUndo, u.Address(), acts.Detail{"email": u.Email})
	return nil
}

// dropMails drops the waiting mails of an account's invitations.
func (p *People) dropMails(ctx context.Context, u store.Person) error {
	is, _, err := p.st.Invitations(ctx, p.h.Domain, store.InvitationFilter{Username: u.Name, Limit: 20})
	if err != nil {
		return err
	}
	var ms []store.Mail
	for _, i := range is {
		of, err := p.st.MailsOf(ctx, p.h.Domain, i.ID)
		if err != nil {
			return err
		}
		ms = append(ms, of...)
	}
	for _, m := range ms {
		if m.State == store.MailWaiting {
			m.State, m.Done = store.MailDropped, p.h.Clock.Now().UTC()
			if err := p.st.SetMail(ctx, m); err != nil {
				return fmt.Errorf("drop a mail: %w", err)
			}
		}
	}
	return nil
}

// Preview gives the mail of an invitation to somebody who has no account yet.
func (p *People) Preview(ctx context.Context, a Actor, n NewPerson, v Invite) (subject, text string, err error) {
	if p.cfg.Compose == nil {
		return "", "", fault.New(fault.Invalid, "", "This server sends no e-mail: copy the link instead")
	}
	if n.Role == "" {
		n.Role = store.RoleMember
	}
	u := store.Person{
		User:       store.User{Host: p.h.Domain, Name: n.Name, FullName: n.FullName},
		Role:       n.Role,
		Email:      n.Email,
		Department: n.Department,
		Lang:       n.Lang,
	}
	if err := p.fields(&u); err != nil {
		return "", "", err
	}
	if u.Name == "" {
		u.Name = Propose(u.Email, u.FullName)
	}
	if v.Expiry <= 0 {
		v.Expiry = p.Policy().InviteTime
	}
	i := store.Invitation{
		Host:    p.h.Domain,
		Kind:    store.KindInvite,
		Inviter: a.Name,
		Lang:    p.langOf(v.Lang, u.Lang),
		Note:    note(v.Note),
		Expires: p.h.Clock.Now().UTC().Add(v.Expiry),
	}
	subject, text, _, err = p.cfg.Compose(p.Letter(ctx, i, "…", u))
	return subject, text, err
}
