package people

import (
	"context"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parley/acts"
	"parley/internal/shape"
	"parley/org"
	"parley/store"
)

// Limits of profile fields.
const (
	MaxFields    = 50  // of one organization
	MaxChoices   = 50  // of one field
	maxChoice    = 100 // characters of one choice
	MaxFieldText = 500 // characters of a value
)

// FieldChange is what is to be changed of the definition of a profile field; nil stays. Its tags are what every door
// makes its input of: see package shape.
type FieldChange struct {
	Name      *string   `json:"name,omitempty" label:"Name in English" maxLength:"60"`
	NameFR    *string   `json:"name_fr,omitempty" label:"Name in French" maxLength:"60" doc:"as in English, where it is empty"`
	Kind      *string   `json:"kind,omitempty" label:"Kind of field" enum:"text,number,yes-no,choice,link" doc:"it stays as it was created"`
	Choices   *[]string `json:"choices,omitempty" label:"Choices" maxItems:"50" doc:"of kind choice"`
	SeenBy    *string   `json:"seen_by,omitempty" label:"Who sees it" enum:"organization,team,admins"`
	ChangedBy *string   `json:"changed_by,omitempty" label:"Who changes it" enum:"person,admins" doc:"administrators always may"`
	Searched  *bool     `json:"searched,omitempty" label:"People are found by it"`
	Listed    *bool     `json:"listed,omitempty" label:"Show it in the list of people"`
	Place     *int      `json:"place,omitempty" minimum:"1" maximum:"50" doc:"its place among the fields, from 1"`
}

// Who changes the values of a profile field. Whoever looks after people always may.
const (
	byPerson = "person"
	byAdmins = "admins"
)

// fieldKey is what the key of a profile field is like.
var fieldKey = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// takenKeys are names that columns of lists, entries of the audit log and requests have already.
var takenKeys = []string{
	"name", "full-name", "first-name", "last-name", "email", "phone", "title", "department", "role", "lang", "groups",
	"password", "state", "address", "disabled", "archived", "photo", "retention",
}

// Fields gives the profile fields of the organization, in order.
func (p *People) Fields(ctx context.Context) ([]store.ProfileField, error) {
	return p.st.ProfileFields(ctx, p.h.Domain)
}

// FieldAs gives the definition of a field as a change that would make it.
func FieldAs(f store.ProfileField) FieldChange {
	seen, by := f.SeenBy, byPerson
	if seen == "" {
		seen = ShownToOrganization
	}
	if f.ByAdmins {
		by = byAdmins
	}
	return FieldChange{
		Name:      &f.Name,
		NameFR:    &f.NameFR,
		Kind:      &f.Kind,
		Choices:   &f.Choices,
		SeenBy:    &seen,
		ChangedBy: &by,
		Searched:  &f.Searched,
		Listed:    &f.Listed,
	}
}

// CreateField defines a profile field, behind the others unless a place is given. An empty key is made of the name. Who
// runs the organization may.
func (p *People) CreateField(ctx context.Context, by Actor, key string, c FieldChange) (f store.ProfileField, err error) {
	err = p.changeFields(ctx, by, func(_ context.Context, a *acts.Act, fs fieldList) (fieldList, error) {
		if len(fs) >= MaxFields {
			return nil, fail(org.Exists, "", "There are {{.Max}} fields already, which is the most there can be", "Max", strconv.Itoa(MaxFields))
		}
		f = store.ProfileField{Kind: store.FieldText}
		if c.Kind != nil {
			f.Kind = *c.Kind
		}
		if err := change(&f, c); err != nil {
			return nil, err
		}
		if f.Key = key; key == "" {
			f.Key = org.Slug(f.Name)
		}
		switch {
		case !fieldKey.MatchString(f.Key):
			return nil, fail(org.Invalid, "key", "A key begins with a letter and has small letters, digits and hyphens, 40 at most")
		case slices.Contains(takenKeys, f.Key), position(fs, f.Key) >= 0:
			return nil, fail(org.Exists, "key", "There is a field {{.Key}} already", "Key", f.Key)
		}
		fs = moved(append(fs, f), len(fs), c.Place)
		f.Place = int64(position(fs, f.Key) + 1)
		a.Note(acts.FieldCreate, f.Key, acts.Detail{"name": f.Name, "kind": f.Kind})
		return fs, nil
	})
	return f, err
}

// ChangeField changes the definition of a profile field. Its kind stays. Who runs the organization may.
func (p *People) ChangeField(ctx context.Context, by Actor, key string, c FieldChange) (f store.ProfileField, err error) {
	err = p.changeFields(ctx, by, func(_ context.Context, a *acts.Act, fs fieldList) (fieldList, error) {
		at := position(fs, key)
		if at < 0 {
			return nil, errNoField(key)
		}
		was := fs[at]
		if err := change(&fs[at], c); err != nil {
			return nil, err
		}
		f = fs[at]
		detail := acts.Detail{}
		shape.Differences(FieldAs(was), FieldAs(f), func(name string, before, after any) { detail[name] = []any{before, after} })
		fs = moved(fs, at, c.Place)
		now := position(fs, key)
		if now != at {
			detail["place"] = []any{at + 1, now + 1}
		}
		f.Place = int64(now + 1)
		if len(detail) > 0 {
			a.Note(acts.FieldChange, key, detail)
		}
		return fs, nil
	})
	return f, err
}

