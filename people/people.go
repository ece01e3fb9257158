// Package people holds the rules for accounts: what each role may do to whom, what an account consists of, invitations,
// and the audit entries of all that. Every door calls it: pages, API, commands, clients.
package people

import (
	"context"
	"errors"
	"log/slog"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"parley/acts"
	"parley/auth"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/internal/memo"
	"parley/internal/shape"
	"parley/org"
	"parley/server"
	"parley/settings"
	"parley/store"
	"parley/wire/jid"
)

// Config says what the accounts of a host depend on.
type Config struct {
	Host       *server.Host
	Store      Store
	Org        *org.Org
	Acts       *acts.Log // records all changes
	Secret     []byte    // key of tokens; must never change
	Settings   *settings.Settings
	Iterations int  // of SCRAM
	Policy     bool // passwords have to be strong
	Open       bool // strangers may register accounts
	Primary    bool // the host whose administrators operate the server
	Log        *slog.Logger
	URL        func() string // the beginning of links
	Compose    Compose       // writes mails; nil: none are sent
	MailsUTF8  func() bool   // whether the relay accepts addresses outside ASCII; nil: nothing is sent
	Digests    *Digests      // nil: no digests are sent

	// Programs returns an error unless a program can be asked at an address: see webhooks.CheckAddress.
	Programs func(address string) error

	// Departed removes a deleted account from rooms, nodes and lists of others; Retired finds owners for what only an
	// archived account owns. Both may be called again. May be nil.
	Departed, Retired func(ctx context.Context, who jid.JID) error
}

// People reads and changes the accounts of a host. Safe from any goroutine.
type People struct {
	cfg Config
	h   *server.Host
	st  Store

	photos Photos
	quiet  memo.Map[string, *quietKnown]
}

// New makes the People of a host.
func New(c Config) *People {
	p := &People{cfg: c, h: c.Host, st: c.Store}
	for _, t := range []changes.Topic{changes.Own, changes.Account} {
		p.h.On(t, memo.Forgetting(&p.quiet))
	}
	return p
}

// Host gives the domain of these people.
func (p *People) Host() string { return p.h.Domain }

// Title gives the organization's name.
func (p *People) Title() string {
	if t := p.Policy().Title; t != "" {
		return t
	}
	return p.h.Domain
}

// Company gives the organization's name; "" if only its domain is known.
func (p *People) Company() string { return p.Policy().Title }

// URL gives the beginning of links.
func (p *People) URL() string { return p.cfg.URL() }

// Operates says whether an actor operates the whole server and not only this host. Administrators of the first host
// decide what concerns all hosts, such as the rules for other servers.
func (p *People) Operates(a Actor) bool { return p.cfg.Primary && a.Runs() }

// Get gives a person; NotFound if there is no such account.
func (p *People) Get(ctx context.Context, name string) (store.Person, error) {
	u, err := p.st.Person(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) {
		return u, p.noAccount(name)
	}
	return u, err
}

// do makes a change: see acts.Log.Do.
func (p *People) do(ctx context.Context, by Actor, f func(ctx context.Context, a *acts.Act) error) error {
	return p.cfg.Acts.Do(ctx, p.h.Domain, by, f)
}

// Note makes an audit entry for something that changes nothing here: something was read, or other rules than these
// allowed it.
func (p *People) Note(ctx context.Context, by Actor, verb acts.Verb, target string, detail acts.Detail) error {
	return p.do(ctx, by, func(_ context.Context, a *acts.Act) error {
		a.Note(verb, target, detail)
		return nil
	})
}

// Audit is Note for something that is done already: if it fails, it is logged, and the person who did it sees no error.
func (p *People) Audit(ctx context.Context, by Actor, verb acts.Verb, target string, detail acts.Detail) {
	if err := p.Note(context.WithoutCancel(ctx), by, verb, target, detail); err != nil {
		p.cfg.Log.Error("audit", "action", string(verb), "target", target, "err", err)
	}
}

// MaxField is the maximum length of a field of a person, in characters: a name, a telephone number, a job title, a
// department.
const MaxField = 200

// line checks a text of one line and removes characters that cannot be seen.
func line(field, s string) (string, error) { return lineOf(field, s, MaxField) }

// lineOf is line with a limit in characters.
func lineOf(field, s string, limit int) (string, error) {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fault.New(fault.Invalid, field, "This has characters that cannot be shown")
	}
	if utf8.RuneCountInString(s) > limit {
		return "", fault.New(fault.Invalid, field, "This is too long: at most {{.Max}} characters",
			"Max", strconv.Itoa(limit))
	}
	return s, nil
}

