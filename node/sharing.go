package node

import (
	"context"

	"parley/admin"
	"parley/store"
	"parley/wire/jid"
)

// sharedKind is what the store calls it.
var sharedKind = map[string]string{admin.Snippets: store.SharedSnippet, admin.Contacts: store.SharedContact}

func (o *operations) TeamShares(ctx context.Context, domain, slug, kind string) ([]admin.Share, error) {
	h, t, err := o.team(ctx, domain, slug)
	if err != nil {
		return nil, err
	}
	xs, err := o.n.Org.TeamShares(ctx, h.Domain, t.ID, sharedKind[kind])
	out := make([]admin.Share, len(xs))
	for i, x := range xs {
		out[i] = admin.Share{Name: x.Name, Text: x.Text, Creator: x.Creator, Updated: x.Updated}
	}
	return out, orgError(err)
}

func (o *operations) SetTeamShare(ctx context.Context, domain, slug, kind string, s admin.Share) error {
	h, t, err := o.team(ctx, domain, slug)
	if err != nil {
		return err
	}
	if kind == admin.Snippets {
		return orgError(o.n.Org.PutSnippet(ctx, h.Domain, t.Slug, jid.JID{}, s.Name, s.Text))
	}
	contact, err := jid.Parse(s.Name)
	if err != nil {
		return admin.Invalid("contact", "%q is no address: %v", s.Name, err)
	}
	return orgError(o.n.Org.PutContact(ctx, h.Domain, t.Slug, jid.JID{}, contact, s.Text))
}

func (o *operations) DeleteTeamShare(ctx context.Context, domain, slug, kind, name string) error {
	h, t, err := o.team(ctx, domain, slug)
	if err != nil {
		return err
	}
	if kind == admin.Contacts {
		if j, err := jid.Parse(name); err == nil {
			name = j.Bare().String()
		}
	}
	return orgError(o.n.Org.Unshare(ctx, h.Domain, t.Slug, sharedKind[kind], jid.JID{}, name))
}
