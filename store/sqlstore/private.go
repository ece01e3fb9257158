package sqlstore

import (
	"errors"
	"io/fs"
	"os"
)

// private makes a database and the files beside it readable by their user only, whatever the directory and the umask:
// the database holds everything.
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
