//go:build !unix

package cluster

import "os"

// lockFile only opens the file: the administrator must make sure that no other process uses the data folder.
func lockFile(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) }
