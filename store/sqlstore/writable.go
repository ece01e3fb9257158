package sqlstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// probeKey is the key that Writable writes.
const probeKey = "health/written"

// probeSize must fit on the disk: SQLite's log may still have room for a row when messages no longer fit.
const probeSize = 256 << 10

// Writable says whether something can be kept now, by writing a row, and on SQLite a file beside the database as well.
func (s *Store) Writable(ctx context.Context) error {
	if s.path != "" {
		if err := writeProbe(filepath.Dir(s.path)); err != nil {
			return err
		}
	}
	return s.Put(ctx, "", probeKey, []byte(s.now().UTC().Format(time.RFC3339)))
}

func writeProbe(dir string) error {
	f, err := os.CreateTemp(dir, ".health-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// IsFull says whether an error is due to a full disk.
func IsFull(err error) bool {
	var se *sqlite.Error
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.As(err, &se) && se.Code()&0xff == sqlite3.SQLITE_FULL
}
