package people

import (
	"strconv"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/internal/shape"
	"parley/store"
)

// Profile is a change of a person's profile; nil: unchanged. Every door makes its input from its tags: see package
// shape.
type Profile struct {
	FullName   *string `json:"full_name,omitempty" label:"Full name" maxLength:"200"`
	Email      *string `json:"email,omitempty" label:"Work e-mail" maxLength:"254"`
	Phone      *string `json:"phone,omitempty" label:"Mobile" maxLength:"200"`
	Title      *string `json:"title,omitempty" label:"Job title" maxLength:"200"`
	Department *string `json:"department,omitempty" label:"Department" maxLength:"200"`
	Role       *string `json:"role,omitempty" label:"Role" choices:"member,supervisor,admin,owner" doc:"member, supervisor, admin or owner"`
	Lang       *string `json:"lang,omitempty" label:"Language" enum:"en,fr"`

	// Fields are the values of profile fields by key; "" removes a value, and keys that are absent stay.
	Fields map[string]string `json:"fields,omitempty" doc:"values of profile fields by key; \"\" removes a value, omitted fields stay"`
}

// Locked are the names of the fields that people cannot change in their own profile: an administrator does.
var Locked = []string{"email", "department", "role"}

// locked says whether a change has one of these fields.
func (f Profile) locked() bool { return f.Email != nil || f.Department != nil || f.Role != nil }

// empty says whether a change has nothing except perhaps a role.
func (f Profile) empty() bool {
	f.Role = nil
	for _, field := range shape.Of(f) {
		if _, given := field.Value(f); given {
			return false
		}
	}
	return len(f.Fields) == 0
}

// fits returns an error for a value that is too long or not one of the choices.
func fits(change any) error {
	wrong := fault.Of(shape.Check(change))
	if wrong == nil {
		return nil
	}
	f := shape.Named(change, wrong.Field)
	if f.Kind == shape.Choice {
		return fault.New(fault.Invalid, f.Name, "This is one of: {{.Choices}}", "Choices",
			strings.Join(f.Choices, ", "))
	}
	return fault.New(fault.Invalid, f.Name, "This is too long: at most {{.Max}} characters", "Max", strconv.Itoa(f.Max))
}

// Columns gives pointers to the fields of a person that a Profile has, by name.
func Columns(u *store.Person) map[string]*string {
	return map[string]*string{
		"full_name":  &u.FullName,
		"email":      &u.Email,
		"phone":      &u.Phone,
		"title":      &u.Title,
		"department": &u.Department,
		"role":       &u.Role,
		"lang":       &u.Lang,
	}
}

// Into writes the given values into a person, unchecked, except those of profile fields.
func (f Profile) Into(u *store.Person) {
	at := Columns(u)
	for _, field := range shape.Of(f) {
		if v, given := field.Value(f); given {
			*at[field.Name] = v
		}
	}
}

// Newcomer gives the description of an account that begins with this profile.
func (f Profile) Newcomer() NewPerson {
	var u store.Person
	f.Into(&u)
	return NewPerson{
		FullName:   u.FullName,
		Email:      u.Email,
		Phone:      u.Phone,
		Title:      u.Title,
		Department: u.Department,
		Role:       u.Role,
		Lang:       u.Lang,
		Fields:     f.Fields,
	}
}

// NewPerson describes an account to be made.
type NewPerson struct {
	Name       string // localpart; "": made from the e-mail address or the full name
	FullName   string
	Email      string
	Phone      string
	Title      string
	Department string
	Role       string // "": member
	Lang       string
	Fields     map[string]string // values of profile fields by key
	Groups     []string          // slugs
	Password   string            // "": none; an invitation sets it
	SkipPolicy bool              // the password need not be strong: an administrator sets it with a client
	ReuseName  bool              // even if it belonged to somebody else until lately: an owner may allow that
}

// person gives the account that n describes, made now, unchecked, without its name and without the values of profile
// fields.
func (n NewPerson) person(host string, now time.Time) store.Person {
	return store.Person{
		User:       store.User{Host: host, FullName: n.FullName, Created: now.UTC()},
		Role:       n.Role,
		Email:      n.Email,
		Phone:      n.Phone,
		Title:      n.Title,
		Department: n.Department,
		Lang:       n.Lang,
	}
}

// Label gives the label of a profile's field: the English text, which is also the name of the message in other
// languages.
func Label(field string) string { return shape.Named(Profile{}, field).Label }
