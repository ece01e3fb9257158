package node

import "syscall"

// freeSpace gives the bytes that are left where a directory is; -1 if that is not known.
func freeSpace(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * s.Bsize
}
