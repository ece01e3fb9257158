package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// DomainRules gives all rules in order of domain.
func (s *Store) DomainRules(ctx context.Context) (rs []store.DomainRule, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var d store.DomainRule
		var since int64
		err := r.Scan(&d.Domain, &d.Action, &d.Note, &since)
		d.Since = when(since)
		rs = append(rs, d)
		return err
	}, "SELECT domain, action, note, since FROM domain_rules ORDER BY domain")
	return rs, err
}

// SetDomainRules adds rules or replaces those of the same domain.
func (s *Store) SetDomainRules(ctx context.Context, limit int, rs ...store.DomainRule) error {
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, len(rs), func() error {
			for _, d := range rs {
				if _, err := tx.ExecContext(ctx,
					"INSERT INTO domain_rules (domain, action, note, since) VALUES ($1, $2, $3, $4)"+
						" ON CONFLICT (domain) DO UPDATE SET action = excluded.action, note = excluded.note, "+
						"since = excluded.since",
					d.Domain, d.Action, d.Note, micros(d.Since)); err != nil {
					return err
				}
			}
			return nil
		}, "SELECT COUNT(*) FROM domain_rules")
	})
}

// DeleteDomainRule removes the rule of a domain.
func (s *Store) DeleteDomainRule(ctx context.Context, domain string) error {
	return s.one(ctx, "DELETE FROM domain_rules WHERE domain = $1", domain)
}
