package people

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/internal/shape"
	"parley/org"
	"parley/store"
)

// Limits of profile fields.
const (
	MaxFields    = 50  // per organization
	MaxChoices   = 50  // per field
	maxChoice    = 100 // characters of one choice
	MaxFieldText = 500 // characters of a value
)

// FieldChange is a change of the definition of a profile field; nil: unchanged. Every door makes its input from its
// tags: see package shape.
type FieldChange struct {
	Name      *string   `json:"name,omitempty" label:"Name in English" maxLength:"60"`
	NameFR    *string   `json:"name_fr,omitempty" label:"Name in French" maxLength:"60" doc:"empty: use the English name"`
	Kind      *string   `json:"kind,omitempty" label:"Kind of field" enum:"text,number,yes-no,choice,link" doc:"cannot be changed later"`
	Choices   *[]string `json:"choices,omitempty" label:"Choices" maxItems:"50" doc:"for the kind choice"`
	SeenBy    *string   `json:"seen_by,omitempty" label:"Who sees it" enum:"organization,team,admins"`
	ChangedBy *string   `json:"changed_by,omitempty" label:"Who changes it" enum:"person,admins" doc:"who can change values; administrators always can"`
	Searched  *bool     `json:"searched,omitempty" label:"Search finds people by this field"`
	Listed    *bool     `json:"listed,omitempty" label:"Show it in the list of people"`
	Place     *int      `json:"place,omitempty" minimum:"1" maximum:"50" doc:"place in the order of fields, from 1"`
}

// Values of FieldChange.ChangedBy: who may change people's values of a field. People who manage a person's account
// always may.
const (
	byPerson = "person"
	byAdmins = "admins"
)

// fieldKey matches the key of a profile field.
var fieldKey = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// takenKeys are names that columns of lists, entries of the audit log and requests use already, besides those of
// Profile.
var takenKeys = []string{
	"name", "first-name", "last-name", "groups", "password", "state", "address", "disabled", "archived", "photo",
	"retention",
}

// keyTaken says whether a key is one of takenKeys or the name of a field of Profile.
func keyTaken(key string) bool {
	return slices.Contains(takenKeys, key) || slices.ContainsFunc(shape.Of(Profile{}), func(f shape.Field) bool {
		return strings.ReplaceAll(f.Name, "_", "-") == key
	})
}

// Fields gives the profile fields of the organization, in order.
func (p *People) Fields(ctx context.Context) ([]store.ProfileField, error) {
	return p.st.ProfileFields(ctx, p.h.Domain)
}

// FieldAs gives the change that would make a field's definition.
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

// CreateField defines a profile field, behind the others unless a place is given. An empty key is made from the name.
// Administrators may do this.
func (p *People) CreateField(ctx context.Context, by Actor, key string,
	c FieldChange) (f store.ProfileField, err error) {
	err = p.changeFields(ctx, by, func(_ context.Context, a *acts.Act, fs fieldList) (fieldList, error) {
		if len(fs) >= MaxFields {
			return nil, fault.New(fault.Limit, "", "There are already {{.Max}} fields, and there cannot be more",
				"Max", strconv.Itoa(MaxFields))
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
			return nil, fault.New(fault.Invalid, "key",
				"A key begins with a letter and has small letters, digits and hyphens, 40 at most")
		case keyTaken(f.Key), position(fs, f.Key) >= 0:
			return nil, fault.New(fault.Exists, "key", "There is a field {{.Key}} already", "Key", f.Key)
		}
		fs = moved(append(fs, f), len(fs), c.Place)
		f.Place = int64(position(fs, f.Key) + 1)
		a.Note(acts.FieldCreate, f.Key, acts.Detail{"name": f.Name, "kind": f.Kind})
		return fs, nil
	})
	return f, err
}

// ChangeField changes the definition of a profile field, except its kind. Administrators may do this.
func (p *People) ChangeField(ctx context.Context, by Actor, key string,
	c FieldChange) (f store.ProfileField, err error) {
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
		shape.Differences(FieldAs(was),
			FieldAs(f), func(name string, before, after any) { detail[name] = []any{before, after} })
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

// DeleteField removes a profile field with everybody's values. Administrators may do this.
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

// fieldsAct gives the new list of fields, in order, within an act. It must use the act's context for the store.
type fieldsAct func(ctx context.Context, a *acts.Act, fs fieldList) (fieldList, error)

// fieldList is the fields of an organization in order.
type fieldList = []store.ProfileField

// changeFields changes the list of fields in one act.
func (p *People) changeFields(ctx context.Context, by Actor, f fieldsAct) error {
	list := ordered[store.ProfileField]{
		read:  p.Fields,
		write: p.st.SetProfileField,
		id:    func(f *store.ProfileField) string { return f.Key },
		place: func(f *store.ProfileField) *int64 { return &f.Place },
	}
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if !by.Runs() {
			return fault.ErrRole
		}
		return list.change(ctx, a, p.h.Domain, f)
	})
}

func errNoField(key string) error {
	return fault.New(fault.NotFound, "", "There is no field {{.Key}}", "Key", key)
}

func position(fs []store.ProfileField, key string) int {
	return slices.IndexFunc(fs, func(f store.ProfileField) bool { return f.Key == key })
}

