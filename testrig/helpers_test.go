package testrig_test

import (
	"parley/org"
	"parley/testrig"
	"parley/wire/jid"
)

// newGroup is a public group of people of the rig's host; the first owns it.
func newGroup(name string, people ...string) org.NewGroup {
	n := org.NewGroup{Name: name, Kind: org.Public}
	for i, p := range people {
		j := jid.MustParse(p + "@" + testrig.Host)
		if i == 0 {
			n.Owner = j
		} else {
			n.Members = append(n.Members, j)
		}
	}
	return n
}
