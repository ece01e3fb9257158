package c2s

import (
	"context"
	"net/netip"
	"time"

	"parley/auth"
	"parley/server"
	"parley/wire"
)

// Clients can create accounts before they sign in (XEP-0077, section 3.1), where the configuration allows that to
// strangers.

const (
	nsRegister        = "jabber:iq:register"
	nsRegisterFeature = "http://jabber.org/features/iq-register"
)

// Register creates an account on host. token is that of an invitation, or "". Its error is a stanza error for the
// person.
type Register func(ctx context.Context, host *server.Host, name, password, token string, from netip.Addr) error

// Invited checks an invitation's token. It returns the name that the invitation is for, "" for any, and an error if the
// token is not valid.
type Invited func(ctx context.Context, host *server.Host, token string) (name string, err error)

// registrationThrottle limits how many accounts one address may create per hour.
func registrationThrottle(perHour int) *auth.Throttle {
	if perHour <= 0 {
		perHour = 1 << 30
	}
	return auth.NewThrottle(auth.ThrottleConfig{PerAddress: perHour, Window: time.Hour})
}

// registration announces that strangers may create accounts here; nil if they may not.
func (st *stream) registration() *wire.Element {
	if st.srv.cfg.Register == nil || !st.srv.cfg.OpenRegistration && st.token == "" ||
		!st.secure && !st.srv.cfg.PlainStreams {
		return nil
	}
	return wire.E(nsRegisterFeature, "register")
}

// invitations announces that strangers with a token may create accounts (XEP-0445).
func (st *stream) invitations() *wire.Element {
	if st.srv.cfg.Invited == nil || st.srv.cfg.Invites != nil && !st.srv.cfg.Invites(st.host) ||
		!st.secure && !st.srv.cfg.PlainStreams {
		return nil
	}
	return wire.E("urn:xmpp:ibr-token:0", "register")
}

const nsPARS = "urn:xmpp:pars:0"

// preauth takes a token. It returns false if the stanza has none.
func (st *stream) preauth(x *wire.Stanza) bool {
	if x.Kind != wire.IQ || x.Type != "set" || !x.Has(nsPARS, "preauth") || x.ID == "" || st.invitations() == nil {
		return false
	}
	reply := &wire.Stanza{Kind: wire.IQ, Name: x.Name, ID: x.ID, Type: "result", From: st.host.JID}
	token := x.Element(nsPARS, "preauth").Attr("token")
	ctx, cancel := st.within()
	defer cancel()
	name, err := st.srv.cfg.Invited(ctx, st.host, token)
	if err == nil {
		st.token, st.invitedAs = token, name
	} else {
		reply = server.ErrorReply(x, st.noInvitation())
		reply.From, reply.To = st.host.JID, x.From
	}
	_ = st.conn.Send(reply, reply.To) // the reader notices a lost connection
	return true
}

// noInvitation counts an invalid token. The throttle keeps strangers from guessing tokens.
func (st *stream) noInvitation() error {
	st.srv.cfg.Failures.Note(st.addr, st.door(), "no such invitation", "")
	if ok, wait := st.srv.cfg.Throttle.Wrong(st.addr, auth.Invited); !ok {
		return server.WithText(server.ResourceConstraint,
			"too many attempts; try again in "+wait.Round(time.Second).String())
	}
	return server.WithText(server.ItemNotFound, "The provided token is invalid or expired")
}

// registerPatience is how long a person may take to fill in the form and to sign in afterwards.
const registerPatience = 10 * time.Minute

// register answers a request of a client that has not signed in. It returns false if the stanza must not be answered at
// this point.
func (st *stream) register(x *wire.Stanza) bool {
	if x.Kind != wire.IQ || !x.Has(nsRegister, "query") || x.ID == "" || st.registration() == nil {
		return false
	}
	x.From, x.To = x.To, x.From
	reply := &wire.Stanza{Kind: wire.IQ, Name: x.Name, ID: x.ID, Type: "result", From: st.host.JID}
	switch x.Type {
	case "get":
		reply.Add(wire.E(nsRegister, "query",
			wire.T(nsRegister, "instructions", "Choose a name and a password for your account at "+st.host.Domain+"."),
			wire.E(nsRegister, "username"), wire.E(nsRegister, "password")))
	case "set":
		if err := st.registered(x.Element(nsRegister, "query")); err != nil {
			if reply = server.ErrorReply(x, err); reply == nil {
				return true
			}
			reply.From = st.host.JID
		}
	default:
		return false
	}
	if reply.Type == "result" {
		_ = st.raw.SetDeadline(time.Now().Add(max(registerPatience, st.srv.cfg.AuthTimeout)))
	}
	_ = st.conn.Send(reply, reply.To) // the reader notices a lost connection
	return true
}

func (st *stream) registered(q *wire.Element) error {
	name, password := q.ChildText(nsRegister, "username"), q.ChildText(nsRegister, "password")
	if q.Child(nsRegister, "remove") != nil {
		return server.Unexpected // nobody is signed in
	}
	if name == "" || password == "" {
		return server.WithText(server.NotAcceptable, "enter a name and a password")
	}
	if st.invitedAs != "" && name != st.invitedAs {
		return server.WithText(server.NotAcceptable, "this invitation is only for the name "+st.invitedAs)
	}
	if !st.srv.registrations.Room(st.addr, auth.Accounts) {
		return server.WithText(server.ResourceConstraint,
			"too many accounts were created from your address: try again later")
	}
	ctx, cancel := st.within()
	defer cancel()
	if err := st.srv.cfg.Register(ctx, st.host, name, password, st.token, st.addr); err != nil {
		return err
	}
	st.srv.registrations.Wrong(st.addr, auth.Accounts) // counts the new account
	st.token, st.invitedAs = "", ""
	st.log.Info("account made", "name", name)
	return nil
}
