package people

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
)

// Reasons for which a link is dead.
const (
	Unknown    = "unknown"
	Superseded = "superseded" // a newer link replaced it
	Expired    = "expired"
	Accepted   = "accepted"
	Declined   = "declined"
	Revoked    = "revoked"
)

// Dead is the error for a link that cannot be used, with the reason and, except for Unknown, the invitation.
type Dead struct {
	Why        string
	Invitation store.Invitation
}

// Error gives the reason.
func (d *Dead) Error() string { return "people: the link is dead: " + d.Why }

// maxGeneration is how often a link can be renewed: a token has one byte for it.
const maxGeneration = 255

// Invite describes an invitation to be made.
type Invite struct {
	Username string        // an account without a password; "": the invited person chooses
	Expiry   time.Duration // 0: the setting's
	Note     string
	Send     bool // mail it to the account's address
	MaxUses  int  // 0: once
	Contact  bool // inviter and newcomer become contacts
	Lang     string
	Wait     time.Duration // the delay before the mail is sent, so that it can be cancelled
}

// event makes an entry of an invitation's history.
func (p *People) event(kind, actor, detail string) store.InvitationEvent {
	return store.InvitationEvent{ID: p.h.IDs.Next(), Kind: kind, Actor: actor, Detail: detail}
}

// open makes an invitation, for an actor whose right has been checked, and gives its token.
func (p *People) open(ctx context.Context, i store.Invitation, max int,
	expiry time.Duration) (store.Invitation, string, error) {
	if expiry <= 0 {
		expiry = p.Policy().InviteTime
	}
	i.Host, i.ID, i.State, i.Created = p.h.Domain, p.h.IDs.Next().String(), store.InviteOpen,
		p.h.Clock.Now().UTC().Truncate(time.Microsecond)
	i.Expires = i.Created.Add(expiry)
	if i.Kind == "" {
		i.Kind = store.KindInvite
	}
	if i.MaxUses < 1 {
		i.MaxUses = 1
	}
	if i.Generation == 0 {
		i.Generation = 1
	}
	if err := p.st.CreateInvitation(ctx, i, max, p.event("created", i.Inviter, "")); err != nil {
		if errors.Is(err, store.ErrLimit) {
			err = fault.New(fault.Limit, "", "Too many of your invitations are still open")
		}
		return i, "", err
	}
	token, err := p.Token(i)
	return i, token, err
}

// Invite makes an invitation to an account without a password, or to an account that the invited person will name. It
// gives the invitation and its token.
func (p *People) Invite(ctx context.Context, by Actor, v Invite) (i store.Invitation, token string, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		i, token, err = p.invite(ctx, a, v)
		return err
	})
	return i, token, err
}

func (p *People) invite(ctx context.Context, a *acts.Act, v Invite) (i store.Invitation, token string, err error) {
	target := store.Person{Role: store.RoleMember, Department: a.By.Department}
	if v.Username != "" {
		if target, err = p.FindFor(ctx, a.By, Create, v.Username, false); err != nil {
			return i, "", err
		}
		if target.State() != store.StateInvited {
			return i, "", fault.New(fault.Invalid, "",
				"{{.Name}} already has a password: create a link for a new one instead", "Name", target.Display())
		}
		v.MaxUses = min(v.MaxUses, 1)
	}
	if err := may(a.By, Create, target); err != nil {
		return i, "", err
	}
	if err := p.MayInvite(a.By); err != nil {
		return i, "", err
	}
	if err := p.mayReuse(v.MaxUses); err != nil {
		return i, "", err
	}
	if v.Username != "" {
		if err := p.revokeOthers(ctx, a.By, store.KindInvite, v.Username); err != nil {
			return i, "", err
		}
	}
	i = store.Invitation{
		Inviter:  a.By.Name,
		Account:  true,
		Contact:  v.Contact && a.By.Name != "",
		Username: v.Username,
		Lang:     p.langOf(v.Lang, target.Lang),
		Note:     note(v.Note),
		MaxUses:  v.MaxUses,
	}
	if i, token, err = p.open(ctx, i, p.Policy().MaxInvites, v.Expiry); err != nil {
		return i, "", err
	}
	a.Note(acts.InvitationCreate, who(i), acts.Detail{"id": i.ID, "expires": i.Expires, "sent": v.Send})
	if v.Send {
		i, err = p.send(ctx, a.By, i, token, target, v.Wait)
	}
	return i, token, err
}

// InvitesAccounts says whether an actor may invite people to make accounts with their app.
func (p *People) InvitesAccounts(by Actor) bool {
	switch p.Policy().InviteApps {
	case "nobody":
		return false
	case "anyone":
		return by.Name != ""
	}
	return by.Runs()
}

