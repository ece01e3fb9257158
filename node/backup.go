package node

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

	"parley/admin"
	"parley/config"
	"parley/store/sqlstore"
)

// A backup is a tar file: the copy of SQLite's database, the files that were uploaded, the keys of certificates; last the
// manifest, which says what is in it and proves that it is whole.
const (
	backupFormat  = 1
	manifestName  = "manifest.json"
	databaseName  = "parley.db"
	uploadsPrefix = "uploads/"
	acmePrefix    = "acme/"
	keysPrefix    = "keys/"
)

// manifest is what a backup says of itself.
type manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"`
	Created time.Time `json:"created"`
	Engine  string    `json:"engine"`
	// Database says whether it is in the backup: that of SQLite is.
	Database bool     `json:"database"`
	Hosts    []string `json:"hosts"`
	Bucket   bool     `json:"bucket,omitempty"` // files are in an object store, and not in the backup
	DataDir  string   `json:"data_dir"`
	Keys     []keyAt  `json:"keys,omitempty"`
	Files    int      `json:"files"`
	Bytes    int64    `json:"bytes"`
	Sum      string   `json:"sum"` // of all files: their names, sizes and SHA-256, in their order
}

// keyAt is a file that the configuration names.
type keyAt struct {
	Key  string `json:"key"`  // "tls.key"
	File string `json:"file"` // where it was
	Name string `json:"name"` // in the backup
}

// backup writes one.
type backup struct {
	ctx context.Context
	tw  *tar.Writer
	m   manifest
	sum hash.Hash
}

// Backup writes a backup of what a configuration and its open store keep. On another database than SQLite that database is
// not in it: its own tools do that.
func Backup(ctx context.Context, cfg *config.Config, st *sqlstore.Store, w io.Writer) (admin.Backup, error) {
	b := &backup{ctx: ctx, tw: tar.NewWriter(w), sum: sha256.New(), m: manifest{Format: backupFormat, Version: Version(), Created: time.Now().UTC().Truncate(time.Second),
		Engine: st.Engine(), DataDir: absolute(cfg.DataDir), Bucket: cfg.Upload.S3.Endpoint != ""}}
	for _, h := range cfg.Hosts {
		b.m.Hosts = append(b.m.Hosts, h.Domain)
	}
	// First the database, then the files: one that a message in the copy tells of is there.
	if err := b.database(cfg, st); err != nil {
		return admin.Backup{}, err
	}
	for _, h := range b.m.Hosts {
		if err := b.tree(filepath.Join(uploadsDir(cfg), h), uploadsPrefix+h, "incoming"); err != nil {
			return admin.Backup{}, err
		}
	}
	if err := b.tree(filepath.Join(cfg.DataDir, "acme"), strings.TrimSuffix(acmePrefix, "/"), ""); err != nil {
		return admin.Backup{}, err
	}
	if err := b.keys(cfg); err != nil {
		return admin.Backup{}, err
	}
	return b.end()
}

func absolute(dir string) string {
	if a, err := filepath.Abs(dir); err == nil {
		return a
	}
	return dir
}

// uploadsDir is where files are kept that people share.
func uploadsDir(cfg *config.Config) string {
	if cfg.Upload.Dir != "" {
		return cfg.Upload.Dir
	}
	return filepath.Join(cfg.DataDir, "uploads")
}

const copyPrefix = "parley-backup-"

func (b *backup) database(cfg *config.Config, st *sqlstore.Store) (err error) {
	if st.Engine() != sqlstore.SQLite {
		return nil
	}
	f, err := os.CreateTemp(cfg.DataDir, copyPrefix)
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

// tree adds the files below a directory; those that go meanwhile are left out.
func (b *backup) tree(dir, name, but string) error {
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
		case d.IsDir() && but != "" && rel == but:
			return fs.SkipDir
		case d.Type().IsRegular():
			return b.file(file, path.Join(name, filepath.ToSlash(rel)))
		}
		return nil
	})
}

// keys adds the files of certificates that the configuration names.
func (b *backup) keys(cfg *config.Config) error {
	for i, k := range keyFiles(cfg) {
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

func keyFiles(cfg *config.Config) (ks []keyAt) {
	add := func(key, file string) {
		if file != "" {
			ks = append(ks, keyAt{Key: key, File: file})
		}
	}
	add("tls.certificate", cfg.TLS.Certificate)
	add("tls.key", cfg.TLS.Key)
	for _, h := range cfg.Hosts {
		add("hosts."+h.Domain+".certificate", h.Certificate)
		add("hosts."+h.Domain+".key", h.Key)
	}
	return ks
}

// file adds one as it is now; nothing if it is gone.
func (b *backup) file(from, name string) error {
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

func (b *backup) add(name string, size int64, at time.Time, r io.Reader) error {
	if err := b.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at, Format: tar.FormatPAX}); err != nil {
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

// addSum adds a file to the sum of a backup.
func addSum(all hash.Hash, name string, size int64, sum hash.Hash) {
	fmt.Fprintf(all, "%s\x00%d\x00%x\n", name, size, sum.Sum(nil))
}

// reader ends with its context.
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

func (b *backup) end() (admin.Backup, error) {
	b.m.Sum = hex.EncodeToString(b.sum.Sum(nil))
	out := b.m.told()
	text, err := json.MarshalIndent(b.m, "", "  ")
	if err != nil {
		return out, err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Size: int64(len(text)), Mode: 0o600, ModTime: b.m.Created, Format: tar.FormatPAX}
	if err := b.tw.WriteHeader(h); err != nil {
		return out, fmt.Errorf("backup: %w", err)
	}
	if _, err := b.tw.Write(text); err != nil {
		return out, fmt.Errorf("backup: %w", err)
	}
	return out, b.tw.Close()
}

// told is what is said of a backup.
func (m manifest) told() admin.Backup {
	b := admin.Backup{Version: m.Version, Created: m.Created, Engine: m.Engine, Database: m.Database, Hosts: m.Hosts, Files: m.Files, Bytes: m.Bytes}
	switch m.Engine {
	case sqlstore.PostgreSQL:
		b.Missing = append(b.Missing, "the database: back it up with pg_dump --format=custom, and put it back with pg_restore")
	case sqlstore.CockroachDB:
		b.Missing = append(b.Missing, "the database: back it up with CockroachDB's BACKUP statement, and put it back with RESTORE")
	}
	if m.Bucket {
		b.Missing = append(b.Missing, "uploaded files: they are in the object store (upload.s3)")
	}
	return b
}
