// Package doctor looks for what is wrong with a configuration and the machine: files, certificates, DNS, ports, disks,
// the clock, the relay for mails.
package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"parley/admin"
	"parley/config"
	"parley/internal/clock"
	"parley/internal/disk"
	"parley/node/plan"
	"parley/org/mail"
	"parley/server/c2s"
	"parley/store/sqlstore"
)

// Running is what Diagnose asks a node that runs.
type Running struct {
	Ports       Ports                              // it listens on
	Certificate func(name string) *tls.Certificate // it shows for a name; nil if it has none
	Store       Store
	Clock       clock.Clock
	CheckClock  func() error // It returns an error if the clock is behind what is kept.
}

// Store is what Diagnose asks of the store.
type Store interface {
	Ping(ctx context.Context) error
	MigrationStatus(ctx context.Context) (current, newest int64, err error)
	Engine() string
}

// doctor checks what a configuration needs, and the node if one runs.
type doctor struct {
	c   *config.Config
	n   *Running // nil: the server does not run
	now time.Time
	out []admin.Finding
}

func (d *doctor) say(area, what, state, text, todo string) {
	d.out = append(d.out, admin.Finding{Area: area, What: what, State: state, Text: text, Todo: todo})
}

// Diagnose checks everything that a server with this configuration needs. n is the node that runs with it; nil if none
// does. It waits for other machines, some seconds at most.
func Diagnose(ctx context.Context, c *config.Config, n *Running) []admin.Finding {
	parts := []func(*doctor, context.Context){
		(*doctor).configuration, (*doctor).certificates, (*doctor).dns, (*doctor).ports, (*doctor).storage,
		(*doctor).clock, (*doctor).order, (*doctor).mail,
	}
	var clk clock.Clock
	if n != nil {
		clk = n.Clock
	}
	ds := make([]*doctor, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts { // the checks wait for other machines, independently of each other
		ds[i] = &doctor{c: c, n: n, now: clk.Now()}
		wg.Go(func() { part(ds[i], ctx) })
	}
	wg.Wait()
	var out []admin.Finding
	for _, d := range ds {
		out = append(out, d.out...)
	}
	return out
}

func (d *doctor) configuration(context.Context) {
	if err := d.c.CheckFiles(); err != nil {
		d.say("configuration", "files", admin.Failed, err.Error(), "let the server's user read them, or name others")
	} else {
		d.say("configuration", "files", admin.OK, "every file that it names can be read", "")
	}
	for _, w := range []struct {
		yes        bool
		what, text string
	}{
		{!d.c.Listeners.C2S.RequireTLS, "listeners.c2s.require_tls", "clients may speak without encryption"},
		{!d.c.Federation.RequireTLS && d.c.Federation.Enabled, "federation.require_tls",
			"other servers may speak without encryption"},
		{!d.c.Auth.PasswordPolicy, "auth.password_policy", "any password is taken"},
		{d.c.Registration.Enabled, "registration.enabled", "strangers may make accounts"},
		{d.c.Mail.Show, "mail.show", "mails are shown to whoever looks, and not sent"},
	} {
		if w.yes {
			d.say("configuration", w.what, admin.Warning, w.text, "change it unless that is meant")
		}
	}
}

// names gives the names that certificates must be valid for.
func (d *doctor) names(host string) []string {
	names := []string{host}
	if d.c.Federation.Enabled {
		names = append(names, d.c.Rooms.Label+"."+host)
	}
	return names
}

// expiresSoon is the remaining time at which a certificate should have been renewed.
const expiresSoon = 14 * 24 * time.Hour

func (d *doctor) certificates(context.Context) {
	roots, err := plan.Authorities(d.c.TLS.CAFiles)
	if err != nil {
		d.say("certificates", "tls.ca_files", admin.Failed, err.Error(), "name files with certificates of authorities")
		return
	}
	for _, h := range d.c.Hosts {
		for _, name := range d.names(h.Domain) {
			d.certificate(h, name, roots)
		}
	}
}

func (d *doctor) certificate(h config.Host, name string, roots *x509.CertPool) {
	chain, err := d.chain(h, name)
	switch {
	case err != nil:
		d.say("certificates", name, admin.Failed, err.Error(),
			"name a certificate and its key in the configuration, or have them issued (tls.acme)")
		return
	case chain == nil && d.c.TLS.ACME.Enabled && d.n == nil:
		d.say("certificates", name, admin.OK, "it is issued when the server runs (tls.acme)", "")
		return
	case chain == nil:
		d.say("certificates", name, admin.Failed, "there is none yet",
			"the log says why none was issued: the authority has to reach this machine under that name")
		return
	}
	leaf := chain[0]
	until := fmt.Sprintf("by %s, good until %s", leaf.Issuer.CommonName, leaf.NotAfter.Format("2006-01-02"))
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, trust := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: d.now})
	switch {
	case c2s.Foreign(leaf, name) != "":
		state := admin.Failed
		if name != h.Domain {
			state = admin.Warning
		}
		d.say("certificates", name, state, c2s.Foreign(leaf, name), "get one that has this name, too")
	case c2s.OutOfTime(leaf, d.now) != "":
		d.say("certificates", name, admin.Failed, c2s.OutOfTime(leaf, d.now), "renew it")
	case leaf.NotAfter.Sub(d.now) < expiresSoon:
		d.say("certificates", name, admin.Warning, "it expires soon: "+until, "renew it")
	case trust != nil && !local(h.Domain):
		d.say("certificates", name, admin.Warning, until+", but nobody trusts that authority by default: "+
			trust.Error(), "get one of a known authority, or give clients this one")
	default:
		d.say("certificates", name, admin.OK, until, "")
	}
}

