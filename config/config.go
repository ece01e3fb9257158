// Package config reads how a deployment is set up: viper in, one typed and validated Config out.
//
// Every key is documented in parley.sample.yaml. Only cmd and node know this package; the others get the values they
// need in their own types.
package config

import (
	_ "embed"
	"path/filepath"
	"time"
)

// Sample is the documented configuration file: every key with its default.
//
//go:embed parley.sample.yaml
var Sample []byte

// Config holds all settings. The yaml tag is the key; a dot separates the section from the key ("limits.stanza_size").
// Durations and sizes of 0 mean "no limit" where the sample says so. It does not change after Load.
type Config struct {
	Hosts            []Host            `yaml:"hosts"`
	Components       []Component       `yaml:"components"`
	Contact          Contact           `yaml:"contact"`
	OutageStatus     []string          `yaml:"outage_status"` // URLs (XEP-0455)
	ExternalServices []ExternalService `yaml:"external_services"`
	DataDir          string            `yaml:"data_dir"`
	Store            Store             `yaml:"store"`
	Cluster          Cluster           `yaml:"cluster"`
	Listeners        Listeners         `yaml:"listeners"`
	TLS              TLS               `yaml:"tls"`
	DNS              DNS               `yaml:"dns"`
	Auth             Auth              `yaml:"auth"`
	Limits           Limits            `yaml:"limits"`
	StreamManagement StreamManagement  `yaml:"stream_management"`
	Accounts         Accounts          `yaml:"accounts"`
	Archive          Archive           `yaml:"archive"`
	Upload           Upload            `yaml:"upload"`
	Disk             Disk              `yaml:"disk"`
	PubSub           PubSub            `yaml:"pubsub"`
	Rooms            Rooms             `yaml:"rooms"`
	Groups           Groups            `yaml:"groups"`
	Webhooks         Webhooks          `yaml:"webhooks"`
	Previews         Previews          `yaml:"previews"`
	Registration     Registration      `yaml:"registration"`
	Federation       Federation        `yaml:"federation"`
	TURN             TURN              `yaml:"turn"`
	Proxy65          Proxy65           `yaml:"proxy65"`
	Web              Web               `yaml:"web"`
	Mail             Mail              `yaml:"mail"`
	Backup           Backup            `yaml:"backup"`
	Log              Log               `yaml:"log"`
	Shutdown         Shutdown          `yaml:"shutdown"`
}

// Host is a hosted domain. A host without other settings may be written as its domain alone.
type Host struct {
	Domain      string `yaml:"domain"` // canonical after Load: lower case, A-labels as U-labels
	Title       string `yaml:"title"`
	Certificate string `yaml:"certificate"` // PEM chain; "": tls.certificate
	Key         string `yaml:"key"`
	// ArchiveRetention is how long messages of the host's people are kept; 0: Archive.Retention.
	ArchiveRetention time.Duration `yaml:"archive_retention"`
}

// Component is a domain that an external program serves (XEP-0114).
type Component struct {
	Domain string `yaml:"domain"`
	Secret string `yaml:"secret"` // this or SecretFile, not both
	// SecretFile names a file with the secret. White space around the secret is ignored.
	SecretFile string `yaml:"secret_file"`
}

// ExternalService is a server of another protocol that clients learn of (XEP-0215): STUN and TURN for calls.
type ExternalService struct {
	Type      string `yaml:"type"` // "stun", "turn", "turns" …
	Host      string `yaml:"host"`
	Port      int    `yaml:"port"`
	Transport string `yaml:"transport"` // "udp" or "tcp"
	Username  string `yaml:"username"`
	Password  string `yaml:"password"`
	// Secret is shared with a TURN server that derives time-limited credentials from it (coturn's use-auth-secret). It
	// excludes Username and Password.
	Secret string `yaml:"secret"`
}

// Contact lists where people write to about the service (XEP-0157), as URIs: "mailto:abuse@example.org".
type Contact struct {
	Abuse    []string `yaml:"abuse"`
	Admin    []string `yaml:"admin"`
	Feedback []string `yaml:"feedback"`
	Sales    []string `yaml:"sales"`
	Security []string `yaml:"security"`
	Status   []string `yaml:"status"`
	Support  []string `yaml:"support"`
}

// Store says where data is kept.
type Store struct {
	DSN            string `yaml:"dsn" secret:"dsn"` // "sqlite:PATH" or "postgres://…"; resolved by Load
	DSNFile        string `yaml:"dsn_file"`
	MaxConnections int    `yaml:"max_connections"`
	CommitBatch    int    `yaml:"commit_batch"` // writes per transaction of the group commit
	Migrate        bool   `yaml:"migrate"`      // update the schema on start
}

