// Package acts holds what all changes of an organization share: who makes them and by which door, one transaction for
// the change and its entry in the audit log, and telling others after the commit.
package acts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/internal/changes"
	"parley/store"
)

// Log makes changes and keeps the audit log. Safe from any goroutine.
type Log struct {
	st   Store
	told *changes.Changes
	next func(host string) store.ID
}

// NewLog makes a Log. told has caches forget what acts have changed; next makes the ids of a host's entries.
func NewLog(st Store, told *changes.Changes, next func(host string) store.ID) *Log {
	return &Log{st, told, next}
}

// Changes gives what the Log tells of changes.
func (l *Log) Changes() *changes.Changes { return l.told }

// Act is one change in progress.
type Act struct {
	By   Actor
	Host string

	root    *Act     // the change that contains this one; itself for the outermost
	proof   store.ID // of the outermost: an entry of the audit log that is kept if the change is
	next    func(host string) store.ID
	entries []store.AuditEntry
	changed []changes.Change
	kept    []func(context.Context)
	after   []func(context.Context)
	then    []func(context.Context)
	ends    []func()
}

type (
	actKey   struct{}
	afterKey struct{}
)

// Under says whether a context belongs to a change in progress: values read with it may never be committed.
func Under(ctx context.Context) bool { return of(ctx) != nil }

func of(ctx context.Context) *Act {
	a, _ := ctx.Value(actKey{}).(*Act)
	return a
}

// These errors are faults of the program.
var (
	// ErrNobody is the error of an act whose Actor has no door.
	ErrNobody = errors.New("acts: nobody asks for this change")
	// ErrAfter is the error of an act that begins in a function given to After. It would wait for the act that waits
	// for it: give the function to Then.
	ErrAfter = errors.New("acts: a change is made while another is told")
)

// Do makes a change of a host. f checks the right and the input, writes, and notes what it has done, all with the ctx
// that it is given; it may be run again from its beginning. The change and its notes are committed in one transaction,
// or not at all. Then the caches of all nodes forget what Changed names, and the functions given to Kept run, then
// those given to After, each in order. A Do within another one is part of it: it has its own notes, and its After
// functions run when the whole is committed. If a node may not know of the change yet, Do returns an error although
// it is made.
func (l *Log) Do(ctx context.Context, host string, by Actor, f func(ctx context.Context, a *Act) error) error {
	if by.Door == "" {
		return ErrNobody
	}
	outer := of(ctx)
	if outer == nil && ctx.Value(afterKey{}) != nil {
		return ErrAfter
	}
	var a *Act
	err := l.st.Atomic(ctx, func(ctx2 context.Context) error {
		if outer == nil {
			a.end() // of the attempt before
		}
		a = &Act{By: by, Host: host, next: l.next}
		if a.root = a; outer != nil {
			a.root = outer.root
		}
		if err := f(context.WithValue(ctx2, actKey{}, a), a); err != nil {
			return err
		}
		for _, e := range a.entries {
			if err := l.st.AddAudit(ctx2, host, e); err != nil {
				return fmt.Errorf("audit %s: %w", e.Action, err)
			}
			a.root.proof = e.ID
		}
		return nil
	})
	if outer != nil {
		if err == nil {
			outer.changed = append(outer.changed, a.changed...)
			outer.kept = append(outer.kept, a.kept...)
			outer.after = append(outer.after, a.after...)
			outer.then = append(outer.then, a.then...)
		}
		return err
	}
	defer a.end()
	ctx = context.WithoutCancel(ctx)
	if errors.Is(err, store.ErrInDoubt) && a != nil && l.kept(ctx, a) {
		err = nil
	}
	if err != nil {
		return err
	}
	return l.tell(ctx, a)
}

// How long an act whose answer was lost waits for the database to say whether it is kept.
const (
	doubtTime  = 30 * time.Second
	doubtPause = 200 * time.Millisecond
)

