package sqlstore

import (
	"errors"
	"io/fs"
	"os"
)

// private has a database and what is beside it be for its user alone, whatever the folder and the umask: it holds everything.
// SQLite gives its other files the permissions of the first.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		i, err := os.Lstat(path + end)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if i.Mode().IsRegular() && i.Mode().Perm() != 0o600 {
			if err := os.Chmod(path+end, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}
