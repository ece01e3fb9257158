package muc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/acts"
	"parley/muc"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// crowd has n people signed in whose clients only count.
func (r *rig) crowd(n int) {
	r.t.Helper()
	for i := range n {
		name := fmt.Sprintf("u%d", i)
		r.user(name)
		r.login(name + "/x")
		r.clients[name].mute = true
	}
}

// full makes a room with n of the crowd in it, and gives the address.
func (r *rig) full(n int, address string) {
	r.t.Helper()
	r.clients["romeo"].mute = true
	for i := range n {
		who := fmt.Sprintf("u%d", i)
		r.clients[who].send(fmt.Sprintf("<presence to='%s/%s'>%s</presence>", address, who, x))
		r.waitFor(who, 3) // romeo, itself and the subject at least
	}
	for i := range n {
		r.clients[fmt.Sprintf("u%d", i)].n = 0
	}
	r.clients["romeo"].n = 0
}

// waitFor waits until somebody has got so many stanzas, and sets the count back.
func (r *rig) waitFor(actor string, n int) {
	r.t.Helper()
	c := r.clients[actor]
	t := time.NewTimer(time.Minute)
	defer t.Stop()
	for {
		c.mu.Lock()
		if c.n >= n {
			c.n = 0
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		select {
		case <-c.more:
		case <-t.C:
			r.t.Fatalf("%s got %d of %d", actor, c.n, n)
		}
	}
}

// BenchmarkEnter is one person who enters and leaves a room of so many. Each costs what the room's size is, once: compare
// ns/presence.
func BenchmarkEnter(b *testing.B) {
	for _, n := range []int{50, 500, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := verona(b, func(c *muc.Config) { c.MaxOccupants = 5000; c.MessageRate = 1 << 20; c.MessageBurst = 1 << 20 })
			r.crowd(n + 1)
			r.full(n, "orchard@groups.example.org")
			who := fmt.Sprintf("u%d", n)
			c := r.clients[who]
			muc.Unpaced(r.svc)
			b.ResetTimer()
			for range b.N {
				c.send(fmt.Sprintf("<presence to='orchard@groups.example.org/%s'>%s</presence>", who, x))
				r.waitFor(who, n+3) // the others and romeo, itself, the subject
				c.send(fmt.Sprintf("<presence type='unavailable' to='orchard@groups.example.org/%s'/>", who))
				r.waitFor(who, 1)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(3*n), "ns/presence")
		})
	}
}

// BenchmarkGroup is a group of 5,000 members with so many in its room: one of them enters and leaves; somebody becomes a
// member.
func BenchmarkGroup(b *testing.B) {
	const members = 4990
	for _, n := range []int{50, 500} {
		r := newRig(b, func(c *muc.Config) { c.MaxOccupants = 5000; c.MessageRate = 1 << 20; c.MessageBurst = 1 << 20 })
		r.user("romeo")
		r.login("romeo/phone")
		r.crowd(n + 1)
		ctx := context.Background()
		g, err := r.org.CreateGroup(ctx, acts.System, testHost, org.NewGroup{Name: "All", Owner: jid.MustParse("romeo@" + testHost), Kind: org.Announcement})
		if err != nil {
			b.Fatal(err)
		}
		ms := make([]store.Member, members)
		for i := range ms {
			if i > n {
				r.user(fmt.Sprintf("u%d", i))
			}
			ms[i] = store.Member{JID: fmt.Sprintf("u%d@%s", i, testHost), Role: store.RoleMember}
		}
		if err := r.org.SetMembers(ctx, acts.System, testHost, g.ID, ms); err != nil {
			b.Fatal(err)
		}
		address := r.org.RoomJID(testHost, g.Room).String()
		r.play("romeo sends: <presence to='" + address + "/romeo'>" + x + "</presence>\nromeo forgets from " + address)
		r.full(n, address)
		who := fmt.Sprintf("u%d", n)
		c := r.clients[who]
		muc.Unpaced(r.svc)
		b.Run(fmt.Sprintf("enter/%d", n), func(b *testing.B) {
			for range b.N {
				c.send(fmt.Sprintf("<presence to='%s/%s'>%s</presence>", address, who, x))
				r.waitFor(who, 3) // romeo, itself, the subject: members are not shown
				c.send(fmt.Sprintf("<presence type='unavailable' to='%s/%s'/>", address, who))
				r.waitFor(who, 1)
			}
		})
		b.Run(fmt.Sprintf("member/%d", n), func(b *testing.B) {
			for i := range b.N {
				role := []string{store.RoleMember, ""}[i%2]
				r.user(fmt.Sprintf("new%d-%d-%d", n, b.N, i))
				if err := r.org.SetMember(ctx, acts.System, testHost, g.ID, jid.MustParse(fmt.Sprintf("new%d-%d-%d@%s", n, b.N, i-i%2, testHost)), role); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
