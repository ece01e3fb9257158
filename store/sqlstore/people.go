package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"strconv"
	"strings"

	"parley/store"
	"parley/wire/jid"
)

const (
	personBase = `u.host, u.name, u.keys, u.disabled, u.admin, u.full_name, u.created, u.last_seen, u.last_status,
		COALESCE(p.role, ''), COALESCE(p.email, ''), COALESCE(p.phone, ''), COALESCE(p.title, ''),
		COALESCE(p.department, ''), COALESCE(p.lang, ''), COALESCE(p.archived, 0), COALESCE(p.shown_email, ''),
		COALESCE(p.shown_phone, ''), COALESCE(p.shown_title, ''), COALESCE(p.shown_department, '')`
	personTables = ` FROM users u LEFT JOIN people p ON p.host = u.host AND p.owner = u.name`

	// stateCase says in SQL what Person.State says.
	stateCase = `CASE WHEN COALESCE(p.archived, 0) > 0 THEN 'archived' WHEN u.disabled <> 0 THEN 'disabled'
		WHEN u.keys IS NULL OR LENGTH(u.keys) = 0 THEN 'invited' ELSE 'active' END`
	// roleCase: owner and admin go with the flag that every door looks at.
	roleCase = `CASE WHEN u.admin <> 0 THEN CASE WHEN p.role = 'owner' THEN 'owner' ELSE 'admin' END
		WHEN p.role = 'supervisor' THEN 'supervisor' ELSE 'member' END`
)

// personColumns are what scanPerson reads.
func (s *Store) personColumns() string { return personBase + ", " + s.fieldValues() }

func scanPerson(r interface{ Scan(...any) error }) (p store.Person, err error) {
	var created, seen, archived int64
	var fields sql.NullString
	err = r.Scan(&p.Host, &p.Name, &p.Keys, &p.Disabled, &p.Admin, &p.FullName, &created, &seen, &p.LastStatus,
		&p.Role, &p.Email, &p.Phone, &p.Title, &p.Department, &p.Lang, &archived, &p.Shown.Email, &p.Shown.Phone,
		&p.Shown.Title, &p.Shown.Department, &fields)
	if err == nil {
		p.Fields, err = readFields(fields)
	}
	p.Created, p.LastSeen, p.Archived = when(created), when(seen), when(archived)
	switch {
	case p.Admin && p.Role != store.RoleOwner:
		p.Role = store.RoleAdmin
	case !p.Admin && p.Role != store.RoleSupervisor:
		p.Role = store.RoleMember
	}
	return p, translate(err)
}

