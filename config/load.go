package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// EnvPrefix begins the environment variable of each key: limits.stanza_size is PARLEY_LIMITS_STANZA_SIZE.
const EnvPrefix = "PARLEY"

// Problem is one mistake in a configuration. Text says in English what is wrong and what to do.
type Problem struct {
	Key  string // "": the whole file
	Line int    // line in the file; 0: unknown
	Text string
}

// String returns the line, the key and the text.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	return b.String() + p.Text
}

// Problems is the error of Load: all mistakes together.
type Problems []Problem

// Error returns one line for each mistake.
func (ps Problems) Error() string {
	if len(ps) == 1 {
		return "configuration: " + ps[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "configuration: %d mistakes", len(ps))
	for _, p := range ps {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

func (ps *Problems) add(key, format string, args ...any) {
	*ps = append(*ps, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// Load reads the file (none if path is ""), the environment and the flags, and checks the result. Flags take precedence
// over the environment, and the environment over the file. flags are those of Flags and may be nil. The error is a
// Problems, or says why the file cannot be read.
func Load(path string, flags *pflag.FlagSet) (*Config, error) {
	c := Default()
	if err := c.overlay(path, flags); err != nil {
		return nil, err
	}
	return c, nil
}

// DevOptions holds what LoadDev needs.
type DevOptions struct {
	DataDir    string // "": ./parley-data
	PortOffset int    // added to every port
	// Certificate makes a certificate and a key for the hosts and returns their files. It is called if the
	// configuration names none.
	Certificate func(dataDir string, hosts []Host) (cert, key string, err error)
}

// LoadDev is Load for `parley dev`: the settings of Dev, changed by the environment and the flags.
func LoadDev(o DevOptions, flags *pflag.FlagSet) (*Config, error) {
	c := Dev(o.DataDir)
	c.Store.DSN, c.Listeners.Control.Path = "", "" // data_dir may come from a flag or the environment
	ps := append(unknownVariables(os.Environ()), c.read(viper.New(), flags)...)
	c.checkHosts(&checker{silent: make(map[string]bool)}) // makes them canonical; finish reports mistakes
	if len(ps) == 0 && c.TLS.Certificate == "" && c.TLS.Key == "" {
		var err error
		if c.TLS.Certificate, c.TLS.Key, err = o.Certificate(c.DataDir, c.Hosts); err != nil {
			return nil, err
		}
	}
	c.shiftPorts(o.PortOffset)
	return c, c.finish(ps)
}

// shiftPorts adds n to every port that is not 0.
func (c *Config) shiftPorts(n int) {
	l := &c.Listeners
	for _, as := range [][]string{
		l.C2S.Addresses, l.C2STLS.Addresses, l.WebSocket.Addresses, l.WebSocket.PlainAddresses, l.Metrics.Addresses,
		c.Federation.Addresses, c.Federation.TLSAddresses,
	} {
		for i, a := range as {
			if host, port, err := net.SplitHostPort(a); err == nil {
				if p, err := strconv.Atoi(port); err == nil && p != 0 {
					as[i] = net.JoinHostPort(host, strconv.Itoa(p+n))
				}
			}
		}
	}
}

func (c *Config) overlay(path string, flags *pflag.FlagSet) error {
	v := viper.New()
	ps := unknownVariables(os.Environ())
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return fileError(path, err)
		}
		file := unknownKeys(text)
		ps = append(ps, file...)
		v.SetConfigType("yaml")
		if err := v.ReadConfig(bytes.NewReader(text)); err != nil {
			if len(file) == 0 { // otherwise the file itself was reported already
				ps.add("", "%s: %v", path, err)
			}
			return ps
		}
	}
	return c.finish(append(ps, c.read(v, flags)...))
}

func fileError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no configuration file %s: write one (`parley config sample` shows every key) or "+
			"name another with --config", path)
	}
	return fmt.Errorf("configuration file: %w", err)
}

