package node

import (
	"context"
	"strings"

	"parley/admin"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// team finds a team by the host and its slug.
func (o *operations) team(ctx context.Context, domain, slug string) (*server.Host, store.Team, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, store.Team{}, err
	}
	t, err := o.n.Org.Team(ctx, h.Domain, slug)
	return h, t, orgError(err)
}

func (o *operations) teamSlug(ctx context.Context, host, id string) (string, error) {
	ts, err := o.n.Org.Teams(ctx, host)
	for _, t := range ts {
		if t.ID == id {
			return t.Slug, err
		}
	}
	return "", err
}

func (o *operations) teamsIn(ctx context.Context, g store.Group) (out []admin.InTeam, err error) {
	gts, err := o.n.Org.GroupTeams(ctx, g.Host, g.ID)
	if err != nil {
		return nil, err
	}
	for _, gt := range gts {
		slug, err := o.teamSlug(ctx, g.Host, gt.Team)
		if err != nil {
			return nil, err
		}
		if slug != "" {
			out = append(out, admin.InTeam{Slug: slug, Role: gt.Role})
		}
	}
	return out, nil
}

func (o *operations) showTeam(ctx context.Context, t store.Team, whole bool) (admin.Team, error) {
	out := admin.Team{Host: t.Host, Slug: t.Slug, Name: t.Name, Emoji: t.Emoji, Description: t.Description, MentionBy: t.MentionBy, Created: t.Created}
	ps, err := o.n.Org.TeamPeople(ctx, t.Host, t.ID)
	if err != nil {
		return out, orgError(err)
	}
	if out.Size = len(ps); !whole {
		return out, nil
	}
	for _, p := range ps {
		out.People = append(out.People, admin.TeamPerson{Address: p.Name + "@" + t.Host, Name: p.FullName, Since: p.Since})
	}
	for to, get := range map[*[]string]func(context.Context, string, string) ([]store.Group, error){&out.Groups: o.n.Org.TeamGroups, &out.Defaults: o.n.Org.TeamDefaults} {
		gs, err := get(ctx, t.Host, t.ID)
		if err != nil {
			return out, orgError(err)
		}
		for _, g := range gs {
			*to = append(*to, g.Slug)
		}
	}
	return out, nil
}

// names reads addresses of accounts of a host.
func (o *operations) names(h *server.Host, addresses []string) ([]string, error) {
	var out []string
	for _, a := range addresses {
		if !strings.Contains(a, "@") {
			a += "@" + h.Domain
		}
		x, j, err := o.local("people", a)
		if err != nil {
			return nil, err
		}
		if x != h {
			return nil, admin.Invalid("people", "%s is not of %s: a team is of one organization", j, h.Domain)
		}
		out = append(out, j.Local())
	}
	return out, nil
}

func (o *operations) CreateTeam(ctx context.Context, in admin.NewTeam) (admin.Team, error) {
	h, err := o.host("host", in.Host)
	if err != nil {
		return admin.Team{}, err
	}
	people, err := o.names(h, in.People)
	if err != nil {
		return admin.Team{}, err
	}
	if in.Name == "" {
		in.Name = in.Slug
	}
	t, err := o.n.Org.CreateTeam(ctx, h.Domain, org.NewTeam{Slug: in.Slug, Name: in.Name, Emoji: in.Emoji, Description: in.Description, People: people})
	if err != nil {
		return admin.Team{}, orgError(err)
	}
	return o.showTeam(ctx, t, true)
}

func (o *operations) Teams(ctx context.Context, domain string) ([]admin.Team, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, err
	}
	ts, err := o.n.Org.Teams(ctx, h.Domain)
	out := make([]admin.Team, len(ts))
	for i, t := range ts {
		if out[i], err = o.showTeam(ctx, t, false); err != nil {
			return nil, err
		}
	}
	return out, err
}

func (o *operations) Team(ctx context.Context, domain, slug string) (admin.Team, error) {
	_, t, err := o.team(ctx, domain, slug)
	if err != nil {
		return admin.Team{}, err
	}
	return o.showTeam(ctx, t, true)
}

func (o *operations) ChangeTeam(ctx context.Context, domain, slug string, c admin.TeamChange) (admin.Team, error) {
	_, t, err := o.team(ctx, domain, slug)
	if err != nil {
		return admin.Team{}, err
	}
	t, err = o.n.Org.UpdateTeam(ctx, t.Host, t.ID, org.TeamChange{Name: c.Name, Emoji: c.Emoji, Description: c.Description, MentionBy: c.MentionBy, Defaults: c.Defaults})
	if err != nil {
		return admin.Team{}, orgError(err)
	}
	return o.showTeam(ctx, t, true)
}

func (o *operations) SetTeamPeople(ctx context.Context, domain, slug string, in, out []string) error {
	h, t, err := o.team(ctx, domain, slug)
	if err != nil {
		return err
	}
	come, err := o.names(h, in)
	if err != nil {
		return err
	}
	gone, err := o.names(h, out)
	if err != nil {
		return err
	}
	return orgError(o.n.Org.SetTeamPeople(ctx, t.Host, t.ID, come, gone))
}

func (o *operations) DeleteTeam(ctx context.Context, domain, slug string) error {
	_, t, err := o.team(ctx, domain, slug)
	if err != nil {
		return err
	}
	return orgError(o.n.Org.DeleteTeam(ctx, t.Host, t.ID))
}

func (o *operations) SetMandatory(ctx context.Context, domain, slug, whom string) error {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return err
	}
	if whom != "" && whom != org.Everyone {
		_, t, err := o.team(ctx, g.Host, whom)
		if err != nil {
			return err
		}
		whom = t.ID
	}
	return orgError(o.n.Org.SetMandatory(ctx, g.Host, g.ID, whom))
}

func (o *operations) SetGroupTeam(ctx context.Context, domain, slug, team, role string) error {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return err
	}
	_, t, err := o.team(ctx, g.Host, team)
	if err != nil {
		return err
	}
	return orgError(o.n.Org.SetGroupTeam(ctx, g.Host, g.ID, t.ID, role))
}

func (o *operations) Requests(ctx context.Context, domain, slug string) ([]admin.Request, error) {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return nil, err
	}
	rs, err := o.n.Org.Requests(ctx, g.Host, g.ID)
	out := make([]admin.Request, len(rs))
	for i, r := range rs {
		out[i] = admin.Request{Address: r.JID, Reason: r.Reason, Since: r.Since}
	}
	return out, err
}

func (o *operations) AnswerRequest(ctx context.Context, domain, slug, address string, yes bool) error {
	h, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return err
	}
	who, err := person("address", h, address)
	if err != nil {
		return err
	}
	return orgError(o.n.Org.AnswerRequest(ctx, g.Host, g.ID, who, yes, jid.JID{}))
}
