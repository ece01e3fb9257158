package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// applicationName is the name of all connections, for SHOW SESSIONS and pg_stat_activity. It is followed by the node's
// where one writes: see connectionName.
const applicationName = "parley"

// connectTime is how long one database node may take to accept a connection, unless the DSN says connect_timeout. Then
// the next one of the DSN is asked.
const connectTime = 5 * time.Second

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.pg = true
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = applicationName
	}
	if !strings.Contains(dsn, "connect_timeout") {
		c.ConnectTimeout = connectTime
	}
	hosts := newHosts(c)
	c.Tracer = hosts
	s.w = sql.OpenDB(fencedConnector{&s.fence, stdlib.GetConnector(*c, stdlib.OptionBeforeConnect(hosts.order),
		stdlib.OptionAfterConnect(connected), stdlib.OptionResetSession(hosts.reset),
		stdlib.OptionShouldPing(hosts.shouldPing))})
	s.w.SetMaxOpenConns(s.opts.MaxConnections)
	s.w.SetMaxIdleConns(s.opts.MaxConnections)
	s.w.SetConnMaxLifetime(30 * time.Minute)
	s.r = s.w
	var version string
	if err := s.w.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return errors.Join(err, s.w.Close())
	}
	s.roach = strings.HasPrefix(version, "CockroachDB")
	if err := oldEnough(version); err != nil {
		return errors.Join(err, s.w.Close())
	}
	return nil
}

// connected sets what the sessions need.
//
// A process that stops within a transaction holds locks that others wait for, the fence's among them: the database ends
// the transaction. Queries are written for the isolation "read committed". A database may have another default.
//
// CockroachDB's planner tries the orders of up to eight joins each time a statement runs: for the query of the rooms
// that a person may read that took a second, and found no better plan than four joins do.
func connected(ctx context.Context, c *pgx.Conn) error {
	const stopped = "SET idle_in_transaction_session_timeout = '5s'"
	if c.PgConn().ParameterStatus("crdb_version") == "" {
		_, err := c.Exec(ctx, stopped+"; SET default_transaction_isolation = 'read committed'")
		return err
	}
	if _, err := c.Exec(ctx, "SET reorder_joins_limit = 4"); err != nil {
		return err
	}
	_, err := c.Exec(ctx, stopped)
	var refused *pgconn.PgError
	if errors.As(err, &refused) { // an old version, which does not know it
		return nil
	}
	return err
}

// The oldest versions that the queries are written for and tried on.
var (
	minCockroach = [2]int{21, 1}
	minPostgres  = [2]int{13, 0}
)

var versionNumber = regexp.MustCompile(`^(CockroachDB|PostgreSQL)\D*?v?(\d+)(?:\.(\d+))?`)

// oldEnough reads the answer to SELECT version(). It accepts a version that it does not understand (a fork, a build
// without a number).
func oldEnough(version string) error {
	m := versionNumber.FindStringSubmatch(version)
	if m == nil {
		return nil
	}
	major, _ := strconv.Atoi(m[2])
	minor, _ := strconv.Atoi(m[3])
	least := minPostgres
	if m[1] == "CockroachDB" {
		least = minCockroach
	}
	if major > least[0] || major == least[0] && minor >= least[1] {
		return nil
	}
	number := m[2]
	if m[3] != "" {
		number += "." + m[3]
	}
	need := strconv.Itoa(least[0])
	if least[1] != 0 {
		need += "." + strconv.Itoa(least[1])
	}
	return fmt.Errorf("%s %s is too old: parley needs %s or later", m[1], number, need)
}