// Listeners says where the server listens. A listener without addresses is off.
type Listeners struct {
	C2S       C2S       `yaml:"c2s"`
	C2STLS    Listener  `yaml:"c2s_tls"`
	WebSocket WebSocket `yaml:"websocket"`
	Component Listener  `yaml:"component"` // XEP-0114
	Metrics   Listener  `yaml:"metrics"`
	Proxy65   Listener  `yaml:"proxy65"` // XEP-0065
	Control   Control   `yaml:"control"`
}

// Listener is a list of "host:port". Port 0 takes a free port.
type Listener struct {
	Addresses      []string `yaml:"addresses"`
	TrustedProxies []string `yaml:"trusted_proxies"` // networks; see Networks
}

// C2S is the listener for clients over TCP with STARTTLS (RFC 6120).
type C2S struct {
	Addresses      []string `yaml:"addresses"`
	TrustedProxies []string `yaml:"trusted_proxies"`
	RequireTLS     bool     `yaml:"require_tls"`
}

// WebSocket is the web listener: XMPP over WebSocket (RFC 7395) and BOSH, the web pages, uploads.
type WebSocket struct {
	Addresses      []string `yaml:"addresses"`       // wss
	PlainAddresses []string `yaml:"plain_addresses"` // ws, for a proxy that ends TLS; counts as encrypted
	Path           string   `yaml:"path"`
	BOSHPath       string   `yaml:"bosh_path"` // XEP-0206; "": none
	Origins        []string `yaml:"origins"`   // other hosts whose pages may connect; "*" for any
	// TrustedProxies lists networks. If it is empty, PlainAddresses trust every peer on this machine or in a private
	// network.
	TrustedProxies []string `yaml:"trusted_proxies"`
}

// Control is the Unix socket of the command line.
type Control struct {
	Path string `yaml:"path"` // resolved by Load: data_dir/parley.sock where it is empty
	Mode string `yaml:"mode"` // octal, "0600"
}

// TLS holds the settings of every TLS listener and of connections to other servers.
type TLS struct {
	Certificate    string        `yaml:"certificate"`
	Key            string        `yaml:"key"`
	MinVersion     string        `yaml:"min_version"` // "1.2" or "1.3"
	CAFiles        []string      `yaml:"ca_files"`    // trusted in addition to the system's
	ReloadInterval time.Duration `yaml:"reload_interval"`
	ACME           ACME          `yaml:"acme"`
}

// ACME says where to get the certificates that are in no file.
type ACME struct {
	Enabled   bool     `yaml:"enabled"`
	Terms     bool     `yaml:"accept_terms"`
	Email     string   `yaml:"email"`
	Directory string   `yaml:"directory"`
	CAFile    string   `yaml:"ca_file"`
	Names     []string `yaml:"names"`
	HTTPPort  int      `yaml:"http_port"`
	TLSPort   int      `yaml:"tls_port"`
	Host      string   `yaml:"host"`
}

// DNS holds the settings for finding other servers.
type DNS struct {
	Resolver string        `yaml:"resolver"` // "host:port"; "": the system's
	DNSSEC   bool          `yaml:"dnssec"`
	Timeout  time.Duration `yaml:"timeout"`
}

// Auth holds the settings of SASL and passwords.
type Auth struct {
	Mechanisms          []string      `yaml:"mechanisms"` // in order of preference
	ScramIterations     int           `yaml:"scram_iterations"`
	DowngradeProtection bool          `yaml:"downgrade_protection"` // XEP-0474
	TokenLifetime       time.Duration `yaml:"token_lifetime"`       // XEP-0484; 0: no tokens
	PasswordPolicy      bool          `yaml:"password_policy"`
	TwoFactor           []string      `yaml:"two_factor"` // roles that need a second factor
	AttemptsPerStream   int           `yaml:"attempts_per_stream"`
	ResourceConflict    string        `yaml:"resource_conflict"` // "replace", "refuse", "generate"
	Throttle            Throttle      `yaml:"throttle"`
}

// Throttle limits failed sign-ins.
type Throttle struct {
	PerAccount int           `yaml:"per_account"` // failures of one account from one address within Window
	PerAddress int           `yaml:"per_address"` // failures from one address within Window
	Window     time.Duration `yaml:"window"`
}

