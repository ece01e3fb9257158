// Package crash kills a server again and again while people write to each other, and checks that every acknowledged
// message is kept: once, in order, in archives, in search results and among unread messages.
//
// The server is the program itself, killed with SIGKILL at random moments. Clients pipeline messages to one another and
// to a group, and note which messages are acknowledged (XEP-0198). After a kill half of them ask for resumption before
// they sign in afresh; on a living server some cut their connection and resume. Clients send unacknowledged messages
// again under the same id, so these may be kept twice; a message acknowledged at the first attempt must be kept once.
package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// Config of a run.
type Config struct {
	Binary  string // the program
	Dir     string // an empty directory, with a short path
	DSN     string // of the store; "": SQLite in Dir
	Kills   int
	Clients int           // default 6
	Life    time.Duration // the longest that a server lives; default 1.5 s
	Seed    uint64
	Log     io.Writer // writer of the progress
}

// Result is the result of a run.
type Result struct {
	Kills, Resumed        int
	Chat, Room            int // messages that were acknowledged
	Again                 int // those of them that were acknowledged only after a second attempt
	Lost, Doubled         int
	Reordered             int
	Ghosts                int // shown live and in no archive
	Skipped               int // not shown live to somebody who was in the room
	Twice                 int // shown twice on one stream
	NotFound, WrongUnread int
	Details               []string // the first faults
}

// Wrong says whether anything is.
func (r *Result) Wrong() bool {
	return r.Lost+r.Doubled+r.Reordered+r.Ghosts+r.Skipped+r.Twice+r.NotFound+r.WrongUnread > 0
}

// String returns the result on one line.
func (r *Result) String() string {
	return fmt.Sprintf("%d kills, %d resumptions; acknowledged: %d to people, %d in the group (%d of them when "+
		"sent again); lost %d, doubled %d, reordered %d, ghosts %d, skipped live %d, shown twice %d, not found by "+
		"search %d, unread wrong %d",
		r.Kills, r.Resumed, r.Chat, r.Room, r.Again, r.Lost, r.Doubled, r.Reordered, r.Ghosts, r.Skipped, r.Twice,
		r.NotFound, r.WrongUnread)
}

func (r *Result) detail(format string, args ...any) {
	if len(r.Details) < 40 {
		r.Details = append(r.Details, fmt.Sprintf(format, args...))
	}
}

// Run runs the test. An error is about the run itself; the result has the server's faults.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if cfg.Clients <= 0 {
		cfg.Clients = 6
	}
	if cfg.Life <= 0 {
		cfg.Life = 1500 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	rnd := rand.New(rand.NewPCG(cfg.Seed, 1))
	srv := &server{cfg: cfg}
	defer srv.kill()
	if err := srv.start(ctx); err != nil {
		return nil, err
	}
	if err := srv.accounts(ctx); err != nil {
		return nil, err
	}
	talkers := make([]*talker, cfg.Clients)
	for i := range talkers {
		talkers[i] = newTalker(i, cfg.Clients, cfg.Seed)
	}
	res := new(Result)
	for res.Kills < cfg.Kills {
		round, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		for _, t := range talkers {
			wg.Go(func() { t.round(round, srv.dialer()) })
		}
		// a random moment: the test is about when the server dies
		time.Sleep(time.Duration(rnd.Int64N(int64(cfg.Life))))
		srv.kill()
		cancel()
		wg.Wait()
		if res.Kills++; res.Kills%10 == 0 {
			fmt.Fprintf(cfg.Log, "%d kills\n", res.Kills)
		}
		if err := srv.start(ctx); err != nil {
			return res, fmt.Errorf("after %d kills: %w", res.Kills, err)
		}
		if ctx.Err() != nil {
			return res, ctx.Err()
		}
	}
	if err := check(ctx, srv, talkers, res); err != nil {
		return res, err
	}
	if res.Chat+res.Room == 0 {
		return res, errors.New("nothing was acknowledged: servers have to live longer on this engine")
	}
	return res, nil
}
