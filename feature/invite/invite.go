// Package invite lets people invite others in their clients: as contacts, and to accounts of their own (XEP-0401,
// XEP-0379, XEP-0445). An invitation is a token that is valid once, for a while.
package invite

import (
	"context"
	"errors"
	"time"

	"parley/acts"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	nsInvite = "urn:xmpp:invite"
	nsPARS   = "urn:xmpp:pars:0"
)

// Config of invitations; zero values mean the defaults.
type Config struct {
	Max int // open invitations per account, default 100
}

// Invitations is the feature, with the check that registration needs.
type Invitations struct {
	h   *server.Host
	p   *people.People
	cfg Config
}

// New makes the Invitations of a host.
func New(h *server.Host, p *people.People, c Config) *Invitations {
	if c.Max <= 0 {
		c.Max = 100
	}
	return &Invitations{h, p, c}
}

// Feature gives the feature to install in the host, before the roster, which then finds the invited contact approved.
func (v *Invitations) Feature() *server.Feature {
	return &server.Feature{
		Name: "invite",
		XEP: []server.XEP{
			{Number: 401, Title: "Ad-hoc Account Invitation Generation", Version: "0.6.0"},
			{Number: 379, Title: "Pre-Authenticated Roster Subscription", Version: "0.3.3"},
			{Number: 445, Title: "Pre-Authenticated In-Band Registration", Version: "0.2.0"},
		},
		Disco: []string{nsInvite},
		Commands: []server.Command{
			{Node: nsInvite + "#invite", Name: "Invite a contact", Allowed: v.local, Do: v.invite},
			{
				Node:    nsInvite + "#create-account",
				Name:    "Invite someone to an account here",
				Allowed: v.mayAccounts,
				Form:    v.accountForm,
				Do:      v.account,
			},
		},
		Steps: []server.Step{{Stage: server.Subscription, Kind: wire.Presence, Do: v.subscribed}},
	}
}

func (v *Invitations) local(_ context.Context, who jid.JID) bool {
	return who.Domain() == v.h.Domain && who.Local() != ""
}

func (v *Invitations) mayAccounts(ctx context.Context, who jid.JID) bool {
	by, err := v.p.Actor(ctx, who)
	return err == nil && v.p.InvitesAccounts(by)
}

// create makes an invitation and gives its token.
func (v *Invitations) create(ctx context.Context, who jid.JID, i people.AppInvite) (store.Invitation, string, error) {
	i.Max = v.cfg.Max
	by, err := v.p.Actor(ctx, who)
	if err != nil {
		return store.Invitation{}, "", err
	}
	return v.p.InviteByApp(ctx, by, i)
}

// result makes the form that an inviter gets; landing is the page for people without a client, "" for none.
func result(uri, landing string, expires time.Time) *form.Form {
	f := form.New(form.Result, nsInvite+"#invitation").Add("uri", form.TextSingle,
		"Send this link to the person you invite", uri)
	if landing != "" {
		f.Add("landing-url", form.TextSingle, "Or this link, for a browser", landing)
	}
	return f.Add("expire", form.TextSingle, "Good until", expires.UTC().Format(time.RFC3339))
}

// invite makes an invitation of a contact (XEP-0401, section 3.1), who may make an account if the inviter may allow
// that.
func (v *Invitations) invite(ctx context.Context, who jid.JID, _ form.Form) (string, *form.Form, error) {
	accounts := v.mayAccounts(ctx, who)
	i, token, err := v.create(ctx, who, people.AppInvite{Contact: true, Account: accounts})
	if err != nil {
		return "", nil, err
	}
	uri, landing := "xmpp:"+who.Bare().String()+"?roster;preauth="+token, ""
	if accounts {
		uri += ";ibr=y"
		landing = v.p.LinkURL(i.Kind, token)
	}
	return "", result(uri, landing, i.Expires), nil
}

func (v *Invitations) accountForm(context.Context, jid.JID) (*form.Form, error) {
	return form.New(form.Ask, nsInvite+"#create-account").Add("username", form.TextSingle,
		"Name of the account (empty: the invited person chooses)").
		AddBool("roster-subscription", "Make us contacts", false), nil
}

// account makes an invitation to an account (XEP-0401, section 3.2).
func (v *Invitations) account(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	in := people.AppInvite{Account: true}
	in.Contact, _ = f.Bool("roster-subscription")
	if name := f.Get("username"); name != "" {
		j, err := jid.New(name, v.h.Domain, "")
		if err != nil {
			return "", nil, server.WithText(server.NotAcceptable, "this name cannot be the name of an account")
		}
		if ok, err := v.h.Exists(ctx, j.Local()); err != nil {
			return "", nil, err
		} else if ok {
			return "", nil, &server.NoteError{Text: "The account " + j.String() + " exists already."}
		}
		in.Username = j.Local()
	}
	i, token, err := v.create(ctx, who, in)
	if err != nil {
		return "", nil, err
	}
	return "", result(v.p.URI(i, token), v.p.LinkURL(i.Kind, token), i.Expires), nil
}

// subscribed handles a subscription request with a token of the account (XEP-0379, section 4): it is granted and
// returned.
func (v *Invitations) subscribed(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if st.Type != "subscribe" || !st.Has(nsPARS, "preauth") {
		return nil
	}
	token := st.Element(nsPARS, "preauth").Attr("token")
	i, err := v.p.Look(ctx, store.KindInvite, token)
	if err != nil || !i.Contact || i.Inviter != p.Account {
		return ignore(err) // it continues as an ordinary request
	}
	contact := st.From.Bare()
	if err := v.p.UseContact(ctx, acts.Person(contact, v.h.Domain, acts.Client), i); err != nil {
		return ignore(err)
	}
	account := p.Account
	p.After(func(ctx context.Context) {
		if err := v.h.Subscribe(ctx, account, contact); err != nil {
			v.h.Log.Error("cannot ask an invited contact in turn", "account", account, "err", err)
		}
	})
	return nil
}

func ignore(err error) error {
	var d *people.Dead
	if errors.As(err, &d) {
		return nil
	}
	return err
}

// Check gives the account name that a token is for, "" for any, when a stranger wants to register. store.ErrNotFound if
// the token is not valid.
func (v *Invitations) Check(ctx context.Context, token string) (username string, err error) {
	i, err := v.p.Look(ctx, store.KindInvite, token)
	var d *people.Dead
	if errors.As(err, &d) || err == nil && !i.Account {
		err = store.ErrNotFound
	}
	return i.Username, err
}
