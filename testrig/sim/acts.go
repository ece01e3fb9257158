package sim

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/people"
)

// The acts of people that give and take rights, and what the world knows of them. An act that takes something away
// holds from the moment in which its answer comes: nothing that is sent later may pass.

// member is what is known of a right.
type member int

const (
	in    member = iota
	out          // the server has said that it is taken away
	maybe        // a change is asked for, and not answered
)

// right is whether an account may do something: be in a group's room, write to somebody, use the server.
type right struct {
	is      member
	since   int  // the event at which that was known
	changed bool // it was not always there
	asked   bool // an answer is on its way, or lost
	unheard bool // some node could not be told of the change
	at      time.Time
}

// mayUse and mayWrite name rights that are not a room's.
const mayUse = "the server"

func mayWrite(to string) string { return "write to " + to }

func (m *model) right(to, account string) *right {
	k := to + " " + account
	r := m.rights[k]
	if r == nil {
		r = &right{}
		m.rights[k] = r
	}
	return r
}

// outSince says whether an account was without a right already at an event, and still is.
func (w *World) outSince(to, account string, event int) bool {
	r := w.model.right(to, account)
	return r.is == out && r.since < event
}

// begin notes that a right is being changed, and returns what notes the answer.
func (w *World) begin(r *right, to member, what string) func(done bool) {
	*r = right{is: maybe, since: w.events, changed: true, asked: true, at: time.Now(), unheard: w.anyUnheard()}
	mine := *r
	return func(done bool) {
		switch {
		case *r != mine: // it has been changed again
		case done:
			*r = right{is: to, since: w.events, changed: true, unheard: r.unheard || w.anyUnheard()}
			w.count("right taken away while a node is not heard", to == out && r.unheard)
			w.happen("done: %s", what)
		default:
			r.asked = false
		}
	}
}

// patience is how long a change may be under way whose answer nobody waits for.
const patience = 20 * time.Second

// next says what a change makes of a right; false if it had better not be changed now.
func (w *World) next(r *right) (to member, ok bool) {
	switch {
	case r.asked && time.Since(r.at) < patience:
		return r.is, false // of two changes under way nobody knows which comes last
	case r.is == in:
		return out, true
	case r.is == out:
		return in, true
	}
	return member(w.rnd.IntN(2)), w.rnd.IntN(3) == 0
}

// change removes somebody from a group, or adds them again.
func (c *client) change(room, account string) {
	w, r := c.w, c.w.model.right(room, account)
	to, ok := w.next(r)
	if !ok {
		return
	}
	affiliation := [...]string{in: "member", out: "none"}[to]
	w.happen("act %s: %s %s of %s", c, account, affiliation, room)
	answered := w.begin(r, to, account+" "+affiliation+" of "+room)
	c.ask("set", room, "<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='"+affiliation+"' jid='"+
		account+"@"+Host+"'/></query>", func(answer string) {
		done := attr(answer, "type") == "result"
		w.count("membership changed", done)
		w.count("removed from a group", done && to == out)
		answered(done)
	})
}

// block blocks another account, or lets it write again (XEP-0191).
func (c *client) block(account string) {
	if account == c.account {
		return
	}
	w, r := c.w, c.w.model.right(mayWrite(c.account), account)
	to, ok := w.next(r)
	if !ok {
		return
	}
	verb := [...]string{in: "unblock", out: "block"}[to]
	w.happen("%s %s: %s", verb, c, account)
	answered := w.begin(r, to, c.account+" "+verb+" "+account)
	c.ask("set", "", "<"+verb+" xmlns='urn:xmpp:blocking'><item jid='"+account+"@"+Host+"'/></"+verb+">",
		func(answer string) {
			done := attr(answer, "type") == "result"
			w.count("blocked", done && to == out)
			answered(done)
		})
}

// disable disables an account, or enables it again, as an administrator does on the console.
func (w *World) disable(account string, to member) {
	living := w.living()
	if len(living) == 0 {
		return
	}
	at := living[w.rnd.IntN(len(living))]
	real := at.built()
	r := w.model.right(mayUse, account)
	verb := [...]string{in: "enable", out: "disable"}[to]
	w.happen("%s %s", verb, account)
	answered := w.begin(r, to, verb+" "+account)
	disabled := to == out
	go func() {
		_, err := real.People(Host).Update(context.Background(), people.System, account,
			people.Change{Disabled: &disabled})
		done := err == nil && !at.gate.dead() // what a dead node says reaches nobody
		w.answers.put(verb+" "+account, func() {
			w.count("disabled", done && disabled)
			answered(done)
		})
	}()
}

// disableOne disables or enables an account that is no administrator's.
func (w *World) disableOne() {
	account := "u" + strconv.Itoa(1+w.rnd.IntN(len(w.clients)/2-1))
	if to, ok := w.next(w.model.right(mayUse, account)); ok {
		w.disable(account, to)
	}
}

// heard looks at a message that came live.
func (c *client) heard(m *message) {
	w := c.w
	if w.outSince(mayUse, c.account, m.event) {
		w.find("%s hears %s and is disabled", c, m.id)
	}
	if w.outSince(mayUse, m.from.account, m.event) {
		w.find("%s wrote %s and is disabled", m.from, m.id)
	}
	switch {
	case !m.room:
		to := strings.TrimSuffix(m.to, "@"+Host)
		if to == c.account && w.outSince(mayWrite(to), m.from.account, m.event) {
			w.find("%s hears %s of %s, who is blocked", c, m.id, m.from)
		}
	case w.outSince(m.to, c.account, m.event):
		w.find("%s hears %s in %s after it was removed", c, m.id, m.to)
	case w.outSince(m.to, m.from.account, m.event):
		w.find("%s wrote %s in %s after it was removed", m.from, m.id, m.to)
	}
}

// signedIn looks at a session that has begun.
func (c *client) signedIn() {
	if c.w.outSince(mayUse, c.account, c.began) {
		c.w.find("%s signs in and is disabled", c)
	}
}

// settled gives everybody their account back, and says whether all have it.
func (w *World) settled() bool {
	all := true
	for i := range len(w.clients) / 2 {
		account := "u" + strconv.Itoa(i)
		r := w.model.right(mayUse, account)
		if r.is == in {
			continue
		}
		all = false
		if !r.asked {
			w.disable(account, in)
		}
	}
	return all
}
