package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"parley/admin"
	"parley/config"
	"parley/node/doctor"
)

// setupPlan holds the flags of `parley setup`.
type setupPlan struct {
	Domain, Title     string
	Machine           string // that parley runs on; "": the domain's
	Dir, DataDir      string
	User              string
	Certificate, Key  string
	ACMEEmail         string
	Accept            bool
	DSNFile, Resolver string
	Force             bool

	Program string // that the unit starts
	File    string // the configuration
}

func (a *app) setupCommand() *cobra.Command {
	p := setupPlan{}
	c := &cobra.Command{
		Use:   "setup DOMAIN",
		Short: "Write a configuration and a systemd unit for a domain; check ports, DNS and clock",
		Args:  cobra.ExactArgs(1),
		Long: `Writes parley.yaml and parley.service into a directory, checks the ports, DNS and the clock, and shows the DNS records to publish.
It starts nothing, and changes nothing outside that directory. The exit code is 3 if something is not ready yet: repeat it with --force,
or check again with ` + "`parley doctor`" + `.`,
		Example: "  parley setup example.org --acme-email admin@example.org --accept-terms\n  parley setup " +
			"example.org --machine chat.example.org --certificate /etc/ssl/chat.pem --key /etc/ssl/chat.key --dir .",
		RunE: func(c *cobra.Command, args []string) error {
			p.Domain = args[0]
			return a.setup(c, p)
		},
	}
	f := c.Flags()
	f.StringVar(&p.Dir, "dir", "/etc/parley", "`directory` that the files are written to")
	f.StringVar(&p.DataDir, "data-dir", "/var/lib/parley", "`directory` for the data of the server")
	f.StringVar(&p.User, "user", "parley", "`user` that the server runs as")
	f.StringVar(&p.Title, "title", "", "`name` of the organization")
	f.StringVar(&p.Machine, "machine", "", "`name` of this machine, where the domain belongs to another one")
	f.StringVar(&p.Certificate, "certificate", "", "`file` with the certificate")
	f.StringVar(&p.Key, "key", "", "`file` with its key")
	f.StringVar(&p.ACMEEmail, "acme-email", "",
		"have certificates issued by Let's Encrypt, which writes to this `address`")
	f.BoolVar(&p.Accept, "accept-terms", false, "accept the terms of Let's Encrypt")
	f.StringVar(&p.DSNFile, "dsn-file", "",
		"`file` with the DSN of a PostgreSQL or CockroachDB (default: SQLite in data-dir)")
	f.StringVar(&p.Resolver, "resolver", "", "`host:port` of the DNS resolver to ask (default: the system's)")
	f.BoolVar(&p.Force, "force", false, "overwrite existing files")
	return c
}

// setupDone lists the written files and the findings.
type setupDone struct {
	Files    []string          `json:"files"`
	Records  []admin.DNSRecord `json:"records"`
	Findings []admin.Finding   `json:"findings"`
	Next     []string          `json:"next"`
}

func (a *app) setup(c *cobra.Command, p setupPlan) error {
	if err := p.check(); err != nil {
		return err
	}
	if p.Title == "" {
		p.Title = a.askTitle()
	}
	text, cfg, err := p.configuration()
	if err != nil {
		return err
	}
	unit, err := p.render(unitTemplate)
	if err != nil {
		return err
	}
	done := setupDone{Files: []string{p.File, filepath.Join(p.Dir, "parley.service")}}
	if err := p.write(done.Files, text, unit); err != nil {
		return err
	}
	done.Records = doctor.Records(cfg, cfg.Hosts[0].Domain, p.Machine)
	doctor.LookUp(c.Context(), cfg, done.Records)
	done.Findings = p.userFindings()
	for _, f := range doctor.Diagnose(c.Context(), cfg, nil) {
		// records are shown by themselves; files are the user's to read
		if f.Area != "dns" && (f.Area != "configuration" || f.What != "files") {
			done.Findings = append(done.Findings, f)
		}
	}
	done.Next = p.next()
	a.show(done, func(w io.Writer) { done.print(w) })
	for _, r := range done.Records {
		if r.Must && r.State != admin.OK {
			return errPartial
		}
	}
	if failed(done.Findings) {
		return errPartial
	}
	return nil
}

// askTitle asks a user at a terminal for the organization's name; "" if there is no terminal, or no answer.
func (a *app) askTitle() string {
	tty, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(tty.Fd())) {
		return ""
	}
	fmt.Fprint(a.err, "Name of the organization (empty: its domain): ")
	line, err := bufio.NewReader(io.LimitReader(a.in, maxPassword)).ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(line), " ")
}

