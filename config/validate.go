package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/wire/jid"
)

// Mechanisms lists the values that auth.mechanisms may have.
var Mechanisms = []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}

// validate checks what the types cannot. It says nothing about keys that already has problems with.
func (c *Config) validate(already Problems) (ps Problems) {
	v := &checker{silent: make(map[string]bool)}
	for _, p := range already {
		v.silent[p.Key] = true
	}
	c.checkHosts(v)
	c.checkStore(v)
	c.checkListeners(v)
	c.checkProxies(v)
	c.checkTLS(v)
	c.checkChoices(v)
	c.checkRanges(v)
	c.checkTURN(v)
	c.checkProxy65(v)
	c.checkFederation(v)
	c.checkCluster(v)
	c.checkWeb(v)
	return v.ps
}

type checker struct {
	ps     Problems
	silent map[string]bool
}

func (v *checker) add(key, format string, args ...any) {
	if !v.silent[key] {
		v.ps.add(key, format, args...)
	}
}

func (c *Config) checkServices(v *checker) {
	for i, e := range c.ExternalServices {
		at := fmt.Sprintf("external_services[%d]", i)
		switch {
		case e.Type == "" || e.Host == "":
			v.add(at, "set the service's type and host")
		case e.Port < 0 || e.Port > 65535:
			v.add(at+".port", "%d is not a valid port", e.Port)
		case e.Transport != "" && e.Transport != "udp" && e.Transport != "tcp":
			v.add(at+".transport", "%q is neither udp nor tcp", e.Transport)
		case e.Secret != "" && (e.Username != "" || e.Password != ""):
			v.add(at+".secret", "leave out username and password, which are derived from the secret")
		default:
			if err := checkHostName(e.Host); err != nil {
				v.add(at+".host", "%v, or an IP address", err)
			}
		}
	}
	for i, s := range c.OutageStatus {
		v.webAddress(fmt.Sprintf("outage_status[%d]", i), s, "of a web page", anyAddress)
	}
	for name, uris := range c.Contact.All() {
		for _, u := range uris {
			if p, err := url.Parse(u); err != nil || p.Scheme == "" {
				v.add("contact."+name, "%q is not a URI: write it like mailto:abuse@example.org", u)
			}
		}
	}
}

// All returns the lists by their names.
func (c Contact) All() map[string][]string {
	return map[string][]string{
		"abuse":    c.Abuse,
		"admin":    c.Admin,
		"feedback": c.Feedback,
		"sales":    c.Sales,
		"security": c.Security,
		"status":   c.Status,
		"support":  c.Support,
	}
}

func (c *Config) checkComponents(v *checker, taken map[string]string) {
	for i := range c.Components {
		m := &c.Components[i]
		at := fmt.Sprintf("components[%d]", i)
		domain, err := domainName(m.Domain, "")
		if err != nil {
			v.add(at+".domain", "%v", err)
			continue
		}
		m.Domain = domain
		if by, ok := taken[m.Domain]; ok {
			v.add(at+".domain", "%s is already served by %s", m.Domain, by)
		} else {
			taken[m.Domain] = at
		}
		if (m.Secret == "") == (m.SecretFile == "") {
			v.add(at+".secret", "set either secret or secret_file")
		}
		if len(c.Listeners.Component.Addresses) == 0 {
			v.add("listeners.component.addresses", "components need an address to connect to")
		}
	}
}

func (c *Config) checkHosts(v *checker) {
	if len(c.Hosts) == 0 {
		v.add("hosts", "no host is set: name the domain of your addresses, like hosts: [example.org]")
	}
	taken := make(map[string]string) // domain: by what
	var hosts []string
	for i := range c.Hosts {
		h := &c.Hosts[i]
		at := fmt.Sprintf("hosts[%d]", i)
		domain, err := domainName(h.Domain, "")
		if err != nil {
			v.add(at+".domain", "%v", err)
			continue
		}
		h.Domain = domain
		if first, ok := taken[domain]; ok {
			v.add(at+".domain", "%s is listed twice, first in %s", domain, first)
			v.silent[at+".certificate"] = true
			continue
		}
		taken[domain] = at
		hosts = append(hosts, domain)
		if (h.Certificate == "") != (h.Key == "") {
			v.add(at+".certificate", "certificate and key belong together: set both, or neither to use tls.certificate")
		}
	}
	c.checkOwnServices(v, hosts, taken)
	c.checkComponents(v, taken)
	c.checkServices(v)
	for _, l := range []struct{ key, label string }{
		{"rooms.label", c.Rooms.Label},
		{"groups.spaces_label", c.Groups.SpacesLabel},
	} {
		if j, err := jid.Parse(l.label); err != nil || j.Domain() != l.label || strings.ContainsAny(l.label, ".@/") {
			v.add(l.key, "%q is not a label of a domain: use lower-case letters, digits and hyphens", l.label)
		}
	}
}

