// Package register lets people change their password and delete their account from a client (XEP-0077). New accounts
// are registered before sign-in: see server/c2s.
package register

import (
	"context"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

const ns = "jabber:iq:register"

// Accounts makes the changes. Errors are stanza errors for the person to read.
type Accounts interface {
	// SetOwnPassword sets the password of the session's account.
	SetOwnPassword(ctx context.Context, s *server.Session, password string) error
	// MayLeave returns an error if the session's account cannot be deleted.
	MayLeave(ctx context.Context, s *server.Session) error
	// Delete removes the session's account.
	Delete(ctx context.Context, s *server.Session) error
}

type register struct {
	accounts Accounts
	change   bool
}

// New makes the feature; change says whether people may change their password.
func New(_ *server.Host, accounts Accounts, change bool) *server.Feature {
	r := &register{accounts, change}
	q := func(to server.Target, typ string) server.Query {
		return server.Query{To: to, Type: typ, Space: ns, Local: "query"}
	}
	return &server.Feature{
		Name:  "register",
		XEP:   []server.XEP{{Number: 77, Title: "In-Band Registration", Version: "2.4"}},
		Disco: []string{ns},
		IQ: map[server.Query]server.IQFunc{q(server.ToHost, "get"): r.get, q(server.ToSelf, "get"): r.get,
			q(server.ToHost, "set"): r.set, q(server.ToSelf, "set"): r.set},
	}
}

// get says that the asker is registered (section 3.1.1).
func (r *register) get(_ context.Context, q *server.Request) (*wire.Element, error) {
	if q.Session == nil {
		return nil, server.NotAllowed
	}
	return wire.E(ns, "query", wire.E(ns, "registered"), wire.T(ns, "username", q.From.Local()),
		wire.E(ns, "password")), nil
}

func (r *register) set(ctx context.Context, q *server.Request) (*wire.Element, error) {
	if q.Session == nil {
		return nil, server.NotAllowed
	}
	if q.Payload.Child(ns, "remove") != nil {
		return nil, r.remove(ctx, q)
	}
	name, password := q.Payload.Child(ns, "username"), q.Payload.ChildText(ns, "password")
	if name == nil || password == "" {
		return nil, server.BadRequest
	}
	own, err := jid.New(name.Text(), q.From.Domain(), "")
	if err != nil || own != q.From.Bare() {
		return nil, server.WithText(server.NotAllowed, "you can only change your own password")
	}
	if !r.change {
		return nil, server.WithText(server.NotAllowed, "clients cannot change passwords here")
	}
	return nil, r.accounts.SetOwnPassword(ctx, q.Session, password)
}

// remove deletes the account (section 3.2). The answer goes first, because the account's streams end with it.
func (r *register) remove(ctx context.Context, q *server.Request) error {
	if len(q.Payload.Elements()) != 1 {
		return server.BadRequest
	}
	if err := r.accounts.MayLeave(ctx, q.Session); err != nil {
		return err
	}
	_ = q.Session.SendTo(q.Stanza.Reply(), q.From) // a client that is gone misses nothing
	if err := r.accounts.Delete(ctx, q.Session); err != nil {
		return err
	}
	return server.ErrReplied
}
