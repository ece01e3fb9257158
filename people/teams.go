package people

import (
	"context"
	"slices"

	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// TeamsOf are the teams that an actor has to do with in the console: all of them, or those a supervisor is in.
func (p *People) TeamsOf(ctx context.Context, a Actor) ([]store.Team, error) {
	switch {
	case a.Runs():
		return p.cfg.Org.Teams(ctx, p.h.Domain)
	case a.Console():
		return p.cfg.Org.TeamsOf(ctx, p.h.Domain, a.Name)
	}
	return nil, nil
}

// Team gives one of those.
func (p *People) Team(ctx context.Context, a Actor, slug string) (store.Team, error) {
	t, err := p.cfg.Org.Team(ctx, p.h.Domain, slug)
	if err != nil {
		return t, err
	}
	ts, err := p.TeamsOf(ctx, a)
	if err == nil && !slices.ContainsFunc(ts, func(o store.Team) bool { return o.ID == t.ID }) {
		err = fail(org.Forbidden, "", "Your role does not allow this")
	}
	return t, err
}

// SetTeamPeople has accounts in a team, or not any more. A supervisor does that with people that the supervisor looks
// after, in teams of the supervisor's own: with a team go its groups.
func (p *People) SetTeamPeople(ctx context.Context, a Actor, t store.Team, names []string, out bool) error {
	if _, err := p.Team(ctx, a, t.Slug); err != nil {
		return err
	}
	for i, n := range names {
		j, err := jid.New(n, p.h.Domain, "")
		if err != nil {
			return fail(org.NotFound, "", "There is no account {{.Name}}", "Name", n)
		}
		names[i] = j.Local()
		u, err := p.Get(ctx, names[i])
		if err != nil {
			return err
		}
		if !a.Runs() && (!a.May(See, u) || out && u.Name == a.Name) {
			return fail(org.Forbidden, "", "{{.Name}} is not of your department", "Name", u.Display())
		}
	}
	come, gone := names, []string(nil)
	if out {
		come, gone = nil, names
	}
	if err := p.cfg.Org.SetTeamPeople(ctx, p.h.Domain, t.ID, come, gone); err != nil {
		return err
	}
	p.audit(ctx, a, "team.people", t.Slug, map[string]any{"members": come, "removed": gone})
	return nil
}