func (s *Store) onePerson(ctx context.Context, where string, args ...any) (p store.Person, err error) {
	found := false
	err = s.rows(ctx, func(r *sql.Rows) (err error) {
		found = true
		p, err = scanPerson(r)
		return err
	}, "SELECT "+s.personColumns()+personTables+where, args...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return p, err
}

// Person gives a person by account name.
func (s *Store) Person(ctx context.Context, host, name string) (store.Person, error) {
	return s.onePerson(ctx, " WHERE u.host = $1 AND u.name = $2", host, name)
}

// PersonByEmail gives the person with an e-mail address, in any case.
func (s *Store) PersonByEmail(ctx context.Context, host, email string) (store.Person, error) {
	if email == "" {
		return store.Person{}, store.ErrNotFound
	}
	return s.onePerson(ctx, " WHERE p.host = $1 AND p.email_key = $2", host, strings.ToLower(email))
}

// chosen makes the WHERE of a filter.
func (s *Store) chosen(host string, f store.PeopleFilter) (where string, args []any) {
	where, args = " WHERE u.host = $1", []any{host}
	add := func(text string, v any) {
		args = append(args, v)
		where += " AND " + strings.ReplaceAll(text, "?", "$"+strconv.Itoa(len(args)))
	}
	fold := s.fold()
	open := func(field string) string { // or else a search would tell what a page does not show
		if !f.Open {
			return ""
		}
		return " AND COALESCE(p.shown_" + field + ", '') = ''"
	}
	for _, w := range f.Words {
		args = append(args, anywhere(jid.Typed(w)))
		add(`(u.name LIKE $`+strconv.Itoa(len(args))+` ESCAPE '\' OR `+fold+
			`(u.full_name) LIKE ? ESCAPE '\' OR COALESCE(p.email_key, '') LIKE ? ESCAPE '\'`+open("email")+` OR `+
			fold+`(COALESCE(p.title, '')) LIKE ? ESCAPE '\'`+open("title")+` OR `+fold+
			`(COALESCE(p.department, '')) LIKE ? ESCAPE '\'`+open("department")+` OR `+s.fieldMatches(f.Open)+`)`,
			anywhere(w))
	}
	if f.But != "" {
		add("u.name <> ?", f.But)
	}
	if f.Here {
		where += " AND " + stateCase + " IN ('active', 'invited')"
	}
	if f.State != "" {
		add(stateCase+" = ?", f.State)
	}
	if f.Role != "" {
		add(roleCase+" = ?", f.Role)
	}
	if f.Department != "" {
		add("p.department = ?"+open("department"), f.Department)
	}
	if f.Group != "" {
		in := "EXISTS (SELECT 1 FROM members m WHERE m.host = u.host AND m.group_id = ? " +
			"AND m.jid = u.name || '@' || u.host"
		switch f.GroupRole {
		case "":
			add(in+" AND m.role <> 'banned')", f.Group)
		case store.OutsideGroup:
			add("NOT "+in+")", f.Group)
		default:
			add(in, f.Group)
			args = append(args, f.GroupRole)
			where += " AND m.role = $" + strconv.Itoa(len(args)) + ")"
		}
	}
	if f.Team != "" {
		in := "EXISTS (SELECT 1 FROM team_members t WHERE t.host = u.host AND t.team_id = ? AND t.name = u.name)"
		if f.OutsideTeam {
			in = "NOT " + in
		}
		add(in, f.Team)
	}
	return where, args
}

// People gives the people that a filter chooses, in order of name, and how many it chooses in all.
func (s *Store) People(ctx context.Context, host string,
	f store.PeopleFilter) (ps []store.Person, total int, err error) {
	where, args := s.chosen(host, f)
	if err := s.row(ctx, []any{&total}, "SELECT COUNT(*)"+personTables+where, args...); err != nil {
		return nil, 0, err
	}
	n := len(args)
	err = s.rows(ctx, func(r *sql.Rows) error {
		p, err := scanPerson(r)
		ps = append(ps, p)
		return err
	}, "SELECT "+s.personColumns()+personTables+where+" ORDER BY u.name LIMIT $"+strconv.Itoa(n+1)+" OFFSET $"+
		strconv.Itoa(n+2), append(args, f.Limit, f.Offset)...)
	return ps, total, err
}

// CountPeople gives how many of the chosen people are in each state.
func (s *Store) CountPeople(ctx context.Context, host string, f store.PeopleFilter) (map[string]int, error) {
	f.State = ""
	where, args := s.chosen(host, f)
	counts := make(map[string]int)
	err := s.rows(ctx, func(r *sql.Rows) error {
		var state string
		var n int
		err := r.Scan(&state, &n)
		counts[state] += n
		return err
	}, "SELECT state, COUNT(*) FROM (SELECT "+stateCase+" AS state"+personTables+where+") AS x GROUP BY state", args...)
	return counts, err
}

// CountByDepartment gives how many of the chosen people are in each department.
func (s *Store) CountByDepartment(ctx context.Context, host string, f store.PeopleFilter) (map[string]int, error) {
	where, args := s.chosen(host, f)
	if f.Open {
		where += " AND COALESCE(p.shown_department, '') = ''"
	}
	return s.counts(ctx, "SELECT p.department, COUNT(*)"+personTables+where+
		" AND COALESCE(p.department, '') <> '' GROUP BY p.department", args...)
}

// CountByTeam gives how many of the chosen people are in each team.
func (s *Store) CountByTeam(ctx context.Context, host string, f store.PeopleFilter) (map[string]int, error) {
	where, args := s.chosen(host, f)
	return s.counts(ctx, "SELECT t.team_id, COUNT(*)"+personTables+
		" JOIN team_members t ON t.host = u.host AND t.name = u.name"+where+" GROUP BY t.team_id", args...)
}

// counts reads rows of a text and a number.
func (s *Store) counts(ctx context.Context, q string, args ...any) (map[string]int, error) {
	of := make(map[string]int)
	err := s.rows(ctx, func(r *sql.Rows) error {
		var key string
		var n int
		err := r.Scan(&key, &n)
		of[key] = n
		return err
	}, q, args...)
	return of, err
}

// Departments gives the departments that people have, each once, in order.
func (s *Store) Departments(ctx context.Context, host string) (ds []string, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		var d string
		err := r.Scan(&d)
		ds = append(ds, d)
		return err
	}, "SELECT DISTINCT department FROM people WHERE host = $1 AND department <> '' ORDER BY department", host)
	return ds, err
}