// DeleteField removes a profile field with everybody's values. Who runs the organization may.
func (p *People) DeleteField(ctx context.Context, by Actor, key string) error {
	return p.changeFields(ctx, by, func(ctx context.Context, a *acts.Act, fs fieldList) (fieldList, error) {
		at := position(fs, key)
		if at < 0 {
			return nil, errNoField(key)
		}
		if err := p.st.DeleteProfileField(ctx, p.h.Domain, key); err != nil {
			return nil, err
		}
		a.Note(acts.FieldDelete, key, acts.Detail{"name": fs[at].Name, "kind": fs[at].Kind})
		return slices.Delete(fs, at, at+1), nil
	})
}

// fieldsAct gives the list of fields as it is to be, in order, within an act: its context is the one to ask the store
// with.
type fieldsAct func(ctx context.Context, a *acts.Act, fs fieldList) (fieldList, error)

// fieldList is the fields of an organization in order.
type fieldList = []store.ProfileField

// changeFields is an act on the list of fields.
func (p *People) changeFields(ctx context.Context, by Actor, f fieldsAct) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if !by.Runs() {
			return fail(org.Forbidden, "", NotYourRole)
		}
		was, err := p.Fields(ctx)
		if err != nil {
			return err
		}
		now, err := f(ctx, a, slices.Clone(was))
		if err != nil {
			return err
		}
		for i, field := range now {
			field.Place = int64(i + 1)
			if at := position(was, field.Key); at >= 0 && reflect.DeepEqual(was[at], field) {
				continue
			}
			if err := p.st.SetProfileField(ctx, p.h.Domain, field); err != nil {
				return err
			}
		}
		return nil
	})
}

func errNoField(key string) error {
	return fail(org.NotFound, "", "There is no field {{.Key}}", "Key", key)
}

func position(fs []store.ProfileField, key string) int {
	return slices.IndexFunc(fs, func(f store.ProfileField) bool { return f.Key == key })
}

// moved gives the fields with the one at a position at another place, counted from 1; nil leaves it.
func moved(fs []store.ProfileField, at int, place *int) []store.ProfileField {
	if place == nil {
		return fs
	}
	f := fs[at]
	fs = slices.Delete(fs, at, at+1)
	return slices.Insert(fs, min(max(*place-1, 0), len(fs)), f)
}

// change makes the given changes to the definition of a field. It refuses a change of kind and a definition that is not
// complete.
func change(f *store.ProfileField, c FieldChange) error {
	if err := fits(c); err != nil {
		return err
	}
	if c.Kind != nil && *c.Kind != f.Kind {
		return fail(org.Invalid, "kind", "The kind of a field stays as it is: delete the field and create another")
	}
	if err := changeTexts(f, c); err != nil {
		return err
	}
	if c.SeenBy != nil {
		if f.SeenBy = *c.SeenBy; f.SeenBy == ShownToOrganization {
			f.SeenBy = ""
		}
		f.ByAdmins = f.ByAdmins || f.SeenBy == store.ShownToAdmins
	}
	if c.ChangedBy != nil {
		f.ByAdmins = *c.ChangedBy == byAdmins
	}
	if c.Searched != nil {
		f.Searched = *c.Searched
	}
	if c.Listed != nil {
		f.Listed = *c.Listed
	}
	switch {
	case f.Name == "":
		return fail(org.Invalid, "name", "A field needs a name")
	case f.Kind == store.FieldChoice && len(f.Choices) == 0:
		return fail(org.Invalid, "choices", "Say what there is to choose from, one choice a line")
	case f.SeenBy == store.ShownToAdmins && !f.ByAdmins:
		return fail(org.Invalid, "changed_by", "What only administrators see, only administrators change")
	}
	if f.Kind != store.FieldChoice {
		f.Choices = nil
	}
	return nil
}

// changeTexts changes the names and choices of a field's definition.
func changeTexts(f *store.ProfileField, c FieldChange) (err error) {
	if c.Name != nil {
		if f.Name, err = line("name", *c.Name); err != nil {
			return err
		}
	}
	if c.NameFR != nil {
		if f.NameFR, err = line("name_fr", *c.NameFR); err != nil {
			return err
		}
	}
	if c.Choices != nil {
		f.Choices, err = choices(*c.Choices)
	}
	return err
}

