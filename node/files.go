package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"parley/admin"
	"parley/pie"
	"parley/server"
)

// Export writes accounts of this node's hosts.
func (o *operations) Export(ctx context.Context, x admin.Export, w io.Writer) error {
	var hosts []*server.Host
	named := make(map[string]bool)
	for _, a := range x.Addresses {
		h, u, err := o.existing(ctx, "address", a)
		if err != nil {
			return err
		}
		if !named["@"+h.Domain] {
			hosts = append(hosts, h)
		}
		named["@"+h.Domain], named[u.Name+"@"+h.Domain] = true, true
	}
	if len(x.Addresses) == 0 {
		for _, h := range o.n.hosts {
			if x.Host == "" || h.Domain == x.Host {
				hosts = append(hosts, h.Host)
			}
		}
	}
	if len(hosts) == 0 {
		_, err := o.host("host", x.Host)
		return err
	}
	pick := func(h *server.Host, name string) bool { return len(named) == 0 || named[name+"@"+h.Domain] }
	if err := (pie.Exporter{Archive: x.Archive, Passwords: x.Passwords}).Write(ctx, w, hosts, pick); err != nil {
		return fmt.Errorf("export accounts: %w", err)
	}
	return nil
}

// Import reads accounts into this node's hosts.
func (o *operations) Import(ctx context.Context, in admin.Import, r io.Reader) (admin.Imported, error) {
	c := o.n.Config
	im := pie.Importer{Host: o.n.Host, Merge: in.Merge, Config: pie.Config{Iterations: c.Auth.ScramIterations, MaxContacts: c.Accounts.MaxContacts,
		MaxOffline: c.Accounts.OfflineMessages, OfflineExpiry: c.Accounts.OfflineExpiry}}
	report, err := im.Read(ctx, r)
	out := admin.Imported{Users: report.Users, Messages: report.Messages, Problems: report.Problems, More: report.More}
	if errors.Is(err, pie.ErrFormat) {
		return out, admin.Invalid("", "%v; %d accounts were taken before that", err, len(report.Users))
	}
	if err != nil {
		return out, fmt.Errorf("import accounts: %w", err)
	}
	return out, nil
}
