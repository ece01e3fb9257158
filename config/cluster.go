package config

import "net"

// Cluster says how servers on one PostgreSQL or CockroachDB database find each other. Unless all of them are enabled to
// serve together, a second server is refused.
type Cluster struct {
	Enabled   bool   `yaml:"enabled"`   // serve beside other servers on the database
	Address   string `yaml:"address"`   // where this server answers that it is alive
	Advertise string `yaml:"advertise"` // address at which others reach that; "": Address
}

func (c *Config) checkCluster(v *checker) {
	if _, err := checkAddress(c.Cluster.Address, 0); err != nil {
		v.add("cluster.address", "%v", err)
		return
	}
	host, _, _ := net.SplitHostPort(c.Cluster.Address)
	if ip := net.ParseIP(host); c.Cluster.Advertise == "" && (host == "" || ip != nil && ip.IsUnspecified()) {
		v.add("cluster.advertise",
			"cluster.address listens on every address of the machine: name one that others reach, like 10.0.0.7:7470")
	}
	if a := c.Cluster.Advertise; a != "" {
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" {
			v.add("cluster.advertise", "%q is not a name or address with a port: write it like 10.0.0.7:7470", a)
		}
	}
}
