package node

import (
	"context"
	"crypto/tls"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"parley/node/acme"
	"parley/node/plan"
	"parley/server/c2s"
)

// buildCerts reads the certificate files, and prepares to get the others by ACME.
func (n *Node) buildCerts() (err error) {
	if a := n.Config.TLS.ACME; a.Enabled {
		c := acme.Config{
			Dir:       filepath.Join(n.Config.DataDir, "acme"),
			Directory: a.Directory,
			Email:     a.Email,
			Names:     n.Config.ACMENames(),
			HTTPPort:  a.HTTPPort,
			TLSPort:   a.TLSPort,
			Host:      a.Host,
			Log:       n.Log,
		}
		if a.CAFile != "" {
			if c.Roots, err = plan.Authorities([]string{a.CAFile}); err != nil {
				return err
			}
		}
		n.acme = acme.New(c)
	}
	var issued func(string) *tls.Certificate
	if n.acme != nil {
		issued = n.acme.For
	}
	n.certs, err = c2s.NewCerts(plan.CertFiles(n.Config), issued, n.clock, n.Log)
	return err
}

// runCerts follows changes of the files and renews issued certificates, until ctx ends.
func (n *Node) runCerts(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error {
		n.certs.Watch(ctx.Done(), n.Config.TLS.ReloadInterval)
		return nil
	})
	if n.acme != nil {
		g.Go(func() error {
			defer n.acme.Close()
			if err := n.acme.Manage(ctx); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
	}
}
