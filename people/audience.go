package people

import (
	"context"
	"slices"
	"strings"

	"parley/internal/fault"
	"parley/store"
)

// Roles are the roles of accounts, from the one with the fewest rights.
var Roles = []string{store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner}

// isAmong says whether something is for a person who is in some teams: it is for everybody, for the person's role, or
// for one of these teams.
func isAmong(roles, teams []string, u store.Person, of []store.Team) bool {
	return len(roles)+len(teams) == 0 || slices.Contains(roles, u.Role) ||
		slices.ContainsFunc(of, func(t store.Team) bool { return slices.Contains(teams, t.ID) })
}

// chosenRoles gives roles in their usual order; a refusal if there is no such role.
func chosenRoles(names []string) (roles []string, err error) {
	if slices.ContainsFunc(names, func(r string) bool { return !slices.Contains(Roles, r) }) {
		return nil, fault.New(fault.Invalid, "roles", "This is one of: {{.Choices}}", "Choices",
			strings.Join(Roles, ", "))
	}
	for _, r := range Roles {
		if slices.Contains(names, r) {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

// chosenTeams gives the ids of teams; a refusal if there is no such team.
func (p *People) chosenTeams(ctx context.Context, slugs []string) (ids []string, err error) {
	ts, err := p.cfg.Org.Teams(ctx, p.h.Domain)
	if err != nil {
		return nil, err
	}
	for _, slug := range slugs {
		at := slices.IndexFunc(ts, func(t store.Team) bool { return t.Slug == slug })
		if at < 0 {
			return nil, fault.New(fault.Invalid, "teams", "There is no team {{.Name}}", "Name", slug)
		}
		if !slices.Contains(ids, ts[at].ID) {
			ids = append(ids, ts[at].ID)
		}
	}
	return ids, nil
}

// teamSlugs gives the slugs of teams by their ids. Teams that were deleted are not in it.
func (p *People) teamSlugs(ctx context.Context, ids []string) ([]string, error) {
	slugs := []string{}
	ts, err := p.cfg.Org.Teams(ctx, p.h.Domain)
	for _, t := range ts {
		if slices.Contains(ids, t.ID) {
			slugs = append(slugs, t.Slug)
		}
	}
	return slugs, err
}

// moved gives a list with the entry at a position moved to a place counted from 1; nil: not moved.
func moved[T any](list []T, at int, place *int) []T {
	if place == nil {
		return list
	}
	one := list[at]
	list = slices.Delete(list, at, at+1)
	return slices.Insert(list, min(max(*place-1, 0), len(list)), one)
}
