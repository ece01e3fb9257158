package sim

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"sync"
)

// verdict says what becomes of a call of the store.
type verdict int

const (
	does    verdict = iota // the call is done, and answered
	refuses                // the database refuses it: nothing is done, and the caller knows
	loses                  // the connection ends before the call reaches the database: the caller knows nothing
	silent                 // the call is done, and the connection ends before the answer
)

// errRefused is what the database says of a call that it does not do.
var errRefused = errors.New("sim: the database refuses the call")

// errLost is what a caller sees whose connection to the database ended. The call may be done or not.
var errLost = fmt.Errorf("sim: the connection to the database ended: %w", io.ErrUnexpectedEOF)

// errKilled is what the goroutines of a killed process see. In a real one they are no more.
var errKilled = errors.New("sim: the process is dead")

// call is a call of the store, or its answer, that waits until the world lets it go on.
type call struct {
	node    *Node
	ctx     context.Context
	text    string // what is asked, in short
	key     uint64 // of the text and its arguments, and of what calls
	begun   uint64 // of a COMMIT: the key of its BEGIN
	writes  bool
	answer  bool // it is done, and its answer is on the way
	verdict chan verdict
	arrived int
}

// stores is a database driver whose calls wait for the world. Calls within a transaction do not: SQLite has one writer.
type stores struct {
	driver.Driver
	node *Node
}

func (d stores) Open(name string) (driver.Conn, error) {
	if d.node.gate.dead() {
		return nil, errKilled
	}
	real := d.node.world.pool.take(name)
	if real == nil {
		c, err := d.Driver.Open(name)
		if err != nil {
			return nil, err
		}
		real = &realConn{Conn: c, name: name, statements: make(map[string][]driver.Stmt)}
	}
	return &storeConn{realConn: real, node: d.node}, nil
}

// pool has connections to SQLite that were closed, for all nodes of a world: to open one and to prepare its statements
// is most of what a run costs. It is safe from any goroutine.
type pool struct {
	mu   sync.Mutex
	free map[string][]*realConn // by name of the database
}

func (p *pool) take(name string) *realConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.free[name]
	if len(list) == 0 {
		return nil
	}
	p.free[name] = list[:len(list)-1]
	return list[len(list)-1]
}

func (p *pool) put(c *realConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free[c.name] = append(p.free[c.name], c)
}

// close closes what is in the pool.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.free {
		for _, c := range list {
			for _, sts := range c.statements {
				for _, st := range sts {
					st.Close()
				}
			}
			c.Conn.Close()
		}
	}
	p.free = make(map[string][]*realConn)
}

// realConn is a connection to SQLite with the statements that are prepared on it and not in use.
type realConn struct {
	driver.Conn
	name       string
	statements map[string][]driver.Stmt
}

func (c *realConn) prepare(ctx context.Context, q string) (driver.Stmt, error) {
	if list := c.statements[q]; len(list) > 0 {
		c.statements[q] = list[:len(list)-1]
		return list[len(list)-1], nil
	}
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, q)
}

// storeConn is a connection to the database.
type storeConn struct {
	*realConn
	node   *Node
	within bool // a transaction is open
	broken bool
	wrote  string // what the open transaction has written last, in short
}

// changes notes that a statement has changed something. Rows of nodes say by themselves under which incarnation.
func (c *storeConn) changes(text string) {
	if !isQuery(text) && !strings.Contains(text, "cluster_") {
		c.wrote = short(text)
	}
}

// kept is called when what was noted is kept for good. Nothing may be that a node writes whose place was taken.
func (c *storeConn) kept() {
	wrote := c.wrote
	c.wrote = ""
	if w := c.node.world; wrote != "" && c.node.isUsurped() {
		w.answers.put("zombie", func() { w.find("%s by a node after its place was taken", wrote) })
	}
}

// run does a call as the world says.
func (c *storeConn) run(ctx context.Context, text string, args []driver.NamedValue, do func() error) error {
	if c.within {
		if c.node.gate.dead() {
			return errKilled
		}
		c.changes(text)
		return do()
	}
	c.wrote = "" // of a transaction that was undone
	writes := text == "COMMIT" || !isQuery(text)
	switch c.node.gate.pass(ctx, text, args, writes, false) {
	case refuses:
		return c.node.gate.failed(ctx, errRefused)
	case loses:
		c.broken = true
		return c.node.gate.failed(ctx, errLost)
	case silent:
		c.broken = true
		err := do()
		if err != nil {
			return err
		}
		c.changes(text)
		c.kept()
		c.node.world.count("ambiguous commit", writes)
		return errLost
	}
	if err := do(); err != nil || !writes {
		return err
	}
	c.changes(text)
	c.kept()
	// What is written is written: only the answer may be lost now, or its process.
	if c.node.gate.pass(ctx, text, args, writes, true) == loses {
		c.broken = true
		return c.node.gate.failed(ctx, errLost)
	}
	return nil
}

