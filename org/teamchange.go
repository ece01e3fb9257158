package org

import (
	"parley/acts"
	"parley/internal/shape"
	"parley/store"
)

// TeamFields is what may be said of a team; nil stays. The API and the command line are made of it, and what pages
// read.
type TeamFields struct {
	Name        *string `json:"name,omitempty" label:"Name" maxLength:"100"`
	Emoji       *string `json:"emoji,omitempty" label:"Emoji" maxLength:"64"`
	Description *string `json:"description,omitempty" label:"Description" maxLength:"2000" lines:"true"`
	MentionBy   *string `json:"mention_by,omitempty" label:"Who may mention the team" choices:"everyone,members,nobody" flag:"mentions-by"`
}

// TeamChange is what is to be changed of a team; nil stays.
type TeamChange struct {
	TeamFields
	Defaults *[]string `json:"defaults,omitempty"` // slugs of the groups that its new people are members of
}

// TeamSettings gives each field its place in a team; what is written there is the team's.
func TeamSettings(t *store.Team) TeamFields {
	return TeamFields{
		Name:        &t.Name,
		Emoji:       &t.Emoji,
		Description: &t.Description,
		MentionBy:   &t.MentionBy,
	}
}

// apply makes a team what a change says, or says why it cannot be that.
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

// checkTeam sets what is missing and says what cannot be.
func checkTeam(t *store.Team) error {
	if t.MentionBy == "" {
		t.MentionBy = Everyone
	}
	if t.Emoji != "" && !isEmoji(t.Emoji) {
		return &Error{Invalid, "emoji", "is one emoji"}
	}
	return invalid(shape.Check(TeamSettings(t)))
}

// teamDifferences are the fields of a team that have changed.
func teamDifferences(was, is store.Team) acts.Detail {
	d := make(acts.Detail)
	shape.Differences(TeamSettings(&was), TeamSettings(&is), func(name string, before, after any) {
		d[name] = []any{before, after}
	})
	return d
}