// Limits limits what a client may cost.
type Limits struct {
	StanzaSizeUnauthenticated Size `yaml:"stanza_size_unauthenticated"`
	StanzaSize                Size `yaml:"stanza_size"`
	Depth                     int  `yaml:"depth"`
	Attributes                int  `yaml:"attributes"` // per element
	BytesPerSecond            Size `yaml:"bytes_per_second"`
	BytesBurst                Size `yaml:"bytes_burst"`
	StanzasPerSecond          int  `yaml:"stanzas_per_second"`
	StanzasBurst              int  `yaml:"stanzas_burst"`
	// that one person adds to archives; 0: a part of BytesPerSecond
	ArchiveBytesPerSecond Size          `yaml:"archive_bytes_per_second"`
	ArchiveBytesBurst     Size          `yaml:"archive_bytes_burst"`
	SendQueue             Size          `yaml:"send_queue"`
	Connections           int           `yaml:"connections"`
	ConnectionsPerAddress int           `yaml:"connections_per_address"`
	ConnectionsPending    int           `yaml:"connections_pending"` // of clients before sign-in
	SessionsPerAccount    int           `yaml:"sessions_per_account"`
	HandshakeTimeout      time.Duration `yaml:"handshake_timeout"`
	AuthTimeout           time.Duration `yaml:"auth_timeout"`
	WriteTimeout          time.Duration `yaml:"write_timeout"`
	KeepAlive             time.Duration `yaml:"keep_alive"`
}

// StreamManagement holds the settings of XEP-0198.
type StreamManagement struct {
	ResumeTimeout time.Duration `yaml:"resume_timeout"`
	MaxStanzas    int           `yaml:"max_stanzas"` // unacknowledged, per session
	MaxBytes      Size          `yaml:"max_bytes"`
	AckEvery      int           `yaml:"ack_every"` // stanzas that cause an <r/> at once
	AckInterval   time.Duration `yaml:"ack_interval"`
	MaxMisses     int           `yaml:"max_misses"` // intervals without an answer
}

// Accounts limits what is kept for each account.
type Accounts struct {
	MaxContacts        int           `yaml:"max_contacts"`
	MaxBookmarks       int           `yaml:"max_bookmarks"`
	OfflineMessages    int           `yaml:"offline_messages"`
	OfflineBytes       Size          `yaml:"offline_bytes"` // size of all messages that wait for one account
	OfflineExpiry      time.Duration `yaml:"offline_expiry"`
	PrivateElements    int           `yaml:"private_elements"`     // XEP-0049
	PrivateElementSize Size          `yaml:"private_element_size"` // of one element
	// how long nobody else gets the name of a deleted account
	NameQuarantine time.Duration `yaml:"name_quarantine"`
	PushSender     bool          `yaml:"push_sender"` // push services learn who sent a message (XEP-0357)
}

// Upload holds the settings of file upload (XEP-0363).
type Upload struct {
	Enabled bool          `yaml:"enabled"`
	Dir     string        `yaml:"dir"` // "": data_dir/uploads
	URL     string        `yaml:"url"` // "": https://<host>:<port of the websocket listener>/upload
	MaxSize Size          `yaml:"max_size"`
	Quota   Size          `yaml:"quota"`
	Expiry  time.Duration `yaml:"expiry"`
	S3      S3            `yaml:"s3"`
}

// PubSub limits the nodes of accounts and of the service (XEP-0060, XEP-0163).
type PubSub struct {
	Nodes             int  `yaml:"nodes"`               // per account
	ServiceNodes      int  `yaml:"service_nodes"`       // of pubsub.<host>
	ServiceShare      int  `yaml:"service_share"`       // the part of them that one person may make
	Items             int  `yaml:"items"`               // per node
	ItemSize          Size `yaml:"item_size"`           // of one payload
	Bytes             Size `yaml:"bytes"`               // of all payloads of one account
	ServiceBytes      Size `yaml:"service_bytes"`       // of all payloads of pubsub.<host>
	ServiceBytesShare Size `yaml:"service_bytes_share"` // the part of them in nodes that one person made
	Subscriptions     int  `yaml:"subscriptions"`       // per node
}

// S3 is a bucket of an object store. Without Endpoint there is none.
type S3 struct {
	Endpoint      string `yaml:"endpoint"` // host or host:port
	Bucket        string `yaml:"bucket"`
	Region        string `yaml:"region"`
	Prefix        string `yaml:"prefix"`
	AccessKey     string `yaml:"access_key"`
	SecretKey     string `yaml:"secret_key" secret:"yes"`
	SecretKeyFile string `yaml:"secret_key_file"`
	Plain         bool   `yaml:"plain"` // HTTP, not HTTPS
}

