package web

import (
	"fmt"
	"slices"
	"strconv"

	"parley/internal/shape"
	"parley/org"
	"parley/people"
	"parley/store"
)

// The form of a group's settings, made of org.GroupChange.

// settingsForm holds the inputs of the form of a group's settings. A kind is chosen by what it means.
type settingsForm struct {
	Kind                         string
	Kinds                        []kindFacts
	Texts, Lines, Choices, Boxes []formRow
}

// settingsForm returns the form with the group's settings, and with the values of ch where it has them. Owners see what
// they have set; other people see the settings in force.
func (c *request) settingsForm(r room, ch org.GroupChange) settingsForm {
	now := org.SettingsOf(r.Group)
	if !r.Owns() {
		now = org.SettingsInForce(r.Group)
	}
	return c.formOf(now, ch)
}

// formOf returns the form with the values of now, and with the values of ch where it has them.
func (c *request) formOf(now, ch org.GroupChange) settingsForm {
	f := settingsForm{Kinds: kindsOffered()}
	for _, field := range shape.Of(now) {
		text, _ := field.Value(now)
		if field.Name == "hidden" && *now.Kind != org.Announcement { // for other kinds the kind decides
			text = "false"
		}
		if written, ok := field.Value(ch); ok {
			text = written
		}
		f.add(field, text, c.settingsRow(field, text))
	}
	return f
}

// Named returns an input of the form, for pages that have only some of them.
func (f settingsForm) Named(name string) (input, error) {
	for _, row := range slices.Concat(f.Texts, f.Lines, f.Choices, f.Boxes) {
		if row.Name == name {
			return row.input, nil
		}
	}
	return input{}, fmt.Errorf("groups have no setting %s", name)
}

// settingsRow returns the input for a field.
func (c *request) settingsRow(f shape.Field, value string) formRow {
	r := formRow{Of: f, input: input{ID: f.Name, Name: f.Name, Label: c.T(f.Label), As: rowKinds[f.Kind]}}
	r.Hint = c.hintOf(f.Name)
	r.input = r.options(f.Choices, func(v string) string { return c.T("by " + v) })
	r.set(value)
	switch f.Name {
	case "name":
		r.input = r.attr("required", "")
	case "emoji":
		r.Optional = c.T("(optional)")
	}
	return r.limited()
}

// add sorts an input into the form by its kind.
func (f *settingsForm) add(field shape.Field, value string, r formRow) {
	switch {
	case field.Name == "kind":
		f.Kind = value
	case field.Kind == shape.Lines:
		f.Lines = append(f.Lines, r)
	case field.Kind == shape.Choice:
		f.Choices = append(f.Choices, r)
	case field.Kind == shape.Box:
		f.Boxes = append(f.Boxes, r)
	default:
		f.Texts = append(f.Texts, r)
	}
}

// hintOf returns the hint below a field; "" for most.
func (c *request) hintOf(name string) string {
	switch name {
	case "emoji":
		return c.T("Shown when the group has no photo.")
	case "themes_by":
		return c.T("In an announcement group, only moderators can.")
	}
	return ""
}

// groupChange reads the form of settings.
func (c *request) groupChange() (ch org.GroupChange, err error) {
	err = c.readChange(&ch)
	return ch, err
}

// readChange fills the change that a pointer points to from a form. Browsers do not send boxes that are not ticked, so
// a form with boxes says that it has boxes.
func (c *request) readChange(change any) error {
	return shape.Read(change, func(f shape.Field) (string, bool) {
		if f.Kind == shape.Box {
			return strconv.FormatBool(c.r.Form.Has(f.Name)), c.r.Form.Has("boxes")
		}
		return c.form(f.Name), c.r.Form.Has(f.Name)
	})
}

// told are the fields for which effects has its own words, or whose change means nothing to people.
var told = []string{"name", "description", "emoji", "kind", "hidden", "themes_by", "mention_by", "guests", "since_join"}

// otherEffects returns the new values of the other fields that have changed.
func (c *request) otherEffects(was, is store.Group) (out []string) {
	now := org.SettingsOf(is)
	shape.Differences(org.SettingsOf(was), now, func(name string, _, _ any) {
		if slices.Contains(told, name) {
			return
		}
		f := shape.Named(now, name)
		text, _ := f.Value(now)
		out = append(out, c.T(f.Label)+": "+c.valueName(f, text))
	})
	return out
}

// fieldName returns the name of a field on the page of the audit log: its own word, or its label in the forms of
// groups, teams and people.
func (c *request) fieldName(name string) string {
	id := "field " + name
	if own := c.T(id); own != id {
		return own
	}
	labels := slices.Concat(shape.Of(org.GroupChange{}), shape.Of(org.TeamChange{}), shape.Of(people.Profile{}))
	for _, f := range labels {
		if f.Name == name {
			return c.T(f.Label)
		}
	}
	return id
}

// valueName returns a field's value in words.
func (c *request) valueName(f shape.Field, value string) string {
	switch {
	case f.Kind == shape.Choice:
		return c.T("by " + value)
	case f.Kind == shape.Box && value == "true":
		return c.T("yes")
	case f.Kind == shape.Box:
		return c.T("no")
	}
	return value
}
