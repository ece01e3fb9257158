package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"parley/store"
)

// actions is the table of actions on messages. Roles, teams, groups and what is told are lists in JSON.
const actions = `
CREATE TABLE IF NOT EXISTS message_actions (
    host TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, name_fr TEXT NOT NULL, icon TEXT NOT NULL,
    url TEXT NOT NULL, secret TEXT NOT NULL, roles TEXT NOT NULL, teams TEXT NOT NULL, only_in TEXT NOT NULL,
    tells TEXT NOT NULL, comment INT8 NOT NULL, place INT8 NOT NULL,
    PRIMARY KEY (host, id));
`

// Actions gives all actions of a host in their order.
func (s *Store) Actions(ctx context.Context, host string) (as []store.Action, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var a store.Action
		var roles, teams, groups, tells string
		if err := r.Scan(&a.ID, &a.Name, &a.NameFR, &a.Icon, &a.URL, &a.Secret, &roles, &teams, &groups, &tells,
			&a.Comment, &a.Place); err != nil {
			return err
		}
		var errs [4]error
		a.Roles, errs[0] = readList(roles)
		a.Teams, errs[1] = readList(teams)
		a.Groups, errs[2] = readList(groups)
		a.Tells, errs[3] = readList(tells)
		as = append(as, a)
		return errors.Join(errs[:]...)
	}, `SELECT id, name, name_fr, icon, url, secret, roles, teams, only_in, tells, comment, place
		FROM message_actions WHERE host = $1 ORDER BY place, id`, host)
	return as, err
}

// SetAction adds an action, or changes the action with that id.
func (s *Store) SetAction(ctx context.Context, host string, a store.Action) error {
	var lists [4]string
	for i, list := range [][]string{a.Roles, a.Teams, a.Groups, a.Tells} {
		var err error
		if lists[i], err = writeList(list); err != nil {
			return err
		}
	}
	_, err := s.exec(ctx, `INSERT INTO message_actions
			(host, id, name, name_fr, icon, url, secret, roles, teams, only_in, tells, comment, place)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (host, id) DO UPDATE SET name = excluded.name, name_fr = excluded.name_fr, icon = excluded.icon,
			url = excluded.url, secret = excluded.secret, roles = excluded.roles, teams = excluded.teams,
			only_in = excluded.only_in, tells = excluded.tells, comment = excluded.comment, place = excluded.place`,
		host, a.ID, a.Name, a.NameFR, a.Icon, a.URL, a.Secret, lists[0], lists[1], lists[2], lists[3], bit(a.Comment),
		a.Place)
	return err
}

// DeleteAction removes an action.
func (s *Store) DeleteAction(ctx context.Context, host, id string) error {
	return s.one(ctx, "DELETE FROM message_actions WHERE host = $1 AND id = $2", host, id)
}
