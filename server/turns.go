package server

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns is the order in which an account's clients are told of what its archive has got: that of the archive's ids.
// Messages of many senders are committed together and go on in goroutines of their own. A client that is told of one,
// loses its connection, and asks the archive for what came after it, must have been told of everything before.
type turns struct {
	mu   sync.Mutex
	line []*Pass
}

// turnTime is how long a message waits for those before it. The limit keeps a stalled database, which one of these
// waits for, from blocking messages for longer.
const turnTime = 5 * time.Second

// Kept implements store.Keeper: the pass is the last in the line of its account. Without a session there is no line: a
// client that comes later finds the entry in the archive.
func (p *Pass) Kept() {
	a := p.Host.Account(p.Account)
	if a == nil {
		return
	}
	p.in = &a.turns
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.in.line = append(p.in.line, p)
}

// awaitTurn waits until the account's clients have been told of what was kept before.
func (p *Pass) awaitTurn(ctx context.Context) {
	if p.in == nil {
		return
	}
	turn := p.in.wait(p)
	if turn == nil {
		return
	}
	timer := time.NewTimer(turnTime)
	defer timer.Stop()
	select {
	case <-turn:
	case <-timer.C:
		p.in.skip(p)
	case <-ctx.Done():
	}
}

// endTurn lets the next one tell the account's clients. A second call does nothing.
func (p *Pass) endTurn() {
	if p.in == nil {
		return
	}
	p.in.leave(p)
	p.in = nil
}

// wait returns nil if it is the turn of p, otherwise a channel that is closed when it is.
func (t *turns) wait(p *Pass) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.Index(t.line, p) <= 0 {
		return nil
	}
	p.turn = make(chan struct{})
	return p.turn
}

// leave takes p out of the line.
func (t *turns) leave(p *Pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := slices.Index(t.line, p); at >= 0 {
		t.line = slices.Delete(t.line, at, at+1)
		t.callLocked()
	}
}

// skip takes out of the line what stands before p.
func (t *turns) skip(p *Pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := slices.Index(t.line, p); at > 0 {
		t.line = slices.Delete(t.line, 0, at)
		t.callLocked()
	}
}

// callLocked calls the first in the line, if it waits.
func (t *turns) callLocked() {
	if len(t.line) > 0 && t.line[0].turn != nil {
		close(t.line[0].turn)
		t.line[0].turn = nil
	}
}
