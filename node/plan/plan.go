// Package plan makes of the configuration what several have to know of the parts of a node: the node itself, who looks
// for what is wrong with a configuration, and the command line.
package plan

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parley/config"
	"parley/internal/disk"
	"parley/org/mail"
	"parley/server/c2s"
	"parley/transfer/backup"
)

// CertFiles gives each host's certificate, the default one first.
func CertFiles(cfg *config.Config) []c2s.CertFile {
	var files []c2s.CertFile
	byName := make(map[string]int)
	add := func(at, cert, key string, hosts ...string) {
		if cert == "" {
			return
		}
		name := cert + "\x00" + key // one certificate file may be used with several key files
		i, ok := byName[name]
		if !ok {
			i = len(files)
			byName[name] = i
			files = append(files, c2s.CertFile{At: at, Cert: cert, Key: key})
		}
		files[i].Hosts = append(files[i].Hosts, hosts...)
		for _, h := range hosts {
			if s := cfg.Rooms.Label + "." + h; cfg.Federation.Enabled && !slices.Contains(cfg.ACMENames(), s) {
				files[i].Services = append(files[i].Services, s)
			}
		}
	}
	add("tls.", cfg.TLS.Certificate, cfg.TLS.Key)
	for i, h := range cfg.Hosts {
		if h.Certificate != "" {
			add(fmt.Sprintf("hosts[%d].", i), h.Certificate, h.Key, h.Domain)
		} else {
			add("tls.", cfg.TLS.Certificate, cfg.TLS.Key, h.Domain)
		}
	}
	return files
}

// Authorities gives the system's certificate authorities and those of the files; nil: only the system's.
func Authorities(files []string) (*x509.CertPool, error) {
	if len(files) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("authorities: %w", err)
		}
		if !pool.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("authorities: %s holds no certificate in PEM", name)
		}
	}
	return pool, nil
}

// Resolver gives a resolver that asks one DNS server; "" gives the system's resolver.
func Resolver(addr string) *net.Resolver {
	if addr == "" {
		return net.DefaultResolver
	}
	var d net.Dialer
	return &net.Resolver{
		PreferGo:     true,
		StrictErrors: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return d.DialContext(ctx, network, addr)
		},
	}
}

// Mail gives the relay's configuration.
func Mail(c *config.Config, roots *x509.CertPool) mail.Config {
	m := c.Mail
	return mail.Config{
		Host:      m.Host,
		Port:      m.Port,
		TLS:       m.TLS,
		Username:  m.Username,
		Password:  m.Password,
		From:      m.From,
		PerMinute: m.PerMinute,
		Roots:     roots,
	}
}

// Backup gives the places that a backup is made from, and that one is restored to, as the configuration names
// them. version is that of the program.
func Backup(c *config.Config, version string) backup.Layout {
	l := backup.Layout{
		Version:  version,
		DataDir:  c.DataDir,
		Uploads:  UploadsDir(c),
		Database: SQLiteFile(c),
		Bucket:   c.Upload.S3.Endpoint != "",
	}
	key := func(key, file string) {
		if file != "" {
			l.Keys = append(l.Keys, backup.KeyFile{Key: key, File: file})
		}
	}
	key("tls.certificate", c.TLS.Certificate)
	key("tls.key", c.TLS.Key)
	for _, h := range c.Hosts {
		l.Hosts = append(l.Hosts, h.Domain)
		key("hosts."+h.Domain+".certificate", h.Certificate)
		key("hosts."+h.Domain+".key", h.Key)
	}
	return l
}

// UploadsDir is the directory of shared files.
func UploadsDir(c *config.Config) string {
	if c.Upload.Dir != "" {
		return c.Upload.Dir
	}
	return filepath.Join(c.DataDir, "uploads")
}

// SQLiteFile is the file of SQLite's database; "" for another engine.
func SQLiteFile(c *config.Config) string {
	if p, ok := strings.CutPrefix(c.Store.DSN, "sqlite:"); ok {
		return p
	}
	return ""
}

// Disks gives the disks that a server uses.
func Disks(c *config.Config) []*disk.Disk {
	p := disk.Places{Data: c.DataDir, Database: SQLiteFile(c)}
	p.Low, p.Lowest = c.Disk.Marks()
	if c.Upload.Enabled && c.Upload.S3.Endpoint == "" {
		p.Uploads = UploadsDir(c)
	}
	return disk.Of(p)
}
