package config

// Proxy65 is the proxy for SOCKS5 bytestreams (XEP-0065). It is off if listeners.proxy65 has no address.
type Proxy65 struct {
	Address        string `yaml:"address"` // the address for clients, without the port; "": the host
	BytesPerSecond Size   `yaml:"bytes_per_second"`
	PerAddress     int    `yaml:"per_address"`
	Pending        int    `yaml:"pending"`
	Total          int    `yaml:"total"`
}

func (c *Config) checkProxy65(v *checker) {
	p := c.Proxy65
	if err := checkHostName(p.Address); err != nil && p.Address != "" {
		v.add("proxy65.address", "%v, or an IP address, without port and brackets", err)
	}
	if p.BytesPerSecond != 0 && p.BytesPerSecond < KiB {
		v.add("proxy65.bytes_per_second", "it is too small: write at least 1KiB, or 0 for no limit")
	}
	for key, n := range map[string]int{
		"proxy65.per_address": p.PerAddress,
		"proxy65.pending":     p.Pending,
		"proxy65.total":       p.Total,
	} {
		if n < 2 {
			v.add(key, "%d is too few: a transfer takes two connections", n)
		}
	}
}
