//go:build unix

package door

import "syscall"

// descriptors returns how many files this process may open; 0 if unknown.
func descriptors() int64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || uint64(l.Cur) > 1<<40 {
		return 0
	}
	return int64(l.Cur)
}
