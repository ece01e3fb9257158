package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"parley/config"
	"parley/node/plan"
	"parley/server/c2s"
)

// Check checks the files that a configuration names. wrong holds everything for which the server does not start or
// others would refuse it; the server says the same when it starts. advice holds what the server can do without.
func Check(c *config.Config, now time.Time) (wrong, advice config.Problems) {
	errors.As(c.CheckFiles(), &wrong)
	said := make(map[string]bool)
	for _, p := range wrong {
		said[p.Key] = true
	}
	for _, p := range c2s.CheckCerts(plan.CertFiles(c), now) {
		problem := config.Problem{Key: p.Key, Text: p.Text}
		switch {
		case p.How == c2s.Lacking:
			advice = append(advice, problem)
		case !said[p.Key]:
			wrong = append(wrong, problem)
		}
	}
	lists := map[string]string{"tls.acme.ca_file": c.TLS.ACME.CAFile}
	for i, name := range c.TLS.CAFiles {
		lists[fmt.Sprintf("tls.ca_files[%d]", i)] = name
	}
	for key, name := range lists {
		if text, err := os.ReadFile(name); name != "" && err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
			wrong = append(wrong, config.Problem{
				Key:  key,
				Text: name + " holds no certificate in PEM: name a file with those of authorities",
			})
		}
	}
	return wrong, advice
}

// Usable returns an error if the server cannot start with the certificates that a configuration names.
func Usable(c *config.Config, now time.Time) error {
	var ps config.Problems
	for _, p := range c2s.CheckCerts(plan.CertFiles(c), now) {
		if p.How == c2s.Unusable {
			ps = append(ps, config.Problem{Key: p.Key, Text: p.Text})
		}
	}
	if len(ps) == 0 {
		return nil
	}
	return ps
}