// choices tidies them; what is said twice is one.
func choices(given []string) (cs []string, err error) {
	for _, c := range given {
		c, err := line("choices", c)
		switch {
		case err != nil:
			return nil, err
		case len([]rune(c)) > maxChoice:
			return nil, fail(org.Invalid, "choices", "A choice has at most {{.Max}} characters", "Max", strconv.Itoa(maxChoice))
		case c != "" && !slices.Contains(cs, c):
			cs = append(cs, c)
		}
	}
	if len(cs) > MaxChoices {
		return nil, fail(org.Invalid, "choices", "There are at most {{.Max}} choices", "Max", strconv.Itoa(MaxChoices))
	}
	return cs, nil
}

// yesWords and noWords are how people write yes and no, in lists too.
var (
	yesWords = []string{"yes", "y", "true", "1", "on", "oui", "o", "vrai", "ja", "sí", "si"}
	noWords  = []string{"no", "n", "false", "0", "off", "non", "faux", "nein"}
)

// number is how a number is written.
var number = regexp.MustCompile(`^[+-]?[0-9]{1,30}([.,][0-9]{1,30})?$`)

// FieldValue gives a value in the form that is kept, if a field can have it: yes and no are "yes" and "no"; a number
// stands as it was typed, since an extension may begin with 0. "" is none.
func FieldValue(f store.ProfileField, text string) (string, error) {
	v, err := lineOf(f.Key, text, MaxFieldText)
	if err != nil {
		return "", err
	}
	switch lower := strings.ToLower(v); {
	case v == "":
		return "", nil
	case f.Kind == store.FieldNumber:
		if v = strings.ReplaceAll(v, " ", ""); !number.MatchString(v) {
			return "", fail(org.Invalid, f.Key, "{{.Field}} is a number", "Field", f.Name)
		}
	case f.Kind == store.FieldYesNo && slices.Contains(yesWords, lower):
		v = "yes"
	case f.Kind == store.FieldYesNo && slices.Contains(noWords, lower):
		v = "no"
	case f.Kind == store.FieldYesNo:
		return "", fail(org.Invalid, f.Key, "{{.Field}} is yes or no", "Field", f.Name)
	case f.Kind == store.FieldChoice:
		at := slices.IndexFunc(f.Choices, func(c string) bool { return strings.EqualFold(c, v) })
		if at < 0 {
			return "", fail(org.Invalid, f.Key, "{{.Field}} is one of: {{.Choices}}", "Field", f.Name, "Choices", strings.Join(f.Choices, ", "))
		}
		v = f.Choices[at]
	case f.Kind == store.FieldLink:
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" ||
			strings.ContainsAny(v, " \"<>") {
			return "", fail(org.Invalid, f.Key, "{{.Field}} is a link that begins with https://", "Field", f.Name)
		}
	}
	return v, nil
}

// setFields writes values into a person, if the fields are there, may be changed by who asks, and can have the values.
func (p *People) setFields(ctx context.Context, by Actor, u *store.Person, values map[string]string) error {
	if len(values) == 0 {
		return nil
	}
	fs, err := p.Fields(ctx)
	if err != nil {
		return err
	}
	is := maps.Clone(u.Fields) // who compares has the person as they were, with the values of then
	if is == nil {
		is = make(map[string]string)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		at := position(fs, key)
		if at < 0 {
			return fail(org.Invalid, key, "There is no field {{.Key}}", "Key", key)
		}
		may := MayFill(by, *u, fs[at])
		hidden := !may && fs[at].SeenBy == store.ShownToAdmins // a guess is not told whether it is right
		if values[key] == is[key] && !hidden {                 // it may be a choice that is none any more
			continue
		}
		if !may {
			return fail(org.Forbidden, key, "{{.Field}} is for administrators to change", "Field", fs[at].Name)
		}
		if is[key], err = FieldValue(fs[at], values[key]); err != nil {
			return err
		}
	}
	u.Fields = is
	return nil
}

// FieldsFor gives the profile fields of which an actor may see values: those that only administrators see are left out
// for who has no console.
func (p *People) FieldsFor(ctx context.Context, a Actor) ([]store.ProfileField, error) {
	fs, err := p.Fields(ctx)
	if !a.Console() {
		fs = slices.DeleteFunc(fs, func(f store.ProfileField) bool { return f.SeenBy == store.ShownToAdmins })
	}
	return fs, err
}

// MayFill says whether somebody may change a person's value of a field: the person may, unless it is for
// administrators.
func MayFill(by Actor, u store.Person, f store.ProfileField) bool {
	own := by.Name != "" && by.Name == u.Name
	return by.May(Edit, u) || own && !f.ByAdmins
}

// seenFields leaves of a person's values those that an actor sees who does not look after the person; mates says
// whether they are of one team.
func seenFields(fs []store.ProfileField, values map[string]string, mates bool) map[string]string {
	var seen map[string]string
	for _, f := range fs {
		v := values[f.Key]
		if v == "" || f.SeenBy == store.ShownToAdmins || f.SeenBy == store.ShownToTeam && !mates {
			continue
		}
		if seen == nil {
			seen = make(map[string]string)
		}
		seen[f.Key] = v
	}
	return seen
}
