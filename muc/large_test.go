package muc_test

import (
	"fmt"
	"testing"

	"parley/muc"
)

// BenchmarkEnter lets one person enter and leave a room with a number of occupants. Each time costs in proportion to
// the room's size: compare ns/presence.
func BenchmarkEnter(b *testing.B) {
	for _, n := range []int{50, 500, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := verona(b,
				func(c *muc.Config) { c.MaxOccupants = 5000; c.MessageRate = 1 << 20; c.MessageBurst = 1 << 20 })
			r.Crowd(n + 1)
			r.Fill(n, "orchard@groups.example.org")
			who := fmt.Sprintf("u%d", n)
			c := r.Clients[who]
			muc.Unpaced(r.svc)
			b.ResetTimer()
			for range b.N {
				c.Sends(fmt.Sprintf("<presence to='orchard@groups.example.org/%s'>%s</presence>", who, x))
				r.WaitFor(who, n+3) // presence of the others and romeo, its own presence, the subject
				c.Sends(fmt.Sprintf("<presence type='unavailable' to='orchard@groups.example.org/%s'/>", who))
				r.WaitFor(who, 1)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(3*n), "ns/presence")
		})
	}
}
