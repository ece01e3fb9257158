package people

import (
	"errors"
	"strconv"
	"strings"

	"parley/internal/shape"
	"parley/org"
	"parley/store"
)

// Profile is what may be changed of what is known of a person; nil stays. Its tags are what every door makes its input
// of: see package shape.
type Profile struct {
	FullName   *string `json:"full_name,omitempty" label:"Full name" maxLength:"200"`
	Email      *string `json:"email,omitempty" label:"Work e-mail" maxLength:"254"`
	Phone      *string `json:"phone,omitempty" label:"Mobile" maxLength:"200"`
	Title      *string `json:"title,omitempty" label:"Job title" maxLength:"200"`
	Department *string `json:"department,omitempty" label:"Department" maxLength:"200"`
	Role       *string `json:"role,omitempty" label:"Role" choices:"member,supervisor,admin,owner" doc:"member, supervisor, admin or owner"`
	Lang       *string `json:"lang,omitempty" label:"Language" enum:"en,fr"`

	// Fields are the values of profile fields by key; "" removes one, and what is not named stays.
	Fields map[string]string `json:"fields,omitempty" doc:"values of profile fields by key; \"\" removes one, what is not named stays"`
}

// Locked are the names of the fields that a person cannot change in the own profile: an administrator does.
var Locked = []string{"email", "department", "role"}

// locked says whether a change has one of those fields.
func (f Profile) locked() bool { return f.Email != nil || f.Department != nil || f.Role != nil }

// empty says whether nothing is given but, maybe, a role.
func (f Profile) empty() bool {
	f.Role = nil
	for _, field := range shape.Of(f) {
		if _, given := field.Value(f); given {
			return false
		}
	}
	return len(f.Fields) == 0
}

// fits says which of the values that are given is too long, or none of those that may be.
func fits(change any) error {
	var wrong *shape.Wrong
	switch err := shape.Check(change); {
	case !errors.As(err, &wrong):
		return err
	case wrong.Max > 0:
		return fail(org.Invalid, wrong.Field, "This is too long: at most {{.Max}} characters", "Max", strconv.Itoa(wrong.Max))
	}
	return fail(org.Invalid, wrong.Field, "This is one of: {{.Choices}}", "Choices", strings.Join(wrong.Choices, ", "))
}

// columns are where a person's row has the fields, by name.
func columns(u *store.Person) map[string]*string {
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

// Into writes what is given into a person, unchecked. The values of profile fields are left as they are.
func (f Profile) Into(u *store.Person) {
	at := columns(u)
	for _, field := range shape.Of(f) {
		if v, given := field.Value(f); given {
			*at[field.Name] = v
		}
	}
}

// Newcomer gives what an account is made of that begins with this.
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

// Label gives what a field of a profile is called: English, and the name of the message in other languages.
func Label(field string) string { return shape.Named(Profile{}, field).Label }
