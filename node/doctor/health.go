package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/admin"
)

// Health says in few words how a running node with these hosts does. low returns an error if a disk is nearly full. It
// takes 3 seconds at most.
func Health(ctx context.Context, hosts []string, n *Running, low func() error) []admin.Status {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	began := time.Now()
	err := n.Store.Ping(ctx)
	store := admin.Status{
		Name: "Database",
		OK:   err == nil,
		Text: time.Since(began).Round(10 * time.Microsecond).String(),
	}
	if err != nil {
		store.Text = err.Error()
	}
	out := []admin.Status{store}
	if err := low(); err != nil {
		out = append(out, admin.Status{Name: "Disk", Text: err.Error()})
	}
	certificates, without := Certificates(hosts, n.Certificate, n.Clock.Now())
	for _, name := range without {
		out = append(out, admin.Status{Name: "Certificate", Text: name})
	}
	for _, c := range certificates {
		k := admin.Status{
			Name: "Certificate",
			OK:   c.Days > 14,
			Text: fmt.Sprintf("%s, %d d", strings.Join(c.Names[:min(2, len(c.Names))], ", "), c.Days),
		}
		out = append(out, k)
	}
	current, newest, err := n.Store.MigrationStatus(ctx)
	out = append(out, admin.Status{
		Name: "Schema",
		OK:   err == nil && current == newest,
		Text: strconv.FormatInt(current, 10),
	})
	return out
}

// Certificates gives the certificates that hosts show, each once, and the hosts without one.
func Certificates(hosts []string,
	shows func(name string) *tls.Certificate, now time.Time) (out []admin.Certificate, without []string) {
	seen := make(map[string]bool)
	for _, h := range hosts {
		shown := shows(h)
		if shown == nil || len(shown.Certificate) == 0 {
			without = append(without, h)
			continue
		}
		leaf, err := x509.ParseCertificate(shown.Certificate[0])
		if err != nil || seen[string(leaf.Raw)] {
			continue
		}
		seen[string(leaf.Raw)] = true
		out = append(out, admin.Certificate{
			Names:   leaf.DNSNames,
			Issuer:  leaf.Issuer.CommonName,
			Expires: leaf.NotAfter,
			Days:    int(leaf.NotAfter.Sub(now).Hours() / 24),
		})
	}
	return out, without
}
