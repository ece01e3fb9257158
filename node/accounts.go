package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"parley/admin"
	"parley/auth"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// operations is what the control socket can do, on this node. Each door has the same rules: they are in org, auth and
// store, and only said here.
type operations struct {
	n       *Node
	started time.Time
	by      people.Actor // who does it; zero: the server itself
	lax     bool         // passwords need not keep the policy: an administrator sets them in a client
}

var _ admin.Operations = (*operations)(nil)

// maxFullName is the longest full name, in characters.
const maxFullName = 200

// host finds a hosted domain; "" is the only one.
func (o *operations) host(field, domain string) (*server.Host, error) {
	if domain == "" {
		if len(o.n.hosts) == 1 {
			return o.n.hosts[0].Host, nil
		}
		return nil, admin.Invalid(field, "several domains are hosted here: say which, like alice@%s or --host %[1]s", o.n.hosts[0].Domain)
	}
	j, err := jid.Parse(domain)
	if err != nil {
		return nil, admin.Invalid(field, "%q is no domain", domain)
	}
	if h := o.n.Host(j.Domain()); h != nil {
		return h, nil
	}
	var have []string
	for _, h := range o.n.hosts {
		have = append(have, h.Domain)
	}
	return nil, admin.NotFound(field, "%s is not hosted here, but %s", j.Domain(), strings.Join(have, ", "))
}

// local reads the address of an account, "alice" or "alice@example.org".
func (o *operations) local(field, address string) (*server.Host, jid.JID, error) {
	name, domain, ok := strings.Cut(address, "@")
	if ok && domain == "" || name == "" {
		return nil, jid.JID{}, admin.Invalid(field, "%q is no address: write it like alice@example.org", address)
	}
	h, err := o.host(field, domain)
	if err != nil {
		return nil, jid.JID{}, err
	}
	j, err := jid.New(name, h.Domain, "")
	if err != nil {
		return nil, jid.JID{}, admin.Invalid(field, "%q is no name for an account: letters, digits, dots and hyphens are good, spaces and \"&'/:<>@ are not possible", name)
	}
	return h, j, nil
}

// existing is local for an account that must be there.
func (o *operations) existing(ctx context.Context, field, address string) (*server.Host, store.User, error) {
	h, j, err := o.local(field, address)
	if err != nil {
		return nil, store.User{}, err
	}
	u, err := o.n.Store.User(ctx, h.Domain, j.Local())
	if errors.Is(err, store.ErrNotFound) {
		return nil, u, admin.NotFound(field, "there is no account %s", j)
	}
	return h, u, err
}

// keys makes what is kept of a password, if it is good enough.
func (o *operations) keys(name, password string) ([]byte, error) {
	if o.n.Config.Auth.PasswordPolicy && !o.lax {
		if err := auth.CheckPassword(password, name); err != nil {
			return nil, admin.Invalid("password", "%v", err)
		}
	}
	k, err := auth.NewKeys(password, o.n.Config.Auth.ScramIterations)
	if err != nil {
		return nil, admin.Invalid("password", "%v", err)
	}
	return k.MarshalBinary()
}

