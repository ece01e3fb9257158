//go:build !linux

package cluster

import "os"

// scope names what a loopback address means: the machine.
func scope() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
