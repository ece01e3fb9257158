package settings

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/internal/fault"
	"parley/store"
)

// Setting describes a setting.
type Setting struct {
	Name    string // "signin.session_idle"; the part before the dot is the section
	Key     string // the configuration's key of its default; "": none
	Kind    Kind
	Choices []string // of Choice and Several

	get func(v *Values) string
	set func(v *Values, s string) error
}

// Section gives the section of the page that shows the setting.
func (s Setting) Section() string { a, _, _ := strings.Cut(s.Name, "."); return a }

// Of gives the setting's value in v as it is written.
func (s Setting) Of(v *Values) string { return s.get(v) }

// Kind says how a value is written.
type Kind uint8

const (
	// Text is any text of one line.
	Text     Kind = iota + 1
	Choice        // one of Choices
	Several       // some of Choices, with commas
	Duration      // "90d"
	// Number is a whole number.
	Number
	Switch // "true", "false"
)

// Sections are the sections of the page, in order.
var Sections = []string{"organization", "phones", "chat", "signin", "invitations", "retention"}

// wrong returns why a value cannot be kept; the caller names the setting.
func wrong(text string, args ...any) error { return fault.New(fault.Invalid, "", text, args...) }

const (
	day     = 24 * time.Hour
	maxText = 100
)

// All are all settings, in the order of the page.
var All = []Setting{
	text("organization.title", "hosts.title", func(v *Values) *string { return &v.Title }),
	choice("organization.lang", "", []string{"", "en", "fr"}, func(v *Values) *string { return &v.Lang }),
	timeZone("organization.time_zone", func(v *Values) *string { return &v.Quiet.Zone }),
	onOff("organization.conversations", "", func(v *Values) *bool { return &v.Conversations }),
	role(store.RoleMember), role(store.RoleSupervisor), role(store.RoleAdmin), role(store.RoleOwner),

	onOff("phones.quiet", "", func(v *Values) *bool { return &v.Quiet.On }),
	clockTime("phones.quiet_from", func(v *Values) *int { return &v.Quiet.From }),
	clockTime("phones.quiet_to", func(v *Values) *int { return &v.Quiet.To }),
	days("phones.quiet_days", func(v *Values) *store.Days { return &v.Quiet.Days }),

	onOff("chat.offline", "", func(v *Values) *bool { return &v.Offline }),
	onOff("chat.previews", "", func(v *Values) *bool { return &v.Previews }),
	onOff("chat.seen", "", func(v *Values) *bool { return &v.Seen }),

	several("signin.two_factor", "auth.two_factor", ranks, func(v *Values) *[]string { return &v.TwoFactor }),
	duration("signin.session_idle", "web.session_idle", 5*time.Minute, 365*day,
		false, func(v *Values) *time.Duration { return &v.SessionIdle }),

	choice("invitations.by", "", []string{store.RoleSupervisor, store.RoleAdmin, store.RoleOwner},
		func(v *Values) *string { return &v.InviteBy }),
	choice("invitations.apps", "registration.invitations",
		[]string{"anyone", "admins", "nobody"}, func(v *Values) *string { return &v.InviteApps }),
	duration("invitations.validity", "web.invite_time", time.Hour, 365*day,
		false, func(v *Values) *time.Duration { return &v.InviteTime }),
	onOff("invitations.reusable", "", func(v *Values) *bool { return &v.Reusable }),
	number("invitations.max_uses", "", 2, 100_000, func(v *Values) *int { return &v.MaxUses }),
	number("invitations.max_open", "", 1, 100_000, func(v *Values) *int { return &v.MaxInvites }),

	duration("retention.archive", "archive.retention", day, 36500*day,
		true, func(v *Values) *time.Duration { return &v.Archive }),
	duration("retention.rooms", "rooms.retention", day, 36500*day,
		true, func(v *Values) *time.Duration { return &v.Rooms }),
	duration("retention.uploads", "upload.expiry", time.Hour, 36500*day,
		false, func(v *Values) *time.Duration { return &v.Uploads }),
	duration("retention.names", "accounts.name_quarantine", 0, 36500*day,
		false, func(v *Values) *time.Duration { return &v.Names }),
}

func find(name string) (Setting, bool) {
	i := slices.IndexFunc(All, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return All[i], true
}

// clean checks a text of one line and removes characters that cannot be seen.
func clean(s string) (string, error) {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", wrong("This has characters that cannot be shown")
	}
	if utf8.RuneCountInString(s) > maxText {
		return "", wrong("This is too long: at most {{.Max}} characters", "Max", maxText)
	}
	return s, nil
}