// chain gives the certificate for a name with its chain; nil if it is to be issued and has not been yet.
func (d *doctor) chain(h config.Host, name string) ([]*x509.Certificate, error) {
	var shown *tls.Certificate
	switch {
	case d.n != nil:
		shown = d.n.Certificate(name)
	default:
		f := c2s.CertFile{Cert: h.Certificate, Key: h.Key}
		if f.Cert == "" {
			f.Cert, f.Key, f.At = d.c.TLS.Certificate, d.c.TLS.Key, "tls."
		}
		if f.Cert == "" {
			if d.c.TLS.ACME.Enabled {
				return nil, nil
			}
			return nil, errors.New("none is configured")
		}
		var err error
		if shown, err = c2s.LoadCert(f); err != nil {
			return nil, err
		}
	}
	if shown == nil {
		return nil, nil
	}
	var chain []*x509.Certificate
	for _, der := range shown.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	return chain, nil
}

func (d *doctor) dns(ctx context.Context) {
	p := portsOf(d.c)
	if d.n != nil {
		p = d.n.Ports
	}
	for _, h := range d.c.Hosts {
		if local(h.Domain) {
			d.say("dns", h.Domain, admin.OK, "it is this machine's own name: no record is needed", "")
			continue
		}
		rs := RecordsAt(d.c, p, h.Domain, "")
		LookUp(ctx, d.c, rs)
		d.records(h.Domain, rs)
	}
}

// records reports what is published for a host. If apps find SRV records that lead somewhere, the host's own address
// does not matter.
func (d *doctor) records(host string, rs []admin.DNSRecord) {
	srv := false
	for _, r := range rs {
		srv = srv || r.State == admin.OK && r.Name == "_xmpp-client._tcp."+host+"."
	}
	todo := "`parley dns` shows the records to publish"
	for _, r := range rs {
		state := r.State
		switch {
		case state == admin.Failed && (!r.Must || r.Type == "A" && srv):
			state = admin.OK
			if r.Type == "A" {
				r.Found = "it has no address, and needs none"
			} else {
				r.Found = "there is none; it can do without"
			}
		case state == admin.OK && loopbackOnly(r.Found):
			state, r.Found = admin.Warning, r.Found+": nobody else comes there"
		}
		if state == admin.OK {
			d.say("dns", r.Type+" "+r.Name, state, r.Found, "")
		} else {
			d.say("dns", r.Type+" "+r.Name, state, r.Found, todo)
		}
	}
}

func (d *doctor) ports(ctx context.Context) {
	l, f := d.c.Listeners, d.c.Federation
	all := []struct {
		key       string
		addresses []string
		off       bool
	}{
		{"listeners.c2s", l.C2S.Addresses, false},
		{"listeners.c2s_tls", l.C2STLS.Addresses, false},
		{"listeners.websocket", l.WebSocket.Addresses, false},
		{"listeners.websocket (plain)", l.WebSocket.PlainAddresses, false},
		{"listeners.metrics", l.Metrics.Addresses, false},
		{"federation", f.Addresses, !f.Enabled},
		{"federation (TLS)", f.TLSAddresses, !f.Enabled},
	}
	for _, a := range all {
		for _, addr := range a.addresses {
			switch {
			case a.off:
			case d.n != nil:
				d.dial(ctx, a.key, addr)
			default:
				d.bind(a.key, addr)
			}
		}
	}
}

// dial reports whether something answers where the running node should listen.
func (d *doctor) dial(ctx context.Context, key, addr string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "0" {
		return // any port: nobody else knows it
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		d.say("ports", addr, admin.Failed, key+": "+err.Error(), "look at the log: the server should listen there")
		return
	}
	c.Close()
	d.say("ports", addr, admin.OK,
		key+": the server answers; only a machine elsewhere can tell whether others reach it", "")
}

func (d *doctor) bind(key, addr string) {
	l, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		l.Close()
		d.say("ports", addr, admin.OK, key+": it is free", "")
	case errors.Is(err, syscall.EADDRINUSE):
		d.say("ports", addr, admin.Failed, key+": another program has it, or a server that runs",
			"stop it (`ss -ltnp` shows which it is), or name another port")
	case errors.Is(err, syscall.EACCES):
		d.say("ports", addr, admin.Warning, key+": this user may not listen there",
			"take a port above 1023, or give the program cap_net_bind_service")
	default:
		d.say("ports", addr, admin.Failed, key+": "+err.Error(), "name an address of this machine")
	}
}

