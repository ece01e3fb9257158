// Package people is the rules for accounts: who may do what to whom, what an account is made of, invitations, and the
// record of what was done. Every door asks it: pages, API, commands, clients.
package people

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/auth"
	"parley/org"
	"parley/server"
	"parley/settings"
	"parley/store"
	"parley/wire/jid"
)

// Error is a mistake of who asked. Text is a message of package words, Args what it is filled with.
type Error struct {
	Kind  org.Kind
	Field string
	Text  string
	Args  []any // names and values in turn
}

func (e *Error) Error() string {
	s := e.Text
	for i := 0; i+1 < len(e.Args); i += 2 {
		name, ok1 := e.Args[i].(string)
		value, ok2 := e.Args[i+1].(string)
		if ok1 && ok2 {
			s = strings.ReplaceAll(s, "{{."+name+"}}", value)
		}
	}
	return s
}

func fail(kind org.Kind, field, text string, args ...any) error {
	return &Error{kind, field, text, args}
}

// Config of a host's people.
type Config struct {
	Host       *server.Host
	Org        *org.Org
	Secret     []byte // tokens are made with it; kept for ever
	Settings   *settings.Settings
	Iterations int  // of SCRAM
	Policy     bool // passwords have to be good
	Primary    bool // the host that the deployment is run by
	Log        *slog.Logger
	URL        func() string // what links begin with
	Compose    Compose       // writes mails; nil: none are sent
	Digests    *Digests      // nil: nobody is written to of what was missed
}

// People knows and changes the accounts of a host. Safe from any goroutine.
type People struct {
	cfg Config
	h   *server.Host
	st  store.Store

	photos Photos
}

// New makes it.
func New(c Config) *People {
	return &People{cfg: c, h: c.Host, st: c.Host.Store}
}

// Host is the domain these people belong to.
func (p *People) Host() string { return p.h.Domain }

// Title is what the organization is called.
func (p *People) Title() string {
	if t := p.Policy().Title; t != "" {
		return t
	}
	return p.h.Domain
}

// Company is the organization's name where it has one; "" if it is known by its domain only.
func (p *People) Company() string { return p.Policy().Title }

// URL is what links begin with.
func (p *People) URL() string { return p.cfg.URL() }

// Operates says whether an actor looks after the deployment, and not only this host: what concerns all hosts, such as the rules
// for other servers, is for who runs the first of them.
func (p *People) Operates(a Actor) bool { return p.cfg.Primary && a.Runs() }

// Get gives an account.
func (p *People) Get(ctx context.Context, name string) (store.Person, error) {
	u, err := p.st.Person(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) {
		return u, fail(org.NotFound, "", "There is no account {{.Name}}", "Name", name+"@"+p.h.Domain)
	}
	return u, err
}

// audit notes what was done; what cannot be noted is an error in the log, not of who did it.
func (p *People) audit(ctx context.Context, a Actor, action, target string, detail map[string]any) {
	text := ""
	if len(detail) > 0 {
		b, err := json.Marshal(detail)
		if err != nil {
			p.cfg.Log.Error("audit", "action", action, "err", err)
		}
		text = string(b)
	}
	e := store.AuditEntry{ID: p.h.IDs.Next(), Actor: a.Name, Action: action, Target: target, Detail: text, Remote: a.Remote}
	if err := p.st.AddAudit(context.WithoutCancel(ctx), p.h.Domain, e); err != nil {
		p.cfg.Log.Error("audit", "action", action, "target", target, "err", err)
	}
}

// Audit notes something that was done by other rules than these.
func (p *People) Audit(ctx context.Context, a Actor, action, target string, detail map[string]any) {
	p.audit(ctx, a, action, target, detail)
}

// NewPerson is what an account is made of.
type NewPerson struct {
	Name       string // localpart; "": made from the e-mail address or the full name
	FullName   string
	Email      string
	Phone      string
	Title      string
	Department string
	Role       string // "": member
	Lang       string
	Groups     []string // slugs
	Password   string   // "": none; an invitation sets it
}

const (
	maxFullName = 200
	maxField    = 200
)

