package node

import (
	"context"
	"errors"
	"fmt"

	"parley/admin"
	"parley/store"
	"parley/wire"
)

func (o *operations) Reports(ctx context.Context, domain, before string, limit int) ([]admin.Report, error) {
	h, err := o.host("host", domain)
	if err != nil {
		return nil, err
	}
	var id store.ID
	if before != "" {
		if id, err = store.ParseID(before); err != nil {
			return nil, admin.Invalid("after", "%q is no report", before)
		}
	}
	rs, err := o.n.Store.Reports(ctx, h.Domain, id, limit)
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	out := make([]admin.Report, len(rs))
	for i, r := range rs {
		out[i] = admin.Report{ID: r.ID.String(), At: r.ID.Time(), By: r.Reporter + "@" + h.Domain, Whom: r.Who, Reason: r.Reason, Text: r.Text}
		for _, m := range r.Messages {
			es, _, _, err := o.n.Store.ReadArchive(ctx, h.Domain, r.Reporter, store.Page{IDs: []store.ID{m}, Max: 1})
			if err != nil && !errors.Is(err, store.ErrNotFound) { // it may be gone
				return nil, fmt.Errorf("reported messages: %w", err)
			}
			for _, e := range es {
				if st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)}); err == nil {
					out[i].Messages = append(out[i].Messages, st.From.String()+": "+st.BodyText())
				}
			}
		}
	}
	return out, nil
}

func (o *operations) DeleteReport(ctx context.Context, domain, id string) error {
	h, err := o.host("host", domain)
	if err != nil {
		return err
	}
	n, err := store.ParseID(id)
	if err == nil {
		err = o.n.Store.DeleteReport(ctx, h.Domain, n)
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrID) {
		return admin.NotFound("id", "there is no report %s", id)
	}
	return err
}
