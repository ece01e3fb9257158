// Package cluster coordinates the processes that serve from one database. For now only one may: a second one is
// refused, and a start after a crash does not wait.
package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The names of files in the data folder.
const (
	identityName = "node.id"
	lockName     = "node.lock"
)

// identity is the identity of a data folder. A process holds its lock while it uses the folder, and the lock ends with
// the process in every case. So whoever gets the lock knows that the previous process has ended.
type identity struct {
	id   string
	lock *os.File
}

func openIdentity(dir string) (*identity, error) {
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	id, err := readIdentity(filepath.Join(dir, identityName))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the node's identity: %w", err), lock.Close())
	}
	return &identity{id, lock}, nil
}

func (i *identity) close() error { return i.lock.Close() }

// readIdentity reads the identity, or makes one. It writes the whole file or nothing.
func readIdentity(name string) (string, error) {
	b, err := os.ReadFile(name)
	if err == nil {
		id := strings.TrimSpace(string(b))
		if _, err := hex.DecodeString(id); err != nil || len(id) != 16 {
			return "", fmt.Errorf("%s holds %q, which is not a node's identity: remove the file to get a new one",
				name, id[:min(len(id), 40)])
		}
		return id, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	raw := make([]byte, 8)
	rand.Read(raw)
	id := hex.EncodeToString(raw)
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(id + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return id, os.Rename(name+".new", name)
}
