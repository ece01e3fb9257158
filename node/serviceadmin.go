package node

import (
	"context"
	"errors"
	"net/http"

	"mellium.im/xmpp/stanza"

	"parley/admin"
	"parley/feature/serviceadmin"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// byCommand is the operations for administrators who use ad-hoc commands (XEP-0133).
type byCommand struct{ o *operations }

var (
	_ serviceadmin.Accounts = byCommand{}
	_ serviceadmin.Domains  = byCommand{}
)

// may asks whether who gives the command may do that to an account; the rules are those of the pages. As the account will be
// is what change makes of it.
func (c byCommand) may(ctx context.Context, who jid.JID, act people.Act, change func(u *store.Person)) error {
	by := serviceadmin.Asker(ctx)
	p := c.o.n.people[by.Domain()]
	if p == nil || by.Domain() != who.Domain() {
		return server.Forbidden
	}
	me, err := p.Get(ctx, by.Local())
	if err != nil {
		return asStanzaError(peopleError(err))
	}
	u, err := p.Get(ctx, who.Local())
	if act == people.Create {
		u, err = store.Person{Role: store.RoleMember}, nil
	}
	if err != nil {
		return asStanzaError(peopleError(err))
	}
	actor := people.As(me, "")
	for range 2 {
		if !actor.May(act, u) && !(act == people.Reset && me.Name == u.Name) {
			return server.WithText(server.Forbidden, "your role does not allow this")
		}
		if change != nil {
			change(&u)
		}
	}
	return nil
}

func (c byCommand) Add(ctx context.Context, who jid.JID, password, name string) error {
	if err := c.may(ctx, who, people.Create, nil); err != nil {
		return err
	}
	_, err := c.o.AddUser(ctx, admin.NewUser{Address: who.String(), Password: password, Name: name})
	return asStanzaError(err)
}

func (c byCommand) Delete(ctx context.Context, who jid.JID) error {
	if err := c.may(ctx, who, people.Delete, nil); err != nil {
		return err
	}
	return asStanzaError(c.o.DeleteUser(ctx, who.Bare().String()))
}

func (c byCommand) SetDisabled(ctx context.Context, who jid.JID, disabled bool) error {
	if err := c.may(ctx, who, people.Disable, nil); err != nil {
		return err
	}
	_, err := c.o.ChangeUser(ctx, who.Bare().String(), admin.UserChange{Disabled: &disabled})
	return asStanzaError(err)
}

func (c byCommand) SetPassword(ctx context.Context, who jid.JID, password string) error {
	if err := c.may(ctx, who, people.Reset, nil); err != nil {
		return err
	}
	return asStanzaError(c.o.SetPassword(ctx, who.Bare().String(), password))
}

func (c byCommand) SetAdmin(ctx context.Context, who jid.JID, is bool) error {
	u, err := c.o.n.Store.User(ctx, who.Domain(), who.Local())
	if err == nil && u.Admin == is {
		return nil // as it is
	}
	err = c.may(ctx, who, people.SetRole, func(u *store.Person) {
		if u.Role = store.RoleMember; is {
			u.Role = store.RoleAdmin
		}
	})
	if err != nil {
		return err
	}
	_, err = c.o.ChangeUser(ctx, who.Bare().String(), admin.UserChange{Admin: &is})
	return asStanzaError(err)
}

func (c byCommand) SetName(ctx context.Context, who jid.JID, name string) error {
	if err := c.may(ctx, who, people.Edit, nil); err != nil {
		return err
	}
	_, err := c.o.ChangeUser(ctx, who.Bare().String(), admin.UserChange{Name: &name})
	return asStanzaError(err)
}

func (c byCommand) Retention(ctx context.Context, who jid.JID) (string, error) {
	r, err := c.o.n.Store.Retention(ctx, who.Domain(), who.Local())
	if err != nil || r.Set == 0 {
		return "host", err
	}
	return writeRetention(r.Set), nil
}

func (c byCommand) SetRetention(ctx context.Context, who jid.JID, keep string) error {
	if err := c.may(ctx, who, people.Edit, nil); err != nil {
		return err
	}
	_, err := c.o.ChangeUser(ctx, who.Bare().String(), admin.UserChange{Retention: &keep})
	return asStanzaError(err)
}

// on says whether a rule is on one of the two lists: there is more than one way to be allowed.
func on(r admin.DomainRule, blocked bool) bool { return (r.Action == store.DomainBlock) == blocked }

func (c byCommand) Listed(ctx context.Context, blocked bool) ([]string, error) {
	rs, err := c.o.DomainRules(ctx)
	var ds []string
	for _, r := range rs.Rules {
		if on(r, blocked) {
			ds = append(ds, r.Domain)
		}
	}
	return ds, asStanzaError(err)
}

func (c byCommand) SetListed(ctx context.Context, host string, blocked bool, domains []string) error {
	rs, err := c.o.DomainRules(ctx)
	if err != nil {
		return asStanzaError(err)
	}
	action := store.DomainAllow
	if blocked {
		action = store.DomainBlock
	}
	there := make(map[string]bool)
	for _, r := range rs.Rules {
		there[r.Domain] = on(r, blocked)
	}
	var add []admin.DomainRule
	want := make(map[string]bool)
	for _, d := range domains {
		d, err := rulePattern(d)
		if err != nil {
			return asStanzaError(err)
		}
		if !there[d] && !want[d] {
			add = append(add, admin.DomainRule{Domain: d, Action: action})
		}
		want[d] = true
	}
	if len(add) > 0 {
		if err := c.o.SetDomainRules(ctx, add); err != nil {
			return asStanzaError(err)
		}
	}
	for _, r := range add {
		c.o.audit(ctx, host, "system.federation", r.Domain, map[string]any{"do": action})
	}
	for _, r := range rs.Rules {
		if !on(r, blocked) || want[r.Domain] {
			continue
		}
		if err := c.o.DeleteDomainRule(ctx, r.Domain); err != nil {
			return asStanzaError(err)
		}
		c.o.audit(ctx, host, "system.federation", r.Domain, map[string]any{"do": "delete"})
	}
	return nil
}

// ErrRestart is what Run gives when an administrator wants the program to start anew.
var ErrRestart = errors.New("an administrator restarts the server")

// stopper gives what stops this node from a client; nil if the operator does not want that, or for another host's
// administrators than the first's: it would stop them all.
func (n *Node) stopper(h *server.Host) func(restart bool) {
	if !n.Config.Shutdown.ByCommand || !n.primary(h) {
		return nil
	}
	return func(restart bool) {
		var why error
		if restart {
			why = ErrRestart
		}
		select {
		case n.quit <- why:
		default: // it is stopping already
		}
	}
}

// asStanzaError says in XMPP what went wrong, with the words for a person.
func asStanzaError(err error) error {
	var ae *admin.Error
	if !errors.As(err, &ae) {
		return err
	}
	e := server.NotAcceptable
	switch ae.Status {
	case http.StatusConflict:
		e = stanza.Error{Type: stanza.Cancel, Condition: stanza.Conflict}
	case http.StatusNotFound:
		e = server.ItemNotFound
	case http.StatusForbidden:
		e = server.Forbidden
	}
	return server.WithText(e, ae.Text)
}
