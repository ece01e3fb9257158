package config

import "time"

const day = 24 * time.Hour

// Default returns the default settings. They lack a host and a certificate.
func Default() *Config {
	return &Config{
		DataDir: "/var/lib/parley",
		Store:   Store{MaxConnections: 16, CommitBatch: 512, Migrate: true},
		Listeners: Listeners{
			C2S:       C2S{Addresses: []string{":5222"}, RequireTLS: true},
			C2STLS:    Listener{Addresses: []string{":5223"}},
			WebSocket: WebSocket{Addresses: []string{":5443"}, Path: "/xmpp-websocket", BOSHPath: "/http-bind"},
			Component: Listener{Addresses: []string{"127.0.0.1:5347"}},
			Metrics:   Listener{Addresses: []string{"127.0.0.1:9280"}},
			Control:   Control{Mode: "0600"},
		},
		TLS: TLS{
			MinVersion:     "1.2",
			ReloadInterval: time.Minute,
			ACME:           ACME{Directory: letsEncrypt, HTTPPort: 80, TLSPort: 443},
		},
		DNS:     DNS{Timeout: 5 * time.Second},
		Auth:    defaultAuth(),
		Limits:  defaultLimits(),
		Proxy65: Proxy65{BytesPerSecond: 4 * MiB, PerAddress: 20, Pending: 200, Total: 1000},
		PubSub:  defaultPubSub(),
		Upload:  Upload{Enabled: true, MaxSize: 100 * MiB, Quota: GiB, Expiry: 90 * day},
		Disk:    Disk{Low: "5%", Lowest: "1%"},
		StreamManagement: StreamManagement{
			ResumeTimeout: 10 * time.Minute, MaxStanzas: 2000, MaxBytes: 4 * MiB,
			AckEvery: 50, AckInterval: 15 * time.Second, MaxMisses: 8,
		},
		Accounts:     defaultAccounts(),
		Archive:      Archive{DefaultPolicy: "always", PageMax: 250, Search: true},
		Rooms:        defaultRooms(),
		Groups:       defaultGroups(),
		Webhooks:     defaultWebhooks(),
		Registration: Registration{ChangePassword: true, PerHour: 5, Invitations: "admins"},
		Federation:   defaultFederation(),
		TURN:         defaultTURN(),
		Web:          Web{Enabled: true, SessionIdle: 14 * day, InviteTime: 7 * day},
		Mail:         Mail{Port: 587, TLS: "starttls", PerMinute: 20, Digest: "off", DigestHour: 7},
		Backup:       Backup{Keep: 3},
		Cluster:      Cluster{Address: "127.0.0.1:0"},
		Log:          Log{Level: "info", Format: "text", FailedSignIns: true},
		Shutdown:     Shutdown{Grace: 10 * time.Second},
	}
}

// defaultAuth returns how clients sign in by default.
func defaultAuth() Auth {
	return Auth{
		Mechanisms: []string{
			"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN",
		},
		ScramIterations:     10000,
		DowngradeProtection: true,
		PasswordPolicy:      true,
		TokenLifetime:       21 * 24 * time.Hour,
		AttemptsPerStream:   3,
		ResourceConflict:    "replace",
		Throttle:            Throttle{PerAccount: 10, PerAddress: 100, Window: 10 * time.Minute},
	}
}

// defaultLimits returns the limits of client streams by default.
func defaultLimits() Limits {
	return Limits{
		StanzaSizeUnauthenticated: 10 * KiB,
		StanzaSize:                256 * KiB,
		Depth:                     64,
		Attributes:                64,
		BytesPerSecond:            256 * KiB,
		BytesBurst:                2 * MiB,
		StanzasPerSecond:          100,
		StanzasBurst:              1000,
		SendQueue:                 4 * MiB,
		Connections:               50000,
		ConnectionsPerAddress:     200,
		ConnectionsPending:        10000,
		SessionsPerAccount:        20,
		HandshakeTimeout:          10 * time.Second,
		AuthTimeout:               30 * time.Second,
		WriteTimeout:              30 * time.Second,
		KeepAlive:                 2 * time.Minute,
	}
}

// defaultPubSub returns the limits of nodes and items by default.
func defaultPubSub() PubSub {
	return PubSub{
		Nodes:             200,
		ServiceNodes:      10000,
		ServiceShare:      200,
		Items:             1000,
		ItemSize:          128 * KiB,
		Bytes:             64 * MiB,
		ServiceBytes:      GiB,
		ServiceBytesShare: 64 * MiB,
		Subscriptions:     10000,
	}
}

// defaultAccounts returns what is kept for an account by default.
func defaultAccounts() Accounts {
	return Accounts{
		MaxContacts:        2000,
		MaxBookmarks:       1000,
		OfflineMessages:    1000,
		OfflineBytes:       16 * MiB,
		OfflineExpiry:      90 * day,
		NameQuarantine:     90 * day,
		PrivateElements:    64,
		PrivateElementSize: 64 * KiB,
	}
}

// defaultRooms returns the limits of rooms by default.
func defaultRooms() Rooms {
	return Rooms{
		Label:          "groups",
		Create:         "local",
		GuestPing:      15 * time.Minute,
		MaxOccupants:   1000,
		MaxPerUser:     100,
		NameLength:     200,
		HistoryDefault: 20,
		HistoryMax:     250,
		MessageSize:    64 * KiB,
		MessageRate:    10,
		MessageBurst:   50,
		Archive:        true,
	}
}

// defaultGroups returns the rules and limits of groups by default.
func defaultGroups() Groups {
	return Groups{
		Create:      "admins",
		ThemesBy:    "members",
		SpacesLabel: "spaces",
		ThemeIdle:   14 * day,
		AdminsOwn:   true,
		MaxMembers:  5000,
		MaxOwned:    500,
		MaxThemes:   1000,
		ThemePace:   30,
		MaxTeam:     5000,
		MaxRoster:   250,
	}
}

// defaultWebhooks returns the limits of webhooks by default.
func defaultWebhooks() Webhooks {
	return Webhooks{
		MaxPerGroup: 50,
		Rate:        1,
		Burst:       20,
		Timeout:     10 * time.Second,
		Retry:       10 * time.Second,
		Attempts:    12,
		Log:         7 * 24 * time.Hour,
	}
}

// defaultFederation returns how other servers are spoken with by default.
func defaultFederation() Federation {
	return Federation{
		Enabled:            true,
		Addresses:          []string{":5269"},
		TLSAddresses:       []string{":5270"},
		RequireTLS:         true,
		AllowDialback:      true,
		Bidi:               true,
		StanzaSize:         256 * KiB,
		StanzasPerSecond:   200,
		StanzasBurst:       2000,
		Strangers:          "accept",
		StrangersPerMinute: 60,
		JoinsPerMinute:     300,
		SendQueue:          MiB,
		Connections:        10000,
		Unproven:           1000,
		HandshakeTimeout:   10 * time.Second,
		AuthTimeout:        30 * time.Second,
		IdleTimeout:        10 * time.Minute,
	}
}

// defaultTURN returns the limits of the relay for calls by default.
func defaultTURN() TURN {
	return TURN{
		Addresses:             []string{":3478"},
		MinPort:               49152,
		MaxPort:               65535,
		PerUser:               10,
		Total:                 1000,
		Connections:           2000,
		ConnectionsPerAddress: 100,
		BytesPerSecond:        4 * MiB,
	}
}
