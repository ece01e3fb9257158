// Package serviceadmin lets administrators run the service from their clients (XEP-0133). The account's role says who
// is an administrator; Accounts decides what may be done to accounts, as for every door.
package serviceadmin

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/acts"
	"parley/internal/changes"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	ns     = "http://jabber.org/protocol/admin"
	nsEdit = "urn:parley:admin" // namespace of forms that XEP-0133 does not know
)

// Accounts changes accounts. Errors are stanza errors for the administrator to read.
type Accounts interface {
	// Add makes an account with a password and a full name.
	Add(ctx context.Context, who jid.JID, password, name string) error
	// Delete removes an account.
	Delete(ctx context.Context, who jid.JID) error
	// SetPassword sets an account's password.
	SetPassword(ctx context.Context, who jid.JID, password string) error
	// Edit changes an account: everything in e, or nothing.
	Edit(ctx context.Context, who jid.JID, e Edit) error
	// Retention gives how long an account's messages are kept, in the form of Edit: "90d", "forever", or "host" for the
	// host's setting.
	Retention(ctx context.Context, who jid.JID) (string, error)
	// End closes the sessions of an account's clients or, for a full address, of that client.
	End(ctx context.Context, who jid.JID) error
	// May returns an error if the asker may not do this to the account.
	May(ctx context.Context, who jid.JID, act acts.Deed) error
}

// Edit is a change of an account; nil: unchanged.
type Edit struct {
	Name            *string
	Admin, Disabled *bool
	Retention       *string
}

type askerKey struct{}

func asked(ctx context.Context, by jid.JID) context.Context {
	return context.WithValue(ctx, askerKey{}, by)
}

// Asker gives the full address of the person whose command Accounts is called for; the person's rights apply.
func Asker(ctx context.Context) jid.JID {
	j, _ := ctx.Value(askerKey{}).(jid.JID)
	return j
}

// Config says what administrators may do besides managing accounts.
type Config struct {
	// Stop ends the program or, with restart, restarts it; nil: administrators may not do that from their clients.
	Stop func(restart bool)
}

// Values for the boolean pointers of Edit.
var yes, no = true, false

type service struct {
	h        *server.Host
	st       Store
	rules    *people.People
	accounts Accounts
	domains  Domains
	cfg      Config
	motd     motd

	mu   sync.Mutex  // guards stop
	stop *time.Timer // a requested stop; nil: none
}

// New makes the feature. rules checks rights, accounts and domains make the changes.
func New(h *server.Host, st Store, rules *people.People, accounts Accounts, domains Domains, c Config) *server.Feature {
	s := &service{h: h, st: st, rules: rules, accounts: accounts, domains: domains, cfg: c}
	h.On(changes.Settings, func(string) { s.motd.forget() })
	return &server.Feature{
		Name: "serviceadmin",
		XEP: []server.XEP{{
			Number:  133,
			Title:   "Service Administration",
			Version: "1.3.1",
			Notes: "black- and whitelist of domains, not of people; restart and shutdown where " +
				"the operator allows them",
		}},
		Commands: append(s.people(),
			slices.Concat(s.domainLists(), s.lists(), s.announcements(), s.stops(), []server.Command{s.editUser()})...),
		Steps:   []server.Step{{Stage: server.Announce, Do: s.greet}},
		Created: s.welcome,
	}
}

// allowed gives a function that says whether a person may run a command. Only clients that signed in with the account's
// own password may: an app password is for chatting, and a browser's session has to prove itself on the pages.
func (s *service) allowed(may func(people.Actor) bool) func(context.Context, jid.JID) bool {
	return func(ctx context.Context, who jid.JID) bool {
		if who.Domain() != s.h.Domain {
			return false
		}
		if x := s.h.Account(who.Local()).Session(who.Resource()); x != nil && x.Info.Credential != "" {
			return false
		}
		u, err := s.st.Person(ctx, s.h.Domain, who.Local())
		return err == nil && !u.Disabled && may(people.As(u, acts.Client, ""))
	}
}

// only restricts commands to people for whom may is true.
func (s *service) only(may func(people.Actor) bool, cs ...server.Command) []server.Command {
	for i := range cs {
		cs[i].Allowed = s.allowed(may)
	}
	return cs
}

// givesAdmin says whether an actor may make administrators.
func givesAdmin(a people.Actor) bool { return slices.Contains(a.Grants(), store.RoleAdmin) }