// AppInvite describes an invitation made in an app (XEP-0401).
type AppInvite struct {
	Account  bool   // an account may be made with it
	Contact  bool   // inviter and newcomer become contacts
	Username string // of the account; "": the newcomer chooses
	Max      int    // open invitations that the inviter may have
}

// InviteByApp makes an invitation in an app. It gives the invitation and its token.
func (p *People) InviteByApp(ctx context.Context, by Actor, v AppInvite) (i store.Invitation, token string, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if by.Name == "" || v.Account && !p.InvitesAccounts(by) {
			return fault.New(fault.Forbidden, "", "The organization's settings do not let your role invite")
		}
		i = store.Invitation{Inviter: by.Name, Account: v.Account, Contact: v.Contact, Username: v.Username}
		if i, token, err = p.open(ctx, i, v.Max, 0); err != nil {
			return err
		}
		a.Note(acts.InvitationCreate, who(i), acts.Detail{"id": i.ID, "expires": i.Expires, "sent": false})
		return nil
	})
	return i, token, err
}

// langOf gives the first known language, or the organization's.
func (p *People) langOf(ls ...string) string {
	for _, l := range append(ls, p.Policy().Lang) {
		if l != "" {
			return l
		}
	}
	return "en"
}

// MayInvite returns an error if the organization does not let an actor's role invite.
func (p *People) MayInvite(a Actor) error {
	if p.Policy().MayInvite(a.Role) {
		return nil
	}
	return fault.New(fault.Forbidden, "", "The organization's settings do not let your role invite")
}

// mayReuse returns an error if a link may not be used so often.
func (p *People) mayReuse(uses int) error {
	switch v := p.Policy(); {
	case uses <= 1:
		return nil
	case !v.Reusable:
		return fault.New(fault.NotAllowed, "uses", "The organization's settings let a link be used once only")
	case uses > v.MaxUses:
		return fault.New(fault.Invalid, "uses",
			"The organization's settings let a link be used {{.Count}} times at most", "Count", strconv.Itoa(v.MaxUses))
	}
	return nil
}

// MaxNote is the maximum length of an invitation's note, in characters.
const MaxNote = 1000

func note(s string) string {
	if r := []rune(s); len(r) > MaxNote {
		s = string(r[:MaxNote])
	}
	return s
}

func who(i store.Invitation) string {
	if i.Username != "" {
		return i.Username + "@" + i.Host
	}
	return i.ID
}

// revokeOthers ends the other open links of a kind for an account: it needs only one invitation, and a new password
// makes other password links worthless.
func (p *People) revokeOthers(ctx context.Context, a Actor, kind, username string) error {
	is, _, err := p.st.Invitations(ctx, p.h.Domain,
		store.InvitationFilter{Kind: kind, Username: username, Limit: maxLinks})
	if err != nil {
		return err
	}
	for _, i := range is {
		if i.State != store.InviteOpen {
			continue
		}
		if _, err := p.st.UpdateInvitation(ctx, p.h.Domain, i.ID,
			func(i *store.Invitation) (store.InvitationEvent, error) {
				i.State = store.InviteRevoked
				return p.event("superseded", a.Name, ""), nil
			}); err != nil {
			return err
		}
	}
	return nil
}

// change changes an invitation that an actor may change; f may be run again.
func (p *People) change(ctx context.Context, a *acts.Act, id string, verb acts.Verb,
	f func(i *store.Invitation) (store.InvitationEvent, error)) (store.Invitation, store.Person, error) {
	i, err := p.st.Invitation(ctx, p.h.Domain, id)
	if errors.Is(err, store.ErrNotFound) {
		return i, store.Person{}, fault.New(fault.NotFound, "", "There is no such invitation")
	}
	if err != nil {
		return i, store.Person{}, err
	}
	target, err := p.passes(ctx, a.By, i)
	if err != nil {
		return i, target, err
	}
	if i, err = p.st.UpdateInvitation(ctx, p.h.Domain, id, f); err != nil {
		return i, target, err
	}
	a.Note(verb, who(i), acts.Detail{"id": i.ID})
	return i, target, nil
}

// passes returns an error if an actor may not manage an invitation, whose link is as powerful as the account's
// password. The creator may have lost the right meanwhile, or the account may have got a higher role. And people change
// their own password with the old one or by mail, not with a link from the console.
func (p *People) passes(ctx context.Context, a Actor, i store.Invitation) (store.Person, error) {
	target := store.Person{Role: store.RoleMember, Department: a.Department}
	if i.Username == "" {
		if i.Inviter == a.Name && a.Name != "" {
			return target, nil
		}
		return target, may(a, Create, target)
	}
	target, err := p.Get(ctx, i.Username)
	if err != nil {
		return target, err
	}
	if a.Name == i.Username && a.Name != "" {
		return target, fault.ErrRole
	}
	act := Create
	if i.Kind == store.KindReset {
		act = Reset
	}
	return target, may(a, act, target)
}