func (c *Config) checkStore(v *checker) {
	if c.DataDir == "" {
		v.add("data_dir", "no directory is set")
	}
	switch scheme, rest, _ := strings.Cut(c.Store.DSN, ":"); scheme {
	case "sqlite":
		if rest == "" {
			v.add("store.dsn", "name the file: sqlite:/var/lib/parley/parley.db")
		}
	case "postgres", "postgresql":
		if u, err := url.Parse(c.Store.DSN); err != nil || u.Host == "" && u.Query().Get("host") == "" {
			// not the value: it may hold a password
			v.add("store.dsn", "this is not a postgres URL: write postgres://user:password@host:26257/database")
		}
	default:
		v.add("store.dsn", "it begins with neither sqlite: nor postgres: (CockroachDB and PostgreSQL)")
	}
}

func (c *Config) checkListeners(v *checker) {
	l := &c.Listeners
	used := make(map[string]string)
	for _, d := range []struct {
		key       string
		addresses []string
	}{
		{"listeners.c2s.addresses", l.C2S.Addresses},
		{"listeners.c2s_tls.addresses", l.C2STLS.Addresses},
		{"listeners.websocket.addresses", l.WebSocket.Addresses},
		{"listeners.websocket.plain_addresses", l.WebSocket.PlainAddresses},
		{"listeners.component.addresses", l.Component.Addresses},
		{"listeners.proxy65.addresses", l.Proxy65.Addresses},
		{"listeners.metrics.addresses", l.Metrics.Addresses},
		{"federation.addresses", c.Federation.Addresses},
		{"federation.tls_addresses", c.Federation.TLSAddresses},
	} {
		for _, a := range d.addresses {
			port, err := checkAddress(a, 0)
			if err != nil {
				v.add(d.key, "%v", err)
			} else if by, ok := used[a]; ok && port != 0 {
				v.add(d.key, "%s is already taken by %s", a, by)
			}
			used[a] = d.key
		}
	}
	if len(l.C2S.Addresses)+len(l.C2STLS.Addresses)+len(l.WebSocket.Addresses)+len(l.WebSocket.PlainAddresses) == 0 {
		v.add("listeners", "all listeners for clients are off: give one of them an address")
	}
	if !strings.HasPrefix(l.WebSocket.Path, "/") || strings.ContainsAny(l.WebSocket.Path, " {}?#") {
		v.add("listeners.websocket.path", "%q is not a path: write it like /xmpp-websocket", l.WebSocket.Path)
	}
	if p := l.WebSocket.BOSHPath; p != "" &&
		(!strings.HasPrefix(p, "/") || p == l.WebSocket.Path || strings.ContainsAny(p, " {}")) {
		v.add("listeners.websocket.bosh_path", "%q is not a path of its own: write it like /http-bind", p)
	}
	if m, err := strconv.ParseUint(l.Control.Mode, 8, 32); err != nil || m > 0o777 || m&0o600 != 0o600 || m&0o007 != 0 {
		v.add("listeners.control.mode", "%q must be 0600, or 0660 to let the socket's group in: everyone who may "+
			"write to it is an administrator", l.Control.Mode)
	}
	if n := len(l.Control.Path); n > 100 {
		v.add("listeners.control.path", "%d bytes are too long for a Unix socket: at most 100", n)
	}
}

// checkAddress parses "host:port". It adds defaultPort if there is none; 0 means that a port is required.
func checkAddress(a string, defaultPort int) (port int, err error) {
	host, p, err := net.SplitHostPort(a)
	if err != nil && defaultPort > 0 {
		host, p, err = net.SplitHostPort(net.JoinHostPort(strings.Trim(a, "[]"), strconv.Itoa(defaultPort)))
	}
	if err != nil {
		return 0, fmt.Errorf("%q needs a port: write it like 0.0.0.0:5222, [::]:5222 or :5222", a)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q: the port must be a number up to 65535", a)
	}
	if host != "" && host != "localhost" {
		if _, err := netip.ParseAddr(host); err != nil {
			return 0, fmt.Errorf("%q: write an IP address of this machine, or :%s for all of them", a, p)
		}
	}
	return int(n), nil
}

