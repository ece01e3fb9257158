package groups_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/acts"
	"parley/muc"
	"parley/muc/groups"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// BenchmarkGroup is a group of 5,000 members with so many in its room: one of them enters and leaves; somebody becomes
// a member.
func BenchmarkGroup(b *testing.B) {
	const members = 4990
	for _, n := range []int{50, 500} {
		r := newRig(b, func(_ *groups.Config, c *muc.Config) {
			c.MaxOccupants = 5000
			c.MessageRate = 1 << 20
			c.MessageBurst = 1 << 20
		})
		r.User("romeo")
		r.Login("romeo/phone")
		r.Crowd(n + 1)
		ctx := context.Background()
		g, err := r.org.CreateGroup(
			ctx,
			acts.System,
			testHost,
			org.NewGroup{Name: "All", Owner: jid.MustParse("romeo@" + testHost), Kind: org.Announcement},
		)
		if err != nil {
			b.Fatal(err)
		}
		ms := make([]store.Member, members)
		for i := range ms {
			if i > n {
				r.User(fmt.Sprintf("u%d", i))
			}
			ms[i] = store.Member{JID: fmt.Sprintf("u%d@%s", i, testHost), Role: store.RoleMember}
		}
		if err := r.org.SetMembers(ctx, acts.System, testHost, g.ID, ms); err != nil {
			b.Fatal(err)
		}
		address := r.org.RoomJID(testHost, g.Room).String()
		r.Play("romeo sends: <presence to='" + address + "/romeo'>" + x + "</presence>\nromeo forgets from " + address)
		r.Fill(n, address)
		who := fmt.Sprintf("u%d", n)
		c := r.Clients[who]
		at := time.Now()
		b.Run(fmt.Sprintf("enter/%d", n), func(b *testing.B) {
			for range b.N {
				at = at.Add(time.Minute) // nobody may enter too often
				c.SendsAt(fmt.Sprintf("<presence to='%s/%s'>%s</presence>", address, who, x), at)
				r.WaitFor(who, 3) // romeo, itself, the subject: members are not shown
				c.Sends(fmt.Sprintf("<presence type='unavailable' to='%s/%s'/>", address, who))
				r.WaitFor(who, 1)
			}
		})
		b.Run(fmt.Sprintf("member/%d", n), func(b *testing.B) {
			for i := range b.N {
				role := []string{store.RoleMember, ""}[i%2]
				r.User(fmt.Sprintf("new%d-%d-%d", n, b.N, i))
				if err := r.org.SetMember(ctx, acts.System, testHost, g.ID,
					jid.MustParse(fmt.Sprintf("new%d-%d-%d@%s", n, b.N, i-i%2, testHost)), role); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
