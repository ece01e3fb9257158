package org

import (
	"unicode"
	"unicode/utf8"

	"parley/acts"
	"parley/internal/fault"
	"parley/internal/shape"
	"parley/store"
)

// GroupChange is a change of a group, or the settings of a new one; nil: unchanged. Pages, the API, clients' forms and
// the command line are made of it: a field that is added here and in kept appears in all of them.
type GroupChange struct {
	Name        *string `json:"name,omitempty" label:"Name" maxLength:"100"`
	Description *string `json:"description,omitempty" label:"Description" maxLength:"2000" lines:"true"`
	Emoji       *string `json:"emoji,omitempty" label:"Emoji" maxLength:"64"`
	Kind        *string `json:"kind,omitempty" label:"Kind of group" enum:"private,public,large,request,announcement,federated"`
	ThemesBy    *string `json:"themes_by,omitempty" label:"Who can start themes" enum:"members,moderators"`
	MentionBy   *string `json:"mention_by,omitempty" label:"Who can notify everyone with @all" enum:"members,moderators,nobody" flag:"mentions-by"`
	ReactBy     *string `json:"react_by,omitempty" label:"Who can react with emoji" enum:"members,moderators"`
	SinceJoin   *bool   `json:"since_join,omitempty" label:"New members read only messages sent after they join" doc:"members read only messages since they were added"`
	Guests      *bool   `json:"guests,omitempty" label:"Themes can have guests who are not in the group" doc:"themes may have guests who are not in the group"`
	Hidden      *bool   `json:"hidden,omitempty" label:"Announcements: hidden from people outside the group" doc:"only for announcements: people outside the group cannot find it"`
}

// kept gives pointers to the fields of a group. The kind is apart, because it follows from more than one field of the
// group.
func kept(g *store.Group, kind *string) GroupChange {
	return GroupChange{
		Name:        &g.Name,
		Description: &g.Description,
		Emoji:       &g.Emoji,
		Kind:        kind,
		ThemesBy:    &g.ThemesBy,
		MentionBy:   &g.MentionBy,
		ReactBy:     &g.ReactBy,
		SinceJoin:   &g.SinceJoin,
		Guests:      &g.Guests,
		Hidden:      &g.Private,
	}
}

// SettingsOf gives all settings of a group as its owners set them.
func SettingsOf(g store.Group) GroupChange {
	kind := kindOf(g)
	return kept(&g, &kind)
}

// SettingsInForce is SettingsOf with the values that the kind of group imposes.
func SettingsInForce(g store.Group) GroupChange {
	g.ThemesBy = RulesOf(g).ThemesBy
	return SettingsOf(g)
}

// differences gives the fields of a group that changed.
func differences(was, is store.Group) acts.Detail {
	d := make(acts.Detail)
	shape.Differences(SettingsOf(was), SettingsOf(is), func(name string, before, after any) {
		d[name] = []any{before, after}
	})
	return d
}

// changed gives the group after a change; an error if it is not allowed.
func (s *state) changed(c GroupChange) (store.Group, error) {
	g := s.group
	if err := c.apply(&g); err != nil {
		return s.group, err
	}
	if g == s.group || RulesOf(g).Remote || !RulesOf(s.group).Remote {
		return g, nil
	}
	for j, role := range s.members {
		if j.Domain() != g.Host && role != store.RoleBanned {
			text := j.String() + " is of another server: only a federated group has such members"
			return s.group, fault.At(fault.NotAllowed, "kind", text)
		}
	}
	return g, nil
}

func (c *GroupChange) apply(g *store.Group) error {
	themesBy := g.ThemesBy
	if err := c.fill(g); err != nil {
		return err
	}
	if g.ThemesBy != themesBy && g.ThemesBy == "members" && RulesOf(*g).Moderated {
		return fault.At(fault.Invalid, "themes_by",
			"only moderators can start themes in a group where only moderators write")
	}
	return checkSettings(g)
}

// fill writes the given settings to a group, without checking them together: checkSettings does.
func (c *GroupChange) fill(g *store.Group) (err error) {
	name, kind := g.Name, kindOf(*g)
	shape.Apply(kept(g, &kind), *c)
	if c.Name != nil {
		if name, err = checkName("name", *c.Name); err != nil {
			return err
		}
	}
	g.Name = name
	return setKind(g, kind, g.Private)
}

// setKind checks a kind and sets it; hidden matters for announcements only.
func setKind(g *store.Group, kind string, hidden bool) error {
	if err := shape.Named(GroupChange{}, "kind").Check(kind); err != nil {
		return err
	}
	g.Kind = kind
	if kind == Announcement {
		g.Private = hidden
	} else {
		g.Private = !RulesOf(*g).Listed
	}
	return nil
}

// checkSettings fills in defaults and refuses values that are not allowed. The first of several choices is the default.
func checkSettings(g *store.Group) error {
	kind := kindOf(*g)
	now := kept(g, &kind)
	for _, f := range shape.Of(now) {
		if text, _ := f.Value(now); f.Kind != shape.Choice || text != "" {
			continue
		}
		var first GroupChange
		if err := f.Set(&first, f.Choices[0]); err != nil {
			return err
		}
		shape.Apply(now, first)
	}
	if g.Emoji != "" && !isEmoji(g.Emoji) {
		return fault.At(fault.Invalid, "emoji", "is one emoji")
	}
	return shape.Check(now)
}

// isEmoji accepts a text that may be an emoji: a few characters that are not letters, digits, spaces or controls.
func isEmoji(s string) bool {
	n := 0
	for _, r := range s {
		n++
		low := r < 0x203c && r != 0xa9 && r != 0xae
		if low || unicode.IsLetter(r) || unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError {
			return false
		}
	}
	return n <= 10
}
