package config

import (
	"regexp"
	"sort"
	"strings"
)

// otherVariables lists variables that begin like those of keys but belong to other parts of parley.
var otherVariables = []string{
	EnvPrefix + "_CONFIG", // the configuration file, for every command
	EnvPrefix + "_SOCKET", // the control socket, for commands
	EnvPrefix + "_HOST",   // docker-compose.yml makes PARLEY_HOSTS from it
	EnvPrefix + "_SHOTS",  // where tests of the pages put screenshots
}

// testVariables is the prefix of variables for tests.
const testVariables = EnvPrefix + "_TEST_"

// ofContainers matches variables that Kubernetes and Docker set in a container for a service named parley or
// parley-something.
var ofContainers = regexp.MustCompile(`_SERVICE_(HOST|PORT)$|_SERVICE_PORT_[A-Z0-9_]+$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

// VariableOf returns the environment variable of a key.
func VariableOf(key string) string {
	return EnvPrefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// unknownVariables returns a problem for each variable that begins like those of keys but belongs to none.
func unknownVariables(environ []string) (ps Problems) {
	known := append([]string(nil), otherVariables...)
	for _, k := range Keys() {
		known = append(known, VariableOf(k))
	}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		switch {
		case !strings.HasPrefix(name, EnvPrefix+"_"), strings.HasPrefix(name, testVariables), contains(known, name):
		case ofContainers.MatchString(name), strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://"):
		default:
			ps.add(name, "no key has this environment variable%s", didYouMean(name, known))
		}
	}
	sort.Slice(ps, func(i, j int) bool { return ps[i].Key < ps[j].Key })
	return ps
}
