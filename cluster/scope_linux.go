package cluster

import (
	"os"
	"strings"
)

// scope names what a loopback address means: one run of one machine, and the network namespace in it, which containers have
// of their own.
func scope() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	net, err2 := os.Readlink("/proc/self/ns/net")
	if err != nil || err2 != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + net
}
