package config

import (
	"regexp"
	"sort"
	"strings"
)

// otherVariables are those that begin like a key's and are for other parts of parley.
var otherVariables = []string{
	EnvPrefix + "_CONFIG", // the configuration file, for every command
	EnvPrefix + "_SOCKET", // the control socket, for commands
	EnvPrefix + "_HOST",   // docker-compose.yml makes PARLEY_HOSTS of it
	EnvPrefix + "_SHOTS",  // where tests of the pages keep their pictures
}

// testVariables begins those of tests.
const testVariables = EnvPrefix + "_TEST_"

// ofContainers are variables that Kubernetes and Docker put into a container for a service named parley or parley-something.
var ofContainers = regexp.MustCompile(`_SERVICE_(HOST|PORT)$|_SERVICE_PORT_[A-Z0-9_]+$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

// VariableOf gives the environment variable of a key.
func VariableOf(key string) string {
	return EnvPrefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// unknownVariables finds variables in an environment that begin like those of the keys and mean nothing.
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