func (c *Config) checkTLS(v *checker) {
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		v.add("tls.certificate", "certificate and key belong together: set both")
	}
	for i, h := range c.Hosts {
		if h.Certificate == "" && c.TLS.Certificate == "" && !c.TLS.ACME.Enabled {
			v.add(fmt.Sprintf("hosts[%d].certificate", i),
				"%s has no certificate: give it one, or one for all hosts in tls.certificate and tls.key, or let "+
					"tls.acme get one", h.Domain)
		}
	}
	c.checkACME(v)
	if c.DNS.DNSSEC && c.DNS.Resolver == "" {
		v.add("dns.dnssec", "set dns.resolver to a resolver that checks DNSSEC")
	}
	if r := c.DNS.Resolver; r != "" {
		if _, err := checkAddress(r, 53); err != nil {
			v.add("dns.resolver", "%v", err)
		} else if _, _, err := net.SplitHostPort(r); err != nil {
			c.DNS.Resolver = net.JoinHostPort(strings.Trim(r, "[]"), "53")
		}
	}
}

func (c *Config) checkChoices(v *checker) {
	choice := func(key, value string, of ...string) {
		if !slices.Contains(of, value) {
			v.add(key, "%q is not one of %s", value, strings.Join(of, ", "))
		}
	}
	choice("tls.min_version", c.TLS.MinVersion, "1.2", "1.3")
	choice("auth.resource_conflict", c.Auth.ResourceConflict, "replace", "refuse", "generate")
	choice("archive.default_policy", c.Archive.DefaultPolicy, "always", "roster", "never")
	choice("rooms.create", c.Rooms.Create, "anyone", "local", "admins")
	choice("registration.invitations", c.Registration.Invitations, "anyone", "admins", "nobody")
	choice("groups.create", c.Groups.Create, "members", "admins")
	choice("groups.themes_by", c.Groups.ThemesBy, "members", "moderators")
	if m := c.Groups.MeetingURL; m != "" {
		v.webAddress("groups.meeting_url", m, "with {secret} in it, like https://meet.example.org/{room}-{secret}",
			func(*url.URL) bool { return strings.Contains(m, "{secret}") })
	}
	choice("log.level", c.Log.Level, "debug", "info", "warn", "error")
	choice("log.format", c.Log.Format, "text", "json")
	for _, m := range c.Auth.Mechanisms {
		choice("auth.mechanisms", m, Mechanisms...)
	}
	for _, r := range c.Auth.TwoFactor {
		choice("auth.two_factor", r, "member", "supervisor", "admin", "owner")
	}
	if len(c.Auth.Mechanisms) == 0 {
		v.add("auth.mechanisms", "nobody could sign in: name at least one of %s", strings.Join(Mechanisms, ", "))
	}
}