// Resend makes a new link, which replaces the old one, and with send mails it if there is an address.
func (p *People) Resend(ctx context.Context, by Actor, id string,
	send bool) (i store.Invitation, token string, err error) {
	anew := func(i *store.Invitation) (store.InvitationEvent, error) {
		if i.State == store.InviteAccepted {
			return store.InvitationEvent{}, fault.New(fault.Invalid, "", "This invitation has been accepted")
		}
		if i.Generation >= maxGeneration {
			return store.InvitationEvent{},
				fault.New(fault.Limit, "", "This link was renewed too often: invite the person again")
		}
		if i.Kind == store.KindInvite {
			if err := p.MayInvite(by); err != nil {
				return store.InvitationEvent{}, err
			}
		}
		i.Generation++
		i.State, i.Expires = store.InviteOpen, p.h.Clock.Now().UTC().Add(p.Policy().InviteTime)
		return p.event("superseded", by.Name, ""), nil
	}
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		var target store.Person
		if i, target, err = p.change(ctx, a, id, acts.InvitationResend, anew); err != nil {
			return err
		}
		if token, err = p.Token(i); err == nil && send {
			i, err = p.send(ctx, by, i, token, target, 0)
		}
		return err
	})
	return i, token, err
}

// Revoke ends an invitation.
func (p *People) Revoke(ctx context.Context, by Actor, id string) (i store.Invitation, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		i, _, err = p.change(ctx, a, id, acts.InvitationRevoke,
			func(i *store.Invitation) (store.InvitationEvent, error) {
				if i.State == store.InviteAccepted {
					return store.InvitationEvent{}, fault.New(fault.Invalid, "", "This invitation has been accepted")
				}
				i.State = store.InviteRevoked
				return p.event("revoked", by.Name, ""), nil
			})
		return err
	})
	return i, err
}

// Extend makes an invitation valid for longer, counted from now.
func (p *People) Extend(ctx context.Context, by Actor, id string,
	longer time.Duration) (i store.Invitation, err error) {
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		i, _, err = p.change(ctx, a, id, acts.InvitationExtend,
			func(i *store.Invitation) (store.InvitationEvent, error) {
				if i.State != store.InviteOpen {
					return store.InvitationEvent{}, fault.New(fault.Invalid, "", "This invitation has ended: resend it")
				}
				i.Expires = p.h.Clock.Now().UTC().Add(longer)
				return p.event("extended", by.Name, i.Expires.Format(time.RFC3339)), nil
			})
		return err
	})
	return i, err
}

// Link gives the token of a valid invitation again, to an actor who may invite that person or give them a new password.
// For anybody else the link would be a way into the account.
func (p *People) Link(ctx context.Context, a Actor, i store.Invitation) (string, error) {
	if !i.Good(p.h.Clock.Now()) {
		return "", &Dead{Expired, i}
	}
	if _, err := p.passes(ctx, a, i); err != nil {
		return "", err
	}
	return p.Token(i)
}

// Look gives the invitation of a link, without using it; the error is a *Dead if the link cannot be used.
func (p *People) Look(ctx context.Context, kind, token string) (store.Invitation, error) {
	id, generation, ok := p.parse(kind, token)
	if !ok {
		return store.Invitation{}, &Dead{Why: Unknown}
	}
	i, err := p.st.Invitation(ctx, p.h.Domain, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && i.Kind != kind {
		return i, &Dead{Why: Unknown}
	}
	if err != nil {
		return i, err
	}
	why := ""
	switch {
	case i.State == store.InviteAccepted:
		why = Accepted
	case i.State == store.InviteDeclined:
		why = Declined
	case i.State == store.InviteRevoked:
		why = Revoked
	case i.Generation != generation:
		why = Superseded
	case !i.Good(p.h.Clock.Now()):
		why = Expired
	}
	if why != "" {
		return i, &Dead{why, i}
	}
	return i, nil
}

// Opened notes, once, that somebody opened the page of a link.
func (p *People) Opened(ctx context.Context, i store.Invitation) {
	es, err := p.st.InvitationEvents(ctx, i.Host, i.ID)
	for _, e := range es {
		if e.Kind == "opened" {
			return
		}
	}
	if err == nil {
		err = p.st.AddInvitationEvent(ctx, i.Host, i.ID, p.event("opened", "", ""))
	}
	if err != nil {
		p.cfg.Log.Error("cannot note that an invitation was opened", "err", err)
	}
}
