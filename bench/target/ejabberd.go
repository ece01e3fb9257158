package target

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"parley/bench/load"
)

// Ejabberd is Debian's ejabberd with all of its data in a PostgreSQL of its
// own, whose processes count as ejabberd's.
type Ejabberd struct{}

// Name returns the name of the server in reports.
func (Ejabberd) Name() string { return "ejabberd" }

// Available looks for all four packages that are needed.
func (Ejabberd) Available() error {
	if err := haveProgram("erl", "ejabberd"); err != nil {
		return err
	}
	if _, err := ejabberdSchema(); err != nil {
		return err
	}
	if found, _ := filepath.Glob("/usr/lib/*/p1_pgsql-*"); len(found) == 0 {
		if found, _ = filepath.Glob("/usr/lib/erlang/lib/p1_pgsql-*"); len(found) == 0 {
			return fmt.Errorf("ejabberd's PostgreSQL driver is not installed (Debian: apt install erlang-p1-pgsql)")
		}
	}
	_, err := postgresProgram("postgres")
	return err
}

// Version returns the version of the server for the report.
func (Ejabberd) Version() string {
	v := "unknown version"
	if found, _ := filepath.Glob("/usr/lib/*/ejabberd-*"); len(found) > 0 {
		v = filepath.Base(found[0])
	}
	pg, err := postgresProgram("postgres")
	if err != nil {
		return v
	}
	return v + ", " + firstLine(pg, "--version")
}

// Archives reports whether the server keeps messages.
func (Ejabberd) Archives() bool { return true }

// CanFill reports whether the server can start with a filled archive.
func (Ejabberd) CanFill() bool { return true }

func ejabberdSchema() ([]byte, error) {
	b, err := os.ReadFile("/usr/share/ejabberd/sql/pg.sql")
	if err != nil {
		return nil, fmt.Errorf("ejabberd's SQL schema (Debian: apt install ejabberd): %w", err)
	}
	return b, nil
}

// The modules of Debian's configuration, less what limits traffic, opens other
// ports or talks to other servers.
var ejabberdConfig = template.Must(template.New("ejabberd").Parse(`
loglevel: error
hosts: [{{.Domain}}]
certfiles: ["{{.Pem}}"]
listen:
  - port: {{.Port}}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    shaper: none
    access: all
    starttls_required: true
    protocol_options: [no_sslv3, no_tlsv1, no_tlsv1_1, cipher_server_preference, no_compression]
disable_sasl_mechanisms: [digest-md5, X-OAUTH2]
auth_method: [sql]
auth_password_format: scram
default_db: sql
sql_type: pgsql
sql_server: "127.0.0.1"
sql_port: {{.SQLPort}}
sql_database: postgres
sql_username: postgres
sql_password: ""
acl:
  local:
    user_regexp: ""
access_rules:
  local:
    allow: local
shaper_rules:
  max_user_sessions: 1000
  max_user_offline_messages: 10000
modules:
  mod_adhoc: {}
  mod_avatar: {}
  mod_blocking: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_client_state: {}
  mod_disco: {}
  mod_last: {}
{{if .Archive}}
  mod_mam:
    db_type: sql
    default: always
{{end}}
  mod_muc:
    host: "{{.Rooms}}"
    access: [allow]
    access_create: [allow: local]
    access_persistent: [allow: local]
    access_mam: [allow]
    max_users: 5000
    max_user_conferences: 1000
    default_room_options:
      persistent: true
      max_users: 5000
      mam: {{.Archive}}
  mod_offline:
    access_max_user_messages: max_user_offline_messages
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub:
    access_createnode: local
    plugins: [flat, pep]
  mod_roster:
    versioning: true
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_vcard:
    search: false
  mod_vcard_xupdate: {}
  mod_version: {}
`))

