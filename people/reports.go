package people

import (
	"context"
	"errors"
	"fmt"

	"parley/acts"
	"parley/internal/fault"
	"parley/messages"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Report is a person's report about somebody whom they blocked (XEP-0377), or about a message.
type Report struct {
	store.Report
	By   string   // the reporter's address
	Said []string // the texts of the reported messages, with their senders; messages that are gone are left out
}

// Reports gives reports, the newest first, at most limit, older than before (0: from the newest on). Administrators may
// do this.
func (p *People) Reports(ctx context.Context, by Actor, before store.ID, limit int) ([]Report, error) {
	if !by.Runs() {
		return nil, fault.ErrRole
	}
	rs, err := p.st.Reports(ctx, p.h.Domain, before, limit)
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	out := make([]Report, len(rs))
	for i, r := range rs {
		out[i] = Report{Report: r, By: r.Reporter + "@" + p.h.Domain}
		if out[i].Said, err = p.reported(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// reported gives the texts of the messages that a report names.
func (p *People) reported(ctx context.Context, r store.Report) (said []string, err error) {
	for _, id := range r.Messages {
		es, err := p.reportedEntry(ctx, r, store.Page{IDs: []store.ID{id}, Max: 1})
		if err != nil && !errors.Is(err, store.ErrNotFound) { // a message may be gone
			return nil, fmt.Errorf("reported messages: %w", err)
		}
		for _, e := range es {
			// As it was said then: a later correction takes nothing away from what is reported.
			st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)})
			if m, ok := messages.Of(st); err == nil && ok && m.Removed == nil {
				said = append(said, st.From.String()+": "+m.Plain())
			}
		}
	}
	return said, nil
}

// reportedEntry reads a reported message.
func (p *People) reportedEntry(ctx context.Context, r store.Report, page store.Page) (es []store.Archived, err error) {
	if room, err := jid.Parse(r.Room); err == nil && r.Room != "" {
		es, _, _, err := p.st.ReadRoom(ctx, room.Domain(), room.Local(), page)
		return es, err
	}
	es, _, _, err = p.st.ReadArchive(ctx, p.h.Domain, r.Reporter, page)
	return es, err
}

// DeleteReport removes a report that has been handled. Administrators may do this.
func (p *People) DeleteReport(ctx context.Context, by Actor, id string) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if !by.Runs() {
			return fault.ErrRole
		}
		n, err := store.ParseID(id)
		if err == nil {
			err = p.st.DeleteReport(ctx, p.h.Domain, n)
		}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrID) {
			return fault.New(fault.NotFound, "id", "There is no report {{.ID}}", "ID", id)
		}
		if err != nil {
			return err
		}
		a.Note(acts.SystemReport, id, nil)
		return nil
	})
}
