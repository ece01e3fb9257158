package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"parley/store"
)

// links is the table of links that organizations show to their people. Roles and teams are lists in JSON.
const links = `
CREATE TABLE IF NOT EXISTS links (
    host TEXT NOT NULL, link TEXT NOT NULL, name TEXT NOT NULL, name_fr TEXT NOT NULL, url TEXT NOT NULL,
    icon TEXT NOT NULL, roles TEXT NOT NULL, teams TEXT NOT NULL, place INT8 NOT NULL,
    PRIMARY KEY (host, link));
`

// Links gives all links of a host in their order.
func (s *Store) Links(ctx context.Context, host string) (ls []store.Link, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var l store.Link
		var roles, teams string
		if err := r.Scan(&l.ID, &l.Name, &l.NameFR, &l.URL, &l.Icon, &roles, &teams, &l.Place); err != nil {
			return err
		}
		if l.Roles, err = readList(roles); err != nil {
			return err
		}
		l.Teams, err = readList(teams)
		ls = append(ls, l)
		return err
	}, `SELECT link, name, name_fr, url, icon, roles, teams, place
		FROM links WHERE host = $1 ORDER BY place, link`, host)
	return ls, err
}

// SetLink adds a link, or changes the link with that id.
func (s *Store) SetLink(ctx context.Context, host string, l store.Link) error {
	roles, err := writeList(l.Roles)
	if err != nil {
		return err
	}
	teams, err := writeList(l.Teams)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO links (host, link, name, name_fr, url, icon, roles, teams, place)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (host, link) DO UPDATE SET name = excluded.name, name_fr = excluded.name_fr, url = excluded.url,
			icon = excluded.icon, roles = excluded.roles, teams = excluded.teams, place = excluded.place`,
		host, l.ID, l.Name, l.NameFR, l.URL, l.Icon, roles, teams, l.Place)
	return err
}

// DeleteLink removes a link.
func (s *Store) DeleteLink(ctx context.Context, host, id string) error {
	return s.one(ctx, "DELETE FROM links WHERE host = $1 AND link = $2", host, id)
}

// writeList writes a list of texts for a column; "" is none.
func writeList(list []string) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	b, err := json.Marshal(list)
	return string(b), err
}

// readList reads what writeList has written.
func readList(text string) (list []string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &list)
	}
	return list, err
}
