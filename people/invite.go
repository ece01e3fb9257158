package people

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Why a link is dead.
const (
	Unknown    = "unknown"
	Superseded = "superseded" // a newer link was made
	Expired    = "expired"
	Accepted   = "accepted"
	Declined   = "declined"
	Revoked    = "revoked"
)

// Dead is the error of a link that is not good: why, and what is known of the invitation (not with Unknown).
type Dead struct {
	Why        string
	Invitation store.Invitation
}

func (d *Dead) Error() string { return "people: the link is dead: " + d.Why }

// maxGeneration is how often a link can be made anew: a token has a byte for it.
const maxGeneration = 255

// Invite says what an invitation is like.
type Invite struct {
	Username string        // of an account that waits for its password; "": who comes chooses
	Expiry   time.Duration // 0: as configured
	Note     string
	Send     bool // by e-mail, to the account's address
	MaxUses  int  // 0: once
	Contact  bool // inviter and newcomer become contacts
	Lang     string
	Wait     time.Duration // before the mail is sent, so that it can be taken back
}

// event makes a line of history.
func (p *People) event(kind, actor, detail string) store.InvitationEvent {
	return store.InvitationEvent{ID: p.h.IDs.Next(), Kind: kind, Actor: actor, Detail: detail}
}

// Open makes an invitation as it is, for an actor whose right has been looked at, and gives its token.
func (p *People) Open(ctx context.Context, i store.Invitation, max int, expiry time.Duration) (store.Invitation, string, error) {
	if expiry <= 0 {
		expiry = p.Policy().InviteTime
	}
	i.Host, i.ID, i.State, i.Created = p.h.Domain, p.h.IDs.Next().String(), store.InviteOpen, time.Now().UTC().Truncate(time.Microsecond)
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
			err = fail(org.Forbidden, "", "Too many of your invitations wait for an answer")
		}
		return i, "", err
	}
	token, err := p.Token(i)
	return i, token, err
}

// Invite invites: to an account that waits, or to one that who comes will name.
func (p *People) Invite(ctx context.Context, a Actor, v Invite) (store.Invitation, string, error) {
	target := store.Person{Role: store.RoleMember, Department: a.Department}
	if v.Username != "" {
		var err error
		if target, err = p.Get(ctx, v.Username); err != nil {
			return store.Invitation{}, "", err
		}
		if target.State() != store.StateInvited {
			return store.Invitation{}, "", fail(org.Invalid, "", "{{.Name}} has a password already: a link for a new one is what is needed", "Name", target.Display())
		}
	}
	if err := a.may(Create, target); err != nil {
		return store.Invitation{}, "", err
	}
	if err := p.mayInvite(a); err != nil {
		return store.Invitation{}, "", err
	}
	if v.MaxUses > 1 && v.Username != "" {
		v.MaxUses = 1
	}
	if err := p.mayReuse(v.MaxUses); err != nil {
		return store.Invitation{}, "", err
	}
	if v.Username != "" {
		if err := p.revokeOthers(ctx, a, store.KindInvite, v.Username); err != nil {
			return store.Invitation{}, "", err
		}
	}
	i, token, err := p.Open(ctx, store.Invitation{Inviter: a.Name, Account: true, Contact: v.Contact && a.Name != "", Username: v.Username, Lang: p.langOf(v.Lang, target.Lang),
		Note: note(v.Note), MaxUses: v.MaxUses}, p.Policy().MaxInvites, v.Expiry)
	if err != nil {
		return i, "", err
	}
	p.audit(ctx, a, "invitation.create", who(i), map[string]any{"id": i.ID, "expires": i.Expires, "sent": v.Send})
	if v.Send {
		i, err = p.send(ctx, a, i, token, target, v.Wait)
	}
	return i, token, err
}

// langOf gives the first language that is known, or the organization's.
func (p *People) langOf(ls ...string) string {
	for _, l := range append(ls, p.Policy().Lang) {
		if l != "" {
			return l
		}
	}
	return "en"
}

// mayInvite says whether the organization lets an actor's role invite.
func (p *People) mayInvite(a Actor) error {
	if p.Policy().MayInvite(a.Role) {
		return nil
	}
	return fail(org.Forbidden, "", "The organization's settings do not let your role invite")
}

