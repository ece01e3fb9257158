package node

import (
	"context"
	"strings"

	"parley/admin"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

func (o *operations) showTheme(g store.Group, t store.Theme) admin.Theme {
	out := admin.Theme{Key: t.Key, Slug: t.Slug, Name: t.Name, Room: o.n.Org.RoomJID(t.Host, t.Room).String(), Restricted: t.Restricted,
		Creator: t.Creator, Created: t.Created, Closed: t.Closed, State: org.StateOf(t), Link: org.ThemeLink(g, t)}
	if t.Source.Room != "" {
		out.Source = o.n.Org.RoomJID(t.Host, t.Source.Room).String() + "/" + t.Source.ID.String()
	}
	return out
}

func (o *operations) CreateTheme(ctx context.Context, domain, slug string, in admin.NewTheme) (admin.Theme, error) {
	h, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return admin.Theme{}, err
	}
	n := org.NewTheme{Name: in.Name, Restricted: in.Restricted}
	if in.Creator != "" {
		if n.Creator, err = person("creator", h, in.Creator); err != nil {
			return admin.Theme{}, err
		}
	}
	for _, p := range in.People {
		j, err := person("people", h, p)
		if err != nil {
			return admin.Theme{}, err
		}
		n.People = append(n.People, j)
	}
	t, err := o.n.Org.CreateTheme(ctx, g.Host, g.ID, n)
	if err != nil {
		return admin.Theme{}, orgError(err)
	}
	return o.showTheme(g, t), nil
}

// theme takes a theme's key, or its slug where only one open theme has it, or only one at all.
func (o *operations) theme(ctx context.Context, g store.Group, theme string) (store.Theme, error) {
	ts, err := o.n.Org.Themes(ctx, g.Host, g.ID, jid.JID{})
	if err != nil {
		return store.Theme{}, orgError(err)
	}
	var open, all []store.Theme
	for _, t := range ts {
		if t.Key == theme {
			return t, nil
		}
		if t.Slug == theme {
			if all = append(all, t); t.Closed.IsZero() {
				open = append(open, t)
			}
		}
	}
	if len(open) > 0 {
		all = open
	}
	switch len(all) {
	case 0:
		return store.Theme{}, admin.NotFound("theme", "there is no theme %s in the group %s", theme, g.Slug)
	case 1:
		return all[0], nil
	}
	var keys []string
	for _, t := range all {
		keys = append(keys, t.Key)
	}
	return store.Theme{}, admin.Conflict("theme", "there are several themes %s: use one of their keys, %s", theme, strings.Join(keys, ", "))
}

func (o *operations) CloseTheme(ctx context.Context, domain, slug, theme string) error {
	state := org.ThemeClosed
	_, err := o.ChangeTheme(ctx, domain, slug, theme, admin.ThemeChange{State: &state})
	return err
}

func (o *operations) ChangeTheme(ctx context.Context, domain, slug, theme string, c admin.ThemeChange) (admin.Theme, error) {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return admin.Theme{}, err
	}
	t, err := o.theme(ctx, g, theme)
	if err != nil {
		return admin.Theme{}, err
	}
	if c.Name != nil {
		if _, err := o.n.Org.RenameTheme(ctx, g.Host, t.Key, *c.Name, jid.JID{}); err != nil {
			return admin.Theme{}, orgError(err)
		}
	}
	if c.State != nil {
		if err := o.n.Org.SetThemeState(ctx, g.Host, t.Key, *c.State, jid.JID{}); err != nil {
			return admin.Theme{}, orgError(err)
		}
	}
	if t, err = o.n.Org.Theme(ctx, g.Host, t.Key); err != nil {
		return admin.Theme{}, orgError(err)
	}
	return o.showTheme(g, t), nil
}

func (o *operations) SetThemePerson(ctx context.Context, domain, slug, theme, address, role string) error {
	h, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return err
	}
	t, err := o.theme(ctx, g, theme)
	if err != nil {
		return err
	}
	who, err := person("address", h, address)
	if err != nil {
		return err
	}
	return orgError(o.n.Org.SetThemePeople(ctx, g.Host, t.Key, []store.Member{{JID: who.String(), Role: role}}))
}
