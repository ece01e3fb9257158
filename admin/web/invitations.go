package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"parley/people"
	"parley/store"
)

// invitation is an invitation on a page of the console.
type invitation struct {
	store.Invitation
	State  string // also "expired"
	Link   string // "" if it is not valid
	Mail   string // why the mail was not sent, or waits; "" if nothing is wrong
	Events []event
}

type event struct {
	store.InvitationEvent
	At   time.Time
	Text string
}

func (c *request) showInvitation(i store.Invitation, whole bool) (v invitation, err error) {
	v = invitation{Invitation: i, State: i.State}
	if i.State == store.InviteOpen && !i.Good(c.now) {
		v.State = people.Expired
	}
	if i.Good(c.now) && c.mayShow(i) {
		token, err := c.P.Link(c.r.Context(), c.Actor, i)
		if err == nil {
			v.Link = c.P.LinkURL(i.Kind, token)
		} else if _, _, ok := c.explain(err); !ok {
			return v, err
		}
	}
	if !whole {
		return v, nil
	}
	ms, err := c.s.Store.MailsOf(c.r.Context(), i.Host, i.ID)
	if err != nil {
		return v, err
	}
	if i.State == store.InviteOpen && len(ms) > 0 && ms[0].Error != "" && ms[0].State != store.MailSent {
		v.Mail = c.mailTrouble(ms[0])
	}
	es, err := c.s.Store.InvitationEvents(c.r.Context(), i.Host, i.ID)
	for _, e := range es {
		v.Events = append(v.Events, event{e, e.ID.Time(), c.T("history " + e.Kind)})
	}
	return v, err
}

// mayShow says whether the page may show the link. A link for a new password is as good as that password, so it needs a
// recent proof of identity, as creating it does.
func (c *request) mayShow(i store.Invitation) bool { return i.Kind != store.KindReset || c.fresh() }

func (c *request) invitationList() error {
	page := c.pageNumber()
	f := store.InvitationFilter{
		Kind:     store.KindInvite,
		Username: c.form("name"),
		Offset:   (page - 1) * perPage,
		Limit:    perPage,
	}
	if !c.Actor.Runs() {
		f.Inviter = c.Me.Name
	}
	if f.Username != "" { // links for new passwords too
		f.Kind = ""
	}
	is, total, err := c.s.Store.Invitations(c.r.Context(), c.host(), f)
	if err != nil {
		return err
	}
	out := make([]invitation, len(is))
	for n, i := range is {
		if out[n], err = c.showInvitation(i, false); err != nil {
			return err
		}
	}
	v := c.P.Policy()
	var uses []string
	for _, n := range []int{1, 10, 50, 500} {
		if n == 1 || v.Reusable && n <= v.MaxUses {
			uses = append(uses, strconv.Itoa(n))
		}
	}
	return c.show("invitations", c.T("Invitations"), map[string]any{
		"Invitations": out,
		"Pager":       c.pager(page, total),
		"May":         v.MayInvite(c.Actor.Role),
		"Uses":        uses,
		"Usual":       c.span(v.InviteTime),
	})
}

// openLink creates a link for people who choose their names.
func (c *request) openLink() error {
	expiry, ok := validity[c.form("days")]
	if c.form("days") == "" { // as the settings say
		ok = true
	}
	uses := map[string]int{"1": 1, "10": 10, "50": 50, "500": 500}[c.form("uses")]
	if !ok || uses == 0 {
		return badForm
	}
	i, _, err := c.P.Invite(c.r.Context(), c.Actor, people.Invite{Expiry: expiry, MaxUses: uses, Note: c.form("note")})
	if err != nil {
		return c.oops("/admin/invitations", err)
	}
	return c.done("/admin/invitations/"+i.ID, "The link is ready to share")
}

// oneInvitation returns the invitation in the path, if the actor may see it.
func (c *request) oneInvitation() (store.Invitation, error) {
	return c.P.FindInvitation(c.r.Context(), c.Actor, c.r.PathValue("id"))
}

func (c *request) invitationPage() error {
	i, err := c.oneInvitation()
	if err != nil {
		return err
	}
	v, err := c.showInvitation(i, true)
	if err != nil {
		return err
	}
	return c.show("invitation", c.T("Invitation"), v)
}

// qr shows the link to a camera. Capitals make it smaller: the code has a form for them.
func (c *request) qr() error {
	i, err := c.oneInvitation()
	if err != nil {
		return err
	}
	token, err := c.P.Link(c.r.Context(), c.Actor, i)
	if err != nil || !c.mayShow(i) {
		return notFound
	}
	link := c.P.LinkURL(i.Kind, strings.ToUpper(token))
	b, err := qrcode.Encode(link, qrcode.Medium, 480)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "image/png")
	_, _ = c.w.Write(b)
	return nil
}

func (c *request) invitationAct() error {
	i, err := c.oneInvitation()
	if err != nil {
		return err
	}
	back := c.back("/admin/invitations/" + i.ID)
	ctx := c.r.Context()
	switch c.r.PathValue("act") {
	case "resend":
		u, uerr := c.s.Store.Person(ctx, c.host(), i.Username)
		send := c.P.Mails() && uerr == nil && u.Email != ""
		if _, _, err = c.P.Resend(ctx, c.Actor, i.ID, send); err == nil && send {
			return c.done(back, "A new link is on its way; the old one no longer works")
		}
		if err == nil {
			return c.done(back, "The new link is ready; the old one no longer works")
		}
	case "revoke":
		if _, err = c.P.Revoke(ctx, c.Actor, i.ID); err == nil {
			return c.done(back, "The link no longer works")
		}
	case "extend":
		if _, err = c.P.Extend(ctx, c.Actor, i.ID, 7*24*time.Hour); err == nil {
			return c.done(back, "The link is valid for another seven days")
		}
	default:
		return notFound
	}
	if http.MethodPost == c.r.Method {
		return c.oops(back, err)
	}
	return err
}

// mailTrouble says in plain words what became of a mail that was not sent, with what the relay said.
func (c *request) mailTrouble(m store.Mail) string {
	plain, detail, _ := strings.Cut(m.Error, ": ")
	why := map[string]string{
		"the mail relay refuses it for good, for nobody has this address": c.T("nobody has this address there"),

		"the mail relay was not found":                c.T("the mail relay was not found"),
		"the mail relay's certificate is not trusted": c.T("the certificate of the mail relay is not trusted"),
		"the mail relay refuses it for good":          c.T("the mail relay refuses it for good"),
		"the mail relay refuses it for now":           c.T("the mail relay refuses it for now"),
		"the mail relay does not answer":              c.T("the mail relay does not answer"),
		"the address is malformed":                    c.T("the address is written wrongly"),
	}[plain]
	if why == "" {
		why, detail = m.Error, ""
	}
	if detail != "" {
		why += " (" + detail + ")"
	}
	if m.State == store.MailFailed {
		return c.T("The mail to {{.Address}} could not be delivered: {{.Why}}. Correct the address and send it again, or pass the link on.", "Address", m.To, "Why", why)
	}
	return c.T("The mail to {{.Address}} is waiting: {{.Why}}. parley tries again automatically.",
		"Address", m.To, "Why", why)
}