// mayReuse says whether a link may be used so often.
func (p *People) mayReuse(uses int) error {
	switch v := p.Policy(); {
	case uses <= 1:
		return nil
	case !v.Reusable:
		return fail(org.Forbidden, "uses", "The organization's settings let a link be used once only")
	case uses > v.MaxUses:
		return fail(org.Invalid, "uses", "The organization's settings let a link be used {{.Max}} times at most", "Max", strconv.Itoa(v.MaxUses))
	}
	return nil
}

func note(s string) string {
	if r := []rune(s); len(r) > 1000 {
		s = string(r[:1000])
	}
	return s
}

func who(i store.Invitation) string {
	if i.Username != "" {
		return i.Username + "@" + i.Host
	}
	return i.ID
}

// revokeOthers ends the links of a kind that are out for an account: it waits for one invitation, and with a new password
// other links for one are worth nothing.
func (p *People) revokeOthers(ctx context.Context, a Actor, kind, username string) error {
	is, _, err := p.st.Invitations(ctx, p.h.Domain, store.InvitationFilter{Kind: kind, Username: username, Limit: maxLinks})
	if err != nil {
		return err
	}
	for _, i := range is {
		if i.State != store.InviteOpen {
			continue
		}
		if _, err := p.st.UpdateInvitation(ctx, p.h.Domain, i.ID, func(i *store.Invitation) (store.InvitationEvent, error) {
			i.State = store.InviteRevoked
			return p.event("superseded", a.Name, ""), nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// change changes an invitation that an actor may change.
func (p *People) change(ctx context.Context, a Actor, id, action string, f func(i *store.Invitation) (store.InvitationEvent, error)) (store.Invitation, store.Person, error) {
	i, err := p.st.Invitation(ctx, p.h.Domain, id)
	if errors.Is(err, store.ErrNotFound) {
		return i, store.Person{}, fail(org.NotFound, "", "There is no such invitation")
	}
	if err != nil {
		return i, store.Person{}, err
	}
	target, err := p.passes(ctx, a, i)
	if err != nil {
		return i, target, err
	}
	i, err = p.st.UpdateInvitation(ctx, p.h.Domain, id, f)
	if err == nil {
		p.audit(ctx, a, "invitation."+action, who(i), map[string]any{"id": i.ID})
	}
	return i, target, err
}

// passes says whether an actor may have to do with an invitation: its link is as good as the account's password. Who has
// made it may have lost the right since then, or the account may have risen; and one's own password is not changed by a
// link out of the console, but with the old one or by mail.
func (p *People) passes(ctx context.Context, a Actor, i store.Invitation) (store.Person, error) {
	target := store.Person{Role: store.RoleMember, Department: a.Department}
	if i.Username == "" {
		if i.Inviter == a.Name && a.Name != "" {
			return target, nil
		}
		return target, a.may(Create, target)
	}
	target, err := p.Get(ctx, i.Username)
	if err != nil {
		return target, err
	}
	if a.Name == i.Username && a.Name != "" {
		return target, fail(org.Forbidden, "", "Your role does not allow this")
	}
	act := Create
	if i.Kind == store.KindReset {
		act = Reset
	}
	return target, a.may(act, target)
}

// Resend makes a new link, after which the old one is none any more, and sends it if there is an address to send it to.
func (p *People) Resend(ctx context.Context, a Actor, id string, send bool) (store.Invitation, string, error) {
	i, target, err := p.change(ctx, a, id, "resend", func(i *store.Invitation) (store.InvitationEvent, error) {
		if i.State == store.InviteAccepted {
			return store.InvitationEvent{}, fail(org.Invalid, "", "This invitation has been accepted")
		}
		if i.Generation >= maxGeneration {
			return store.InvitationEvent{}, fail(org.Forbidden, "", "This link was made anew too often: invite once more")
		}
		if i.Kind == store.KindInvite {
			if err := p.mayInvite(a); err != nil {
				return store.InvitationEvent{}, err
			}
		}
		i.Generation++
		i.State, i.Expires = store.InviteOpen, time.Now().UTC().Add(p.Policy().InviteTime)
		return p.event("superseded", a.Name, ""), nil
	})
	if err != nil {
		return i, "", err
	}
	token, err := p.Token(i)
	if err == nil && send {
		i, err = p.send(ctx, a, i, token, target, 0)
	}
	return i, token, err
}

// Revoke ends an invitation.
func (p *People) Revoke(ctx context.Context, a Actor, id string) (store.Invitation, error) {
	i, _, err := p.change(ctx, a, id, "revoke", func(i *store.Invitation) (store.InvitationEvent, error) {
		if i.State == store.InviteAccepted {
			return store.InvitationEvent{}, fail(org.Invalid, "", "This invitation has been accepted")
		}
		i.State = store.InviteRevoked
		return p.event("revoked", a.Name, ""), nil
	})
	return i, err
}

// Extend lets an invitation be good for longer, from now.
func (p *People) Extend(ctx context.Context, a Actor, id string, by time.Duration) (store.Invitation, error) {
	i, _, err := p.change(ctx, a, id, "extend", func(i *store.Invitation) (store.InvitationEvent, error) {
		if i.State != store.InviteOpen {
			return store.InvitationEvent{}, fail(org.Invalid, "", "This invitation is over: resend it")
		}
		i.Expires = time.Now().UTC().Add(by)
		return p.event("extended", a.Name, i.Expires.Format(time.RFC3339)), nil
	})
	return i, err
}

// Link gives the token of an invitation that is good, to be shown again to who may invite that person, or give them a new
// password: for anybody else the link would be a way into the account.
func (p *People) Link(ctx context.Context, a Actor, i store.Invitation) (string, error) {
	if !i.Good(time.Now()) {
		return "", &Dead{Expired, i}
	}
	if _, err := p.passes(ctx, a, i); err != nil {
		return "", err
	}
	return p.Token(i)
}

// Look says what a link is; *Dead if it is not good. It uses nothing up.
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
	case !i.Good(time.Now()):
		why = Expired
	}
	if why != "" {
		return i, &Dead{why, i}
	}
	return i, nil
}

// Opened notes that the page of a link was looked at, once.
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
		p.cfg.Log.Error("note that an invitation was opened", "err", err)
	}
}