// check completes the plan and reports mistakes in it.
func (p *setupPlan) check() (err error) {
	switch {
	case (p.Certificate == "") != (p.Key == ""):
		return usage("--certificate and --key belong together")
	case p.Certificate == "" && p.ACMEEmail == "":
		return usage("say where certificates come from: --certificate and --key name files, --acme-email and " +
			"--accept-terms have them issued")
	case p.Certificate != "" && p.ACMEEmail != "":
		return usage("certificates are in files or are issued: give --certificate or --acme-email")
	case p.ACMEEmail != "" && !p.Accept:
		return usage("read the terms of Let's Encrypt (https://letsencrypt.org/repository/), then use --accept-terms")
	}
	// they are written into a unit, which has a syntax of its own
	for _, s := range []string{p.User, p.DataDir, p.Dir} {
		if s == "" || strings.ContainsAny(s, "\n\r\t %\"'\\") {
			return usage("%q has characters that a systemd unit cannot have there", s)
		}
	}
	for _, f := range []*string{&p.Dir, &p.DataDir, &p.Certificate, &p.Key, &p.DSNFile} {
		if *f == "" {
			continue
		}
		if *f, err = filepath.Abs(*f); err != nil {
			return err
		}
	}
	if p.Program, err = os.Executable(); err != nil {
		return err
	}
	p.File = filepath.Join(p.Dir, "parley.yaml")
	return nil
}

// configuration returns the file and the configuration that the server will read from it.
func (p *setupPlan) configuration() (string, *config.Config, error) {
	text, err := p.render(configTemplate)
	if err != nil {
		return "", nil, err
	}
	tmp, err := os.CreateTemp("", "parley-setup-")
	if err != nil {
		return "", nil, err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return "", nil, err
	}
	cfg, err := config.Load(tmp.Name(), nil)
	if err != nil {
		return "", nil, fmt.Errorf("this would not be a good configuration: %w", err)
	}
	return text, cfg, nil
}

var setupFuncs = template.FuncMap{"quote": strconv.Quote}

func (p *setupPlan) render(text string) (string, error) {
	t, err := template.New("").Funcs(setupFuncs).Parse(text)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.String(), err
}

const configTemplate = `# Written by parley setup. parley config sample shows every key; parley check says what is wrong.
hosts:
  - domain: {{quote .Domain}}
{{- if .Title}}
    title: {{quote .Title}}
{{- end}}
data_dir: {{quote .DataDir}}
{{- if .DSNFile}}
store:
  dsn_file: {{quote .DSNFile}}
{{- end}}
tls:
{{- if .Certificate}}
  certificate: {{quote .Certificate}}
  key: {{quote .Key}}
{{- else}}
  acme:
    enabled: true
    accept_terms: true
    email: {{quote .ACMEEmail}}
{{- end}}
{{- if .Resolver}}
dns:
  resolver: {{quote .Resolver}}
{{- end}}
{{- if .Machine}}
web:
  url: {{quote (print "https://" .Machine ":5443")}}
{{- end}}
contact:
  admin: [{{quote (print "xmpp:admin@" .Domain)}}]
`

const unitTemplate = `# Written by parley setup. To use it: systemctl link {{.Dir}}/parley.service, then systemctl enable --now parley
[Unit]
Description=parley, a chat server
Documentation=file:{{.File}}
After=network-online.target
Wants=network-online.target

[Service]
User={{.User}}
Group={{.User}}
ExecStart={{.Program}} serve --config {{.File}}
Restart=on-failure
RestartSec=2
TimeoutStopSec=30
LimitNOFILE=200000
UMask=0077
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
ReadWritePaths={{.DataDir}}

[Install]
WantedBy=multi-user.target
`

// write writes the files. It names all existing files before it overwrites one.
func (p *setupPlan) write(files []string, texts ...string) error {
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return err
	}
	if !p.Force {
		for _, f := range files {
			if _, err := os.Lstat(f); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s exists already: move it away, write to another --dir, or use --force", f)
			}
		}
	}
	for i, f := range files {
		tmp := f + ".new"
		if err := os.WriteFile(tmp, []byte(texts[i]), 0o644); err != nil {
			return err
		}
		if err := os.Rename(tmp, f); err != nil {
			return err
		}
	}
	return nil
}

// makeData returns the command that creates the data directory and, if necessary, its user.
func (p *setupPlan) makeData() string {
	data := fmt.Sprintf("install -d -m 700 -o %[2]s -g %[2]s %[1]s", p.DataDir, p.User)
	if _, wrong, todo := p.findUser(); wrong != "" {
		return todo + "; " + data
	}
	return data
}

func (p *setupPlan) next() []string {
	return []string{
		"publish the DNS records above, and let the ports through the firewall",
		p.makeData(),
		fmt.Sprintf("systemctl link %s/parley.service && systemctl enable --now parley", p.Dir),
		"journalctl -u parley shows the link that makes the first owner",
		fmt.Sprintf("parley doctor --config %s", p.File),
	}
}

func (d setupDone) print(w io.Writer) {
	for _, f := range d.Files {
		fmt.Fprintln(w, "wrote", f)
	}
	fmt.Fprintln(w)
	showFindings(w, d.Findings)
	fmt.Fprintln(w)
	showRecords(w, d.Records)
	fmt.Fprintln(w, "\nnext:")
	for i, n := range d.Next {
		fmt.Fprintf(w, "  %d. %s\n", i+1, n)
	}
}
