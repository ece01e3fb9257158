package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// ChangeOrg makes a change.
func (s *Store) ChangeOrg(ctx context.Context, c store.OrgChange) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.writeTeam(ctx, tx, c); err != nil {
			return err
		}
		for _, gt := range c.GroupTeams {
			var err error
			if gt.Role == "" {
				_, err = tx.ExecContext(ctx,
					"DELETE FROM group_teams WHERE host = $1 AND group_id = $2 AND team_id = $3",
					c.Host, gt.Group, gt.Team)
			} else {
				_, err = tx.ExecContext(ctx,
					`INSERT INTO group_teams (host, group_id, team_id, role) VALUES ($1, $2, $3, $4)
					ON CONFLICT (host, group_id, team_id) DO UPDATE SET role = excluded.role`,
					c.Host, gt.Group, gt.Team, gt.Role)
			}
			if err != nil {
				return err
			}
		}
		if c.Fill != "" {
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO group_jobs (host, group_id) VALUES ($1, $2) ON CONFLICT (host, group_id) DO NOTHING",
				c.Host, c.Fill); err != nil {
				return err
			}
		}
		return s.writeGroupMembers(ctx, tx, c)
	})
}

// ToFill gives the groups that still have to be filled with their teams' people.
func (s *Store) ToFill(ctx context.Context, host string) ([]string, error) {
	return s.texts(ctx, "SELECT group_id FROM group_jobs WHERE host = $1 ORDER BY group_id", host)
}

// FillDone notes that a group has been filled.
func (s *Store) FillDone(ctx context.Context, host, group string) error {
	_, err := s.exec(ctx, "DELETE FROM group_jobs WHERE host = $1 AND group_id = $2", host, group)
	return err
}

func (s *Store) writeTeam(ctx context.Context, tx *sql.Tx, c store.OrgChange) error {
	if t := c.Team; t != nil {
		_, err := tx.ExecContext(ctx, `INSERT INTO teams (host, id, slug, name, emoji, description, mention_by, created,
			deleted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (host, id) DO UPDATE SET name = excluded.name, emoji = excluded.emoji,
			description = excluded.description, mention_by = excluded.mention_by, deleted = excluded.deleted`,
			t.Host, t.ID, t.Slug, t.Name, t.Emoji, t.Description, t.MentionBy, micros(t.Created), micros(t.Deleted))
		if err != nil {
			return err
		}
	}
	for _, name := range c.Out {
		if _, err := tx.ExecContext(ctx, "DELETE FROM team_members WHERE host = $1 AND team_id = $2 AND name = $3",
			c.Host, c.TeamID, name); err != nil {
			return err
		}
	}
	now := micros(s.now())
	for _, name := range c.In {
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO team_members (host, team_id, name, since) VALUES ($1, $2, $3, $4) "+
				"ON CONFLICT (host, team_id, name) DO NOTHING", c.Host, c.TeamID, name, now); err != nil {
			return err
		}
	}
	if c.Defaults == nil {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM team_defaults WHERE host = $1 AND team_id = $2",
		c.Host, c.TeamID); err != nil {
		return err
	}
	for _, g := range c.Defaults {
		if _, err := tx.ExecContext(ctx, "INSERT INTO team_defaults (host, team_id, group_id) VALUES ($1, $2, $3)",
			c.Host, c.TeamID, g); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeGroupMembers(ctx context.Context, tx *sql.Tx, c store.OrgChange) error {
	living := make(map[string]bool)
	for _, m := range c.Members {
		if !living[m.Group] {
			var deleted int64
			if err := tx.QueryRowContext(ctx, "SELECT deleted FROM org_groups WHERE host = $1 AND id = $2"+
				s.forUpdate(), c.Host, m.Group).Scan(&deleted); err != nil {
				return err
			}
			if deleted != 0 {
				return store.ErrNotFound
			}
			living[m.Group] = true
		}
		if err := s.writeMembers(ctx, tx, c.Host, m.Group, []store.Member{m.Member}, c.Bookmarks[m.Group]); err != nil {
			return err
		}
		var err error
		if m.ByTeam {
			_, err = tx.ExecContext(ctx, `INSERT INTO member_grants (host, group_id, jid, own) VALUES ($1, $2, $3, $4)
				ON CONFLICT (host, group_id, jid) DO UPDATE SET own = excluded.own`, c.Host, m.Group, m.JID, m.Own)
		} else {
			_, err = tx.ExecContext(ctx,
				"DELETE FROM member_grants WHERE host = $1 AND group_id = $2 AND jid = $3", c.Host, m.Group, m.JID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Teams gives the existing teams of a host in order of slug.
func (s *Store) Teams(ctx context.Context, host string) (ts []store.Team, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		t := store.Team{Host: host}
		var created int64
		err := r.Scan(&t.ID, &t.Slug, &t.Name, &t.Emoji, &t.Description, &t.MentionBy, &created)
		t.Created = when(created)
		ts = append(ts, t)
		return err
	}, "SELECT id, slug, name, emoji, description, mention_by, created FROM teams "+
		"WHERE host = $1 AND deleted = 0 ORDER BY slug", host)
	return ts, err
}

// TeamMembers gives the people of all existing teams in order of name.
func (s *Store) TeamMembers(ctx context.Context, host string) (ms []store.TeamMember, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var m store.TeamMember
		var since int64
		err := r.Scan(&m.Team, &m.Name, &m.FullName, &since)
		m.Since = when(since)
		ms = append(ms, m)
		return err
	}, `SELECT m.team_id, m.name, u.full_name, m.since FROM team_members m
		JOIN teams t ON t.host = m.host AND t.id = m.team_id AND t.deleted = 0
		JOIN users u ON u.host = m.host AND u.name = m.name
		WHERE m.host = $1 ORDER BY m.name, m.team_id`, host)
	return ms, err
}

func (s *Store) texts(ctx context.Context, q string, args ...any) (out []string, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var v string
		err := r.Scan(&v)
		out = append(out, v)
		return err
	}, q, args...)
	return out, err
}

