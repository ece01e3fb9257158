package sqlstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A database file is readable for its user alone, whatever the folder and the umask; a file that others could read is
// changed.
func TestPrivateFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "db")
	for range 2 {
		s := openAt(t, path)
		commit(t, s, entry("u", 1, 10))
		archived(t, s, "u")
		for _, end := range []string{"", "-wal", "-shm"} {
			if i, err := os.Stat(path + end); err != nil {
				t.Error(err)
			} else if i.Mode().Perm() != 0o600 {
				t.Errorf("%q: %v", end, i.Mode())
			}
		}
		files, err := filepath.Glob(path + ".journal*")
		if err != nil || len(files) == 0 {
			t.Errorf("%v, %v", files, err)
		}
		for _, name := range files {
			if i, err := os.Stat(name); err == nil && i.Mode().Perm() != 0o600 { // a file may just have been renamed
				t.Errorf("%s: %v", name, i.Mode())
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A file of the journal that there is no room for is an error that says so, and is not left behind.
func TestJournalWithoutRoom(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "db.journal.new")
	if err := os.Symlink("/dev/full", name); err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	_, err := (&journal{path: filepath.Join(dir, "db"), size: 4096}).spare()
	if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "%!") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(name); err == nil {
		t.Error("it is still there")
	}
	if !IsFull(err) {
		t.Error("the disk is not known to be full")
	}
}
