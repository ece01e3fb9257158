package federation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/node/devcert"
	"parley/testrig"
)

// ejabberdConfig: dialback or certificates, accounts by HTTP.
const ejabberdConfig = `
loglevel: debug
hosts: [%[1]s]
certfiles: [%[2]q]
ca_file: %[3]q
s2s_use_starttls: required
listen:
  - {port: 5222, ip: %[4]q, module: ejabberd_c2s, starttls_required: true}
  - {port: 5269, ip: %[4]q, module: ejabberd_s2s_in}
  - {port: 5280, ip: %[4]q, module: ejabberd_http, request_handlers: {/api: mod_http_api}}
api_permissions:
  any: {from: [mod_http_api], who: all, what: "*"}
acl: {local: {user_regexp: ""}}
access_rules: {local: {allow: local}}
auth_method: [internal]
auth_password_format: scram
modules:
  mod_caps: {}
  mod_disco: {}
  mod_muc:
    host: conference.%[1]s
    access: [allow]
    access_create: [allow]
  mod_ping: {}
  mod_pubsub: {plugins: [flat, pep], access_createnode: local}
  mod_roster: {}
  mod_s2s_dialback: {}
  mod_stream_mgmt: {}
  mod_version: {}
`

// startEjabberd starts Debian's with an account juliet. An Erlang node without distribution opens no other port.
func startEjabberd(t *testing.T, external bool, files devcert.Files, trusted string) *testrig.Rig {
	t.Helper()
	libs, _ := filepath.Glob("/usr/lib/*/ejabberd-*")
	if _, err := exec.LookPath("erl"); err != nil || len(libs) == 0 {
		if os.Getenv("PARLEY_TEST_REQUIRE_SERVERS") != "" {
			t.Fatal("ejabberd is not installed")
		}
		t.Skip("ejabberd is not installed")
	}
	home, err := os.MkdirTemp("", "ejabberd") // of the name's usual length: Erlang passes it about
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	pem := bundle(t, files.Cert, files.Key)
	conf := fmt.Sprintf(ejabberdConfig, theirs, pem, trusted, theirAddr)
	if external { // without dialback certificates have to do
		conf = strings.Replace(conf, "  mod_s2s_dialback: {}\n", "", 1)
	}
	yml := filepath.Join(home, "ejabberd.yml")
	if err := os.WriteFile(yml, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"EJABBERD_CONFIG_PATH": yml,
		"EJABBERD_LOG_PATH":    filepath.Join(home, "ejabberd.log"),
		"HOME":                 home,
		"ERL_LIBS":             filepath.Dir(libs[0]),
		"ERL_CRASH_DUMP_BYTES": "0",
	} {
		t.Setenv(k, v)
	}
	process(t, "erl", "-noinput", "-mnesia", "dir", `"`+filepath.Join(home, "mnesia")+`"`, "-s", "ejabberd")
	t.Cleanup(func() {
		if b, _ := os.ReadFile(filepath.Join(home, "ejabberd.log")); t.Failed() {
			t.Logf("ejabberd.log:\n%s", tail(b, 12000))
		}
	})
	answers(t, theirAddr+":5222")
	answers(t, theirAddr+":5269")
	answers(t, theirAddr+":5280")
	body, _ := json.Marshal(map[string]string{"user": "juliet", "host": theirs, "password": testrig.Password})
	c := http.Client{Timeout: 10 * time.Second}
	r, err := c.Post("http://"+theirAddr+":5280/api/register", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("making an account: %s", r.Status)
	}
	return testrig.Attach(t, map[string]string{"c2s": theirAddr + ":5222"}, roots(t, files.CA))
}

func withEjabberd(t *testing.T, external bool) {
	if !namespaced(t) {
		return
	}
	startDNSMasq(t, false)
	fo, ft := certificates(t, ours, "groups"), certificates(t, theirs, "conference")
	trusted := ft.CA
	if external {
		trusted = bundle(t, fo.CA, ft.CA)
	}
	clients := startEjabberd(t, external, ft, trusted)
	h := newHouse(t, ours, dnsAddr+":53", fo, func(c *config.Config) {
		c.Federation.Addresses, c.Federation.TLSAddresses = []string{ourAddr + ":5269"}, []string{ourAddr + ":5270"}
		if external {
			c.TLS.CAFiles = []string{fo.CA, ft.CA}
			c.Federation.RequireCertificate, c.Federation.AllowDialback = true, false
		}
	})
	across(t, h.party(t, "romeo"), join(t, clients, "juliet@"+theirs, testrig.Password, "conference."+theirs))
}

func TestEjabberdExternal(t *testing.T) { withEjabberd(t, true) }
func TestEjabberdDialback(t *testing.T) { withEjabberd(t, false) }