// TeamDefaults gives the ids of the groups that new people of a team are added to.
func (s *Store) TeamDefaults(ctx context.Context, host, team string) ([]string, error) {
	return s.texts(ctx, `SELECT d.group_id FROM team_defaults d JOIN org_groups g ON g.host = d.host
		AND g.id = d.group_id AND g.deleted = 0
		WHERE d.host = $1 AND d.team_id = $2 ORDER BY d.group_id`, host, team)
}

func (s *Store) groupTeams(ctx context.Context, q string, args ...any) (out []store.GroupTeam, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var g store.GroupTeam
		err := r.Scan(&g.Group, &g.Team, &g.Role)
		out = append(out, g)
		return err
	}, q, args...)
	return out, err
}

// GroupTeams gives the teams that are in a group.
func (s *Store) GroupTeams(ctx context.Context, host, group string) ([]store.GroupTeam, error) {
	return s.groupTeams(ctx, "SELECT group_id, team_id, role FROM group_teams WHERE host = $1 AND group_id = $2 "+
		"ORDER BY team_id", host, group)
}

// TeamGroups gives the existing groups that a team is in.
func (s *Store) TeamGroups(ctx context.Context, host, team string) ([]store.GroupTeam, error) {
	return s.groupTeams(ctx, `SELECT t.group_id, t.team_id, t.role FROM group_teams t
		JOIN org_groups g ON g.host = t.host AND g.id = t.group_id AND g.deleted = 0
		WHERE t.host = $1 AND t.team_id = $2 ORDER BY t.group_id`, host, team)
}

// Grants returns the people to whom a team gives a role in a group, and the role that each would have without the team.
func (s *Store) Grants(ctx context.Context, host, group string) (map[string]string, error) {
	own := make(map[string]string)
	err := s.rows(ctx, func(r *sql.Rows) error {
		var jid, role string
		err := r.Scan(&jid, &role)
		own[jid] = role
		return err
	}, "SELECT jid, own FROM member_grants WHERE host = $1 AND group_id = $2", host, group)
	return own, err
}

const outside = ` FROM users u WHERE u.host = $1 AND NOT EXISTS (SELECT 1 FROM members m
	WHERE m.host = u.host AND m.group_id = $2 AND m.jid = u.name || '@' || u.host)`

// Outside gives accounts that have no row in a group, in order of name.
func (s *Store) Outside(ctx context.Context, host, group, after string, limit int) ([]string, error) {
	return s.texts(ctx, "SELECT u.name"+outside+" AND u.name > $3 ORDER BY u.name LIMIT $4", host, group, after, limit)
}

// CountOutside counts the accounts that have no row in a group.
func (s *Store) CountOutside(ctx context.Context, host, group string) (n int, err error) {
	err = s.row(ctx, []any{&n}, "SELECT COUNT(*)"+outside, host, group)
	return n, err
}

// arrive makes a new account a member of the groups for everyone, in the transaction that makes the account. It gives
// the account only each group's main room; the bookmarks of the rooms to follow are written when the account is told of
// them.
func (s *Store) arrive(ctx context.Context, tx *sql.Tx, host, name string) error {
	now := micros(s.now())
	_, err := tx.ExecContext(ctx, `INSERT INTO members (host, group_id, jid, role, since)
		SELECT g.host, g.id, CAST($2 AS TEXT), 'member', CAST($3 AS BIGINT) FROM org_groups g
		WHERE g.host = $1 AND g.mandatory = 'everyone' AND g.deleted = 0 ON CONFLICT (host, group_id, jid) DO NOTHING`,
		host, name+"@"+host, now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx,
		`INSERT INTO bookmarks (host, owner, room, name, nick, password, autojoin, extensions, updated)
		SELECT g.host, CAST($2 AS TEXT), r.name || '@' || r.host, g.name, '', '', 1, NULL, CAST($3 AS BIGINT)
		FROM org_groups g JOIN rooms r ON r.group_id = g.id AND r.theme = '' AND r.destroyed = 0
		WHERE g.host = $1 AND g.mandatory = 'everyone' AND g.deleted = 0 ON CONFLICT (host, owner, room) DO NOTHING`,
		host, name, now)
	return err
}
