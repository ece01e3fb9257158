package people

import (
	"context"
	"slices"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// TeamsOf gives the teams that an actor manages in the console: all, or those that a supervisor is in.
func (p *People) TeamsOf(ctx context.Context, a Actor) ([]store.Team, error) {
	switch {
	case a.Runs():
		return p.cfg.Org.Teams(ctx, p.h.Domain)
	case a.Console():
		return p.cfg.Org.TeamsOf(ctx, p.h.Domain, a.Name)
	}
	return nil, nil
}

// Team gives one of these teams; NotFound for any other, as if it did not exist.
func (p *People) Team(ctx context.Context, a Actor, slug string) (store.Team, error) {
	if !a.Console() {
		return store.Team{}, fault.ErrRole
	}
	ts, err := p.TeamsOf(ctx, a)
	i := slices.IndexFunc(ts, func(t store.Team) bool { return t.Slug == slug })
	if err == nil && i < 0 {
		err = fault.New(fault.NotFound, "", "There is no team {{.Name}}", "Name", slug)
	}
	if err != nil {
		return store.Team{}, err
	}
	return ts[i], nil
}

// SetTeamPeople adds accounts to a team or removes them. A supervisor may do so with people whom they manage, in teams
// that they are in, because a team brings its groups.
func (p *People) SetTeamPeople(ctx context.Context, a Actor, t store.Team, names []string, out bool) error {
	if err := p.maySetTeamPeople(ctx, a, t, names, out); err != nil {
		return err
	}
	come, gone := names, []string(nil)
	if out {
		come, gone = nil, names
	}
	return p.cfg.Org.SetTeamPeopleIf(ctx, a, p.h.Domain, t.ID, come,
		gone, func(ctx context.Context) error { return p.maySetTeamPeople(ctx, a, t, names, out) })
}

// maySetTeamPeople checks the right, and turns names into those of the accounts.
func (p *People) maySetTeamPeople(ctx context.Context, a Actor, t store.Team, names []string, out bool) error {
	if _, err := p.Team(ctx, a, t.Slug); err != nil {
		return err
	}
	for i, n := range names {
		j, err := jid.New(n, p.h.Domain, "")
		if err != nil {
			return fault.New(fault.NotFound, "", "There is no account {{.Name}}", "Name", n)
		}
		names[i] = j.Local()
		u, err := p.Get(ctx, names[i])
		if err != nil {
			return err
		}
		if !a.Runs() && (!a.May(See, u) || out && u.Name == a.Name) {
			return fault.New(fault.Forbidden, "", "{{.Name}} is not of your department", "Name", u.Display())
		}
	}
	return nil
}