// Archive holds the settings of accounts' archives (XEP-0313).
type Archive struct {
	DefaultPolicy string        `yaml:"default_policy"` // "always", "roster", "never"
	Retention     time.Duration `yaml:"retention"`
	PageMax       int           `yaml:"page_max"`
	Search        bool          `yaml:"search"` // full-text search, in archives of accounts and rooms
}

// Rooms holds the settings of group chat (XEP-0045).
type Rooms struct {
	Label          string        `yaml:"label"`  // the service is at <label>.<host>
	Create         string        `yaml:"create"` // "anyone", "local", "admins"
	MaxOccupants   int           `yaml:"max_occupants"`
	MaxPerUser     int           `yaml:"max_per_user"` // rooms that an account may own
	NameLength     int           `yaml:"name_length"`  // bytes of a room's localpart and of a nickname
	HistoryDefault int           `yaml:"history_default"`
	HistoryMax     int           `yaml:"history_max"`
	MessageSize    Size          `yaml:"message_size"`
	MessageRate    int           `yaml:"message_rate"` // per occupant and second
	MessageBurst   int           `yaml:"message_burst"`
	Archive        bool          `yaml:"archive"`
	Retention      time.Duration `yaml:"retention"`
	// when to ask silent clients of other servers whether they are still there
	GuestPing time.Duration `yaml:"guest_ping"`
}

// Groups holds the settings of the organization's groups and themes.
type Groups struct {
	Create      string `yaml:"create"`       // "members", "admins"
	ThemesBy    string `yaml:"themes_by"`    // "members", "moderators": for a new group
	SpacesLabel string `yaml:"spaces_label"` // the spaces service is at <label>.<host>
	MeetingURL  string `yaml:"meeting_url"`  // template: https://meet.example.org/{room}-{secret}; "": no meetings
	// ThemeIdle is the time without a message after which the clients of people who have not taken part no longer enter
	// a theme, until somebody writes there; 0: never.
	ThemeIdle time.Duration `yaml:"theme_idle"`
	// AdminsOwn makes the organization's administrators owners of every group: they read and manage it without being
	// members.
	AdminsOwn  bool `yaml:"admins_own"`
	MaxMembers int  `yaml:"max_members"` // per group
	MaxOwned   int  `yaml:"max_owned"`   // groups that one person owns
	MaxThemes  int  `yaml:"max_themes"`  // per group, including closed and archived ones
	ThemePace  int  `yaml:"theme_pace"`  // themes that one person may start in an hour
	MaxTeam    int  `yaml:"max_team"`    // people per team
	MaxRoster  int  `yaml:"max_roster"`  // largest team whose people are in each other's contact lists
}

// Webhooks holds the settings of webhooks, which connect groups' rooms with other programs.
type Webhooks struct {
	URL         string        `yaml:"url"` // "": https://<host>:<port of the websocket listener>/hooks
	MaxPerGroup int           `yaml:"max_per_group"`
	Rate        int           `yaml:"rate"` // requests per second to one webhook
	Burst       int           `yaml:"burst"`
	Timeout     time.Duration `yaml:"timeout"`  // of an outgoing request
	Retry       time.Duration `yaml:"retry"`    // before the second attempt
	Attempts    int           `yaml:"attempts"` // before a delivery is given up
	Log         time.Duration `yaml:"log"`      // how long deliveries are remembered
	Allow       []string      `yaml:"allow"`    // networks besides the public internet that webhooks may reach
}

// Previews holds the settings of link previews.
type Previews struct {
	Allow []string `yaml:"allow"` // networks besides the public internet from which pages are fetched
}

// Registration holds the settings of in-band registration (XEP-0077).
type Registration struct {
	Enabled        bool   `yaml:"enabled"`
	ChangePassword bool   `yaml:"change_password"`
	PerHour        int    `yaml:"per_hour"`    // new accounts per address
	Invitations    string `yaml:"invitations"` // whose invitations allow new accounts: "anyone", "admins", "nobody"
}

