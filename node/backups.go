package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/acts"
	"parley/admin"
	"parley/internal/fault"
	"parley/node/plan"
	"parley/store"
	"parley/transfer/backup"
)

// backups makes one backup at a time.
type backups struct {
	making  sync.Mutex
	asked   chan acts.Actor // the person who asked on a page
	mu      sync.Mutex
	running time.Time // since when a backup is being made; zero: none is
}

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

// Backup writes a backup to a caller who waits for it.
func (w webSystem) Backup(ctx context.Context, by acts.Actor, to io.Writer) error {
	return w.n.backup(ctx, by, "", to)
}

// backup makes a backup and stores the result.
func (n *Node) backup(ctx context.Context, by acts.Actor, file string, w io.Writer) error {
	b := &n.backups
	if !b.making.TryLock() {
		return errBackupRuns
	}
	defer b.making.Unlock()
	began := time.Now()
	b.set(began)
	defer b.set(time.Time{})
	if err := backup.RemoveLeftovers(n.Config.DataDir); err != nil {
		n.Log.Warn("cannot remove what an earlier backup left behind", "err", err)
	}
	made, err := backup.Write(ctx, plan.Backup(n.Config, Version()), n.Store, w)
	noted := err
	err = fullDisk(err)
	last := lastBackup{
		At:      began.UTC(),
		Took:    time.Since(began).Seconds(),
		By:      by.Name,
		Bytes:   made.Bytes,
		File:    file,
		Missing: made.Missing,
	}
	return errors.Join(err, n.noteBackup(ctx, by, last, noted))
}

// noteBackup stores the result of a backup and makes an audit entry.
func (n *Node) noteBackup(ctx context.Context, by acts.Actor, last lastBackup, err error) error {
	if err != nil {
		last.Error = err.Error()
	}
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	return n.acts.Do(context.WithoutCancel(ctx), n.hosts[0].Domain, by, func(ctx context.Context, a *acts.Act) error {
		for _, h := range n.hosts {
			detail := acts.Detail{"bytes": last.Bytes, "error": last.Error}
			if err := n.people[h.Domain].Note(ctx, by, acts.SystemBackup, last.File, detail); err != nil {
				return err
			}
		}
		return n.Store.Put(ctx, "", lastBackupKey, text)
	})
}

func (b *backups) set(since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = since
}

func (n *Node) backupDir() string {
	if d := n.Config.Backup.Dir; d != "" {
		return d
	}
	return filepath.Join(n.Config.DataDir, "backups")
}

// runBackups makes the backups that are asked for on pages, until ctx ends.
func (n *Node) runBackups(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case by := <-n.backups.asked:
			if err := n.backupToFile(ctx, by); err != nil {
				n.Log.Error("backup", "err", err)
			}
			n.backups.set(time.Time{})
		}
	}
}

const (
	backupPrefix = "parley-"
	backupSuffix = ".tar"
)

// backupToFile writes a backup to the backup directory, and removes all but the newest few. The file gets its name when
// it is whole.
func (n *Node) backupToFile(ctx context.Context, by acts.Actor) error {
	dir, now := n.backupDir(), time.Now().UTC()
	name := filepath.Join(dir, backupPrefix+now.Format("20060102-150405")+backupSuffix)
	err := os.MkdirAll(dir, 0o700)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	}
	if err != nil {
		return errors.Join(err, n.noteBackup(ctx, by, lastBackup{At: now, By: by.Name, File: name}, err))
	}
	err = n.backup(ctx, by, name, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return n.prune(dir)
}

// prune removes all but the newest backups.
func (n *Node) prune(dir string) error {
	files, err := backupFiles(dir)
	if err != nil {
		return err
	}
	for i, f := range files {
		if i >= n.Config.Backup.Keep {
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

func (w webSystem) Backups(ctx context.Context) (admin.Backups, error) {
	out := admin.Backups{Dir: w.n.backupDir(), Engine: w.n.Store.Engine()}
	w.n.backups.mu.Lock()
	out.Running = w.n.backups.running
	w.n.backups.mu.Unlock()
	var err error
	if out.Files, err = backupFiles(out.Dir); err != nil {
		return out, fmt.Errorf("backups: %w", err)
	}
	text, err := w.n.Store.Get(ctx, "", lastBackupKey)
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

func (w webSystem) MakeBackup(by acts.Actor) error {
	b := &w.n.backups
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running.IsZero() {
		return errBackupRuns
	}
	b.running = time.Now()
	b.asked <- by // there is room: nobody else can ask meanwhile
	return nil
}