func (c *Config) checkRanges(v *checker) {
	num := func(key string, n, low, high int) {
		if n < low || n > high {
			v.add(key, "%d is not between %d and %d", n, low, high)
		}
	}
	size := func(key string, s, low, high Size) {
		if s < low || s > high {
			v.add(key, "%v is not between %v and %v", s, low, high)
		}
	}
	span := func(key string, d, low, high time.Duration) {
		if d < low || d > high {
			v.add(key, "%s is not between %s and %s", FormatDuration(d), FormatDuration(low), FormatDuration(high))
		}
	}
	const many = 1 << 30
	num("store.max_connections", c.Store.MaxConnections, 2, 1000)
	num("store.commit_batch", c.Store.CommitBatch, 1, 10000)
	span("tls.reload_interval", c.TLS.ReloadInterval, time.Second, day)
	span("dns.timeout", c.DNS.Timeout, 100*time.Millisecond, time.Minute)

	num("auth.scram_iterations", c.Auth.ScramIterations, 4096, 10_000_000) // RFC 5802, section 5.1: at least 4096
	num("auth.attempts_per_stream", c.Auth.AttemptsPerStream, 1, 100)
	num("auth.throttle.per_account", c.Auth.Throttle.PerAccount, 1, many)
	num("auth.throttle.per_address", c.Auth.Throttle.PerAddress, 1, many)
	span("auth.throttle.window", c.Auth.Throttle.Window, time.Second, day)

	l := &c.Limits
	size("limits.stanza_size_unauthenticated", l.StanzaSizeUnauthenticated, 4*KiB, MiB)
	size("limits.stanza_size", l.StanzaSize, 10000, 64*MiB) // RFC 6120, section 13.12: at least 10000
	num("limits.depth", l.Depth, 8, 1000)
	num("limits.attributes", l.Attributes, 8, 1000)
	size("limits.bytes_per_second", l.BytesPerSecond, 0, 64*GiB)
	size("limits.bytes_burst", l.BytesBurst, 0, 64*GiB)
	num("limits.stanzas_per_second", l.StanzasPerSecond, 0, many)
	num("limits.stanzas_burst", l.StanzasBurst, 0, many)
	size("limits.archive_bytes_per_second", l.ArchiveBytesPerSecond, 0, 64*GiB)
	size("limits.archive_bytes_burst", l.ArchiveBytesBurst, 0, 64*GiB)
	size("limits.send_queue", l.SendQueue, 64*KiB, GiB)
	num("limits.connections", l.Connections, 0, many)
	num("limits.connections_per_address", l.ConnectionsPerAddress, 0, many)
	num("limits.connections_pending", l.ConnectionsPending, 0, many)
	num("limits.sessions_per_account", l.SessionsPerAccount, 1, 10000)
	span("limits.handshake_timeout", l.HandshakeTimeout, time.Second, 10*time.Minute)
	span("limits.auth_timeout", l.AuthTimeout, time.Second, 10*time.Minute)
	span("limits.write_timeout", l.WriteTimeout, time.Second, 10*time.Minute)
	span("limits.keep_alive", l.KeepAlive, 0, day)
	if l.SendQueue < l.StanzaSize {
		v.add("limits.send_queue", "%v is less than limits.stanza_size (%v): one stanza would close the stream",
			l.SendQueue, l.StanzaSize)
	}
	if l.BytesPerSecond > 0 && l.BytesBurst < l.StanzaSize {
		v.add("limits.bytes_burst", "%v is less than limits.stanza_size (%v): one stanza would have to wait",
			l.BytesBurst, l.StanzaSize)
	}
	if l.ArchiveBytesBurst > 0 && l.ArchiveBytesBurst < l.StanzaSize {
		v.add("limits.archive_bytes_burst", "%v is less than limits.stanza_size (%v): one stanza would have to wait",
			l.ArchiveBytesBurst, l.StanzaSize)
	}
	if l.StanzasPerSecond > 0 && l.StanzasBurst < 1 {
		v.add("limits.stanzas_burst", "at least 1 is needed where limits.stanzas_per_second is set")
	}
	c.checkMoreRanges(v, num, size, span)
}

