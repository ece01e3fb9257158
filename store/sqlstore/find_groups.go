package sqlstore

import (
	"context"
	"strconv"
	"strings"

	"parley/store"
)

const (
	// listedGroup says in SQL what the rules of org call Listed: people of the organization find the group.
	listedGroup = `(g.kind IN ('public', 'large', 'request') OR g.kind IN ('', 'announcement') AND g.private = 0)`
	// openGroup says that they may enter without asking: they become members by it, or need not be members.
	openGroup = `(g.kind IN ('public', 'large') OR g.kind IN ('', 'announcement') AND g.private = 0)`
)

// chosenGroups gives the condition of a filter on the table g.
func (s *Store) chosenGroups(host string, f store.GroupFilter) (where string, args []any) {
	where, args = "g.host = $1", []any{host}
	add := func(text string, v any) {
		args = append(args, v)
		where += " AND " + strings.ReplaceAll(text, "?", "$"+strconv.Itoa(len(args)))
	}
	if f.DeletedAfter.IsZero() {
		where += " AND g.deleted = 0"
	} else {
		add("g.deleted > ?", micros(f.DeletedAfter))
	}
	for _, w := range f.Words {
		text := `(g.slug LIKE ? ESCAPE '\' OR ` + s.fold() + `(g.name) LIKE ? ESCAPE '\'`
		if f.Described {
			text += ` OR ` + s.fold() + `(g.description) LIKE ? ESCAPE '\'`
		}
		add(text+")", anywhere(w))
	}
	if len(f.Slugs) > 0 {
		list, all := in(len(args)+1, f.Slugs, args)
		where, args = where+" AND g.slug IN "+list, all
	}
	if f.Mandatory != "" {
		add("g.mandatory = ?", f.Mandatory)
	}
	if f.Optional {
		where += " AND g.mandatory <> 'everyone'"
	}
	if f.Asker == "" {
		return where, args
	}
	const mine = "g.id IN (SELECT m.group_id FROM members m WHERE m.host = $1 AND m.jid = ? AND m.role <> 'banned')"
	const stranger = "NOT EXISTS (SELECT 1 FROM members m WHERE m.host = g.host AND m.group_id = g.id AND m.jid = ?)"
	others := stranger // for people who may see all groups
	switch {
	case f.Foreign:
		others = "CAST(? AS TEXT) = ''" // which no asker is
	case !f.Sees:
		others = listedGroup + " AND " + stranger
	}
	switch {
	case f.Puts:
		add("(g.id IN (SELECT m.group_id FROM members m WHERE m.host = $1 AND m.jid = ? AND m.role IN ('owner', "+
			"'moderator')) OR "+openGroup+
			" AND NOT EXISTS (SELECT 1 FROM members m WHERE m.host = g.host AND m.group_id = g.id AND m.jid = ? "+
			"AND m.role = 'banned'))", f.Asker)
	case f.Whose == store.OwnGroups:
		add(mine, f.Asker)
	case f.Whose == store.OtherGroups:
		add(others, f.Asker)
	default:
		add("("+mine+" OR "+others+")", f.Asker)
	}
	return where, args
}

// FindGroups gives the groups that a filter chooses, in order of slug, and how many it chooses in all.
func (s *Store) FindGroups(ctx context.Context, host string,
	f store.GroupFilter) (gs []store.Group, total int, err error) {
	where, args := s.chosenGroups(host, f)
	if err := s.row(ctx, []any{&total}, "SELECT COUNT(*) FROM org_groups g WHERE "+where, args...); err != nil {
		return nil, 0, err
	}
	if f.Limit <= 0 || f.Offset >= total {
		return nil, total, nil
	}
	n := len(args)
	gs, err = s.groups(ctx, selectGroup+where+" ORDER BY g.slug LIMIT $"+strconv.Itoa(n+1)+" OFFSET $"+
		strconv.Itoa(n+2), append(args, f.Limit, f.Offset)...)
	return gs, total, err
}
