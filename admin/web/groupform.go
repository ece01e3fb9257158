package web

import (
	"fmt"
	"slices"
	"strconv"

	"parley/internal/shape"
	"parley/org"
	"parley/store"
)

// The form of a group's settings, made of what can be changed of a group.

// settingsForm is what the page of settings has to fill in. A kind is chosen by what it means.
type settingsForm struct {
	Kind                         string
	Kinds                        []kindFacts
	Texts, Lines, Choices, Boxes []settingsField
}

// settingsField is a field of the form with what it holds.
type settingsField struct {
	shape.Field
	Value string
	Hint  string
}

// IsLines says that a text has several lines.
func (f settingsField) IsLines() bool { return f.Kind == shape.Lines }

// On says that a box is ticked.
func (f settingsField) On() bool { return f.Value == "true" }

// settingsForm gives the form with what the group is, and where ch has a field, with that. Who does not own the group
// sees what holds, and owners see what they have said.
func (c *ctx) settingsForm(r room, ch org.GroupChange) settingsForm {
	now := org.SettingsOf(r.Group)
	if !r.Owns() {
		now = org.SettingsInForce(r.Group)
	}
	return c.formOf(now, ch)
}

// formOf gives the form with what there is now, and where something else is written, with that.
func (c *ctx) formOf(now, ch org.GroupChange) settingsForm {
	f := settingsForm{Kinds: kindsOffered()}
	for _, field := range shape.Of(now) {
		text, _ := field.Value(now)
		if field.Name == "hidden" && *now.Kind != org.Announcement { // another kind says it by itself
			text = "false"
		}
		if written, ok := field.Value(ch); ok {
			text = written
		}
		f.add(settingsField{field, text, c.hintOf(field.Name)})
	}
	return f
}

// Named gives a field of the form, for pages that have only some.
func (f settingsForm) Named(name string) (settingsField, error) {
	for _, field := range slices.Concat(f.Texts, f.Lines, f.Choices, f.Boxes) {
		if field.Name == name {
			return field, nil
		}
	}
	return settingsField{}, fmt.Errorf("groups have no setting %s", name)
}

func (f *settingsForm) add(field settingsField) {
	switch {
	case field.Name == "kind":
		f.Kind = field.Value
	case field.Kind == shape.Lines:
		f.Lines = append(f.Lines, field)
	case field.Kind == shape.Choice:
		f.Choices = append(f.Choices, field)
	case field.Kind == shape.Box:
		f.Boxes = append(f.Boxes, field)
	default:
		f.Texts = append(f.Texts, field)
	}
}

// hintOf is what the page says below a field; most need nothing.
func (c *ctx) hintOf(name string) string {
	switch name {
	case "emoji":
		return c.T("Shown where the group has no photo.")
	case "themes_by":
		return c.T("In a group of announcements only moderators do.")
	}
	return ""
}

// groupChange reads the form of settings.
func (c *ctx) groupChange() (ch org.GroupChange, err error) {
	err = c.readChange(&ch)
	return ch, err
}

// readChange fills the change that a pointer points to with what a form has; a box that is not ticked is not sent, so
// that the form says that it has boxes.
func (c *ctx) readChange(change any) error {
	return shape.Read(change, func(f shape.Field) (string, bool) {
		if f.Kind == shape.Box {
			return strconv.FormatBool(c.r.Form.Has(f.Name)), c.r.Form.Has("boxes")
		}
		return c.form(f.Name), c.r.Form.Has(f.Name)
	})
}

// told are the fields for which effects has words of its own, or that come to nothing for people.
var told = []string{"name", "description", "emoji", "kind", "hidden", "themes_by", "mention_by", "guests", "since_join"}

// otherEffects says of the other fields what they are from now on.
func (c *ctx) otherEffects(was, is store.Group) (out []string) {
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

// fieldName is what the audit log calls a field: by a word of its own, or as forms of groups and teams do.
func (c *ctx) fieldName(name string) string {
	id := "field " + name
	if own := c.T(id); own != id {
		return own
	}
	for _, f := range slices.Concat(shape.Of(org.GroupChange{}), shape.Of(org.TeamChange{})) {
		if f.Name == name {
			return c.T(f.Label)
		}
	}
	return id
}

// valueName is what people read for a value of a field.
func (c *ctx) valueName(f shape.Field, value string) string {
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