// command makes a command of the XEP: fields builds the form, do gets the submitted one.
func (s *service) command(name, title string, fields func(f *form.Form),
	do func(ctx context.Context, f form.Form) (string, *form.Form, error)) server.Command {
	c := server.Command{Node: ns + "#" + name, Name: title, Allowed: s.allowed(people.Actor.Runs),
		Do: func(ctx context.Context, by jid.JID, f form.Form) (string, *form.Form, error) {
			ctx = asked(ctx, by)
			if fields != nil && f.Type != form.Submit {
				return "", nil, server.BadRequest
			}
			note, result, err := do(ctx, f)
			return note, result, readable(err)
		}}
	if fields != nil {
		c.Form = func(context.Context, jid.JID) (*form.Form, error) {
			f := form.New(form.Ask, ns)
			f.Title = title
			fields(f)
			return f, nil
		}
	}
	return c
}

// readable turns an error into a note that clients show to the administrator.
func readable(err error) error {
	se, ok := server.Refusal(err)
	if !ok {
		return err
	}
	if text := se.Text["en"]; text != "" {
		return &server.NoteError{Text: text}
	}
	switch se.Condition {
	case stanza.ItemNotFound:
		return &server.NoteError{Text: "There is no such account."}
	case stanza.JIDMalformed:
		return &server.NoteError{Text: "One of the addresses is not valid."}
	}
	return err
}

func result() *form.Form { return form.New(form.Result, ns) }

// maxPeople is how many accounts one command may name.
const maxPeople = 1000

