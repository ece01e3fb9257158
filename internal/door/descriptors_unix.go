//go:build unix

package door

import "syscall"

// descriptors says how many files this process may open; 0 where that is not known.
func descriptors() int64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || uint64(l.Cur) > 1<<40 {
		return 0
	}
	return int64(l.Cur)
}
