package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// files are kept in one directory, each under its id, in a directory of the id's first two characters.
type files struct{ dir string }

func (f files) prepare() error { return os.MkdirAll(filepath.Join(f.dir, "incoming"), 0o700) }

func (f files) path(id string) string { return filepath.Join(f.dir, id[:2], id) }

// put keeps exactly size bytes of r; what was there before is an error (fs.ErrExist). It is on the disk when put returns.
func (f files) put(id string, size int64, r io.Reader) (err error) {
	tmp, err := os.CreateTemp(filepath.Join(f.dir, "incoming"), "upload-")
	if err != nil {
		return err
	}
	defer func() {
		if rerr := os.Remove(tmp.Name()); err == nil && rerr != nil {
			err = rerr
		}
	}()
	n, err := io.Copy(tmp, io.LimitReader(r, size+1))
	if err == nil && n != size {
		err = errSize
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.path(id)), 0o700); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), f.path(id)); err != nil { // fails if it is there, where a rename would not
		return err
	}
	return syncDir(filepath.Dir(f.path(id)))
}

var errSize = errors.New("upload: not of the size that was asked for")

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f files) open(id string) (*os.File, error) { return os.Open(f.path(id)) }

func (f files) remove(id string) error {
	err := os.Remove(f.path(id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove upload: %w", err)
	}
	return nil
}
