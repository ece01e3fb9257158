package target

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"parley/bench/load"
)

const (
	scramSalt       = "benchmark-salt-1"
	scramIterations = 4096
)

// Prosody is Debian's Prosody with its default storage, files.
type Prosody struct{}

// Name returns the name of the server in reports.
func (Prosody) Name() string { return "prosody" }

// Available returns why the server cannot run here, or nil.
func (Prosody) Available() error { return haveProgram("prosody", "prosody") }

// Version returns the version of the server for the report.
func (Prosody) Version() string {
	b, err := os.ReadFile("/usr/lib/prosody/prosody.version")
	if err != nil {
		return "Prosody, unknown version"
	}
	return "Prosody " + string(bytes.TrimSpace(b)) + ", files"
}

// Archives reports whether the server keeps messages.
func (Prosody) Archives() bool { return true }

// CanFill reports whether the server can start with a filled archive.
func (Prosody) CanFill() bool { return true }

// The modules of Debian's configuration, less what limits traffic or talks to
// other servers.
var prosodyConfig = template.Must(template.New("prosody").Parse(`
data_path = "{{.Dir}}/data"
pidfile = "{{.Dir}}/prosody.pid"
log = { error = "*console" }
plugin_paths = { }
daemonize = false
modules_enabled = {
	"disco"; "roster"; "saslauth"; "tls"; "blocklist"; "bookmarks"; "carbons"; "pep"; "private"; "smacks";
	"vcard4"; "vcard_legacy"; "csi_simple"; "ping"; "time"; "uptime"; "version"; "posix";
	{{if .Archive}}"mam";{{end}}
}
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
c2s_ports = { {{.Port}} }
c2s_direct_tls_ports = { }
s2s_ports = { }
c2s_require_encryption = true
authentication = "internal_hashed"
storage = "internal"
archive_expires_after = "never"
storage_archive_item_limit = 10000000
default_archive_policy = true
max_archive_query_results = 50
ssl = { key = "{{.Key}}"; certificate = "{{.Cert}}" }

VirtualHost "{{.Domain}}"

Component "{{.Rooms}}" "muc"
	{{if .Archive}}modules_enabled = { "muc_mam" }{{end}}
	muc_log_by_default = true
	muc_log_expires_after = "never"
	muc_room_default_persistent = true
	muc_room_default_public = true
	muc_room_locking = false
`))

// Start writes the accounts and archives as the files Prosody keeps them in.
func (Prosody) Start(ctx context.Context, dir string, s Setup) (*Instance, error) {
	cert, tlsConfig, err := newCertificate(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var conf bytes.Buffer
	if err := prosodyConfig.Execute(&conf, map[string]any{
		"Dir":     dir,
		"Port":    port,
		"Archive": s.Archive,
		"Key":     cert.key,
		"Cert":    cert.cert,
		"Domain":  Domain,
		"Rooms":   Rooms,
	}); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "prosody.cfg.lua")
	if err := os.WriteFile(file, conf.Bytes(), 0o600); err != nil {
		return nil, err
	}
	if err := prosodyAccounts(dir, s.Users); err != nil {
		return nil, err
	}
	if s.Filled > 0 {
		if err := prosodyArchive(dir, s.Filled); err != nil {
			return nil, err
		}
	}
	if err := own(dir, "prosody"); err != nil {
		return nil, err
	}
	p, err := command{
		name: "prosody",
		args: []string{"-F", "--config", file},
		dir:  dir,
		user: "prosody",
	}.start("prosody")
	if err != nil {
		return nil, err
	}
	in := &Instance{Dial: &load.Dialer{Addr: loopback(port), Domain: Domain, Password: password, TLS: tlsConfig}}
	in.add(p)
	if err := waitLogin(ctx, in.Dial, p); err != nil {
		in.Stop()
		return nil, err
	}
	return in, nil
}

// prosodyStore makes the directory of one of the host's stores.
func prosodyStore(dir, store string) (string, error) {
	d := filepath.Join(dir, "data", "bench%2eexample", store)
	return d, os.MkdirAll(d, 0o700)
}

func prosodyAccounts(dir string, n int) error {
	d, err := prosodyStore(dir, "accounts")
	if err != nil {
		return err
	}
	keys, err := load.DeriveKeys("SCRAM-SHA-1", password, []byte(scramSalt), scramIterations)
	if err != nil {
		return err
	}
	account := fmt.Appendf(nil,
		`return { ["iteration_count"] = %d; ["salt"] = "%s"; ["stored_key"] = "%s"; ["server_key"] = "%s"; };`+"\n",
		scramIterations, scramSalt, hex.EncodeToString(keys.Stored), hex.EncodeToString(keys.Server))
	for i := range n {
		if err := os.WriteFile(filepath.Join(d, User(i)+".dat"), account, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func prosodyArchive(dir string, n int) error {
	d, err := prosodyStore(dir, "archive")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for i := range n {
		when := FilledStart.Add(time.Duration(i) * time.Second)
		fmt.Fprintf(&b, `item({["key"]="filled%08d";["when"]=%d;["with"]="%s";["name"]="message";`+
			`["attr"]={["to"]="%s";["from"]="%s/other";["type"]="chat";["id"]="filled-%d";["stamp"]="%s"};`+
			`{["name"]="body";["attr"]={};"%s"};{["name"]="origin-id";["attr"]={["xmlns"]="urn:xmpp:sid:0";["id"]="filled-%d"}}});`+"\n",
			i, when.Unix(), JID(1), JID(0), JID(1), i, when.Format(time.RFC3339), FilledBody(i), i)
	}
	return os.WriteFile(filepath.Join(d, User(0)+".list"), b.Bytes(), 0o600)
}

// HasGroups reports whether the server has groups besides rooms.
func (Prosody) HasGroups() bool { return false }

// Nodes is 0.
func (Prosody) Nodes() int { return 0 }
