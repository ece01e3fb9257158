package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const five = `
hosts: [example.org]
tls:
  certificate: a.crt
  key: a.key
`

func TestFiveLinesAreEnough(t *testing.T) {
	c, err := Load(write(t, five), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Hosts = []Host{{Domain: "example.org"}}
	want.TLS.Certificate, want.TLS.Key = "a.crt", "a.key"
	want.Store.DSN = "sqlite:/var/lib/parley/parley.db"
	want.Listeners.Control.Path = "/var/lib/parley/parley.sock"
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

// The sample equals Default, except the host and its certificate.
func TestSampleIsTheDefault(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	Flags(flags)
	if err := flags.Parse([]string{"--set", "tls.certificate=a.crt", "--set", "tls.key=a.key"}); err != nil {
		t.Fatal(err)
	}
	c, err := Load(write(t, string(Sample)), flags)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Hosts = []Host{{Domain: "example.org"}}
	want.TLS.Certificate, want.TLS.Key = "a.crt", "a.key"
	want.resolve()
	got, expected := c.Entries(), want.Entries()
	for i, e := range expected {
		if !reflect.DeepEqual(got[i], e) {
			t.Errorf("%s: the sample says %v, the default is %v", e.Key, got[i].Value, e.Value)
		}
	}
}

// Every key stands in the sample, with a comment above it or above a neighbour that shares the comment.
func TestSampleHasEveryKey(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal(Sample, &doc); err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	commented := make(map[string]bool)
	var walk func(n *yaml.Node, prefix string)
	walk = func(n *yaml.Node, prefix string) {
		if n.Kind == yaml.SequenceNode && prefix == "hosts." {
			walk(n.Content[0], "hosts[].")
			return
		}
		if n.Kind != yaml.MappingNode {
			return
		}
		if n.HeadComment != "" {
			commented[strings.TrimSuffix(prefix, ".")] = true
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := prefix + n.Content[i].Value
			have[key] = true
			if n.Content[i].HeadComment != "" {
				commented[key] = true
			}
			walk(n.Content[i+1], key+".")
		}
	}
	walk(doc.Content[0], "")
	keys := Keys()
	for _, l := range leaves(reflect.ValueOf(&Host{}).Elem(), "hosts[].") {
		keys = append(keys, l.key)
	}
	for i, k := range keys {
		if !have[k] {
			t.Errorf("%s is not in the sample", k)
		}
		section := k[:strings.LastIndexByte(k, '.')+1]
		above := commented[k] || commented[strings.TrimSuffix(section, ".")] ||
			section == "hosts[]." && commented["hosts"]
		for j := i - 1; j >= 0 && !above && strings.HasPrefix(keys[j], section); j-- {
			above = commented[keys[j]]
		}
		if !above {
			t.Errorf("%s has no comment in the sample", k)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := Load(write(t, `
hosts:
  - domain: exam ple
    certifcate: a.crt
  - example.org
  - groups.example.org
limits:
  stanza_sise: 1MiB
  send_queue: lots
  auth_timeout: 30
stanza_size: 1MiB
rooms:
  create: everybody
  create: local
auth:
  scram_iterations: 12
  password_policy: perhaps
log: loud
listeners:
  c2s:
    addresses: [example.org:5222, "5222"]
store:
  dsn: mysql://root:hunter2@localhost/x
`), nil)
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("got %v", err)
	}
	got := err.Error()
	for _, want := range []string{
		`line 4: hosts[0].certifcate: there is no such key: did you mean hosts[0].certificate?`,
		`line 8: limits.stanza_sise: there is no such key: did you mean limits.stanza_size?`,
		`line 11: stanza_size: there is no such key: did you mean limits.stanza_size?`,
		`line 14: rooms.create: it is already on line 13`,
		`line 18: log: write keys and values`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Error("a password is in the message")
	}
	// The settings that viper could read from the file are checked as well, once it is valid YAML.
	_, err = Load(write(t, `
hosts: ["exam ple", example.org, groups.example.org]
limits:
  send_queue: lots
  auth_timeout: 30
rooms:
  create: everybody
auth:
  scram_iterations: 12
  password_policy: perhaps
listeners:
  c2s:
    addresses: [example.org:5222, "5222"]
store:
  dsn: mysql://root:hunter2@localhost/x
`), nil)
	if !errors.As(err, &ps) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		"auth.password_policy", "auth.scram_iterations", "hosts[0].certificate",
		"hosts[0].domain", "hosts[1].certificate", "hosts[2].certificate", "hosts[2].domain", "limits.auth_timeout",
		"limits.send_queue", "listeners.c2s.addresses", "listeners.c2s.addresses", "rooms.create", "store.dsn",
	}
	var keys []string
	for _, p := range ps {
		keys = append(keys, p.Key)
	}
	for _, k := range want {
		if i := indexOf(keys, k); i < 0 {
			t.Errorf("nothing about %s in:\n%v", k, err)
		} else {
			keys = append(keys[:i], keys[i+1:]...)
		}
	}
	if len(keys) > 0 {
		t.Errorf("too much about %v in:\n%v", keys, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("a password is in the message")
	}
}

func indexOf(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}

func TestOrderOfSources(t *testing.T) {
	file := write(t, five+"\nlimits: {depth: 20, attributes: 20, stanza_size: 64KiB}\n")
	t.Setenv("PARLEY_LIMITS_DEPTH", "30")
	t.Setenv("PARLEY_LIMITS_ATTRIBUTES", "30")
	t.Setenv("PARLEY_HOSTS", "a.example, B.example")
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	Flags(flags)
	if err := flags.Parse([]string{"--set=limits.depth=40", "--log-level=debug"}); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, flags)
	if err != nil {
		t.Fatal(err)
	}
	if l := c.Limits; l.StanzaSize != 64*KiB || l.Attributes != 30 || l.Depth != 40 {
		t.Errorf("got %+v", l)
	}
	if c.Log.Level != "debug" || len(c.Hosts) != 2 || c.Hosts[1].Domain != "b.example" {
		t.Errorf("got %+v, %+v", c.Log, c.Hosts)
	}
	if err := flags.Set("set", "limits.dept=1"); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, flags); err == nil || !strings.Contains(err.Error(), "did you mean limits.depth?") {
		t.Errorf("got %v", err)
	}
}

// Each key can be set in the environment.
func TestEveryKeyFromTheEnvironment(t *testing.T) {
	t.Setenv("PARLEY_TLS_CERTIFICATE", "a.crt")
	t.Setenv("PARLEY_TLS_KEY", "a.key")
	t.Setenv("PARLEY_HOSTS", "example.org")
	base, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range base.Entries() {
		value := ""
		switch v := e.Value.(type) {
		case bool:
			value = map[bool]string{true: "false", false: "true"}[v]
		case int:
			value = "none"
		case string:
			value = "\x00"
		default:
			continue // lists: any text is one
		}
		if e.Key == "tls.certificate" || e.Key == "tls.key" {
			continue
		}
		t.Run(e.Key, func(t *testing.T) {
			name := EnvPrefix + "_" + strings.ToUpper(strings.ReplaceAll(e.Key, ".", "_"))
			if value == "\x00" {
				value = "?"
			}
			t.Setenv(name, value)
			c, err := Load("", nil)
			if err == nil && reflect.DeepEqual(c, base) {
				t.Errorf("%s=%s changes nothing", name, value)
			}
		})
	}
}

// Every number has a range in validate.go: zero, or far too much, is refused by the key's name.
func TestEveryNumberHasARange(t *testing.T) {
	t.Setenv("PARLEY_TLS_CERTIFICATE", "a.crt")
	t.Setenv("PARLEY_TLS_KEY", "a.key")
	t.Setenv("PARLEY_HOSTS", "example.org")
	refused := func(t *testing.T, key, value string) bool {
		t.Setenv(EnvPrefix+"_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_")), value)
		var ps Problems
		_, err := Load("", nil)
		return errors.As(err, &ps) && slices.ContainsFunc(ps, func(p Problem) bool { return p.Key == key })
	}
	for _, l := range leaves(reflect.ValueOf(Default()).Elem(), "") {
		much := ""
		switch l.value.Interface().(type) {
		case int:
			much = "3000000000"
		case time.Duration:
			much = "2000000h"
		case Size:
			much = "900TiB"
		default:
			continue
		}
		t.Run(l.key, func(t *testing.T) {
			if !refused(t, l.key, much) && !refused(t, l.key, "0") {
				t.Errorf("neither 0 nor %s is refused: give it a range in validate.go", much)
			}
		})
	}
}

