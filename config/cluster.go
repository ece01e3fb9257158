package config

import "net"

// Cluster is how servers know of each other that serve from one database, on PostgreSQL and CockroachDB. A second one is
// refused for now.
type Cluster struct {
	Address   string `yaml:"address"`   // where it is answered that this one lives
	Advertise string `yaml:"advertise"` // where others reach that; "": Address
}

func (c *Config) checkCluster(v *checker) {
	if _, err := checkAddress(c.Cluster.Address, 0); err != nil {
		v.add("cluster.address", "%v", err)
		return
	}
	host, _, _ := net.SplitHostPort(c.Cluster.Address)
	if ip := net.ParseIP(host); c.Cluster.Advertise == "" && (host == "" || ip != nil && ip.IsUnspecified()) {
		v.add("cluster.advertise", "with cluster.address on every address of the machine it has to be said which one others reach: write it like 10.0.0.7:7470")
	}
	if a := c.Cluster.Advertise; a != "" {
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" {
			v.add("cluster.advertise", "%q is not a name or address with a port: write it like 10.0.0.7:7470", a)
		}
	}
}
