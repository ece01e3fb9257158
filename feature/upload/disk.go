package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// disk keeps files in one directory, each in a subdirectory named by the first two characters of its id.
type disk struct{ dir string }

// stale is the age at which a partial file is removed: its process has died.
const stale = 24 * time.Hour

func (f disk) prepare(context.Context) error {
	incoming := filepath.Join(f.dir, "incoming")
	if err := os.MkdirAll(incoming, 0o700); err != nil {
		return err
	}
	es, err := os.ReadDir(incoming)
	if err != nil {
		return err
	}
	for _, e := range es {
		if i, err := e.Info(); err == nil && time.Since(i.ModTime()) > stale {
			if err := os.Remove(filepath.Join(incoming, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func (f disk) path(id string) string { return filepath.Join(f.dir, id[:2], id) }

func (f disk) put(_ context.Context, id string, size int64, r io.Reader) (err error) {
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
	if err := os.Link(tmp.Name(), f.path(id)); err != nil { // unlike a rename, a link fails if the file exists
		return err
	}
	return syncDir(filepath.Dir(f.path(id)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f disk) open(_ context.Context, id string) (io.ReadSeekCloser, error) {
	return os.Open(f.path(id))
}

func (f disk) remove(_ context.Context, id string) error {
	err := os.Remove(f.path(id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove upload: %w", err)
	}
	return nil
}
