//go:build !linux

package cluster

import "os"

// scope names where a loopback address is valid: on the machine.
func scope() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
