package config

import "net/netip"

// TURN is the built-in relay for calls.
type TURN struct {
	Enabled      bool     `yaml:"enabled"`
	Addresses    []string `yaml:"addresses"`     // UDP and TCP
	TLSAddresses []string `yaml:"tls_addresses"` // TCP with TLS
	// the name for clients; "": PublicAddress, and for TLS the first host
	Host          string   `yaml:"host"`
	PublicAddress string   `yaml:"public_address"` // an IP address
	LocalAddress  string   `yaml:"local_address"`  // "": PublicAddress
	MinPort       int      `yaml:"min_port"`
	MaxPort       int      `yaml:"max_port"`
	AllowNetworks []string `yaml:"allow_networks"` // private networks that may be relayed to
	PerUser       int      `yaml:"per_user"`
	Total         int      `yaml:"total"`
	// Connections is the limit of TCP connections in all, ConnectionsPerAddress that of one address.
	Connections           int      `yaml:"connections"`
	ConnectionsPerAddress int      `yaml:"connections_per_address"`
	TrustedProxies        []string `yaml:"trusted_proxies"`
	// BytesPerSecond limits one person's relays, both directions together.
	BytesPerSecond Size `yaml:"bytes_per_second"`
}

func (c *Config) checkTURN(v *checker) {
	t := c.TURN
	checkNetworks(v, "turn.allow_networks", t.AllowNetworks)
	for key, s := range map[string]string{
		"turn.public_address": t.PublicAddress,
		"turn.local_address":  t.LocalAddress,
	} {
		if _, err := netip.ParseAddr(s); s != "" && err != nil {
			v.add(key, "%q is not an IP address", s)
		}
	}
	for key, n := range map[string]int{"turn.min_port": t.MinPort, "turn.max_port": t.MaxPort} {
		if n < 1024 || n > 65535 {
			v.add(key, "%d is not between 1024 and 65535", n)
		}
	}
	if t.MinPort > t.MaxPort {
		v.add("turn.min_port", "it is above turn.max_port")
	}
	const many = 1 << 30
	for key, n := range map[string]int{
		"turn.per_user":                t.PerUser,
		"turn.total":                   t.Total,
		"turn.connections":             t.Connections,
		"turn.connections_per_address": t.ConnectionsPerAddress,
	} {
		if n < 0 || n > many {
			v.add(key, "%d is not between 0 and %d", n, many)
		}
	}
	if t.BytesPerSecond != 0 && t.BytesPerSecond < 16*KiB {
		v.add("turn.bytes_per_second", "it is too small for a call: write at least 16KiB, or 0 for no limit")
	}
	for key, list := range map[string][]string{"turn.addresses": t.Addresses, "turn.tls_addresses": t.TLSAddresses} {
		for _, a := range list {
			if _, err := checkAddress(a, 0); err != nil {
				v.add(key, "%v", err)
			}
		}
	}
	if !t.Enabled {
		return
	}
	if t.PublicAddress == "" {
		v.add("turn.public_address", "the relay needs to know by which IP address others reach this machine")
	}
	if len(t.Addresses)+len(t.TLSAddresses) == 0 {
		v.add("turn.addresses", "the relay needs an address to listen on")
	}
}