// Accept uses a link up: the account gets its password, or is made under the name that was chosen. how is "web" or "app".
func (p *People) Accept(ctx context.Context, token, name, full, password, how string) (store.Person, error) {
	i, err := p.Look(ctx, store.KindInvite, token)
	if err != nil {
		return store.Person{}, err
	}
	if !i.Account {
		return store.Person{}, &Dead{Why: Unknown}
	}
	if i.Username != "" {
		name = i.Username
	}
	j, err := jid.New(name, p.h.Domain, "")
	if err != nil || name == "" {
		return store.Person{}, fail(org.Invalid, "name", "This cannot be the name of an account: letters, digits, dots and hyphens are good")
	}
	if p.h.Reserved(j.Local()) {
		return store.Person{}, fail(org.Exists, "name", "This name is taken")
	}
	if full, err = line("full_name", full); err != nil {
		return store.Person{}, err
	}
	keys, err := p.keys(j.Local(), password)
	if err != nil {
		return store.Person{}, err
	}
	u := store.User{Host: p.h.Domain, Name: j.Local(), Keys: keys, FullName: full, Created: time.Now().UTC()}
	if i, err = p.use(ctx, i, &u, p.event("accepted", u.Name, how)); err != nil {
		return store.Person{}, err
	}
	p.h.Forget(u.Name)
	if i.Username == "" {
		p.h.Created(ctx, u.Name)
	}
	if i.Contact && i.Inviter != "" && i.Inviter != u.Name {
		if err := p.befriend(ctx, i.Inviter, u.Name); err != nil {
			p.cfg.Log.Error("make inviter and newcomer contacts", "err", err)
		}
	}
	p.audit(ctx, Actor{Name: u.Name}, "invitation.accept", j.String(), map[string]any{"id": i.ID, "how": how})
	return p.Get(ctx, u.Name)
}

func (p *People) use(ctx context.Context, i store.Invitation, u *store.User, e store.InvitationEvent) (store.Invitation, error) {
	used, err := p.st.UseInvitation(ctx, i.Host, i.ID, i.Generation, time.Now(), u, e)
	switch {
	case errors.Is(err, store.ErrNotFound): // another was faster
		return i, &Dead{Accepted, i}
	case errors.Is(err, store.ErrExists):
		return i, fail(org.Exists, "name", "The account {{.Name}} exists already", "Name", u.Name+"@"+u.Host)
	}
	return used, err
}