// change makes the given changes to the definition of a field. It refuses a change of kind and a definition that is not
// complete.
func change(f *store.ProfileField, c FieldChange) error {
	if err := fits(c); err != nil {
		return err
	}
	if c.Kind != nil && *c.Kind != f.Kind {
		return fault.New(fault.Invalid, "kind",
			"The kind of a field stays as it is: delete the field and create another")
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
		return fault.New(fault.Invalid, "name", "A field needs a name")
	case f.Kind == store.FieldChoice && len(f.Choices) == 0:
		return fault.New(fault.Invalid, "choices", "Say what there is to choose from, one choice a line")
	case f.SeenBy == store.ShownToAdmins && !f.ByAdmins:
		return fault.New(fault.Invalid, "changed_by", "Only administrators can change a field that only they see")
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

// choices trims the choices and removes duplicates.
func choices(given []string) (cs []string, err error) {
	for _, c := range given {
		c, err := line("choices", c)
		switch {
		case err != nil:
			return nil, err
		case len([]rune(c)) > maxChoice:
			return nil, fault.New(fault.Invalid, "choices", "A choice has at most {{.Max}} characters",
				"Max", strconv.Itoa(maxChoice))
		case c != "" && !slices.Contains(cs, c):
			cs = append(cs, c)
		}
	}
	if len(cs) > MaxChoices {
		return nil, fault.New(fault.Invalid, "choices", "There are at most {{.Max}} choices", "Max",
			strconv.Itoa(MaxChoices))
	}
	return cs, nil
}

// yesWords and noWords are the words that mean yes and no, also in imported lists.
var (
	yesWords = []string{"yes", "y", "true", "1", "on", "oui", "o", "vrai", "ja", "sí", "si"}
	noWords  = []string{"no", "n", "false", "0", "off", "non", "faux", "nein"}
)

// number matches a number.
var number = regexp.MustCompile(`^[+-]?[0-9]{1,30}([.,][0-9]{1,30})?$`)

// FieldValue gives a value in the form that is kept, or an error if the field cannot have it. Yes and no become "yes"
// and "no"; a number stays as typed, since an extension may begin with 0. "" is no value.
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
			return "", fault.New(fault.Invalid, f.Key, "{{.Field}} is a number", "Field", f.Name)
		}
	case f.Kind == store.FieldYesNo && slices.Contains(yesWords, lower):
		v = "yes"
	case f.Kind == store.FieldYesNo && slices.Contains(noWords, lower):
		v = "no"
	case f.Kind == store.FieldYesNo:
		return "", fault.New(fault.Invalid, f.Key, "{{.Field}} is yes or no", "Field", f.Name)
	case f.Kind == store.FieldChoice:
		at := slices.IndexFunc(f.Choices, func(c string) bool { return strings.EqualFold(c, v) })
		if at < 0 {
			return "", fault.New(fault.Invalid, f.Key, "{{.Field}} is one of: {{.Choices}}", "Field", f.Name, "Choices",
				strings.Join(f.Choices, ", "))
		}
		v = f.Choices[at]
	case f.Kind == store.FieldLink:
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" ||
			strings.ContainsAny(v, " \"<>") {
			return "", fault.New(fault.Invalid, f.Key,
				"{{.Field}} is a link that begins with https://", "Field", f.Name)
		}
	}
	return v, nil
}

// setFields writes values into a person if the fields exist, the actor may change them, and the values are allowed.
func (p *People) setFields(ctx context.Context, by Actor, u *store.Person, values map[string]string) error {
	if len(values) == 0 {
		return nil
	}
	fs, err := p.Fields(ctx)
	if err != nil {
		return err
	}
	is := maps.Clone(u.Fields) // the caller compares u with the person before, who has the same map
	if is == nil {
		is = make(map[string]string)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		at := position(fs, key)
		if at < 0 {
			return fault.New(fault.Invalid, key, "There is no field {{.Key}}", "Key", key)
		}
		may := MayFill(by, *u, fs[at])
		hidden := !may && fs[at].SeenBy == store.ShownToAdmins // the answer must not tell whether a guess was right
		if values[key] == is[key] && !hidden {                 // it may be a choice that no longer exists
			continue
		}
		if !may {
			return fault.New(fault.Forbidden, key, "Only administrators can change {{.Field}}", "Field", fs[at].Name)
		}
		if is[key], err = FieldValue(fs[at], values[key]); err != nil {
			return err
		}
	}
	u.Fields = is
	return nil
}

// FieldsFor gives the profile fields whose values an actor may see: actors without the console do not get fields that
// only administrators see.
func (p *People) FieldsFor(ctx context.Context, a Actor) ([]store.ProfileField, error) {
	fs, err := p.Fields(ctx)
	if !a.Console() {
		fs = slices.DeleteFunc(fs, func(f store.ProfileField) bool { return f.SeenBy == store.ShownToAdmins })
	}
	return fs, err
}

// MayFill says whether an actor may change a person's value of a field: the person may, unless the field is for
// administrators.
func MayFill(by Actor, u store.Person, f store.ProfileField) bool {
	own := by.Name != "" && by.Name == u.Name
	return by.May(Edit, u) || own && !f.ByAdmins
}

// seenFields removes the values that an actor who does not manage the person may not see; sameTeam says whether they
// share a team.
func seenFields(fs []store.ProfileField, values map[string]string, sameTeam bool) map[string]string {
	var seen map[string]string
	for _, f := range fs {
		v := values[f.Key]
		if v == "" || f.SeenBy == store.ShownToAdmins || f.SeenBy == store.ShownToTeam && !sameTeam {
			continue
		}
		if seen == nil {
			seen = make(map[string]string)
		}
		seen[f.Key] = v
	}
	return seen
}