// each does something for every account that a field names. All must be accounts of this host; otherwise nothing is
// done.
func (s *service) each(ctx context.Context, f form.Form, field string, do func(context.Context, jid.JID) error) error {
	js, err := f.JIDs(field)
	if err != nil {
		return server.MalformedJID
	}
	if len(js) == 0 || len(js) > maxPeople {
		return server.BadRequest
	}
	for _, j := range js {
		if j.Domain() != s.h.Domain || j.Local() == "" {
			return server.WithText(server.NotAcceptable, j.String()+" is not an account of "+s.h.Domain)
		}
	}
	for _, j := range js {
		if err := do(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

func jids(f *form.Form) {
	f.Add("accountjids", form.JIDMulti, "Accounts").Required()
}

// people makes the commands of sections 4.1 to 4.10.
func (s *service) people() []server.Command {
	done := func(note string, err error) (string, *form.Form, error) { return note, nil, err }
	oneOf := func(f *form.Form) { f.Add("accountjid", form.JIDSingle, "Account").Required() }
	return append([]server.Command{
		s.command("add-user", "Add a user", func(f *form.Form) {
			f.Add("accountjid", form.JIDSingle, "Address of the new account").Required()
			f.Add("password", form.TextPrivate, "Password").Add("password-verify",
				form.TextPrivate, "The password again")
			f.Add("email", form.TextSingle, "Email address").Add("given_name", form.TextSingle, "Given name").
				Add("surname", form.TextSingle, "Family name")
		}, func(ctx context.Context, f form.Form) (string, *form.Form, error) {
			return done("The account has been created.", s.add(ctx, f))
		}),
		s.command("delete-user", "Delete users", jids,
			func(ctx context.Context, f form.Form) (string, *form.Form, error) {
				return done("The accounts have been deleted.", s.each(ctx, f, "accountjids", s.accounts.Delete))
			}),
		s.command("disable-user", "Disable users", jids,
			func(ctx context.Context, f form.Form) (string, *form.Form, error) {
				return done("The accounts have been disabled.",
					s.each(ctx, f, "accountjids", func(ctx context.Context, j jid.JID) error {
						return s.accounts.Edit(ctx, j, Edit{Disabled: &yes})
					}))
			}),
		s.command("reenable-user", "Enable users again", jids,
			func(ctx context.Context, f form.Form) (string, *form.Form, error) {
				return done("The accounts have been enabled.", s.each(ctx, f, "accountjids",
					func(ctx context.Context, j jid.JID) error { return s.accounts.Edit(ctx, j, Edit{Disabled: &no}) }))
			}),
		s.command("end-user-session", "End the sessions of users", jids,
			func(ctx context.Context, f form.Form) (string, *form.Form, error) {
				return done("The sessions have been ended.", s.each(ctx, f, "accountjids", s.accounts.End))
			}),
		s.command("change-user-password", "Change a password", func(f *form.Form) {
			oneOf(f)
			f.Add("password", form.TextPrivate, "The new password").Required()
		}, func(ctx context.Context, f form.Form) (string, *form.Form, error) {
			return done("The password has been changed.",
				s.each(ctx, f, "accountjid", func(ctx context.Context, j jid.JID) error {
					return s.accounts.SetPassword(ctx, j, f.Get("password"))
				}))
		}),
		s.command("get-user-roster", "Get the roster of a user", jids, s.roster),
		s.command("get-user-lastlogin", "Get the last sign-in of users", jids, s.lastLogin),
		s.command("user-stats", "Get the statistics of users", jids, s.stats),
	}, s.only(givesAdmin, s.command("edit-admin", "Edit the administrators", func(f *form.Form) {
		f.Add("adminjids", form.JIDMulti, "Administrators", s.admins(context.Background())...).Required()
	}, s.editAdmins))...)
}

func (s *service) add(ctx context.Context, f form.Form) error {
	if f.Get("password") != f.Get("password-verify") && f.Has("password-verify") {
		return server.WithText(server.BadRequest, "the two passwords are not the same")
	}
	name := f.Get("given_name")
	if last := f.Get("surname"); last != "" {
		if name != "" {
			name += " "
		}
		name += last
	}
	return s.each(ctx, f, "accountjid", func(ctx context.Context, j jid.JID) error {
		return s.accounts.Add(ctx, j.Bare(), f.Get("password"), name)
	})
}

// named makes results from the accounts that a field names.
func (s *service) named(ctx context.Context, f form.Form,
	add func(ctx context.Context, j jid.JID, r *form.Form) error) (string, *form.Form, error) {
	r := result()
	err := s.each(ctx, f, "accountjids", func(ctx context.Context, j jid.JID) error {
		if ok, err := s.h.Exists(ctx, j.Local()); err != nil {
			return err
		} else if !ok {
			return server.ItemNotFound
		}
		if err := s.accounts.May(ctx, j, people.See); err != nil {
			return err
		}
		r.Add("accountjids", form.JIDMulti, "", j.Bare().String())
		return add(ctx, j, r)
	})
	return "", r, err
}

func (s *service) lastLogin(ctx context.Context, f form.Form) (string, *form.Form, error) {
	return s.named(ctx, f, func(ctx context.Context, j jid.JID, r *form.Form) error {
		last := "never"
		u, err := s.st.User(ctx, s.h.Domain, j.Local())
		if err != nil {
			return err
		}
		if ss := s.h.Account(j.Local()).Sessions(); len(ss) > 0 {
			last = ss[len(ss)-1].Started.UTC().Format("2006-01-02T15:04:05Z")
		} else if !u.LastSeen.IsZero() {
			last = u.LastSeen.UTC().Format("2006-01-02T15:04:05Z")
		}
		r.Add("lastlogin", form.TextSingle, "Last sign-in of "+j.Bare().String(), last)
		return nil
	})
}

func (s *service) stats(ctx context.Context, f form.Form) (string, *form.Form, error) {
	return s.named(ctx, f, func(ctx context.Context, j jid.JID, r *form.Form) error {
		cs, err := s.h.Contacts(ctx, j.Local())
		if err != nil {
			return err
		}
		n := 0
		all, _ := cs.All()
		for i := range all {
			if all[i].InRoster {
				n++
			}
		}
		var addresses, resources []string
		for _, o := range s.h.Account(j.Local()).Sessions() {
			addresses, resources = append(addresses, o.Info.Remote), append(resources, o.JID.Resource())
		}
		r.Add("rostersize", form.TextSingle, "Contacts", strconv.Itoa(n))
		r.Add("ipaddresses", form.ListMulti, "Addresses", addresses...).Add("onlineresources", form.TextMulti,
			"Resources", resources...)
		return nil
	})
}

func (s *service) admins(ctx context.Context) []string {
	var as []string
	// after an error some are missing from the form; editAdmins looks again and does not remove them
	_ = s.users(ctx, func(u user) {
		if u.Admin {
			as = append(as, u.Name+"@"+s.h.Domain)
		}
	})
	return as
}

// editAdmins makes the submitted accounts the administrators. At least one has to remain.
func (s *service) editAdmins(ctx context.Context, f form.Form) (string, *form.Form, error) {
	want := make(map[string]bool)
	err := s.each(ctx, f, "adminjids", func(ctx context.Context, j jid.JID) error {
		want[j.Local()] = true
		return s.accounts.Edit(ctx, j.Bare(), Edit{Admin: &yes})
	})
	if err != nil {
		return "", nil, err
	}
	var drop []string
	if err := s.users(ctx, func(u user) {
		if u.Admin && !want[u.Name] {
			drop = append(drop, u.Name)
		}
	}); err != nil {
		return "", nil, err
	}
	for _, name := range drop {
		j, err := jid.New(name, s.h.Domain, "")
		if err != nil {
			return "", nil, err
		}
		if err := s.accounts.Edit(ctx, j, Edit{Admin: &no}); err != nil {
			return "", nil, err
		}
	}
	return "The administrators have been changed.", nil, nil
}
