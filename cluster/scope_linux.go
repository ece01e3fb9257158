package cluster

import (
	"os"
	"strings"
)

// scope names where a loopback address is valid: in one run of one machine, and in one of its network namespaces, since
// each container has its own.
func scope() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	net, err2 := os.Readlink("/proc/self/ns/net")
	if err != nil || err2 != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + net
}
