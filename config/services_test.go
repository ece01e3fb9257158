package config

import (
	"strings"
	"testing"
)

// No component or host may take an address that parley serves itself. The address of a service that is off is free.
func TestOwnServices(t *testing.T) {
	for _, label := range []string{"groups", "spaces", "pubsub", "users", "upload", "proxy", "proxy.second", "irc"} {
		second := strings.HasSuffix(label, ".second")
		domain := strings.TrimSuffix(label, ".second") +
			map[bool]string{true: ".second.example", false: ".example.org"}[second]
		for _, off := range []bool{false, true} {
			c := Dev(t.TempDir())
			c.TLS.Certificate, c.TLS.Key = "cert.pem", "key.pem"
			c.Hosts = []Host{{Domain: "example.org"}, {Domain: "second.example"}}
			c.Components = []Component{{Domain: domain, Secret: "x"}}
			if !off {
				c.Listeners.Proxy65.Addresses = []string{"127.0.0.1:0"}
			}
			c.Upload.Enabled = !off
			optional := label == "upload" || strings.HasPrefix(label, "proxy")
			free := label == "irc" || off && optional
			err := c.validate(nil)
			if free && err != nil || !free &&
				(err == nil || !strings.Contains(err.Error(), domain+" is already served by parley (")) {
				t.Errorf("a component at %s (services off: %v): %v", domain, off, err)
			}
			if !free && optional && !strings.Contains(err.Error(), "to have another") {
				t.Errorf("it does not say how: %v", err)
			}
			c.Components = nil
			c.Hosts = append(c.Hosts, Host{Domain: domain, Certificate: "c", Key: "k"})
			if err := c.validate(nil); free && err != nil ||
				!free && (err == nil || !strings.Contains(err.Error(), domain+" is a service of ")) {
				t.Errorf("a host at %s (services off: %v): %v", domain, off, err)
			}
		}
	}
	for _, label := range []string{"users", "spaces", "upload"} {
		c := Dev(t.TempDir())
		c.Rooms.Label = label
		if err := c.validate(nil); err == nil || !strings.Contains(err.Error(), "need different addresses") {
			t.Errorf("rooms.label %s: %v", label, err)
		}
	}
}
