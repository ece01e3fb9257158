// Package backup writes all that one server keeps (database, shared files, keys of certificates) into one tar file,
// checks such a file, and puts it back on an empty server.
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"parley/store/sqlstore"
)

// A backup is a tar file: a copy of SQLite's database, then the shared files, then certificates and their
// keys, and last the manifest.
const (
	format        = 1
	manifestName  = "manifest.json"
	databaseName  = "parley.db"
	uploadsPrefix = "uploads/"
	acmePrefix    = "acme/"
	keysPrefix    = "keys/"
)

// manifest is the last file of a backup: it lists what the backup holds and proves that the backup is whole.
type manifest struct {
	Format   int       `json:"format"`
	Version  string    `json:"version"`
	Created  time.Time `json:"created"`
	Engine   string    `json:"engine"`
	Database bool      `json:"database"` // The backup holds the database; only SQLite's is in a backup.
	Hosts    []string  `json:"hosts"`
	Bucket   bool      `json:"bucket,omitempty"` // Shared files are in an object store, and not in the backup.
	DataDir  string    `json:"data_dir"`
	Keys     []KeyFile `json:"keys,omitempty"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Sum      string    `json:"sum"` // Sum covers the name, size and SHA-256 of each file, in their order.
}

// writer writes one backup.
type writer struct {
	ctx context.Context
	tw  *tar.Writer
	m   manifest
	sum hash.Hash
}

// Write writes to w a backup of what a server with this layout and open store keeps, made now, and says what the backup
// holds. The database is in the backup only with SQLite: other engines have their own tools, which Contents.Missing
// names. An error leaves w without an end, so that Verify refuses what was written.
func Write(ctx context.Context, l Layout, st Store, now time.Time, w io.Writer) (Contents, error) {
	b := &writer{ctx: ctx, tw: tar.NewWriter(w), sum: sha256.New(), m: manifest{
		Format:  format,
		Version: l.Version,
		Created: now.UTC().Truncate(time.Second),
		Engine:  st.Engine(),
		Hosts:   l.Hosts,
		Bucket:  l.Bucket,
		DataDir: absolute(l.DataDir),
	}}
	// The database before the files: a file that a message in the copy names is there.
	if err := b.database(l, st); err != nil {
		return Contents{}, err
	}
	for _, h := range l.Hosts {
		if err := b.tree(filepath.Join(l.Uploads, h), uploadsPrefix+h, "incoming"); err != nil {
			return Contents{}, err
		}
	}
	if err := b.tree(filepath.Join(l.DataDir, "acme"), strings.TrimSuffix(acmePrefix, "/"), ""); err != nil {
		return Contents{}, err
	}
	if err := b.keys(l); err != nil {
		return Contents{}, err
	}
	return b.end()
}

func absolute(dir string) string {
	if a, err := filepath.Abs(dir); err == nil {
		return a
	}
	return dir
}

const copyPrefix = "parley-backup-"

// RemoveLeftovers removes from the data directory the database copies that a process killed during a backup left
// behind. It must not run while a backup is being written.
func RemoveLeftovers(dataDir string) error {
	left, err := filepath.Glob(filepath.Join(dataDir, copyPrefix+"*"))
	for _, f := range left {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

func (b *writer) database(l Layout, st Store) (err error) {
	if st.Engine() != sqlstore.SQLite {
		return nil
	}
	f, err := os.CreateTemp(l.DataDir, copyPrefix)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if err := f.Close(); err != nil {
		return err
	}
	if err := st.Backup(b.ctx, f.Name()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	b.m.Database = true
	return b.file(f.Name(), databaseName)
}

// tree adds the files below dir under the given name, except those in the directory except ("" for none). Files that
// disappear meanwhile are left out.
func (b *writer) tree(dir, name, except string) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && except != "" && rel == except:
			return fs.SkipDir
		case d.Type().IsRegular():
			return b.file(file, path.Join(name, filepath.ToSlash(rel)))
		}
		return nil
	})
}

// keys adds the certificates and keys that the configuration names.
func (b *writer) keys(l Layout) error {
	for i, k := range l.Keys {
		k.Name = fmt.Sprintf("%s%d-%s", keysPrefix, i, filepath.Base(k.File))
		n := b.m.Files
		if err := b.file(k.File, k.Name); err != nil {
			return err
		}
		if b.m.Files > n {
			k.File = absolute(k.File)
			b.m.Keys = append(b.m.Keys, k)
		}
	}
	return nil
}

// file adds a file as it is now; nothing if the file does not exist.
func (b *writer) file(from, name string) error {
	f, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	i, err := f.Stat()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return b.add(name, i.Size(), i.ModTime(), f)
}

func (b *writer) add(name string, size int64, at time.Time, r io.Reader) error {
	if err := b.tw.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg,
		Name:     name,
		Size:     size,
		Mode:     0o600,
		ModTime:  at,
		Format:   tar.FormatPAX,
	}); err != nil {
		return fmt.Errorf("backup: %s: %w", name, err)
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(b.tw, sum), reader{b.ctx, r}, size); err != nil {
		return fmt.Errorf("backup: %s: %w", name, err)
	}
	b.m.Files++
	b.m.Bytes += size
	addSum(b.sum, name, size, sum)
	return nil
}

// addSum adds a file to the sum over all files.
func addSum(all hash.Hash, name string, size int64, sum hash.Hash) {
	fmt.Fprintf(all, "%s\x00%d\x00%x\n", name, size, sum.Sum(nil))
}

// reader fails once its context has ended.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

func (b *writer) end() (Contents, error) {
	b.m.Sum = hex.EncodeToString(b.sum.Sum(nil))
	out := b.m.contents()
	text, err := json.MarshalIndent(b.m, "", "  ")
	if err != nil {
		return out, err
	}
	h := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     manifestName,
		Size:     int64(len(text)),
		Mode:     0o600,
		ModTime:  b.m.Created,
		Format:   tar.FormatPAX,
	}
	if err := b.tw.WriteHeader(h); err != nil {
		return out, fmt.Errorf("backup: %w", err)
	}
	if _, err := b.tw.Write(text); err != nil {
		return out, fmt.Errorf("backup: %w", err)
	}
	return out, b.tw.Close()
}

// contents says what the backup holds, and which data has to be backed up in another way.
func (m manifest) contents() Contents {
	c := Contents{
		Version:  m.Version,
		Created:  m.Created,
		Engine:   m.Engine,
		Database: m.Database,
		Hosts:    m.Hosts,
		Files:    m.Files,
		Bytes:    m.Bytes,
	}
	switch m.Engine {
	case sqlstore.PostgreSQL:
		c.Missing = append(c.Missing,
			"the database: back it up with pg_dump --format=custom, and put it back with pg_restore")
	case sqlstore.CockroachDB:
		c.Missing = append(c.Missing,
			"the database: back it up with CockroachDB's BACKUP statement, and put it back with RESTORE")
	}
	if m.Bucket {
		c.Missing = append(c.Missing, "uploaded files: they are in the object store (upload.s3)")
	}
	return c
}