// Start runs PostgreSQL and an Erlang node without distribution, so that no
// epmd is started and no port but the one below is opened.
func (e Ejabberd) Start(ctx context.Context, dir string, s Setup) (_ *Instance, err error) {
	in := new(Instance)
	defer func() {
		if err != nil {
			in.Stop()
		}
	}()
	pg, err := startPostgres(ctx, dir)
	if err != nil {
		return nil, err
	}
	in.add(pg.process)
	if err := ejabberdData(ctx, pg, s); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cert, tlsConfig, err := newCertificate(dir)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(dir, "ejabberd")
	pem := filepath.Join(home, "both.pem")
	var conf bytes.Buffer
	if err := ejabberdConfig.Execute(&conf, map[string]any{
		"Domain": Domain, "Rooms": Rooms, "Pem": pem, "Port": port, "SQLPort": pg.port, "Archive": s.Archive,
	}); err != nil {
		return nil, err
	}
	if err := ejabberdHome(home, cert, pem, conf.Bytes()); err != nil {
		return nil, err
	}
	libs, _ := filepath.Glob("/usr/lib/*/ejabberd-*")
	if len(libs) == 0 {
		return nil, fmt.Errorf("no ejabberd library below /usr/lib")
	}
	p, err := command{
		name: "erl",
		// As ejabberdctl of the package does, less -sname.
		args: []string{"+K", "true", "+P", "250000", "-noinput", "-mnesia", "dir", `"` +
			filepath.Join(home, "mnesia") + `"`, "-s", "ejabberd"},
		env: []string{
			"EJABBERD_CONFIG_PATH=" + filepath.Join(home, "ejabberd.yml"),
			"EJABBERD_LOG_PATH=" + filepath.Join(home, "ejabberd-own.log"),
			"ERL_LIBS=" + filepath.Dir(libs[0]), "ERL_MAX_PORTS=32000", "ERL_MAX_ETS_TABLES=1400",
			"ERL_CRASH_DUMP_BYTES=0",
		},
		dir:  home,
		user: "ejabberd",
	}.start("ejabberd")
	if err != nil {
		return nil, err
	}
	in.add(p)
	in.Dial = &load.Dialer{Addr: loopback(port), Domain: Domain, Password: password, TLS: tlsConfig}
	if err := waitLogin(ctx, in.Dial, p); err != nil {
		return nil, err
	}
	return in, nil
}

func ejabberdHome(home string, c *certificate, pem string, conf []byte) error {
	if err := os.MkdirAll(filepath.Join(home, "mnesia"), 0o700); err != nil {
		return err
	}
	cert, err := os.ReadFile(c.cert)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(pem, append(cert, key...), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(home, "ejabberd.yml"), conf, 0o600); err != nil {
		return err
	}
	return own(home, "ejabberd")
}

// ejabberdData makes the schema, the accounts and the filled archive.
func ejabberdData(ctx context.Context, pg *postgres, s Setup) error {
	schema, err := ejabberdSchema()
	if err != nil {
		return err
	}
	keys, err := load.DeriveKeys("SCRAM-SHA-1", password, []byte(scramSalt), scramIterations)
	if err != nil {
		return err
	}
	b64 := base64.StdEncoding.EncodeToString
	var q bytes.Buffer
	q.Write(schema)
	fmt.Fprintf(&q, "\nINSERT INTO users (username, password, serverkey, salt, iterationcount) "+
		"SELECT 'u' || i, '%s', '%s', '%s', %d FROM generate_series(0, %d) AS i;\n",
		b64(keys.Stored), b64(keys.Server), b64([]byte(scramSalt)), scramIterations, s.Users-1)
	if s.Filled > 0 {
		q.WriteString("COPY archive (username, timestamp, peer, bare_peer, xml, txt, kind, nick) FROM stdin;\n")
		for i := range s.Filled {
			fmt.Fprintf(&q,
				"%s\t%d\t%s/other\t%s\t<message xml:lang='en' to='%s' from='%s/other' type='chat' id='filled-%d' "+
					"xmlns='jabber:client'><origin-id id='filled-%d' xmlns='urn:xmpp:sid:0'/><body>%s</body>"+
					"</message>\t%s\tchat\t\n",
				User(0), FilledStart.UnixMicro()+int64(i)*1e6, JID(1), JID(1), JID(0), JID(1), i, i,
				FilledBody(i), FilledBody(i))
		}
		q.WriteString("\\.\n")
	}
	q.WriteString("ANALYZE;\n")
	return pg.sql(ctx, q.String())
}

// HasGroups reports whether the server has groups besides rooms.
func (Ejabberd) HasGroups() bool { return false }

// Nodes is 0.
func (Ejabberd) Nodes() int { return 0 }
