package sqlstore

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openSynced opens a file whose writes are on the disk when they return, as with fdatasync after each: the data and the
// metadata needed to find it, but not the time of change.
func openSynced(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC|syscall.O_DSYNC, 0o600)
}

func writeSynced(f *os.File, b []byte, off int64) error {
	_, err := f.WriteAt(b, off)
	return err
}

// lock takes a lock that ends with the process.
func lock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errLocked
		}
		return nil, errors.Join(&fs.PathError{Op: "lock", Path: name, Err: err}, f.Close())
	}
	return f, nil
}