func TestSecretFromFile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(secret, []byte("postgres://u:hunter2@db:26257/parley\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(write(t, five+"store: {dsn_file: "+secret+"}\n"), nil)
	if err != nil || c.Store.DSN != "postgres://u:hunter2@db:26257/parley" {
		t.Fatalf("got %v, %v", c, err)
	}
	for _, e := range c.Entries() {
		if s, ok := e.Value.(string); ok && strings.Contains(s, "hunter2") {
			t.Errorf("%s shows the password", e.Key)
		}
	}
	if _, err = Load(write(t, five+"store: {dsn: 'sqlite:x', dsn_file: "+secret+"}\n"), nil); err == nil {
		t.Error("both dsn and dsn_file are taken")
	}
	if _, err = Load(write(t, five+"store: {dsn_file: /does/not/exist}\n"), nil); err == nil ||
		!strings.Contains(err.Error(), "store.dsn_file") {
		t.Errorf("got %v", err)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "no.yaml"), nil); err == nil ||
		!strings.Contains(err.Error(), "config sample") {
		t.Errorf("got %v", err)
	}
	for _, text := range []string{"hosts: [", "just text", "- a\n- b\n", "a: &a [*a]"} {
		if _, err := Load(write(t, text), nil); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestDev(t *testing.T) {
	dir := t.TempDir()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	Flags(flags)
	if err := flags.Parse([]string{"--set", "hosts=Chat.Example"}); err != nil {
		t.Fatal(err)
	}
	c, err := LoadDev(DevOptions{
		DataDir:    dir,
		PortOffset: 1000,
		Certificate: func(d string, hosts []Host) (string, string, error) {
			if d != dir || len(hosts) != 1 || hosts[0].Domain != "chat.example" {
				t.Errorf("certificate for %v in %s", hosts, d)
			}
			return "c.crt", "c.key", nil
		},
	}, flags)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range append(c.Listeners.C2S.Addresses, c.Listeners.WebSocket.PlainAddresses...) {
		if a != "127.0.0.1:6222" && a != "127.0.0.1:6280" {
			t.Errorf("listens on %s", a)
		}
	}
	if c.Store.DSN != "sqlite:"+dir+"/parley.db" || c.TLS.Key != "c.key" {
		t.Errorf("got %+v", c)
	}
	_, err = LoadDev(DevOptions{
		DataDir:     dir,
		PortOffset:  65000,
		Certificate: func(string, []Host) (string, string, error) { return "c", "k", nil },
	}, nil)
	if err == nil {
		t.Error("port 70222 is taken")
	}
}

func TestSize(t *testing.T) {
	for in, want := range map[string]Size{
		"0":       0,
		"10":      10,
		"256KiB":  256 << 10,
		"1.5 MiB": 3 << 19,
		"2gib":    2 << 30,
		"5kb":     5000,
		"7 B":     7,
	} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("%q: got %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "KiB", "-1", "1e3", "1_000", "0x10", "5 apples", "99999999GiB", "NaN", "Inf"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("%q: got %d", in, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0":     0,
		"0s":    0,
		"30s":   30 * time.Second,
		"90d":   90 * day,
		"1d12h": 36 * time.Hour,
		"1h30m": 90 * time.Minute,
	} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("%q: got %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "30", "-5s", "d", "-1d", "1.5d", "99999999999d", "1d-3h"} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("%q: got %s", in, got)
		}
	}
}

func FuzzDuration(f *testing.F) {
	f.Add(int64(90 * time.Minute))
	f.Add(int64(400*day + 3*time.Second + 5*time.Millisecond))
	f.Fuzz(func(t *testing.T, n int64) {
		d := time.Duration(max(n, 0))
		if d > 60000*day {
			return
		}
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Errorf("%v: %q reads as %v, %v", d, FormatDuration(d), got, err)
		}
	})
}

func FuzzSize(f *testing.F) {
	f.Add(int64(256 << 10))
	f.Fuzz(func(t *testing.T, n int64) {
		s := Size(n & (1<<50 - 1))
		if got, err := ParseSize(s.String()); err != nil || got != s {
			t.Errorf("%d: %q reads as %d, %v", int64(s), s, got, err)
		}
	})
}

// No file makes Load panic.
func FuzzFile(f *testing.F) {
	f.Add(Sample)
	f.Add([]byte(five))
	f.Add([]byte("hosts: {a: b}\nlisteners: [1, 2]\ntls: null\n"))
	f.Add([]byte("a: &a {b: *a}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Load(name, nil); err == nil && len(c.Hosts) == 0 {
			t.Error("loaded without a host")
		}
	})
}
