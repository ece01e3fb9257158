package people

import (
	"context"
	"net/url"
	"strings"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
)

// Kinds of letters besides those of invitations.
const (
	LetterTest   = "test"
	LetterDigest = "digest" // unread messages
)

// Letter is the content of a mail before it is written.
type Letter struct {
	Kind         string // KindInvite, KindReset, LetterTest, LetterDigest
	Lang         string
	Organization string
	Name         string // of the recipient
	Address      string // chat address
	Role         string
	RoleName     string // the organization's word for it; "": the word of the language
	Department   string
	By           string // the inviter; "" is the organization
	Note         string
	Link         string
	Decline      string
	Expires      time.Time
	Written      time.Time // shown in a test message
	Missed       []Missed
	More         int    // rooms that are not listed
	Every        string // how often such letters come
	Settings     string // address of the page to change that
}

// Compose writes a mail as plain text and HTML.
type Compose func(l Letter) (subject, text, html string, err error)

// LinkURL gives the URL of a token's page.
func (p *People) LinkURL(kind, token string) string {
	path := "/i/"
	if kind == store.KindReset {
		path = "/reset/"
	}
	return p.cfg.URL() + path + token
}

// URI gives the URI of a token for apps (XEP-0401, XEP-0445).
func (p *People) URI(i store.Invitation, token string) string {
	at := p.h.Domain
	if i.Username != "" {
		at = i.Username + "@" + at
	}
	return "xmpp:" + strings.ReplaceAll(url.PathEscape(at), "%40", "@") + "?register;preauth=" + token
}

// Mails says whether mails are sent at all.
func (p *People) Mails() bool { return p.cfg.Compose != nil }

// Letter gives the content of an invitation's mail.
func (p *People) Letter(ctx context.Context, i store.Invitation, token string, to store.Person) Letter {
	l := Letter{
		Kind:         i.Kind,
		Lang:         i.Lang,
		Organization: p.Title(),
		Name:         to.FullName,
		Address:      to.Address(),
		Role:         to.Role,
		RoleName:     p.Policy().Roles[to.Role],
		Department:   to.Department,
		Note:         i.Note,
		Link:         p.LinkURL(i.Kind, token),
		Expires:      i.Expires,
	}
	if i.Kind == store.KindInvite {
		l.Decline = l.Link + "/decline"
	}
	if by, err := p.st.Person(ctx, p.h.Domain, i.Inviter); err == nil && i.Inviter != "" && i.Inviter != to.Name {
		l.By = by.Display()
	}
	return l
}

// send puts the mail of an invitation into the outbox, to be sent after a while.
func (p *People) send(ctx context.Context, by Actor, i store.Invitation, token string, to store.Person,
	wait time.Duration) (store.Invitation, error) {
	if p.cfg.Compose == nil {
		return i, fault.New(fault.Invalid, "", "This server sends no e-mail: copy the link instead")
	}
	if to.Email == "" {
		return i, fault.New(fault.Invalid, "email", "{{.Name}} has no e-mail address", "Name", to.Display())
	}
	subject, text, html, err := p.cfg.Compose(p.Letter(ctx, i, token, to))
	if err != nil {
		return i, err
	}
	if err := p.post(ctx, to.Email, subject, text, html, i.ID, wait); err != nil {
		return i, err
	}
	return p.st.UpdateInvitation(ctx, i.Host, i.ID, func(i *store.Invitation) (store.InvitationEvent, error) {
		i.Email = to.Email
		return p.event("queued", by.Name, to.Email), nil
	})
}

// QueueMail puts a mail into the outbox.
func (p *People) QueueMail(ctx context.Context, to, subject, text, html, invitation string) error {
	return p.post(ctx, to, subject, text, html, invitation, 0)
}

func (p *People) post(ctx context.Context, to, subject, text, html, invitation string, wait time.Duration) error {
	return p.st.AddMail(ctx, store.Mail{
		Host:       p.h.Domain,
		ID:         p.h.IDs.Next(),
		To:         to,
		Subject:    subject,
		Text:       text,
		HTML:       html,
		Invitation: invitation,
		State:      store.MailWaiting,
		Due:        p.h.Clock.Now().UTC().Add(wait),
	})
}

// Delivered notes the result of a mail in the history of its invitation.
func (p *People) Delivered(ctx context.Context, m store.Mail) {
	if _, ok := m.Digest(); ok || m.Invitation == "" {
		return
	}
	kind := "sent"
	if m.State == store.MailFailed {
		kind = "bounced"
	}
	if err := p.st.AddInvitationEvent(ctx, m.Host, m.Invitation, p.event(kind, "", m.Error)); err != nil {
		p.cfg.Log.Error("cannot note the result of a mail", "err", err)
	}
}

// push shows a new contact to an account's clients (RFC 6121, section 2.1.6).
func (p *People) push(account string, c store.Contact) {
	for _, s := range p.h.Account(account).Sessions() {
		if s.Is(server.Interested) {
			it := wire.E(wire.NSRoster, "item").Set("jid", c.JID).Set("subscription", c.Subscription)
			st := &wire.Stanza{
				Kind: wire.IQ,
				Name: wire.Name{Space: wire.NSClient, Local: "iq"},
				Type: "set",
				ID:   p.h.NewID(),
				To:   s.JID,
			}
			_ = s.Send(st.Add(wire.E(wire.NSRoster, "query", it))) // a client that is gone asks again when it returns
		}
	}
}

// TestMail sends a mail to an administrator to see whether mail works.
func (p *People) TestMail(ctx context.Context, by Actor, to store.Person, lang string) error {
	if !by.Runs() {
		return fault.ErrRole
	}
	if p.cfg.Compose == nil {
		return fault.New(fault.Invalid, "", "This server sends no e-mail: copy the link instead")
	}
	subject, text, html, err := p.cfg.Compose(Letter{
		Kind:         LetterTest,
		Written:      p.h.Clock.Now(),
		Lang:         lang,
		Organization: p.Title(),
		Name:         to.FullName,
	})
	if err != nil {
		return err
	}
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		a.Note(acts.SystemMail, to.Email, nil)
		return p.QueueMail(ctx, to.Email, subject, text, html, "")
	})
}