func isQuery(text string) bool {
	return strings.HasPrefix(text, "SELECT") && !strings.Contains(text, "FOR UPDATE")
}

// Close gives the connection back.
func (c *storeConn) Close() error {
	c.node.world.pool.put(c.realConn)
	return nil
}

func (c *storeConn) PrepareContext(ctx context.Context, q string) (driver.Stmt, error) {
	s, err := c.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	return &storeStmt{Stmt: s, conn: c, text: q}, nil
}

func (c *storeConn) BeginTx(ctx context.Context, o driver.TxOptions) (tx driver.Tx, err error) {
	switch c.node.gate.pass(ctx, "BEGIN", nil, true, false) {
	case refuses:
		return nil, c.node.gate.failed(ctx, errRefused)
	case loses, silent:
		c.broken = true
		return nil, c.node.gate.failed(ctx, errLost)
	}
	if tx, err = c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o); err != nil {
		return nil, err
	}
	c.within, c.wrote = true, ""
	return &storeTx{Tx: tx, conn: c, ctx: ctx}, nil
}

func (c *storeConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (r driver.Result, err error) {
	err = c.run(ctx, q, args, func() (err error) {
		r, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
		return err
	})
	return r, err
}

func (c *storeConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (r driver.Rows, err error) {
	err = c.run(ctx, q, args, func() (err error) {
		r, err = c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
		return err
	})
	return r, err
}

// IsValid is of driver.Validator: a broken connection is not used again.
func (c *storeConn) IsValid() bool { return !c.broken }

// ResetSession is of driver.SessionResetter.
func (c *storeConn) ResetSession(ctx context.Context) error {
	if c.broken {
		return driver.ErrBadConn
	}
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

// CheckNamedValue is of driver.NamedValueChecker: values are as SQLite takes them.
func (c *storeConn) CheckNamedValue(v *driver.NamedValue) (err error) {
	v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value)
	return err
}

type storeTx struct {
	driver.Tx
	conn *storeConn
	ctx  context.Context
}

// Commit gives the outcome that the world chooses.
func (t *storeTx) Commit() error {
	if t.conn.node.gate.dead() {
		t.Rollback()
		return errKilled
	}
	switch v := t.conn.node.gate.chance(); v {
	case refuses, loses:
		t.Rollback()
		t.conn.broken = v == loses
		if v == refuses {
			return errRefused
		}
		return errLost
	}
	t.conn.within = false
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	t.conn.kept()
	if t.conn.node.gate.pass(t.ctx, "COMMIT", nil, true, true) == loses {
		t.conn.broken = true
		t.conn.node.world.count("ambiguous commit", t.ctx.Err() == nil)
		return t.conn.node.gate.failed(t.ctx, errLost)
	}
	return nil
}

func (t *storeTx) Rollback() error {
	t.conn.within = false
	t.conn.node.gate.undone(t.ctx)
	return t.Tx.Rollback()
}

type storeStmt struct {
	driver.Stmt
	conn *storeConn
	text string
}

// Close keeps the statement for the next who prepares it.
func (s *storeStmt) Close() error {
	s.conn.statements[s.text] = append(s.conn.statements[s.text], s.Stmt)
	return nil
}

func (s *storeStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	err = s.conn.run(ctx, s.text, args, func() (err error) {
		r, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	})
	return r, err
}

func (s *storeStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (r driver.Rows, err error) {
	err = s.conn.run(ctx, s.text, args, func() (err error) {
		r, err = s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
		return err
	})
	return r, err
}

// keyOf tells calls apart that arrive in one step, in whatever order their goroutines run. Numbers and bytes are left
// out: ids and what holds them are made in that order.
func keyOf(text string, args []driver.NamedValue) uint64 {
	h := fnv.New64a()
	io.WriteString(h, text)
	for _, a := range args {
		if v, ok := a.Value.(string); ok {
			io.WriteString(h, v)
		}
	}
	return h.Sum64()
}
