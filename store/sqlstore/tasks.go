package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"time"

	"parley/store"
)

// tasksTable is the table of tasks. A deadline of 0 is none.
const tasksTable = `
CREATE TABLE IF NOT EXISTS tasks (
    host TEXT NOT NULL, id INT8 NOT NULL, room TEXT NOT NULL, one TEXT NOT NULL, two TEXT NOT NULL,
    maker TEXT NOT NULL, assignee TEXT NOT NULL, what TEXT NOT NULL, link TEXT NOT NULL, message TEXT NOT NULL,
    due INT8 NOT NULL, done INT8 NOT NULL, done_by TEXT NOT NULL, reminded INT8 NOT NULL,
    PRIMARY KEY (host, id));
CREATE INDEX IF NOT EXISTS tasks_room ON tasks (host, room, one, two, id);
CREATE INDEX IF NOT EXISTS tasks_assignee ON tasks (host, assignee, id);
CREATE INDEX IF NOT EXISTS tasks_maker ON tasks (host, maker, id);
CREATE INDEX IF NOT EXISTS tasks_due ON tasks (host, reminded, done, due);
`

const (
	taskColumns = "host, id, room, one, two, maker, assignee, what, link, message, due, done, done_by, reminded"
	selectTask  = "SELECT " + taskColumns + " FROM tasks WHERE host = $1 AND "
)

func scanTask(r interface{ Scan(...any) error }) (t store.Task, err error) {
	var due, done int64
	err = r.Scan(&t.Host, &t.ID, &t.Room, &t.One, &t.Two, &t.Maker, &t.Assignee, &t.What, &t.Link, &t.Message,
		&due, &done, &t.DoneBy, &t.Reminded)
	t.Due, t.Done = when(due), when(done)
	return t, err
}

func (s *Store) tasks(ctx context.Context, where string, args ...any) (ts []store.Task, err error) {
	err = s.rows(ctx, func(r *sql.Rows) error {
		t, err := scanTask(r)
		ts = append(ts, t)
		return err
	}, selectTask+where, args...)
	return ts, err
}

// AddTask keeps a task.
func (s *Store) AddTask(ctx context.Context, t store.Task, limit int) error {
	if err := s.raise(ctx, t.ID); err != nil {
		return err
	}
	return s.counted(ctx, func(tx *sql.Tx) error {
		return within(ctx, tx, limit, 1, func() error {
			_, err := tx.ExecContext(ctx, "INSERT INTO tasks ("+taskColumns+") "+
				"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
				t.Host, int64(t.ID), t.Room, t.One, t.Two, t.Maker, t.Assignee, t.What, t.Link, t.Message,
				micros(t.Due), micros(t.Done), t.DoneBy, bit(t.Reminded))
			return err
		}, "SELECT COUNT(*) FROM tasks WHERE host = $1 AND room = $2 AND one = $3 AND two = $4",
			t.Host, t.Room, t.One, t.Two)
	})
}

// Task gives a task.
func (s *Store) Task(ctx context.Context, host string, id store.ID) (store.Task, error) {
	ts, err := s.tasks(ctx, "id = $2", host, int64(id))
	if err == nil && len(ts) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Task{}, err
	}
	return ts[0], nil
}

// TasksOf asks for all ids in one statement.
func (s *Store) TasksOf(ctx context.Context, host string, ids []store.ID) ([]store.Task, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	numbers := make([]int64, 0, len(ids))
	for _, id := range ids {
		numbers = append(numbers, int64(id))
	}
	var list any = numbers
	among := "id = ANY($2)"
	if !s.pg {
		b, err := json.Marshal(numbers)
		if err != nil {
			return nil, err
		}
		list, among = string(b), "id IN (SELECT value FROM json_each($2))"
	}
	return s.tasks(ctx, among+" ORDER BY id", host, list)
}

// Tasks gives tasks, the newest first.
func (s *Store) Tasks(ctx context.Context, f store.TaskFilter) ([]store.Task, error) {
	args := []any{f.Host}
	where := "1 = 1"
	and := func(condition string, arg any) {
		args = append(args, arg)
		where += " AND " + condition + " $" + strconv.Itoa(len(args))
	}
	if f.Room != "" || f.One != "" || f.Two != "" {
		and("room =", f.Room)
		and("one =", f.One)
		and("two =", f.Two)
	}
	if f.Assignee != "" {
		and("assignee =", f.Assignee)
	}
	if f.Maker != "" {
		and("maker =", f.Maker)
	}
	if f.Open {
		where += " AND done = 0"
	}
	if f.Closed {
		where += " AND done > 0"
	}
	if f.Before != 0 {
		and("id <", int64(f.Before))
	}
	and("1 = 1 ORDER BY id DESC LIMIT", f.Max)
	return s.tasks(ctx, where, args...)
}

// ChangeTask changes a task in a transaction.
func (s *Store) ChangeTask(ctx context.Context, host string, id store.ID,
	change func(*store.Task) error) (t store.Task, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if t, err = scanTask(tx.QueryRowContext(ctx, selectTask+"id = $2"+s.forUpdate(), host, int64(id))); err != nil {
			return err
		}
		if err := change(&t); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE tasks SET assignee = $3, what = $4, link = $5, due = $6, done = $7, "+
			"done_by = $8, reminded = $9 WHERE host = $1 AND id = $2", host, int64(id), t.Assignee, t.What, t.Link,
			micros(t.Due), micros(t.Done), t.DoneBy, bit(t.Reminded))
		return err
	})
	return t, err
}

// DeleteTask removes a task.
func (s *Store) DeleteTask(ctx context.Context, host string, id store.ID) error {
	return s.one(ctx, "DELETE FROM tasks WHERE host = $1 AND id = $2", host, int64(id))
}

// DueTasks gives the open tasks whose deadlines come next.
func (s *Store) DueTasks(ctx context.Context, host string, limit int) ([]store.Task, error) {
	return s.tasks(ctx, "reminded = 0 AND done = 0 AND due > 0 ORDER BY due, id LIMIT $2", host, limit)
}

// ClaimReminder notes that somebody is reminded of a task's deadline.
func (s *Store) ClaimReminder(ctx context.Context, host string, id store.ID, due time.Time) (bool, error) {
	n, err := s.exec(ctx, "UPDATE tasks SET reminded = 1 WHERE host = $1 AND id = $2 AND due = $3 AND reminded = 0 "+
		"AND done = 0", host, int64(id), micros(due))
	return n > 0, err
}

// ExpireTasks removes tasks that were done long ago, and those of rooms that were destroyed long ago.
func (s *Store) ExpireTasks(ctx context.Context, host string, ofRooms bool, before time.Time,
	limit int) (int, error) {
	which := "room = '' AND done > 0 AND done < $2"
	if ofRooms {
		which = "room <> '' AND (done > 0 AND done < $2 OR room IN (SELECT name || '@' || host FROM rooms " +
			"WHERE destroyed > 0 AND destroyed < $2))"
	}
	n, err := s.exec(ctx, "DELETE FROM tasks WHERE host = $1 AND id IN (SELECT id FROM tasks WHERE host = $1 AND "+
		which+" ORDER BY id LIMIT $3)", host, micros(before), limit)
	return int(n), err
}