func text(name, key string, of func(*Values) *string) Setting {
	return Setting{
		Name: name,
		Key:  key,
		Kind: Text,
		get:  func(v *Values) string { return *of(v) },
		set: func(v *Values, s string) (err error) {
			s, err = clean(s)
			if err == nil {
				*of(v) = s
			}
			return err
		},
	}
}

func role(name string) Setting {
	return Setting{
		Name: "organization.role_" + name,
		Kind: Text,
		get:  func(v *Values) string { return v.Roles[name] },
		set: func(v *Values, s string) error {
			s, err := clean(s)
			switch {
			case err != nil:
				return err
			case s == "":
				delete(v.Roles, name)
			default:
				v.Roles[name] = s
			}
			return nil
		},
	}
}

func choice(name, key string, choices []string, of func(*Values) *string) Setting {
	return Setting{
		Name:    name,
		Key:     key,
		Kind:    Choice,
		Choices: choices,
		get:     func(v *Values) string { return *of(v) },
		set: func(v *Values, s string) error {
			if !slices.Contains(choices, s) {
				return wrong("{{.Value}} is not one of the choices", "Value", strconv.Quote(s))
			}
			*of(v) = s
			return nil
		},
	}
}

func several(name, key string, choices []string, of func(*Values) *[]string) Setting {
	return Setting{
		Name:    name,
		Key:     key,
		Kind:    Several,
		Choices: choices,
		get:     func(v *Values) string { return strings.Join(*of(v), ",") },
		set: func(v *Values, s string) error {
			given := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
			for _, g := range given {
				if !slices.Contains(choices, g) {
					return wrong("{{.Value}} is not one of the choices", "Value", strconv.Quote(g))
				}
			}
			var in []string // in the order of the choices, each once
			for _, c := range choices {
				if slices.Contains(given, c) {
					in = append(in, c)
				}
			}
			*of(v) = in
			return nil
		},
	}
}

func number(name, key string, min, max int, of func(*Values) *int) Setting {
	return Setting{
		Name: name,
		Key:  key,
		Kind: Number,
		get:  func(v *Values) string { return strconv.Itoa(*of(v)) },
		set: func(v *Values, s string) error {
			n, err := strconv.Atoi(strings.TrimSpace(s))
			if err != nil || n < min || n > max {
				return wrong("Enter a number from {{.Min}} to {{.Max}}", "Min", min, "Max", max)
			}
			*of(v) = n
			return nil
		},
	}
}

func onOff(name, key string, of func(*Values) *bool) Setting {
	return Setting{
		Name: name,
		Key:  key,
		Kind: Switch,
		get:  func(v *Values) string { return strconv.FormatBool(*of(v)) },
		set: func(v *Values, s string) error {
			b, err := strconv.ParseBool(s)
			if err != nil {
				return wrong("{{.Value}} is not one of the choices", "Value", strconv.Quote(s))
			}
			*of(v) = b
			return nil
		},
	}
}

// duration describes a setting that is a time from min to max; with forever, 0 is a value too: without end.
func duration(name, key string, min, max time.Duration, forever bool, of func(*Values) *time.Duration) Setting {
	return Setting{
		Name: name,
		Key:  key,
		Kind: Duration,
		get:  func(v *Values) string { return FormatDuration(*of(v)) },
		set: func(v *Values, s string) error {
			d, ok := ParseDuration(s)
			switch {
			case ok && d == 0 && forever:
			case !ok || d < min || d > max:
				return wrong("Enter a duration from {{.Min}} to {{.Max}}", "Min", FormatDuration(min),
					"Max", FormatDuration(max))
			}
			*of(v) = d
			return nil
		},
	}
}

var units = []struct {
	letter string
	size   time.Duration
}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// ParseDuration reads a whole number of days, hours, minutes or seconds: "90d", "12h". "0" and "0d" give 0.
func ParseDuration(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "0" {
		return 0, true
	}
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.letter); ok {
			n, err := strconv.ParseUint(digits, 10, 32)
			if err != nil || time.Duration(n) > (1<<62)/u.size {
				return 0, false
			}
			return time.Duration(n) * u.size, true
		}
	}
	return 0, false
}

// FormatDuration writes a time in the largest unit of which it is a whole number.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0d"
	}
	for _, u := range units {
		if d%u.size == 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + u.letter
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
