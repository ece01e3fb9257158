// Package acts is what all changes of an organization have in common: who makes them and by which door, one transaction
// for the change and its entry in the audit log, and telling others once it is kept.
package acts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"parley/store"
)

// Log makes changes and keeps the audit log. Safe from any goroutine.
type Log struct {
	st   Store
	next func(host string) store.ID
}

// NewLog gives a Log of a store. next makes the ids of a host's entries.
func NewLog(st Store, next func(host string) store.ID) *Log { return &Log{st, next} }

// Act is one change while it is made.
type Act struct {
	By   Actor
	Host string

	root    *Act // of the change that this is a part of; itself where it is the whole
	next    func(host string) store.ID
	entries []store.AuditEntry
	kept    []func()
	after   []func(context.Context)
	then    []func(context.Context)
	ends    []func()
}

type (
	actKey   struct{}
	afterKey struct{}
)

// Under says whether a context is that of a change that is being made: what is read with it may never be kept.
func Under(ctx context.Context) bool { return of(ctx) != nil }

func of(ctx context.Context) *Act {
	a, _ := ctx.Value(actKey{}).(*Act)
	return a
}

// These errors are faults of the program.
var (
	// ErrNobody is the error of an act whose Actor has no door.
	ErrNobody = errors.New("acts: nobody asks for this change")
	// ErrAfter is the error of an act that a function given to After begins. It would wait for the act that waits for it:
	// give the function to Then.
	ErrAfter = errors.New("acts: a change is made while another is told")
)

// Do makes a change of a host. f checks the right and the input, writes, and notes what it has done, all with the ctx
// that it is given; it may be run again from its beginning. All of it is kept in one transaction with its notes, or
// nothing. Then what f has left with Kept is done, and with After, each in order. A Do within another is part of that
// one: its notes are its own, and its After comes when the whole is kept.
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
		}
		return nil
	})
	if outer != nil {
		if err == nil {
			outer.kept = append(outer.kept, a.kept...)
			outer.after = append(outer.after, a.after...)
			outer.then = append(outer.then, a.then...)
		}
		return err
	}
	defer a.end()
	if err != nil {
		return err
	}
	a.tell(context.WithoutCancel(ctx))
	return nil
}

// tell does what was left to be done once the change is kept. ctx does not end with the maker's: others are told of
// what is kept also where nobody waits for the answer any more.
func (a *Act) tell(ctx context.Context) {
	for _, f := range a.kept {
		f()
	}
	telling := context.WithValue(ctx, afterKey{}, true)
	for _, f := range a.after {
		f(telling)
	}
	a.end()
	for _, f := range a.then {
		f(ctx)
	}
}

// end does what was left with End.
func (a *Act) end() {
	if a == nil {
		return
	}
	for _, f := range slices.Backward(a.ends) {
		f()
	}
	a.ends = nil
}

// Note keeps an entry in the audit log: what was done, to what, and what that was before and is now. The detail is
// never a secret; of values that have changed it holds both: Was. Entries stand in the order in which they were noted,
// also where a part of the change notes its own.
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
		if err != nil { // only of what JSON has no form for
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

// Root is the change that this is a part of; itself where it is the whole.
func (a *Act) Root() *Act { return a.root }

// Kept has f bring up to date what is remembered of the store, when the whole change is kept and before anything that
// was left with After.
func (a *Act) Kept(f func()) { a.kept = append(a.kept, f) }

// After has f done when the whole change is kept, after what was left before. Its ctx is that of the maker, without the
// transaction, and does not end with it: others are told of what is kept also where the maker is gone. f makes no
// change of its own (ErrAfter): changes of the same things may wait until this one is told.
func (a *Act) After(f func(ctx context.Context)) { a.after = append(a.after, f) }

// Then has f done when the whole change is over and told, after what was left before: f may make changes of its own.
func (a *Act) Then(f func(ctx context.Context)) { a.then = append(a.then, f) }

// End has f done when the whole change is over, after all that was left with After, or when it has failed or begins
// again.
func (a *Act) End(f func()) { a.root.ends = append(a.root.ends, f) }

// Detail says more of what was done, by field.
type Detail map[string]any

// Was adds a field that has changed, with the value before and the value now; nothing where they are the same.
func Was[T comparable](d Detail, field string, was, is T) {
	if was != is {
		d[field] = []T{was, is}
	}
}