// CheckEmail gives an e-mail address in the form that is kept; "" is none.
func CheckEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 ||
		!strings.Contains(s[strings.LastIndexByte(s, '@'):], ".") && !strings.HasSuffix(s, "@localhost") ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '"' }) {
		return "", fault.New(fault.Invalid, "email", "This is not an e-mail address: write it like alice@example.org")
	}
	// A domain is kept as people read it (RFC 5890); a domain without a form in ASCII does not exist.
	at := strings.LastIndexByte(s, '@')
	if domain := s[at+1:]; domain != "localhost" {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil || slices.ContainsFunc(strings.Split(ascii, "."),
			func(label string) bool { return len(label) > 63 }) {
			return "", fault.New(fault.Invalid, "email", "{{.Name}} is not a valid domain", "Name", domain)
		}
		if shown, err := idna.Lookup.ToUnicode(ascii); err == nil && shown != ascii {
			s = s[:at+1] + shown
		}
	}
	return norm.NFC.String(s), nil
}

// ASCIIAddress converts the domain of an address to ASCII; bare says whether the whole address is ASCII then. Only
// relays with SMTPUTF8 (RFC 6531) take an address whose part before the @ is not.
func ASCIIAddress(address string) (ascii string, bare bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, false
	}
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return address, false
	}
	return address[:at+1] + domain, !strings.ContainsFunc(address[:at], func(r rune) bool { return r >= utf8.RuneSelf })
}

// Propose makes a name for an account from an e-mail address or a full name.
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
	return strings.ContainsAny(s, "0123456789") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("+0123456789 ().-/", r) })
}

// fields checks and tidies a person's fields.
func (p *People) fields(u *store.Person) (err error) {
	at := Columns(u)
	for _, f := range shape.Of(Profile{}) {
		if s := at[f.Name]; f.Kind == shape.Text && f.Name != "email" {
			if *s, err = lineOf(f.Name, *s, f.Max); err != nil {
				return err
			}
		}
	}
	if u.Email, err = CheckEmail(u.Email); err != nil {
		return err
	}
	if _, bare := ASCIIAddress(u.Email); u.Email != "" && !bare && p.cfg.MailsUTF8 != nil && !p.cfg.MailsUTF8() {
		return fault.New(fault.Invalid, "email",
			"The mail relay takes only ASCII letters before the @: enter another address of this person")
	}
	if !IsPhone(u.Phone) && u.Phone != "" {
		return fault.New(fault.Invalid, "phone", "A telephone number has digits, spaces and +-()./ only")
	}
	if langs := shape.Named(Profile{}, "lang").Choices; u.Lang != "" && !slices.Contains(langs, u.Lang) {
		return fault.New(fault.Invalid, "lang", "There is no such language here: en or fr")
	}
	if !slices.Contains(shape.Named(Profile{}, "role").Choices, u.Role) {
		return fault.New(fault.Invalid, "role", "There is no such role: owner, admin, supervisor or member")
	}
	return nil
}

// keys makes the keys of a password that is strong enough.
func (p *People) keys(name, password string) ([]byte, error) {
	return p.keysLike(name, password, auth.Keys{}, false)
}

func (p *People) keysLike(name, password string, like auth.Keys, skipPolicy bool) ([]byte, error) {
	if p.cfg.Policy && !skipPolicy {
		if err := auth.CheckPassword(password, name); err != nil {
			return nil, err
		}
	}
	k, err := auth.KeysLike(password, p.cfg.Iterations, like)
	if err != nil {
		return nil, err
	}
	return k.MarshalBinary()
}

// mayPut says whether an actor may put a new account into a group. Actors who are not administrators may do so only for
// groups that anybody may enter, or whose members they decide on; otherwise they could read any group by an account
// made for it.
func (p *People) mayPut(ctx context.Context, a Actor, slug string) (bool, error) {
	g, err := p.cfg.Org.Group(ctx, p.h.Domain, slug)
	if fault.Is(err, fault.NotFound) {
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
	return access.Manages() || r.Listed && (r.Joins || !r.MembersOnly), err
}

// Places gives the groups that an actor may put a new account into, as far as a filter chooses them, and how many there
// are.
func (p *People) Places(ctx context.Context, a Actor, f store.GroupFilter) ([]store.Group, int, error) {
	f.Optional = true
	if a.Runs() {
		return p.cfg.Org.FindGroups(ctx, p.h.Domain, jid.JID{}, f)
	}
	self, err := jid.New(a.Name, p.h.Domain, "")
	if err != nil {
		return nil, 0, err
	}
	f.Puts = true
	return p.cfg.Org.FindGroups(ctx, p.h.Domain, self, f)
}