// CreatePerson makes an account with its profile in one transaction.
func (s *Store) CreatePerson(ctx context.Context, p store.Person) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.insertUser(ctx, tx, p.User); err != nil {
			return err
		}
		if err := s.writePerson(ctx, tx, p); err != nil {
			return err
		}
		return writeFields(ctx, tx, nil, p)
	})
}

func (s *Store) writePerson(ctx context.Context, tx *sql.Tx, p store.Person) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO people (host, owner, role, email, email_key, phone, title, department,
		lang, archived, updated, shown_email, shown_phone, shown_title, shown_department)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (host, owner) DO UPDATE SET role = excluded.role, email = excluded.email,
		email_key = excluded.email_key, phone = excluded.phone, title = excluded.title,
		department = excluded.department, lang = excluded.lang, archived = excluded.archived,
		updated = excluded.updated, shown_email = excluded.shown_email, shown_phone = excluded.shown_phone,
		shown_title = excluded.shown_title, shown_department = excluded.shown_department`,
		p.Host, p.Name, p.Role, p.Email, strings.ToLower(p.Email), p.Phone, p.Title, p.Department, p.Lang,
		micros(p.Archived), s.now().UnixMicro(), p.Shown.Email, p.Shown.Phone, p.Shown.Title, p.Shown.Department)
	return err
}

// UpdatePerson changes a person in a transaction.
func (s *Store) UpdatePerson(ctx context.Context, host, name string,
	f func(*store.Person) error) (was, is store.Person, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) (err error) {
		was, is, err = s.updatePerson(ctx, tx, host, name, f)
		return err
	})
	return was, is, err
}

// UpdateOwner is UpdatePerson for a change that may remove an owner: ErrLast if the host would lose its last active
// owner.
func (s *Store) UpdateOwner(ctx context.Context, host, name string,
	f func(*store.Person) error) (was, is store.Person, err error) {
	owns := func(p store.Person) bool { return p.Role == store.RoleOwner && p.State() == store.StateActive }
	err = s.counted(ctx, func(tx *sql.Tx) (err error) {
		if was, is, err = s.updatePerson(ctx, tx, host, name, f); err != nil || !owns(was) || owns(is) {
			return err
		}
		where, args := s.chosen(host, store.PeopleFilter{Role: store.RoleOwner, State: store.StateActive})
		left := 0
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*)"+personTables+where, args...).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			return store.ErrLast
		}
		return nil
	})
	return was, is, err
}

func (s *Store) updatePerson(ctx context.Context, tx *sql.Tx, host, name string,
	f func(*store.Person) error) (was, is store.Person, err error) {
	if lock := s.forUpdate(); lock != "" { // not of the outer join, which PostgreSQL refuses
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT 1 FROM users WHERE host = $1 AND name = $2"+lock,
			host, name).Scan(&n); err != nil {
			return was, is, err
		}
	}
	p, err := scanPerson(tx.QueryRowContext(ctx,
		"SELECT "+s.personColumns()+personTables+" WHERE u.host = $1 AND u.name = $2", host, name))
	if err != nil {
		return was, is, err
	}
	was = p
	p.Fields = maps.Clone(was.Fields)
	if err := f(&p); err != nil {
		return was, is, err
	}
	p.Host, p.Name, p.Keys, p.Created = was.Host, was.Name, was.Keys, was.Created
	p.Admin = p.Role == store.RoleOwner || p.Role == store.RoleAdmin
	p.Fields = present(p.Fields)
	is = p
	if _, err := tx.ExecContext(ctx,
		"UPDATE users SET full_name = $3, disabled = $4, admin = $5 WHERE host = $1 AND name = $2",
		host, name, p.FullName, bit(p.Disabled), bit(p.Admin)); err != nil {
		return was, is, err
	}
	if err := s.writePerson(ctx, tx, p); err != nil {
		return was, is, err
	}
	return was, is, writeFields(ctx, tx, was.Fields, p)
}
