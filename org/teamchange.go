package org

import (
	"parley/acts"
	"parley/internal/fault"
	"parley/internal/shape"
	"parley/store"
)

// TeamFields are the fields of a team; nil: unchanged. API, command line and pages are made of it.
type TeamFields struct {
	Name        *string `json:"name,omitempty" label:"Name" maxLength:"100"`
	Emoji       *string `json:"emoji,omitempty" label:"Emoji" maxLength:"64"`
	Description *string `json:"description,omitempty" label:"Description" maxLength:"2000" lines:"true"`
	MentionBy   *string `json:"mention_by,omitempty" label:"Who can mention the team" choices:"everyone,members,nobody" flag:"mentions-by"`
}

// TeamChange is a change of a team; nil: unchanged.
type TeamChange struct {
	TeamFields
	Defaults *[]string `json:"defaults,omitempty"` // slugs of the groups that new people become members of
}

// TeamSettings gives pointers to the fields of t: writing through them changes the team.
func TeamSettings(t *store.Team) TeamFields {
	return TeamFields{
		Name:        &t.Name,
		Emoji:       &t.Emoji,
		Description: &t.Description,
		MentionBy:   &t.MentionBy,
	}
}

// apply makes a change to a team; an error if the result is not allowed.
func (ch *TeamChange) apply(t *store.Team) (err error) {
	name := t.Name
	shape.Apply(TeamSettings(t), ch.TeamFields)
	if ch.Name != nil {
		if name, err = checkName("name", *ch.Name); err != nil {
			return err
		}
	}
	t.Name = name
	return checkTeam(t)
}

// checkTeam fills in defaults and refuses values that are not allowed.
func checkTeam(t *store.Team) error {
	if t.MentionBy == "" {
		t.MentionBy = Everyone
	}
	if t.Emoji != "" && !isEmoji(t.Emoji) {
		return fault.At(fault.Invalid, "emoji", "is one emoji")
	}
	return shape.Check(TeamSettings(t))
}

// teamDifferences gives the fields of a team that changed.
func teamDifferences(was, is store.Team) acts.Detail {
	d := make(acts.Detail)
	shape.Differences(TeamSettings(&was), TeamSettings(&is), func(name string, before, after any) {
		d[name] = []any{before, after}
	})
	return d
}
