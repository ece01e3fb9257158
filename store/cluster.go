package store

import "time"

// ClusterNode is a process that serves from a database which others can reach, too.
type ClusterNode struct {
	ID          string // of its data folder
	Incarnation int64  // greater with each start of any node
	Address     string // where it answers who asks whether it lives
	Scope       string // of addresses on loopback: who has the same can ask there
	Place       string // for people: machine and process
	Version     string
	Started     time.Time

	Lease time.Duration // that it may still be taken to live without a word; 0: it has run out
	Until int64         // when its lease ends: another number when it was renewed
}