// Federation holds the settings for communicating with other servers.
type Federation struct {
	Enabled        bool     `yaml:"enabled"`
	Addresses      []string `yaml:"addresses"`     // with STARTTLS
	TLSAddresses   []string `yaml:"tls_addresses"` // direct TLS
	TrustedProxies []string `yaml:"trusted_proxies"`
	// networks besides the public internet that the server connects to
	AllowNetworks      []string      `yaml:"allow_networks"`
	RequireTLS         bool          `yaml:"require_tls"`
	RequireCertificate bool          `yaml:"require_certificate"`
	AllowDialback      bool          `yaml:"allow_dialback"`
	Bidi               bool          `yaml:"bidi"`
	Publish            bool          `yaml:"publish"` // XEP-0485
	Block              []string      `yaml:"block"`   // domains; "*.example.org" for everything below
	Allow              []string      `yaml:"allow"`   // if not empty: only these
	StanzaSize         Size          `yaml:"stanza_size"`
	StanzasPerSecond   int           `yaml:"stanzas_per_second"` // per remote domain
	StanzasBurst       int           `yaml:"stanzas_burst"`
	Strangers          string        `yaml:"strangers"`
	StrangersPerMinute int           `yaml:"strangers_per_minute"`
	JoinsPerMinute     int           `yaml:"joins_per_minute"`
	SendQueue          Size          `yaml:"send_queue"` // per pair of domains
	Connections        int           `yaml:"connections"`
	Unproven           int           `yaml:"unproven"` // connections that have not proven a domain
	HandshakeTimeout   time.Duration `yaml:"handshake_timeout"`
	AuthTimeout        time.Duration `yaml:"auth_timeout"`
	IdleTimeout        time.Duration `yaml:"idle_timeout"`
}

// Web holds the settings of the web pages: console, own pages, invitations.
type Web struct {
	Enabled bool `yaml:"enabled"`
	// the start of links; "": https://<host>:<port of the websocket listener>
	URL         string        `yaml:"url"`
	PlainLinks  bool          `yaml:"plain_links"` // links lead to the plain listener on this machine
	SessionIdle time.Duration `yaml:"session_idle"`
	InviteTime  time.Duration `yaml:"invite_time"` // how long a link is valid
}

// Mail says how e-mail is sent. Without Host no mail is sent.
type Mail struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"`
	TLS          string `yaml:"tls"` // "starttls", "tls", "none"
	Username     string `yaml:"username"`
	Password     string `yaml:"password" secret:"yes"`
	PasswordFile string `yaml:"password_file"`
	From         string `yaml:"from"`
	PerMinute    int    `yaml:"per_minute"`
	Show         bool   `yaml:"show"`        // nothing is sent; /dev/outbox shows what would be
	Digest       string `yaml:"digest"`      // "off", "daily", "weekly": for people who have not chosen
	DigestHour   int    `yaml:"digest_hour"` // by the machine's clock
}

// Log holds the settings of the log.
type Log struct {
	Level  string `yaml:"level"`  // "debug", "info", "warn", "error"
	Format string `yaml:"format"` // "text", "json"
	// FailedSignIns logs each failed sign-in with the address and the account as it was typed.
	FailedSignIns bool `yaml:"failed_sign_ins"`
}

// Shutdown holds the settings of stopping.
type Shutdown struct {
	Grace time.Duration `yaml:"grace"`
	// administrators may stop and restart the server from their clients (XEP-0133)
	ByCommand bool `yaml:"by_command"`
}

// Dev returns the settings of `parley dev`: the defaults, but all data in dataDir, the embedded store, loopback only,
// no federation, and the host localhost. They lack the certificate files.
func Dev(dataDir string) *Config {
	c := Default()
	c.DataDir = dataDir
	c.Hosts = []Host{{Domain: "localhost"}}
	c.Listeners.C2S.Addresses = loopback("5222")
	c.Listeners.C2STLS.Addresses = loopback("5223")
	c.Listeners.WebSocket.Addresses = loopback("5443")
	c.Listeners.WebSocket.PlainAddresses = loopback("5280")
	c.Listeners.WebSocket.Origins = []string{"localhost", "localhost:*", "127.0.0.1:*"}
	c.Listeners.Component.Addresses = []string{"127.0.0.1:5347"}
	c.Listeners.Metrics.Addresses = []string{"127.0.0.1:9280"}
	c.Web.PlainLinks, c.Mail.Show = true, true
	c.Federation.Enabled = false
	c.Federation.Addresses = loopback("5269")
	c.Federation.TLSAddresses = loopback("5270")
	c.resolve()
	return c
}

// loopback returns 127.0.0.1 only: many containers lack ::1, and clients try both.
func loopback(port string) []string { return []string{"127.0.0.1:" + port} }

// resolve fills in what follows from other keys.
func (c *Config) resolve() {
	if c.Store.DSN == "" {
		c.Store.DSN = "sqlite:" + filepath.Join(c.DataDir, "parley.db")
	}
	if c.Listeners.Control.Path == "" {
		c.Listeners.Control.Path = filepath.Join(c.DataDir, "parley.sock")
	}
}
