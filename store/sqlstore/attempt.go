package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5/pgconn"

	"parley/store"
)

// How long a batch may take on PostgreSQL and CockroachDB. A database that does not answer is an error in the end, not
// a silence. Each attempt has a deadline, twice that of the one before, after which another connection is tried. If
// every node refuses the connection, the error comes sooner.
const (
	commitTime   = time.Minute
	firstAttempt = 3 * time.Second
	refusedTime  = 10 * time.Second
)

// commitBatch commits a batch on PostgreSQL and CockroachDB. It sets every request's err. A request that cannot be kept
// does not affect the others.
func (s *Store) commitBatch(rs []*request) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	doubt, err := s.commitSurely(ctx, rs, false)
	if err == nil {
		return
	}
	if len(rs) == 1 || ctx.Err() != nil || unanswered(err) {
		for _, r := range rs {
			r.err = err
		}
		return
	}
	for i := range rs {
		if _, err := s.commitSurely(ctx, rs[i:i+1], doubt); err != nil {
			rs[i].err = err
		}
	}
}

// commitSurely repeats attempts that got no answer, and says whether there was one. Such an attempt may have been
// committed; a repetition then finds its entries and leaves them as they are.
func (s *Store) commitSurely(ctx context.Context, rs []*request, doubt bool) (bool, error) {
	ctx = context.WithValue(ctx, attemptKey{}, true)
	var refused time.Time // the time since which no connection can be made
	for deadline, pause := firstAttempt, 20*time.Millisecond; ; {
		one, cancel := context.WithTimeout(ctx, deadline)
		err := s.commitAll(one, rs, doubt)
		silent := one.Err() != nil
		cancel()
		switch {
		case err == nil, ctx.Err() != nil:
			return doubt, err
		case silent:
			deadline *= 2
			doubt, refused = true, time.Time{}
			s.opts.Log.Warn("the database does not answer a commit: trying again on another connection",
				"messages", len(rs), "err", err)
			continue
		case doubt && errors.Is(err, store.ErrExists) && refused.IsZero(): // the attempt before was ending just now
			refused = time.Now()
		case !unanswered(err):
			return doubt, err
		}
		doubt = true
		if refused.IsZero() {
			refused = time.Now()
		} else if time.Since(refused) > refusedTime {
			return doubt, err
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, 500*time.Millisecond)
		case <-ctx.Done():
			return doubt, err
		}
	}
}

// unanswered says whether the result of a transaction is unknown, or no server was there to run it. (PostgreSQL,
// appendix A: class 08 is the connection, 57P the server starting or stopping; 40003 is statement_completion_unknown.)
func unanswered(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == "40003" || strings.HasPrefix(pe.Code, "08") || strings.HasPrefix(pe.Code, "57P0")
	}
	var ambiguous *crdb.AmbiguousCommitError
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &ambiguous) || errors.As(err, &connect) || errors.As(err, &network) ||
		pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
