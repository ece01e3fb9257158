//go:build !unix

package cluster

import "os"

// lockFile only opens: that no other process has the data folder is for the administrator to see to.
func lockFile(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) }