// UseContact uses up an invitation that is only to be someone's contact.
func (p *People) UseContact(ctx context.Context, i store.Invitation) error {
	_, err := p.use(ctx, i, nil, p.event("accepted", "", "contact"))
	return err
}

// Decline says no.
func (p *People) Decline(ctx context.Context, token string) (store.Invitation, error) {
	i, err := p.Look(ctx, store.KindInvite, token)
	if err != nil {
		return i, err
	}
	if i.MaxUses > 1 {
		return i, nil // it is for others too
	}
	return p.st.UpdateInvitation(ctx, i.Host, i.ID, func(i *store.Invitation) (store.InvitationEvent, error) {
		i.State = store.InviteDeclined
		return p.event("declined", "", ""), nil
	})
}

// maxLinks bounds the links for new passwords of one account that are out at once: who asks again and again in somebody's
// name fills a mailbox with this many.
const maxLinks = 10

// resetExpiry is how long a link for a new password is good.
const resetExpiry = 24 * time.Hour

// Reset makes a link for a new password, and sends it if the account has an address.
func (p *People) Reset(ctx context.Context, a Actor, name string, send bool) (store.Invitation, string, error) {
	u, err := p.Get(ctx, name)
	if err != nil {
		return store.Invitation{}, "", err
	}
	if a.Name != name {
		if err := a.may(Reset, u); err != nil {
			return store.Invitation{}, "", err
		}
	}
	if u.State() != store.StateActive {
		return store.Invitation{}, "", fail(org.Invalid, "", "{{.Name}} cannot sign in now: no new password is needed", "Name", u.Display())
	}
	if err := p.notTooMany(ctx, name); err != nil {
		return store.Invitation{}, "", err
	}
	i, token, err := p.Open(ctx, store.Invitation{Kind: store.KindReset, Inviter: a.Name, Username: name, Lang: p.langOf(u.Lang)}, p.Policy().MaxInvites, resetExpiry)
	if err != nil {
		return i, "", err
	}
	p.audit(ctx, a, "person.reset", u.Address(), map[string]any{"id": i.ID, "sent": send})
	if send {
		i, err = p.send(ctx, a, i, token, u, 0)
	}
	return i, token, err
}

// notTooMany: as many links as are out already, each good for a day, are enough.
func (p *People) notTooMany(ctx context.Context, name string) error {
	is, _, err := p.st.Invitations(ctx, p.h.Domain, store.InvitationFilter{Kind: store.KindReset, Username: name, Limit: maxLinks})
	if err != nil {
		return err
	}
	good := 0
	for _, i := range is {
		if i.Good(time.Now()) {
			good++
		}
	}
	if good == maxLinks {
		return fail(org.Forbidden, "", "Too many links for a new password wait already: use one of them, or try tomorrow")
	}
	return nil
}

// NewPassword uses a link for a new password.
func (p *People) NewPassword(ctx context.Context, token, password string) (store.Person, error) {
	i, err := p.Look(ctx, store.KindReset, token)
	if err != nil {
		return store.Person{}, err
	}
	keys, err := p.keys(i.Username, password)
	if err != nil {
		return store.Person{}, err
	}
	u := store.User{Host: p.h.Domain, Name: i.Username, Keys: keys}
	if _, err := p.use(ctx, i, &u, p.event("accepted", u.Name, "reset")); err != nil {
		return store.Person{}, err
	}
	if err := p.revokeOthers(ctx, Actor{Name: u.Name}, store.KindReset, u.Name); err != nil {
		return store.Person{}, err
	}
	p.h.Kick(u.Name, &wire.StreamError{Condition: "reset", Text: "the password has been changed"})
	p.audit(ctx, Actor{Name: u.Name}, "person.password", u.Name+"@"+u.Host, map[string]any{"id": i.ID})
	return p.Get(ctx, u.Name)
}

// befriend makes two accounts each other's contacts.
func (p *People) befriend(ctx context.Context, one, two string) error {
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
		p.h.ContactsChanged(pair[0])
		p.push(pair[0], c)
	}
	return nil
}