// line makes a text of one line, without what cannot be seen.
func line(field, s string) (string, error) {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fail(org.Invalid, field, "This has characters that cannot be shown")
	}
	if utf8.RuneCountInString(s) > maxField {
		return "", fail(org.Invalid, field, "This is too long: at most 200 characters")
	}
	return s, nil
}

// CheckEmail gives an address in the form that is kept; "" is none.
func CheckEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 || !strings.Contains(s[strings.LastIndexByte(s, '@'):], ".") && !strings.HasSuffix(s, "@localhost") ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '"' }) {
		return "", fail(org.Invalid, "email", "This is no e-mail address: write it like alice@example.org")
	}
	return s, nil
}

// Propose makes a name for an account of an e-mail address or a full name.
func Propose(email, full string) string {
	base, _, ok := strings.Cut(email, "@")
	if !ok || base == "" {
		base = strings.Join(strings.Fields(full), ".")
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(base)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			b.WriteRune(r)
		case (r == '.' || r == ' ' || r == '+') && b.Len() > 0 && !strings.HasSuffix(b.String(), "."):
			b.WriteByte('.')
		}
	}
	return strings.Trim(b.String(), ".")
}

// IsPhone says whether a text can be a telephone number.
func IsPhone(s string) bool {
	return strings.ContainsAny(s, "0123456789") && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("+0123456789 ().-/", r) })
}

// fields checks and tidies what is known of a person.
func (p *People) fields(u *store.Person) (err error) {
	for _, f := range []struct {
		name string
		s    *string
	}{{"full_name", &u.FullName}, {"phone", &u.Phone}, {"title", &u.Title}, {"department", &u.Department}} {
		if *f.s, err = line(f.name, *f.s); err != nil {
			return err
		}
	}
	if u.Email, err = CheckEmail(u.Email); err != nil {
		return err
	}
	if !IsPhone(u.Phone) && u.Phone != "" {
		return fail(org.Invalid, "phone", "A telephone number has digits, spaces and +-()./ only")
	}
	switch u.Lang {
	case "", "en", "fr":
	default:
		return fail(org.Invalid, "lang", "There is no such language here")
	}
	switch u.Role {
	case store.RoleOwner, store.RoleAdmin, store.RoleSupervisor, store.RoleMember:
	default:
		return fail(org.Invalid, "role", "There is no such role")
	}
	return nil
}

// keys makes what is kept of a password that is good enough.
func (p *People) keys(name, password string) ([]byte, error) {
	return p.keysLike(name, password, auth.Keys{})
}

func (p *People) keysLike(name, password string, like auth.Keys) ([]byte, error) {
	if p.cfg.Policy {
		if err := auth.CheckPassword(password, name); err != nil {
			return nil, passwordError(err)
		}
	}
	k, err := auth.KeysLike(password, p.cfg.Iterations, like)
	if err != nil {
		return nil, passwordError(err)
	}
	return k.MarshalBinary()
}

func passwordError(err error) error {
	text := err.Error()
	if r, n := utf8.DecodeRuneInString(text); n > 0 {
		text = string(unicode.ToUpper(r)) + text[n:]
	}
	return fail(org.Invalid, "password", text)
}

// Create makes an account. One that has the name or the address already is told of in the error's Args as "Name".
func (p *People) Create(ctx context.Context, a Actor, n NewPerson) (store.Person, error) {
	u, keys, err := p.prepare(ctx, a, n)
	if err != nil {
		return u, err
	}
	u.Keys = keys
	if err := p.st.CreatePerson(ctx, u); err != nil {
		if errors.Is(err, store.ErrExists) {
			return u, p.taken(ctx, u)
		}
		return u, err
	}
	p.h.Forget(u.Name)
	p.h.Created(ctx, u.Name)
	p.audit(ctx, a, "person.create", u.Address(), map[string]any{"role": u.Role, "email": u.Email, "groups": n.Groups})
	return u, p.join(ctx, u, n.Groups)
}

// Check says what is wrong with somebody who is to be created, and gives what would be kept.
func (p *People) Check(ctx context.Context, a Actor, n NewPerson) (store.Person, error) {
	u, _, err := p.prepare(ctx, a, n)
	if err != nil {
		return u, err
	}
	if err := p.taken(ctx, u); err != nil {
		return u, err
	}
	return u, nil
}

