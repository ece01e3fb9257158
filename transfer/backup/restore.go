package backup

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

	"parley/store/sqlstore"
)

const (
	maxManifest  = 1 << 20
	leftoverKeys = "restored-keys" // directory in DataDir for keys that the configuration does not name
)

// Restore checks the whole backup that r holds and then puts it where the layout says. With check it only checks. It
// refuses, before it reads, if the layout has a database, shared files or ACME certificates already, and it refuses a
// backup of another engine, one that is damaged and one that is not whole. gzip is recognised.
func Restore(ctx context.Context, l Layout, r io.Reader, check bool) (Restored, error) {
	var out Restored
	if !check {
		if err := refuseExisting(l); err != nil {
			return out, err
		}
	}
	if err := os.MkdirAll(l.DataDir, 0o700); err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	dir, err := os.MkdirTemp(l.DataDir, ".restore-")
	if err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(dir) // Files that were put in their place have been moved out of it.
	m, err := unpack(ctx, dir, r)
	if err != nil {
		return out, err
	}
	out.Contents = m.contents()
	if m.Database {
		if _, err := sqlstore.CheckCopy(ctx, filepath.Join(dir, databaseName)); err != nil {
			return out, fmt.Errorf("the backup is not good: %w", err)
		}
	}
	if check {
		return out, nil
	}
	if err := fits(l, m); err != nil {
		return out, err
	}
	out.Placed, err = place(ctx, l, dir, m)
	return out, err
}

// refuseExisting refuses to put a backup over files that exist.
func refuseExisting(l Layout) error {
	var there []string
	if l.Database != "" {
		there = sqlstore.Left(l.Database)
	}
	for _, dir := range []string{l.Uploads, filepath.Join(l.DataDir, "acme")} {
		if holdsFiles(dir) {
			there = append(there, dir)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("restore: there is something already: stop the server and move it away first: %s",
			strings.Join(there, ", "))
	}
	return nil
}

func holdsFiles(dir string) bool {
	found := false
	// A directory that cannot be read fails when it is written to.
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = true
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

func fits(l Layout, m manifest) error {
	if m.Database && l.Database == "" {
		return errors.New("restore: the backup has a SQLite database, and store.dsn names another engine: set it to " +
			"sqlite:…, or move accounts with `parley user export` and `import`")
	}
	if !m.Database && l.Database != "" {
		return fmt.Errorf("restore: the backup comes from a server on %s and has no database in it: restore the "+
			"database with its own tools, and name it in store.dsn", m.Engine)
	}
	return nil
}

// Verify reads a backup to its end and says what it holds; an error if it is not whole or not as it was written. It
// does not look into the database.
func Verify(ctx context.Context, r io.Reader) (Contents, error) {
	m, err := unpack(ctx, "", r)
	return m.contents(), err
}

// unpack writes the files of a backup below dir ("": nowhere) and compares them with the manifest.
func unpack(ctx context.Context, dir string, r io.Reader) (m manifest, err error) {
	in, err := decompressed(r)
	if err != nil {
		return m, err
	}
	var root *os.Root
	if dir != "" {
		if root, err = os.OpenRoot(dir); err != nil { // No name in the file leads out of it.
			return m, err
		}
		defer root.Close()
	}
	tr := tar.NewReader(reader{ctx, in})
	sum, files, bytes := sha256.New(), 0, int64(0)
	for {
		h, err := nextFile(tr)
		if err != nil {
			return m, err
		}
		if h.Name == manifestName {
			if m, err = readManifest(tr); err != nil {
				return m, err
			}
			break
		}
		one := sha256.New()
		if err := unpackFile(root, h, io.TeeReader(tr, one)); err != nil {
			return m, err
		}
		files, bytes = files+1, bytes+h.Size
		addSum(sum, h.Name, h.Size, one)
	}
	if m.Files != files || m.Bytes != bytes || m.Sum != hex.EncodeToString(sum.Sum(nil)) {
		return m, errors.New("the backup is damaged: its files are not those that its manifest lists")
	}
	return m, nil
}

// decompressed reads r, through gzip if it begins like that.
func decompressed(r io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(2)
	if err != nil || head[0] != 0x1f || head[1] != 0x8b {
		return br, nil
	}
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, fmt.Errorf("the backup cannot be read: %w", err)
	}
	return z, nil
}

// nextFile gives the header of the next file; an error for the end, as the manifest comes before it.
func nextFile(tr *tar.Reader) (*tar.Header, error) {
	h, err := tr.Next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the backup is not whole: its end is missing")
	case err != nil:
		return nil, fmt.Errorf("the backup cannot be read: %w", err)
	case h.Typeflag != tar.TypeReg:
		return nil, fmt.Errorf("the backup holds something that is not a file: %q", h.Name)
	case h.Name != manifestName && !known(h.Name):
		return nil, fmt.Errorf("the backup holds a file that no backup has: %q", h.Name)
	}
	return h, nil
}

func unpackFile(root *os.Root, h *tar.Header, r io.Reader) error {
	err := writeNew(root, h, r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the backup is not whole: it ends in the middle of %s", h.Name)
	}
	if err != nil {
		return fmt.Errorf("restore: %s: %w", h.Name, err)
	}
	return nil
}

func known(name string) bool {
	return name == databaseName || path.Clean(name) == name &&
		(strings.HasPrefix(name, uploadsPrefix) || strings.HasPrefix(name, acmePrefix) ||
			strings.HasPrefix(name, keysPrefix))
}

func readManifest(r io.Reader) (m manifest, err error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, fmt.Errorf("the backup's manifest cannot be read: %w", err)
	}
	if m.Format != format {
		return m, fmt.Errorf("the backup has format %d, and this program reads %d: a newer parley wrote it",
			m.Format, format)
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

// place moves the unpacked files to where the layout says, the database last: until it is there, restoring can be begun
// again.
func place(ctx context.Context, l Layout, dir string, m manifest) (placed []string, err error) {
	for _, t := range []struct{ from, to string }{{"uploads", l.Uploads}, {"acme", filepath.Join(l.DataDir, "acme")}} {
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
		to, err := placeKey(l, m, k, filepath.Join(dir, filepath.FromSlash(k.Name)))
		if err != nil {
			return placed, fmt.Errorf("restore: %w", err)
		}
		if to != "" {
			placed = append(placed, to)
		}
	}
	if m.Database {
		from, to := filepath.Join(dir, databaseName), l.Database
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

// placeKey puts a key where the configuration names it, else where it was in the data directory, else into
// leftoverKeys. A key that exists stays; then to is "".
func placeKey(l Layout, m manifest, k KeyFile, from string) (string, error) {
	to := ""
	if i := slices.IndexFunc(l.Keys, func(c KeyFile) bool { return c.Key == k.Key }); i >= 0 {
		to = l.Keys[i].File
	} else if rel, err := filepath.Rel(m.DataDir, k.File); err == nil && filepath.IsLocal(rel) {
		to = filepath.Join(l.DataDir, rel)
	} else {
		to = filepath.Join(l.DataDir, leftoverKeys, path.Base(k.Name))
	}
	if _, err := os.Lstat(to); err == nil {
		return "", nil
	}
	return to, moveFile(from, to)
}

// moveTree moves the files below a directory to another one, which may be on another disk.
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