func (d *doctor) storage(ctx context.Context) {
	for _, x := range plan.Disks(d.c) {
		d.room(x)
	}
	if i, err := os.Stat(d.c.DataDir); errors.Is(err, fs.ErrNotExist) {
		d.say("storage", "data_dir", admin.OK, d.c.DataDir+" is made when the server starts", "")
	} else if err != nil {
		d.say("storage", "data_dir", admin.Failed, err.Error(), "let the server's user into it")
	} else if i.Mode().Perm()&0o007 != 0 {
		d.say("storage", "data_dir", admin.Warning, d.c.DataDir+" may be read by every user of this machine",
			"chmod 700 "+d.c.DataDir)
	}
	if d.n != nil {
		d.schema(ctx, d.n.Store)
		return
	}
	if p := plan.SQLiteFile(d.c); p != "" {
		if _, err := os.Stat(p); err != nil {
			d.say("storage", "database", admin.OK, filepath.Base(p)+" is made when the server starts", "")
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	st, err := sqlstore.Open(ctx, d.c.Store.DSN, sqlstore.Options{MaxConnections: 2, Inspect: true})
	if err != nil {
		d.say("storage", "database", admin.Failed, err.Error(), "see store.dsn")
		return
	}
	defer st.Close()
	d.schema(ctx, st)
}

// lowSpace is the free space under which doctor warns.
const lowSpace = 1 << 30

func (d *doctor) room(x *disk.Disk) {
	free, f := x.Look(0)
	left := fmt.Sprintf("%d MiB are left in %s", free>>20, x.Dir)
	switch {
	case free < 0: // unknown
	case f == disk.Lowest:
		d.say("storage", "free space", admin.Failed, x.Says(free, f).Error(),
			"make room now, or give it a larger disk: see disk.lowest")
	case f == disk.Low:
		d.say("storage", "free space", admin.Warning, x.Says(free, f).Error(),
			"make room, or give it a larger disk: see disk.low")
	case free < lowSpace:
		d.say("storage", "free space", admin.Warning, left, "make room: without it nothing can be kept")
	default:
		d.say("storage", "free space", admin.OK, fmt.Sprintf("%d GiB are left in %s", free>>30, x.Dir), "")
	}
}

func (d *doctor) schema(ctx context.Context, st Store) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := st.Ping(ctx)
	current, newest := int64(0), int64(0)
	if err == nil {
		current, newest, err = st.MigrationStatus(ctx)
	}
	switch {
	case err != nil:
		d.say("storage", "database", admin.Failed, err.Error(), "see store.dsn")
	case current > newest:
		d.say("storage", "database", admin.Failed,
			fmt.Sprintf("%s: a newer parley has been here", st.Engine()), "use that one")
	case current < newest && d.n == nil && !d.c.Store.Migrate:
		d.say("storage", "database", admin.Warning,
			fmt.Sprintf("%s: the schema has version %d of %d", st.Engine(), current, newest), "parley migrate up")
	default:
		d.say("storage", "database", admin.OK, fmt.Sprintf("%s answers, schema %d", st.Engine(), current), "")
	}
}

func (d *doctor) clock(context.Context) {
	switch synced, known := clockSynced(); {
	case !known:
		d.say("clock", "synchronisation", admin.OK,
			d.now.UTC().Format("2006-01-02 15:04:05 UTC")+"; whether it is kept right is not known here", "")
	case !synced:
		d.say("clock", "synchronisation", admin.Warning,
			d.now.UTC().Format("2006-01-02 15:04:05 UTC")+"; nothing keeps it right", "let it follow a time server "+
				"(systemd-timesyncd, chrony): certificates and codes of second factors go by it")
	default:
		d.say("clock", "synchronisation", admin.OK, "it follows a time server", "")
	}
}

func (d *doctor) order(context.Context) {
	if d.n == nil {
		return
	}
	if err := d.n.CheckClock(); err != nil {
		d.say("clock", "messages", admin.Warning, err.Error(),
			"set the clock right; if it is, it was ahead when that message was kept, and time will mend it")
		return
	}
	d.say("clock", "messages", admin.OK, "it is not behind what is kept", "")
}

func (d *doctor) mail(ctx context.Context) {
	m := d.c.Mail
	if m.Host == "" || m.Show {
		d.say("e-mail", "relay", admin.OK, "none is configured: invitations are links to be copied", "")
		return
	}
	at := net.JoinHostPort(m.Host, fmt.Sprint(m.Port))
	roots, err := plan.Authorities(d.c.TLS.CAFiles)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		err = mail.Probe(ctx, plan.Mail(d.c, roots))
	}
	if err != nil {
		d.say("e-mail", at, admin.Failed, err.Error(), "see mail in the configuration")
		return
	}
	text := "it answers"
	if m.Username != "" {
		text += ", and takes the password"
	}
	if u, err := url.Parse(d.c.Web.URL); err == nil && u.Host == "" && len(d.c.Hosts) > 0 &&
		local(d.c.Hosts[0].Domain) {
		text += "; but links in mails lead to " + d.c.Hosts[0].Domain
	}
	d.say("e-mail", at, admin.OK, text, "")
}
