package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/acts"
	"parley/admin"
	"parley/internal/clock"
	"parley/internal/fault"
	"parley/store"
	"parley/store/sqlstore"
)

// KeeperConfig is what a Keeper needs.
type KeeperConfig struct {
	Layout Layout
	Store  KeeperStore
	Acts   *acts.Log
	Clock  clock.Clock
	Dir    string // Dir is the directory for backups that are asked for on pages.
	Keep   int    // Keep is how many backups stay in Dir.
	Log    *slog.Logger
}

// KeeperStore is a Store that keeps the result of the last backup, too.
type KeeperStore interface {
	Store
	Get(ctx context.Context, host, key string) ([]byte, error)
	Put(ctx context.Context, host, key string, value []byte) error
}

// Keeper makes the backups of a running server, one at a time, and remembers how the last one went. It is safe from any
// goroutine, but Run runs once.
type Keeper struct {
	cfg     KeeperConfig
	making  atomic.Bool
	asked   chan acts.Actor // the person who asked on a page
	mu      sync.Mutex
	running time.Time // the start of the running backup; zero: none is running
}

// NewKeeper makes a Keeper; those who ask on pages wait for its Run.
func NewKeeper(c KeeperConfig) *Keeper { return &Keeper{cfg: c, asked: make(chan acts.Actor, 1)} }

const lastBackupKey = "backup/last"

// lastBackup is what is stored about the last backup, also a failed one.
type lastBackup struct {
	At      time.Time `json:"at"`
	Took    float64   `json:"took"` // seconds
	By      string    `json:"by,omitempty"`
	Bytes   int64     `json:"bytes"`
	File    string    `json:"file,omitempty"` // "": it was sent to the command line
	Error   string    `json:"error,omitempty"`
	Missing []string  `json:"missing,omitempty"`
}

var errBackupRuns = fault.New(fault.Exists, "", "a backup is being made already")

// Backup writes a backup to w for a caller who waits for it. The error is a *fault.Error if one is being made already,
// and admin.ErrDiskFull if there is no room. After an error w is incomplete.
func (k *Keeper) Backup(ctx context.Context, by acts.Actor, w io.Writer) error {
	return k.backup(ctx, by, "", w)
}

// backup makes a backup and stores the result.
func (k *Keeper) backup(ctx context.Context, by acts.Actor, file string, w io.Writer) error {
	if !k.making.CompareAndSwap(false, true) {
		return errBackupRuns
	}
	defer k.making.Store(false)
	at, began := k.cfg.Clock.Now(), time.Now()
	k.set(at)
	defer k.set(time.Time{})
	if err := RemoveLeftovers(k.cfg.Layout.DataDir); err != nil {
		k.cfg.Log.Warn("cannot remove what an earlier backup left behind", "err", err)
	}
	made, err := Write(ctx, k.cfg.Layout, k.cfg.Store, at, w)
	noted := err
	err = fullDisk(err)
	last := lastBackup{
		At:      at.UTC(),
		Took:    time.Since(began).Seconds(),
		By:      by.Name,
		Bytes:   made.Bytes,
		File:    file,
		Missing: made.Missing,
	}
	return errors.Join(err, k.note(ctx, by, last, noted))
}

// note stores the result of a backup and makes an audit entry.
func (k *Keeper) note(ctx context.Context, by acts.Actor, last lastBackup, err error) error {
	if err != nil {
		last.Error = err.Error()
	}
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	hosts := k.cfg.Layout.Hosts
	return k.cfg.Acts.Do(context.WithoutCancel(ctx), hosts[0], by, func(ctx context.Context, _ *acts.Act) error {
		for _, host := range hosts {
			detail := acts.Detail{"bytes": last.Bytes, "error": last.Error}
			if err := k.cfg.Acts.Do(ctx, host, by, func(_ context.Context, a *acts.Act) error {
				a.Note(acts.SystemBackup, last.File, detail)
				return nil
			}); err != nil {
				return err
			}
		}
		return k.cfg.Store.Put(ctx, "", lastBackupKey, text)
	})
}

func (k *Keeper) set(since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running = since
}

// Run makes the backups that are asked for on pages, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case by := <-k.asked:
			if err := k.toFile(ctx, by); err != nil {
				k.cfg.Log.Error("backup", "err", err)
			}
			k.set(time.Time{})
		}
	}
}

const (
	backupPrefix = "parley-"
	backupSuffix = ".tar"
)

// toFile writes a backup to the backup directory, and removes all but the newest few. The file gets its name when
// it is whole.
func (k *Keeper) toFile(ctx context.Context, by acts.Actor) error {
	dir, now := k.cfg.Dir, k.cfg.Clock.Now().UTC()
	name := filepath.Join(dir, backupPrefix+now.Format("20060102-150405")+backupSuffix)
	err := os.MkdirAll(dir, 0o700)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	}
	if err != nil {
		return errors.Join(err, k.note(ctx, by, lastBackup{At: now, By: by.Name, File: name}, err))
	}
	err = k.backup(ctx, by, name, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return k.prune(dir)
}

// prune removes all but the newest backups.
func (k *Keeper) prune(dir string) error {
	files, err := backupFiles(dir)
	if err != nil {
		return err
	}
	for i, f := range files {
		if i >= k.cfg.Keep {
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.Name)))
		}
	}
	return err
}

// backupFiles gives the backups in a directory, the newest first.
func backupFiles(dir string) (out []admin.BackupFile, err error) {
	es, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range es {
		if i, err := e.Info(); err == nil && e.Type().IsRegular() && strings.HasPrefix(e.Name(), backupPrefix) &&
			strings.HasSuffix(e.Name(), backupSuffix) {
			out = append(out, admin.BackupFile{Name: e.Name(), Bytes: i.Size(), At: i.ModTime()})
		}
	}
	slices.SortFunc(out, func(a, b admin.BackupFile) int { return strings.Compare(b.Name, a.Name) })
	return out, nil
}

// Backups lists the backups in the directory for backups, and says how the last one went.
func (k *Keeper) Backups(ctx context.Context) (admin.Backups, error) {
	out := admin.Backups{Dir: k.cfg.Dir, Engine: k.cfg.Store.Engine()}
	k.mu.Lock()
	out.Running = k.running
	k.mu.Unlock()
	var err error
	if out.Files, err = backupFiles(out.Dir); err != nil {
		return out, fmt.Errorf("backups: %w", err)
	}
	text, err := k.cfg.Store.Get(ctx, "", lastBackupKey)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	var last lastBackup
	if err := json.Unmarshal(text, &last); err != nil {
		return out, fmt.Errorf("backups: %w", err)
	}
	out.Last = &admin.LastBackup{At: last.At, By: last.By, Bytes: last.Bytes, Error: last.Error, Missing: last.Missing}
	if last.File != "" {
		out.Last.File = filepath.Base(last.File)
	}
	return out, nil
}

// MakeBackup has Run make a backup in the directory for backups; the error is a *fault.Error if one is being made
// already.
func (k *Keeper) MakeBackup(by acts.Actor) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.running.IsZero() {
		return errBackupRuns
	}
	k.running = k.cfg.Clock.Now()
	k.asked <- by // the channel has room, as nobody else can ask meanwhile
	return nil
}

// fullDisk marks an error of a full disk as admin.ErrDiskFull.
func fullDisk(err error) error {
	if !sqlstore.IsFull(err) {
		return err
	}
	return fmt.Errorf("%w: %w", admin.ErrDiskFull, err)
}
