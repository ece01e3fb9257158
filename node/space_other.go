//go:build !linux

package node

// freeSpace is known on Linux only.
func freeSpace(string) int64 { return -1 }