func (c *Config) checkMoreRanges(v *checker, num func(string, int, int, int), size func(string, Size, Size, Size),
	span func(string, time.Duration, time.Duration, time.Duration)) {
	const many = 1 << 30
	span("stream_management.resume_timeout", c.StreamManagement.ResumeTimeout, 0, day)
	num("stream_management.max_stanzas", c.StreamManagement.MaxStanzas, 10, many)
	size("stream_management.max_bytes", c.StreamManagement.MaxBytes, 64*KiB, GiB)
	num("stream_management.ack_every", c.StreamManagement.AckEvery, 1, 10000)
	span("stream_management.ack_interval", c.StreamManagement.AckInterval, time.Second, time.Hour)
	num("stream_management.max_misses", c.StreamManagement.MaxMisses, 1, 1000)
	if c.StreamManagement.AckEvery >= c.StreamManagement.MaxStanzas {
		v.add("stream_management.ack_every",
			"it must be less than stream_management.max_stanzas, or sessions end before they are asked")
	}

	num("accounts.max_contacts", c.Accounts.MaxContacts, 1, many)
	num("accounts.max_bookmarks", c.Accounts.MaxBookmarks, 1, many)
	num("accounts.offline_messages", c.Accounts.OfflineMessages, 0, many)
	size("accounts.offline_bytes", c.Accounts.OfflineBytes, c.Limits.StanzaSize, 64*GiB)
	num("groups.max_members", c.Groups.MaxMembers, 2, 100_000)
	num("groups.max_owned", c.Groups.MaxOwned, 1, many)
	num("groups.max_themes", c.Groups.MaxThemes, 1, 10_000)
	num("groups.theme_pace", c.Groups.ThemePace, 1, 10_000)
	num("groups.max_team", c.Groups.MaxTeam, 1, 100_000)
	num("groups.max_roster", c.Groups.MaxRoster, 1, 2000)
	if c.Groups.ThemeIdle != 0 {
		span("groups.theme_idle", c.Groups.ThemeIdle, time.Hour, 3650*day)
	}
	span("accounts.offline_expiry", c.Accounts.OfflineExpiry, time.Hour, 3650*day)
	span("accounts.name_quarantine", c.Accounts.NameQuarantine, 0, 36500*day)
	num("accounts.private_elements", c.Accounts.PrivateElements, 0, 100000)
	size("accounts.private_element_size", c.Accounts.PrivateElementSize, KiB, 64*MiB)

	num("pubsub.nodes", c.PubSub.Nodes, 1, many)
	num("pubsub.service_nodes", c.PubSub.ServiceNodes, 1, many)
	num("pubsub.service_share", c.PubSub.ServiceShare, 1, many)
	num("pubsub.items", c.PubSub.Items, 1, 100000)
	size("pubsub.item_size", c.PubSub.ItemSize, KiB, 64*MiB)
	size("pubsub.bytes", c.PubSub.Bytes, c.PubSub.ItemSize, 1024*GiB)
	size("pubsub.service_bytes", c.PubSub.ServiceBytes, c.PubSub.ItemSize, 1024*GiB)
	size("pubsub.service_bytes_share", c.PubSub.ServiceBytesShare, c.PubSub.ItemSize, 1024*GiB)
	num("pubsub.subscriptions", c.PubSub.Subscriptions, 1, many)

	span("auth.token_lifetime", c.Auth.TokenLifetime, 0, 3650*day)
	span("upload.expiry", c.Upload.Expiry, time.Hour, 36500*day)
	c.checkUpload(v, size)
	span("archive.retention", c.Archive.Retention, 0, 36500*day)
	for i, h := range c.Hosts {
		span(fmt.Sprintf("hosts[%d].archive_retention", i), h.ArchiveRetention, 0, 36500*day)
	}
	num("archive.page_max", c.Archive.PageMax, 1, 10000)

	num("rooms.max_occupants", c.Rooms.MaxOccupants, 1, many)
	num("rooms.max_per_user", c.Rooms.MaxPerUser, 1, many)
	num("rooms.name_length", c.Rooms.NameLength, 16, 1000)
	num("rooms.history_max", c.Rooms.HistoryMax, 0, 10000)
	num("rooms.history_default", c.Rooms.HistoryDefault, 0, c.Rooms.HistoryMax)
	size("rooms.message_size", c.Rooms.MessageSize, KiB, c.Limits.StanzaSize)
	num("rooms.message_rate", c.Rooms.MessageRate, 1, many)
	num("rooms.message_burst", c.Rooms.MessageBurst, 1, many)
	if c.Rooms.GuestPing != 0 {
		span("rooms.guest_ping", c.Rooms.GuestPing, time.Minute, 7*day)
	}
	span("rooms.retention", c.Rooms.Retention, 0, 36500*day)
	c.checkDisk(v)
	c.checkWebhooks(v, num, span)
	num("registration.per_hour", c.Registration.PerHour, 0, many)
	num("backup.keep", c.Backup.Keep, 1, 1000)
	span("shutdown.grace", c.Shutdown.Grace, 0, 10*time.Minute)
}

// checkUpload checks the section upload.
func (c *Config) checkUpload(v *checker, size func(string, Size, Size, Size)) {
	if c.Upload.URL != "" {
		v.webAddress("upload.url", c.Upload.URL, "to begin with: write it like https://files.example.org/upload",
			func(u *url.URL) bool { return !strings.HasSuffix(u.Path, "/") })
	}
	if s3 := c.Upload.S3; s3.Endpoint != "" {
		if strings.Contains(s3.Endpoint, "/") {
			v.add("upload.s3.endpoint", "%q is not a host: write it like s3.example.org or 10.0.0.1:9000", s3.Endpoint)
		}
		if s3.Bucket == "" {
			v.add("upload.s3.bucket", "name the bucket for the files")
		}
		if s3.AccessKey == "" || s3.SecretKey == "" {
			v.add("upload.s3.access_key", "the access key and the secret key of the bucket are missing")
		}
		size("upload.max_size", c.Upload.MaxSize, 1, 5*GiB)
	}
}

// CheckFiles returns an error for the files that the configuration names and that this process cannot read.
func (c *Config) CheckFiles() error {
	var ps Problems
	file := func(key, name string) {
		if name == "" {
			return
		}
		if f, err := os.Open(name); err != nil {
			ps.add(key, "%v", err)
		} else {
			f.Close()
		}
	}
	file("tls.certificate", c.TLS.Certificate)
	file("tls.key", c.TLS.Key)
	file("tls.acme.ca_file", c.TLS.ACME.CAFile)
	for i, h := range c.Hosts {
		file(fmt.Sprintf("hosts[%d].certificate", i), h.Certificate)
		file(fmt.Sprintf("hosts[%d].key", i), h.Key)
	}
	for i, name := range c.TLS.CAFiles {
		file(fmt.Sprintf("tls.ca_files[%d]", i), name)
	}
	if len(ps) > 0 {
		return ps
	}
	return nil
}
