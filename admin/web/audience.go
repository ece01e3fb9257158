package web

import (
	"slices"

	"parley/people"
	"parley/store"
)

// audience is for whom something is, as a row of a list shows it.
type audience struct {
	Roles    []string // their names
	Teams    []string // their names
	Everyone bool
}

// audienceOf names the roles and the teams (their ids) for whom something is.
func (c *request) audienceOf(roles, teams []string, all []store.Team) audience {
	a := audience{Everyone: len(roles)+len(teams) == 0}
	for _, role := range roles {
		a.Roles = append(a.Roles, c.P.RoleName(c.Lang, role))
	}
	for _, t := range all {
		if slices.Contains(teams, t.ID) {
			a.Teams = append(a.Teams, t.Name)
		}
	}
	return a
}

// audienceBoxes gives the boxes of a form that choose roles and teams. Those that are given are ticked; nil: none.
func (c *request) audienceBoxes(roles, teams *[]string, all []store.Team) (ofRoles, ofTeams []input) {
	for _, role := range people.Roles {
		in := newInput("box", "roles", c.P.RoleName(c.Lang, role), role)
		in.On = ticked(roles, role)
		ofRoles = append(ofRoles, in)
	}
	for _, t := range all {
		in := newInput("box", "teams", t.Name, t.Slug)
		in.On = ticked(teams, t.Slug)
		ofTeams = append(ofTeams, in)
	}
	return ofRoles, ofTeams
}

// ticked says whether a list that may be nil has a text.
func ticked(list *[]string, text string) bool { return list != nil && slices.Contains(*list, text) }
