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
	d, err := s.commitSurely(ctx, rs, doubts{})
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
		if _, err := s.commitSurely(ctx, rs[i:i+1], d); err != nil {
			rs[i].err = err
		}
	}
}

// doubts is what attempts to commit have left open.
type doubts struct {
	unanswered bool // one got no answer: a repetition leaves entries that it finds as they are
	lost       bool // one may have been committed
}

// commitSurely repeats attempts that got no answer, and returns what they have left open. After one that may have been
// committed, the failure of a later one does not say that nothing was: a single request is tried for refusedTime more.
func (s *Store) commitSurely(ctx context.Context, rs []*request, d doubts) (doubts, error) {
	ctx = context.WithValue(ctx, attemptKey{}, true)
	var refused time.Time // the time since which attempts are refused
	for deadline, pause := firstAttempt, 20*time.Millisecond; ; {
		one, cancel := context.WithTimeout(ctx, deadline)
		err := s.commitAll(one, rs, d.unanswered)
		silent := one.Err() != nil
		cancel()
		switch {
		case err == nil, ctx.Err() != nil:
			return d, err
		case silent:
			deadline *= 2
			d, refused = doubts{true, true}, time.Time{}
			s.opts.Log.Warn("the database does not answer a commit: trying again on another connection",
				"messages", len(rs), "err", err)
			continue
		case d.unanswered && errors.Is(err, store.ErrExists) && refused.IsZero():
			// the attempt before was ending just now
			refused = time.Now()
		case !unanswered(err) && (!d.lost || decided(err) || len(rs) > 1):
			return d, err
		}
		d = doubts{true, d.lost || unanswered(err) && !unsent(err)}
		if refused.IsZero() {
			refused = time.Now()
		} else if time.Since(refused) > refusedTime {
			return d, err
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, 500*time.Millisecond)
		case <-ctx.Done():
			return d, err
		}
	}
}

// decided says whether an error is the outcome of a transaction that has read the rows in question.
func decided(err error) bool {
	return errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrFenced)
}

// unsent says whether a transaction was never begun, because no server was there.
func unsent(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn)
}

// unanswered says whether the result of a transaction is unknown, or no server was there to run it. (PostgreSQL,
// appendix A: class 08 is the connection, 57P the server starting or stopping; 40003 is statement_completion_unknown,
// and 25P03 idle_in_transaction_session_timeout: this process was stopped.)
func unanswered(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == "40003" || pe.Code == "25P03" ||
			strings.HasPrefix(pe.Code, "08") || strings.HasPrefix(pe.Code, "57P0")
	}
	var ambiguous *crdb.AmbiguousCommitError
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &ambiguous) || errors.As(err, &connect) || errors.As(err, &network) ||
		pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
