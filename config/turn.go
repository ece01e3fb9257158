package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// TURN is the relay for calls that is built in.
type TURN struct {
	Enabled       bool     `yaml:"enabled"`
	Addresses     []string `yaml:"addresses"`      // UDP and TCP
	TLSAddresses  []string `yaml:"tls_addresses"`  // TCP with TLS
	Host          string   `yaml:"host"`           // the name clients are told; "": the first host
	PublicAddress string   `yaml:"public_address"` // an IP address
	LocalAddress  string   `yaml:"local_address"`  // "": PublicAddress
	MinPort       int      `yaml:"min_port"`
	MaxPort       int      `yaml:"max_port"`
	AllowNetworks []string `yaml:"allow_networks"` // that are relayed to although they are private
	PerUser       int      `yaml:"per_user"`
	Total         int      `yaml:"total"`
	// BytesPerSecond is of one person's relays, both ways together.
	BytesPerSecond Size `yaml:"bytes_per_second"`
}

// Networks gives AllowNetworks read; those that are none are left out.
func (t TURN) Networks() (ps []netip.Prefix) {
	for _, s := range t.AllowNetworks {
		if p, err := network(s); err == nil {
			ps = append(ps, p)
		}
	}
	return ps
}

// network reads a network, or one address.
func network(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func (c *Config) checkTURN(v *checker) {
	t := c.TURN
	for i, s := range t.AllowNetworks {
		if _, err := network(s); err != nil {
			v.add(fmt.Sprintf("turn.allow_networks[%d]", i), "%q is no network: write it like 192.168.0.0/16", s)
		}
	}
	for key, s := range map[string]string{"turn.public_address": t.PublicAddress, "turn.local_address": t.LocalAddress} {
		if _, err := netip.ParseAddr(s); s != "" && err != nil {
			v.add(key, "%q is no IP address", s)
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
	for key, n := range map[string]int{"turn.per_user": t.PerUser, "turn.total": t.Total} {
		if n < 0 {
			v.add(key, "%d is below 0", n)
		}
	}
	if t.BytesPerSecond != 0 && t.BytesPerSecond < 16*KiB {
		v.add("turn.bytes_per_second", "less than 16KiB is no call: give more, or 0 for no limit")
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
		v.add("turn.addresses", "the relay listens nowhere")
	}
}
