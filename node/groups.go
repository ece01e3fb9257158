package node

import (
	"context"
	"errors"
	"strings"

	"parley/admin"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// orgError turns org's errors into the control socket's.
func orgError(err error) error {
	var e *org.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case org.NotFound:
		return admin.NotFound(e.Field, "%v", e)
	case org.Exists:
		return admin.Conflict(e.Field, "%v", e)
	case org.Forbidden:
		return admin.Forbidden(e.Field, "%v", e)
	}
	return admin.Invalid(e.Field, "%v", e)
}

// group finds a group by the host and its slug.
func (o *operations) group(ctx context.Context, domain, slug string) (*server.Host, store.Group, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, store.Group{}, err
	}
	g, err := o.n.Org.Group(ctx, h.Domain, slug)
	return h, g, orgError(err)
}

// person reads the address of someone who may be of another server. A name alone is an account of h.
func person(field string, h *server.Host, address string) (jid.JID, error) {
	if !strings.Contains(address, "@") {
		address += "@" + h.Domain
	}
	j, err := jid.Parse(address)
	if err != nil || j.Local() == "" {
		return jid.JID{}, admin.Invalid(field, "%q is no address: write it like alice@%s", address, h.Domain)
	}
	return j.Bare(), nil
}

func (o *operations) showGroup(g store.Group) admin.Group {
	return admin.Group{Host: g.Host, Slug: g.Slug, Name: g.Name, Description: g.Description, Emoji: g.Emoji, Kind: org.RulesOf(g).Kind,
		Private: g.Private, ThemesBy: g.ThemesBy, MentionBy: g.MentionBy, Guests: g.Guests, SinceJoin: g.SinceJoin, Photo: g.PhotoHash, Deleted: g.Deleted,
		Room: o.n.Org.RoomJID(g.Host, g.Room).String(), Created: g.Created}
}

func (o *operations) CreateGroup(ctx context.Context, in admin.NewGroup) (admin.Group, error) {
	h, err := o.host("host", in.Host)
	if err != nil {
		return admin.Group{}, err
	}
	owner, err := person("owner", h, in.Owner)
	if err != nil {
		return admin.Group{}, err
	}
	if in.Name == "" {
		in.Name = in.Slug
	}
	g, err := o.n.Org.CreateGroup(ctx, h.Domain, org.NewGroup{Slug: in.Slug, Name: in.Name, Description: in.Description, Kind: in.Kind, Private: in.Private, Emoji: in.Emoji,
		ThemesBy: o.n.Config.Groups.ThemesBy, Owner: owner})
	if err != nil {
		return admin.Group{}, orgError(err)
	}
	return o.showGroup(g), nil
}

func (o *operations) Groups(ctx context.Context, domain, after string, limit int) ([]admin.Group, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, err
	}
	gs, err := o.n.Org.Groups(ctx, h.Domain, after, limit)
	if err != nil {
		return nil, orgError(err)
	}
	out := make([]admin.Group, len(gs))
	for i, g := range gs {
		out[i] = o.showGroup(g)
	}
	return out, nil
}

func (o *operations) Group(ctx context.Context, domain, slug string) (admin.Group, error) {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return admin.Group{}, err
	}
	ms, err := o.n.Org.Members(ctx, g.Host, g.ID)
	if err != nil {
		return admin.Group{}, orgError(err)
	}
	ts, err := o.n.Org.Themes(ctx, g.Host, g.ID, jid.JID{})
	if err != nil {
		return admin.Group{}, orgError(err)
	}
	out := o.showGroup(g)
	for _, m := range ms {
		out.Members = append(out.Members, admin.Member{Address: m.JID, Role: m.Role, Since: m.Since})
	}
	for _, t := range ts {
		out.Themes = append(out.Themes, o.showTheme(g, t))
	}
	if out.Teams, err = o.teamsIn(ctx, g); err != nil {
		return out, err
	}
	if done, total := o.n.Org.Progress(g.Host, g.ID); total > 0 {
		out.Adding = &admin.Progress{Done: done, Total: total}
	}
	if out.Mandatory = g.Mandatory; g.Mandatory != "" && g.Mandatory != org.Everyone {
		out.Mandatory, err = o.teamSlug(ctx, g.Host, g.Mandatory)
	}
	return out, err
}

func (o *operations) ChangeGroup(ctx context.Context, domain, slug string, c admin.GroupChange) (admin.Group, error) {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return admin.Group{}, err
	}
	g, err = o.n.Org.Update(ctx, g.Host, g.ID, org.GroupChange{Name: c.Name, Description: c.Description, Kind: c.Kind, Hidden: c.Hidden,
		ThemesBy: c.ThemesBy, MentionBy: c.MentionBy, Emoji: c.Emoji, Guests: c.Guests, SinceJoin: c.SinceJoin})
	if err != nil {
		return admin.Group{}, orgError(err)
	}
	return o.showGroup(g), nil
}

func (o *operations) DeletedGroups(ctx context.Context, domain string) ([]admin.Group, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, err
	}
	gs, err := o.n.Org.DeletedGroups(ctx, h.Domain)
	out := make([]admin.Group, len(gs))
	for i, g := range gs {
		out[i] = o.showGroup(g)
	}
	return out, err
}

func (o *operations) RestoreGroup(ctx context.Context, domain, slug string) (admin.Group, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return admin.Group{}, err
	}
	g, err := o.n.Org.RestoreGroup(ctx, h.Domain, slug)
	if err != nil {
		return admin.Group{}, orgError(err)
	}
	return o.showGroup(g), nil
}

func (o *operations) SetPhoto(ctx context.Context, domain, slug string, image []byte) error {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return err
	}
	return orgError(o.n.Org.SetPhoto(ctx, g.Host, g.ID, image))
}

func (o *operations) SetMember(ctx context.Context, domain, slug, address, role string) (admin.Member, error) {
	h, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return admin.Member{}, err
	}
	who, err := person("address", h, address)
	if err != nil {
		return admin.Member{}, err
	}
	if role == "" { // for org this means to take them out
		return admin.Member{}, admin.Invalid("role", "role: is member, moderator, owner or banned")
	}
	if err := o.n.Org.SetMember(ctx, g.Host, g.ID, who, role); err != nil {
		return admin.Member{}, orgError(err)
	}
	return o.member(ctx, g, who)
}

// member finds a person in a group.
func (o *operations) member(ctx context.Context, g store.Group, who jid.JID) (admin.Member, error) {
	m, err := o.n.Store.Member(ctx, g.Host, g.ID, who.String())
	if errors.Is(err, store.ErrNotFound) {
		return admin.Member{}, admin.NotFound("address", "%s is not in the group %s", who, g.Slug)
	}
	return admin.Member{Address: m.JID, Role: m.Role, Since: m.Since}, err
}

func (o *operations) RemoveMember(ctx context.Context, domain, slug, address string) error {
	h, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return err
	}
	who, err := person("address", h, address)
	if err != nil {
		return err
	}
	if _, err := o.member(ctx, g, who); err != nil {
		return err
	}
	return orgError(o.n.Org.SetMember(ctx, g.Host, g.ID, who, ""))
}

func (o *operations) DeleteGroup(ctx context.Context, domain, slug string) error {
	_, g, err := o.group(ctx, domain, slug)
	if err != nil {
		return err
	}
	return orgError(o.n.Org.DeleteGroup(ctx, g.Host, g.ID))
}
