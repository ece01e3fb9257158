package store

import "time"

// ClusterNode is a server process at a database that other processes can reach too.
type ClusterNode struct {
	ID          string // the data directory's id
	Incarnation int64  // greater with each start of any node
	Address     string // address at which the node answers others that ask whether it lives
	Scope       string // of addresses on loopback: only a process with the same scope can ask there
	Place       string // for people: machine and process
	Version     string
	Started     time.Time
	Several     bool // it serves beside other nodes

	Lease time.Duration // how long it still counts as alive without a sign of life; 0: its lease has run out
	Until int64         // when its lease ends; the number changes when it renews the lease
}
