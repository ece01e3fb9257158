package config

import (
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// keyOf annotates a flag that is short for a key.
const keyOf = "parley-config-key"

// Flags adds the flags that Load understands: flags for some keys, and --set for every other.
func Flags(fs *pflag.FlagSet) {
	short := func(name, key, usage string) {
		fs.String(name, "", usage+" (`"+key+"`)")
		fs.SetAnnotation(name, keyOf, []string{key})
	}
	short("data-dir", "data_dir", "directory for the embedded store, the control socket and generated files")
	short("log-level", "log.level", "debug, info, warn or error")
	short("log-format", "log.format", "text or json")
	fs.StringArray("set", nil, "set any key of the configuration, e.g. --set limits.stanza_size=512KiB (may be "+
		"repeated; commas separate the values of a list)")
}

// bindFlags gives flags precedence over the file and the environment.
func bindFlags(v *viper.Viper, flags *pflag.FlagSet) (ps Problems) {
	if flags == nil {
		return nil
	}
	flags.Visit(func(f *pflag.Flag) {
		if key := f.Annotations[keyOf]; len(key) == 1 {
			v.Set(key[0], f.Value.String())
		}
	})
	sets, err := flags.GetStringArray("set")
	if err != nil {
		return nil // a set of flags without --set
	}
	known := Keys()
	for _, s := range sets {
		key, value, ok := strings.Cut(s, "=")
		if key = strings.TrimSpace(key); !ok {
			ps.add(s, "--set needs key=value")
		} else if !contains(known, key) {
			ps.add(key, "there is no such key%s", didYouMean(key, known))
		} else {
			v.Set(key, value)
		}
	}
	return ps
}

// HostFlag adds --host, short for the key hosts.
func HostFlag(fs *pflag.FlagSet) {
	fs.String("host", "", "hosted `domain` (default localhost)")
	fs.SetAnnotation("host", keyOf, []string{"hosts"})
}