func checkFullName(name string) error {
	if n := utf8.RuneCountInString(name); n > maxFullName || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl) {
		return admin.Invalid("name", "a name has at most %d characters, on one line", maxFullName)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func (o *operations) AddUser(ctx context.Context, in admin.NewUser) (admin.User, error) {
	h, j, err := o.local("address", in.Address)
	if err != nil {
		return admin.User{}, err
	}
	if h.Reserved(j.Local()) {
		return admin.User{}, admin.Conflict("address", "%s is the server's own", j)
	}
	if err := checkFullName(in.Name); err != nil {
		return admin.User{}, err
	}
	keys, err := o.keys(j.Local(), in.Password)
	if err != nil {
		return admin.User{}, err
	}
	u := store.User{Host: h.Domain, Name: j.Local(), Keys: keys, Admin: in.Admin, FullName: in.Name, Created: time.Now()}
	err = o.n.Store.CreateUser(ctx, u)
	if errors.Is(err, store.ErrExists) {
		return admin.User{}, admin.Conflict("address", "the account %s exists already", j)
	}
	if err != nil {
		return admin.User{}, fmt.Errorf("make account %s: %w", j, err)
	}
	h.Forget(u.Name)
	h.Created(ctx, u.Name)
	o.audit(ctx, u.Host, "person.create", j.String(), map[string]any{"admin": u.Admin})
	return o.show(h, u), nil
}

// show is an account as administrators see it.
func (o *operations) show(h *server.Host, u store.User) admin.User {
	return admin.User{Address: u.Name + "@" + u.Host, Name: u.FullName, Admin: u.Admin, Disabled: u.Disabled, Password: len(u.Keys) > 0,
		Created: u.Created, LastSeen: u.LastSeen, Sessions: len(h.Account(u.Name).Sessions())}
}

func (o *operations) Users(ctx context.Context, domain, after string, limit int) ([]admin.User, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, err
	}
	us, err := o.n.Store.Users(ctx, h.Domain, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	out := make([]admin.User, len(us))
	for i, u := range us {
		out[i] = o.show(h, u)
	}
	return out, nil
}

func (o *operations) User(ctx context.Context, address string) (admin.User, error) {
	h, u, err := o.existing(ctx, "address", address)
	if err != nil {
		return admin.User{}, err
	}
	shown := o.show(h, u)
	return shown, o.showRetention(ctx, h, u.Name, &shown)
}

func (o *operations) ChangeUser(ctx context.Context, address string, c admin.UserChange) (admin.User, error) {
	h, u, err := o.existing(ctx, "address", address)
	if err != nil {
		return admin.User{}, err
	}
	var keep time.Duration
	if c.Retention != nil {
		if keep, err = readRetention(*c.Retention); err != nil {
			return admin.User{}, err
		}
	}
	if c.Name != nil || c.Admin != nil || c.Disabled != nil {
		if err := o.changePerson(ctx, u, c); err != nil {
			return admin.User{}, err
		}
	}
	if c.Retention != nil {
		if err := o.n.Store.SetRetention(ctx, u.Host, u.Name, func(r *store.Retention) { r.Set = keep }); err != nil {
			return admin.User{}, fmt.Errorf("set retention of %s: %w", u.Name, err)
		}
		h.Forget(u.Name)
		o.audit(ctx, u.Host, "person.change", u.Name+"@"+u.Host, map[string]any{"retention": *c.Retention})
	}
	return o.User(ctx, address)
}

// changePerson goes by the rules that every door has: the last owner stays, sessions of browsers end as well.
func (o *operations) changePerson(ctx context.Context, u store.User, c admin.UserChange) error {
	ch := people.Change{FullName: c.Name, Disabled: c.Disabled}
	if c.Name != nil {
		if err := checkFullName(*c.Name); err != nil {
			return err
		}
	}
	if c.Admin != nil && *c.Admin != u.Admin {
		role := store.RoleMember
		if *c.Admin {
			role = store.RoleAdmin
		}
		ch.Role = &role
	}
	_, err := o.n.people[u.Host].Update(ctx, o.actor(), u.Name, ch)
	return peopleError(err)
}

func (o *operations) SetPassword(ctx context.Context, address, password string) error {
	h, u, err := o.existing(ctx, "address", address)
	if err != nil {
		return err
	}
	keys, err := o.keys(u.Name, password)
	if err != nil {
		return err
	}
	if err := o.n.Store.SetKeys(ctx, u.Host, u.Name, keys); err != nil {
		return fmt.Errorf("set password of %s: %w", u.Name, err)
	}
	if err := o.n.Store.RevokePrograms(ctx, u.Host, u.Name); err != nil { // whoever had the account in hand has nothing left of it
		return fmt.Errorf("revoke what programs of %s sign in with: %w", u.Name, err)
	}
	h.Kick(u.Name, &wire.StreamError{Condition: "reset", Text: "the password has been changed"})
	o.audit(ctx, u.Host, "person.password", u.Name+"@"+u.Host, nil)
	return nil
}

func (o *operations) DeleteUser(ctx context.Context, address string) error {
	_, u, err := o.existing(ctx, "address", address)
	if err != nil {
		return err
	}
	return peopleError(o.n.people[u.Host].Delete(ctx, o.actor(), u.Name))
}

// audit notes what was done on the command line, or by an administrator's client.
func (o *operations) audit(ctx context.Context, host, action, target string, detail map[string]any) {
	if p := o.n.people[host]; p != nil {
		p.Audit(ctx, o.actor(), action, target, detail)
	}
}