// finish resolves and checks the settings.
func (c *Config) finish(ps Problems) error {
	ps = append(ps, c.readSecrets()...)
	c.resolve()
	ps = append(ps, c.validate(ps)...)
	if len(ps) == 0 {
		return nil
	}
	sort.SliceStable(ps, func(i, j int) bool { return ps[i].Line < ps[j].Line })
	return ps
}

// read copies each key's value from v, the environment and the flags into c.
func (c *Config) read(v *viper.Viper, flags *pflag.FlagSet) (ps Problems) {
	v.SetEnvPrefix(EnvPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AutomaticEnv()
	ps = bindFlags(v, flags)
	for _, l := range leaves(reflect.ValueOf(c).Elem(), "") {
		if raw := v.Get(l.key); raw != nil {
			ps = append(ps, assign(l.value, l.key, raw)...)
		}
	}
	return ps
}

// Set changes one key, like a file or a flag. It does not recompute what follows from other keys. It returns an error
// for an unknown key or a bad value.
func (c *Config) Set(key, value string) error {
	for _, l := range leaves(reflect.ValueOf(c).Elem(), "") {
		if l.key == key {
			if ps := assign(l.value, key, value); len(ps) > 0 {
				return ps
			}
			return nil
		}
	}
	return fmt.Errorf("there is no key %s", key)
}

// readSecrets reads the secrets that are given as files.
func (c *Config) readSecrets() (ps Problems) {
	if f := c.Mail.PasswordFile; f != "" {
		text, err := os.ReadFile(f)
		switch {
		case c.Mail.Password != "":
			ps.add("mail.password_file", "mail.password is given too: leave one of them out")
		case err != nil:
			ps.add("mail.password_file", "%v", err)
		default:
			c.Mail.Password = strings.TrimSpace(string(text))
		}
	}
	if f := c.Upload.S3.SecretKeyFile; f != "" {
		text, err := os.ReadFile(f)
		switch {
		case c.Upload.S3.SecretKey != "":
			ps.add("upload.s3.secret_key_file", "upload.s3.secret_key is given too: leave one of them out")
		case err != nil:
			ps.add("upload.s3.secret_key_file", "%v", err)
		default:
			c.Upload.S3.SecretKey = strings.TrimSpace(string(text))
		}
	}
	if c.Store.DSNFile == "" {
		return ps
	}
	if c.Store.DSN != "" {
		ps.add("store.dsn_file", "store.dsn is given too: leave one of them out")
		return ps
	}
	text, err := os.ReadFile(c.Store.DSNFile)
	if err != nil {
		ps.add("store.dsn_file", "%v", err)
		return ps
	}
	if c.Store.DSN = strings.TrimSpace(string(text)); c.Store.DSN == "" {
		ps.add("store.dsn_file", "%s is empty: write the DSN into it", c.Store.DSNFile)
	}
	return ps
}

// leaf is one key of a Config.
type leaf struct {
	key    string
	value  reflect.Value
	secret bool
}

// leaves lists the keys of a section in order.
func leaves(v reflect.Value, prefix string) (ls []leaf) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := prefix + f.Tag.Get("yaml")
		if v.Field(i).Kind() == reflect.Struct {
			ls = append(ls, leaves(v.Field(i), key+".")...)
		} else {
			ls = append(ls, leaf{key, v.Field(i), f.Tag.Get("secret") != ""})
		}
	}
	return ls
}

// Keys returns every key ("limits.stanza_size"), in the order of the sample.
func Keys() (keys []string) {
	for _, l := range leaves(reflect.ValueOf(Default()).Elem(), "") {
		keys = append(keys, l.key)
	}
	return keys
}

// ControlPath returns the path of the control socket of a server with this file and environment. It ignores other
// mistakes in them.
func ControlPath(path string) (string, error) {
	c := Default()
	v := viper.New()
	if path != "" {
		v.SetConfigFile(path)
		v.SetConfigType("yaml")
		if err := v.ReadInConfig(); err != nil {
			return "", fileError(path, err)
		}
	}
	c.read(v, nil)
	c.resolve()
	return c.Listeners.Control.Path, nil
}
