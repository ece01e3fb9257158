package testrig_test

import (
	"testing"

	"parley/config"
	"parley/testrig"
	"parley/testrig/pgtest"
)

// BenchmarkMessage is what a message from one client to another costs in one process, its clients included: time,
// allocations, and how often the database is asked.
func BenchmarkMessage(b *testing.B) {
	for name, change := range map[string]func(*config.Config){
		"sqlite":   nil,
		"postgres": func(c *config.Config) { c.Store.DSN = pgtest.Copy(b, func(string) error { return nil }) },
	} {
		b.Run(name, func(b *testing.B) {
			r := testrig.Start(b, func(c *config.Config) {
				c.Limits.StanzasPerSecond, c.Limits.BytesPerSecond = 0, 0
				if change != nil {
					change(c)
				}
			})
			r.Account("romeo", "juliet")
			romeo, juliet := signedIn(b, r, "romeo"), signedIn(b, r, "juliet")
			const text = "<message xmlns='jabber:client' type='chat' to='juliet@example.org'><body>hi</body></message>"
			send := func() {
				if err := romeo.Write(text); err != nil {
					b.Fatal(err)
				}
				for {
					e, err := juliet.Next()
					if err != nil {
						b.Fatal(err)
					}
					if e.Name.Local == "message" {
						return
					}
				}
			}
			for range 100 {
				send()
			}
			b.ReportAllocs()
			b.ResetTimer()
			before := r.Node.Store.Asked()
			for range b.N {
				send()
			}
			b.ReportMetric(float64(r.Node.Store.Asked()-before)/float64(b.N), "asked/op")
		})
	}
}

// signedIn gives a client that is available.
func signedIn(b *testing.B, r *testrig.Rig, name string) *testrig.Client {
	b.Helper()
	c, err := r.Connect("tcp", testrig.Host)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	if err := c.SignIn(name, testrig.Password); err != nil {
		b.Fatal(err)
	}
	if err := c.Bind("bench"); err != nil {
		b.Fatal(err)
	}
	if err := c.Write("<presence xmlns='jabber:client'/>"); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Next(); err != nil {
		b.Fatal(err)
	}
	return c
}
