package disk

import (
	"os"
	"syscall"
)

// space gives the free and total bytes of a directory's disk; false if unknown.
func space(dir string) (free, all int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, false
	}
	return int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize, true
}

// same says whether two directories are on one disk.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	if err != nil {
		return false
	}
	s, ok := x.Sys().(*syscall.Stat_t)
	t, also := y.Sys().(*syscall.Stat_t)
	return ok && also && s.Dev == t.Dev
}
