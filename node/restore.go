package node

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"parley/admin"
	"parley/config"
	"parley/store/sqlstore"
)

const (
	maxManifest  = 1 << 20
	leftoverKeys = "restored-keys" // in data_dir: keys that the configuration has no place for
)

// Restore puts a backup where a configuration says, where nothing is yet: all of it is checked before any of it is put in its
// place. With check it is only checked.
func Restore(ctx context.Context, cfg *config.Config, r io.Reader, check bool) (admin.Restored, error) {
	var out admin.Restored
	if !check {
		if err := nothingThere(cfg); err != nil {
			return out, err
		}
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	dir, err := os.MkdirTemp(cfg.DataDir, ".restore-")
	if err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(dir) // what was put in its place is not in it any more
	m, err := unpack(ctx, dir, r)
	if err != nil {
		return out, err
	}
	out.Backup = m.told()
	if m.Database {
		if _, err := sqlstore.CheckCopy(ctx, filepath.Join(dir, databaseName)); err != nil {
			return out, fmt.Errorf("the backup is not good: %w", err)
		}
	}
	if check {
		return out, nil
	}
	if err := fits(cfg, m); err != nil {
		return out, err
	}
	out.Placed, err = place(ctx, cfg, dir, m)
	return out, err
}

// sqlitePath is the file of the database; "" for another engine.
func sqlitePath(cfg *config.Config) string {
	p, _ := strings.CutPrefix(cfg.Store.DSN, "sqlite:")
	if p == cfg.Store.DSN {
		return ""
	}
	return p
}

// nothingThere refuses to put a backup over what is there.
func nothingThere(cfg *config.Config) error {
	var there []string
	if p := sqlitePath(cfg); p != "" {
		there = sqlstore.Left(p)
	}
	for _, dir := range []string{uploadsDir(cfg), filepath.Join(cfg.DataDir, "acme")} {
		if holdsFiles(dir) {
			there = append(there, dir)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("restore: there is something already: stop the server and move it away first: %s", strings.Join(there, ", "))
	}
	return nil
}

func holdsFiles(dir string) bool {
	found := false
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error { // what cannot be read is told when it is written to
		if err == nil && !d.IsDir() {
			found = true
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

func fits(cfg *config.Config, m manifest) error {
	if m.Database && sqlitePath(cfg) == "" {
		return errors.New("restore: the backup has a SQLite database, and store.dsn names another engine: name sqlite: there, or move accounts with `parley user export` and `import`")
	}
	if !m.Database && sqlitePath(cfg) != "" {
		return fmt.Errorf("restore: the backup is of a server on %s and has no database in it: restore that with its own tools, and name it in store.dsn", m.Engine)
	}
	return nil
}

// Verify says whether a backup is whole and as it was written, without looking into its database.
func Verify(ctx context.Context, r io.Reader) (admin.Backup, error) {
	m, err := unpack(ctx, "", r)
	return m.told(), err
}

// unpack writes the files of a backup below dir ("": nowhere) and looks whether they are all there, and as they were.
func unpack(ctx context.Context, dir string, r io.Reader) (m manifest, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var in io.Reader = br
	if head, err := br.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		if in, err = gzip.NewReader(br); err != nil {
			return m, fmt.Errorf("the backup cannot be read: %w", err)
		}
	}
	var root *os.Root
	if dir != "" {
		if root, err = os.OpenRoot(dir); err != nil { // no name in the file leads out of it
			return m, err
		}
		defer root.Close()
	}
	tr := tar.NewReader(reader{ctx, in})
	sum, files, bytes := sha256.New(), 0, int64(0)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return m, errors.New("the backup is not whole: its end is missing")
		}
		if err != nil {
			return m, fmt.Errorf("the backup cannot be read: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			return m, fmt.Errorf("the backup has what is no file: %q", h.Name)
		}
		if h.Name == manifestName {
			if m, err = readManifest(tr); err != nil {
				return m, err
			}
			break
		}
		if !known(h.Name) {
			return m, fmt.Errorf("the backup has a file that belongs to none: %q", h.Name)
		}
		one := sha256.New()
		if err := writeNew(root, h, io.TeeReader(tr, one)); errors.Is(err, io.ErrUnexpectedEOF) {
			return m, fmt.Errorf("the backup is not whole: it ends in the middle of %s", h.Name)
		} else if err != nil {
			return m, fmt.Errorf("restore: %s: %w", h.Name, err)
		}
		files, bytes = files+1, bytes+h.Size
		addSum(sum, h.Name, h.Size, one)
	}
	if m.Files != files || m.Bytes != bytes || m.Sum != hex.EncodeToString(sum.Sum(nil)) {
		return m, errors.New("the backup is damaged: what is in it is not what its manifest says")
	}
	return m, nil
}

func known(name string) bool {
	return name == databaseName || path.Clean(name) == name && (strings.HasPrefix(name, uploadsPrefix) || strings.HasPrefix(name, acmePrefix) || strings.HasPrefix(name, keysPrefix))
}

func readManifest(r io.Reader) (m manifest, err error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, fmt.Errorf("the backup's manifest cannot be read: %w", err)
	}
	if m.Format != backupFormat {
		return m, fmt.Errorf("the backup has format %d, and this program knows %d: a newer parley has made it", m.Format, backupFormat)
	}
	return m, nil
}

func writeNew(root *os.Root, h *tar.Header, r io.Reader) error {
	if root == nil {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	if err := root.MkdirAll(path.Dir(h.Name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// place moves what was unpacked to where the configuration says, the database last: as long as it is not there, restoring can
// be begun again.
func place(ctx context.Context, cfg *config.Config, dir string, m manifest) (placed []string, err error) {
	for _, t := range []struct{ from, to string }{{"uploads", uploadsDir(cfg)}, {"acme", filepath.Join(cfg.DataDir, "acme")}} {
		from := filepath.Join(dir, t.from)
		if !holdsFiles(from) {
			continue
		}
		if err := moveTree(from, t.to); err != nil {
			return placed, fmt.Errorf("restore: %w", err)
		}
		placed = append(placed, t.to)
	}
	for _, k := range m.Keys {
		to, err := placeKey(cfg, m, k, filepath.Join(dir, filepath.FromSlash(k.Name)))
		if err != nil {
			return placed, fmt.Errorf("restore: %w", err)
		}
		if to != "" {
			placed = append(placed, to)
		}
	}
	if m.Database {
		from, to := filepath.Join(dir, databaseName), sqlitePath(cfg)
		if err := sqlstore.Detach(ctx, from); err != nil {
			return placed, fmt.Errorf("restore: %w", err)
		}
		if err := moveFile(from, to); err != nil {
			return placed, fmt.Errorf("restore: %w", err)
		}
		placed = append(placed, to)
	}
	return placed, nil
}

// placeKey puts a key where the configuration names it, or where it was in data_dir, or beside. One that is there stays.
func placeKey(cfg *config.Config, m manifest, k keyAt, from string) (string, error) {
	to := ""
	if i := slices.IndexFunc(keyFiles(cfg), func(c keyAt) bool { return c.Key == k.Key }); i >= 0 {
		to = keyFiles(cfg)[i].File
	} else if rel, err := filepath.Rel(m.DataDir, k.File); err == nil && filepath.IsLocal(rel) {
		to = filepath.Join(cfg.DataDir, rel)
	} else {
		to = filepath.Join(cfg.DataDir, leftoverKeys, path.Base(k.Name))
	}
	if _, err := os.Lstat(to); err == nil {
		return "", nil
	}
	return to, moveFile(from, to)
}

// moveTree moves the files below a directory to another, which need not be on the same disk.
func moveTree(from, to string) error {
	return filepath.WalkDir(from, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		return moveFile(file, filepath.Join(to, rel))
	})
}

func moveFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	err := os.Rename(from, to)
	if errors.Is(err, syscall.EXDEV) {
		err = copyFile(from, to)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
