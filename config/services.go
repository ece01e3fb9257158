package config

// ownService is a service that every host has, at label.<host>.
type ownService struct {
	label, what string
	key         string // key of the label, if it can be chosen
	off         string // how to turn the service off; "": impossible
}

// ownServices returns the services of this configuration.
func (c *Config) ownServices() []ownService {
	ss := []ownService{
		{label: "pubsub", what: "publish-subscribe"},
		{label: "users", what: "the directory"},
		{label: c.Rooms.Label, what: "the rooms", key: "rooms.label"},
		{label: c.Groups.SpacesLabel, what: "the spaces", key: "groups.spaces_label"},
	}
	if c.Upload.Enabled {
		ss = append(ss, ownService{label: "upload", what: "shared files", off: "set upload.enabled to false"})
	}
	if len(c.Listeners.Proxy65.Addresses) > 0 {
		ss = append(ss, ownService{
			label: "proxy",
			what:  "the proxy for files",
			off:   "give listeners.proxy65 no address",
		})
	}
	return ss
}

// checkOwnServices adds each service of each host to the taken addresses, and reports conflicts.
func (c *Config) checkOwnServices(v *checker, hosts []string, taken map[string]string) {
	ss := c.ownServices()
	for i, s := range ss {
		for _, o := range ss[:i] {
			if s.label != o.label {
				continue
			}
			key := s.key
			if key == "" {
				key = o.key
			}
			v.add(key, "%q is the label of %s: the services need different addresses",
				s.label, map[bool]string{true: o.what, false: s.what}[key == s.key])
		}
	}
	for _, h := range hosts {
		for _, s := range ss {
			domain := s.label + "." + h
			if at, ok := taken[domain]; ok {
				how := s.off
				if s.key != "" {
					how = "change " + s.key
				}
				if how != "" {
					how = ", or " + how
				}
				v.add(at+".domain", "%s is a service of %s (%s): host another domain%s", domain, h, s.what, how)
				continue
			}
			by := "parley (" + s.what + ")"
			if s.key != "" {
				by = "parley (" + s.what + ": " + s.key + ")"
			} else if s.off != "" {
				by = "parley (" + s.what + "; " + s.off + " to have another)"
			}
			taken[domain] = by
		}
	}
}