// kept says whether a change whose commit had no answer is kept. If it is, others have to be told of it, and who asked
// for it too: the same change, asked for again, would be none, and nobody would ever hear of it. As long as that is not
// known, what may be out of date is forgotten.
func (l *Log) kept(ctx context.Context, a *Act) bool {
	ctx, cancel := context.WithTimeout(ctx, doubtTime)
	defer cancel()
	for a.proof != 0 && ctx.Err() == nil {
		kept, err := l.st.AuditKept(ctx, a.Host, a.proof)
		if err == nil {
			return kept
		}
		time.Sleep(doubtPause)
	}
	_ = l.told.TellAll(ctx, a.changed...) // the caller gets the error of the commit
	for _, f := range a.kept {
		f(ctx)
	}
	return false
}

// tell tells of a change after its commit. Its ctx does not end with the caller's: others are told of the change even
// if nobody waits for the answer any more.
func (l *Log) tell(ctx context.Context, a *Act) error {
	err := l.told.TellAll(ctx, a.changed...)
	for _, f := range a.kept {
		f(ctx)
	}
	telling := context.WithValue(ctx, afterKey{}, true)
	for _, f := range a.after {
		f(telling)
	}
	a.end()
	for _, f := range a.then {
		f(ctx)
	}
	if err != nil {
		return fmt.Errorf("the change is made, but not known everywhere yet: %w", err)
	}
	return nil
}

// end runs the functions given to End.
func (a *Act) end() {
	if a == nil {
		return
	}
	for _, f := range slices.Backward(a.ends) {
		f()
	}
	a.ends = nil
}

// Note adds an entry to the audit log: what was done, to what, and the values before and now (see Was). The detail must
// not hold a secret. Entries are in the order of the calls, also across parts of the change.
func (a *Act) Note(v Verb, target string, detail Detail) {
	text := ""
	if a.By.Reason != "" {
		detail = maps.Clone(detail)
		if detail == nil {
			detail = make(Detail)
		}
		detail["reason"] = a.By.Reason
	}
	if len(detail) > 0 {
		b, err := json.Marshal(detail)
		if err != nil { // only for values that JSON has no form for
			panic(fmt.Sprintf("acts: detail of %s: %v", v, err))
		}
		text = string(b)
	}
	a.entries = append(a.entries, store.AuditEntry{
		ID:     a.next(a.Host),
		Actor:  a.By.Name,
		Action: string(v),
		Target: target,
		Detail: text,
		Remote: a.By.Remote,
		Door:   string(a.By.Door),
	})
}

// Root gives the outermost change that contains this one; itself if none does.
func (a *Act) Root() *Act { return a.root }

// Changed says what the act makes wrong in caches: something of the act's host, or with the name "" everything of the
// topic there. When the whole change is committed, they forget it, on all nodes, before the functions given to Kept and
// After run; also when it is not known whether it is committed.
func (a *Act) Changed(t changes.Topic, name string) {
	a.changed = append(a.changed, changes.Change{Topic: t, Key: changes.Key(a.Host, name)})
}

// Kept makes f run when the whole change is committed and caches have forgotten it, before the functions given to
// After. Its ctx is like that of After.
func (a *Act) Kept(f func(ctx context.Context)) { a.kept = append(a.kept, f) }

// After makes f run when the whole change is committed, after the functions given before. Its ctx is the caller's
// without the transaction, and does not end with it: others are told even if the caller has given up. f must not make a
// change of its own (ErrAfter): changes of the same things may wait until this one is told.
func (a *Act) After(f func(ctx context.Context)) { a.after = append(a.after, f) }

// Then makes f run when the whole change is committed and told, after the functions given before. f may make changes of
// its own.
func (a *Act) Then(f func(ctx context.Context)) { a.then = append(a.then, f) }

// End makes f run when the whole change is over, after the functions given to After, or when it has failed or begins
// again.
func (a *Act) End(f func()) { a.root.ends = append(a.root.ends, f) }

// Detail holds more about what was done, by field.
type Detail map[string]any

// Was adds a field that changed, with its value before and now; nothing if both are the same.
func Was[T comparable](d Detail, field string, was, is T) {
	if was != is {
		d[field] = []T{was, is}
	}
}
