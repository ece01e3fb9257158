package acts_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"parley/acts"
	"parley/internal/changes"
	"parley/store"
	"parley/store/sqlstore"
)

// losing is a driver that loses the answer of the next commit, which is done or not.
type losing struct {
	driver.Driver
	next *string // "done", "undone", or "" for none
}

func (d losing) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	return losingConn{c, d.next}, err
}

type losingConn struct {
	driver.Conn
	next *string
}

func (c losingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return losingTx{tx, c.next}, err
}

func (c losingConn) PrepareContext(ctx context.Context, q string) (driver.Stmt, error) {
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, q)
}

func (c losingConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
}

func (c losingConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
}

type losingTx struct {
	driver.Tx
	next *string
}

func (t losingTx) Commit() error {
	how := *t.next
	*t.next = ""
	switch how {
	case "done":
		if err := t.Tx.Commit(); err != nil {
			return err
		}
	case "undone":
		if err := t.Tx.Rollback(); err != nil {
			return err
		}
	default:
		return t.Tx.Commit()
	}
	return fmt.Errorf("the connection ended: %w", io.ErrUnexpectedEOF)
}

// TestDoInDoubt checks that a change whose commit got no answer is told if it is kept, and is an error if it is not.
func TestDoInDoubt(t *testing.T) {
	var next string
	st, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{
		Migrate: true,
		Shared:  true,
		Driver:  func(d driver.Driver) driver.Driver { return losing{d, &next} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var ids store.IDs
	l := acts.NewLog(st, changes.New(), func(string) store.ID { return ids.Next() })
	var said []string
	l.Changes().On(changes.Group, func(key string) { said = append(said, "forget "+key) })
	act := func(name string) error {
		return l.Do(t.Context(), host, acts.System, func(ctx context.Context, a *acts.Act) error {
			a.After(func(context.Context) { said = append(said, name) })
			err := l.Do(ctx, host, acts.Operator, func(ctx context.Context, a *acts.Act) error {
				a.Note(acts.GroupCreate, name, nil)
				a.Changed(changes.Group, name)
				return st.Put(ctx, host, name, []byte("v"))
			})
			next = name // what becomes of the whole
			return err
		})
	}
	if err := act("done"); err != nil {
		t.Errorf("it is kept, and gives %v", err)
	}
	if err := act("undone"); err == nil {
		t.Error("it is not kept, and gives no error")
	}
	if !slices.Equal(said, []string{"forget done@" + host, "done"}) {
		t.Errorf("told: %q", said)
	}
	if _, err := st.Get(t.Context(), host, "done"); err != nil {
		t.Error(err)
	}
}