func (p *People) prepare(ctx context.Context, a Actor, n NewPerson) (u store.Person, keys []byte, err error) {
	if n.Role == "" {
		n.Role = store.RoleMember
	}
	u = store.Person{User: store.User{Host: p.h.Domain, FullName: n.FullName, Created: time.Now().UTC()}, Role: n.Role, Email: n.Email, Phone: n.Phone,
		Title: n.Title, Department: n.Department, Lang: n.Lang}
	if err := p.fields(&u); err != nil {
		return u, nil, err
	}
	name := strings.TrimSpace(n.Name)
	if name == "" {
		name = Propose(u.Email, u.FullName)
	}
	if name == "" {
		return u, nil, fail(org.Invalid, "name", "A name or an e-mail address is needed")
	}
	j, err := jid.New(name, p.h.Domain, "")
	if err != nil {
		return u, nil, fail(org.Invalid, "name", "This cannot be the name of an account: letters, digits, dots and hyphens are good")
	}
	if p.h.Reserved(j.Local()) {
		return u, nil, fail(org.Exists, "name", "This name is taken")
	}
	u.Name = j.Local()
	u.Admin = u.Role == store.RoleOwner || u.Role == store.RoleAdmin
	if err := a.may(Create, u); err != nil {
		return u, nil, err
	}
	for _, slug := range n.Groups {
		if ok, err := p.mayPut(ctx, a, slug); err != nil {
			return u, nil, err
		} else if !ok {
			return u, nil, fail(org.Invalid, "groups", "There is no group {{.Name}}", "Name", slug)
		}
	}
	if n.Password != "" {
		keys, err = p.keys(u.Name, n.Password)
	}
	return u, keys, err
}

// mayPut says whether an actor may put a new account into a group: who does not run the organization could otherwise read
// any group by an account made for it. Such a one puts people where they could come in by themselves, or where the actor
// decides who is in.
func (p *People) mayPut(ctx context.Context, a Actor, slug string) (bool, error) {
	g, err := p.cfg.Org.Group(ctx, p.h.Domain, slug)
	var oe *org.Error
	if errors.As(err, &oe) && oe.Kind == org.NotFound {
		return false, nil
	}
	if err != nil || a.Runs() {
		return err == nil, err
	}
	self, err := jid.New(a.Name, p.h.Domain, "")
	if err != nil {
		return false, err
	}
	access, err := p.cfg.Org.Access(ctx, p.h.Domain, g.ID, "", self)
	r := org.RulesOf(g)
	return access.Affiliation == org.Owner || access.Affiliation == org.Admin || r.Listed && (r.Joins || !r.MembersOnly), err
}

// Places are the groups that an actor may put a new account into.
func (p *People) Places(ctx context.Context, a Actor, limit int) ([]store.Group, error) {
	gs, err := p.cfg.Org.Groups(ctx, p.h.Domain, "", limit)
	if err != nil || a.Runs() {
		return gs, err
	}
	var out []store.Group
	for _, g := range gs {
		if ok, err := p.mayPut(ctx, a, g.Slug); err != nil {
			return nil, err
		} else if ok {
			out = append(out, g)
		}
	}
	return out, nil
}

// taken says who has a name or an address already; nil if nobody.
func (p *People) taken(ctx context.Context, u store.Person) error {
	if _, err := p.st.Person(ctx, u.Host, u.Name); err == nil {
		return fail(org.Exists, "name", "The account {{.Name}} exists already", "Name", u.Address(), "Account", u.Name)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if other, err := p.st.PersonByEmail(ctx, u.Host, u.Email); err == nil && other.Name != u.Name {
		return fail(org.Exists, "email", "This e-mail address belongs to {{.Name}}", "Name", other.Display(), "Account", other.Name)
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// join puts an account into groups.
func (p *People) join(ctx context.Context, u store.Person, slugs []string) error {
	j, err := jid.New(u.Name, u.Host, "")
	if err != nil {
		return err
	}
	for _, slug := range slugs {
		g, err := p.cfg.Org.Group(ctx, p.h.Domain, slug)
		if err == nil {
			err = p.cfg.Org.SetMember(ctx, p.h.Domain, g.ID, j, store.RoleMember)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
