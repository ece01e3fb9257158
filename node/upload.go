package node

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/config"
	"parley/feature/upload"
	"parley/node/plan"
	"parley/server"
)

const uploadPath = "/upload/"

// buildUpload makes the upload service of a host; nil if uploads are off.
func (n *Node) buildUpload(ctx context.Context, h *server.Host) (*upload.Service, error) {
	c := n.Config.Upload
	if !c.Enabled {
		return nil, nil
	}
	secret, err := n.secret(ctx, "upload")
	if err != nil {
		return nil, err
	}
	// If pages are served without TLS (parley dev), a browser would not trust the certificate of an https URL, and wait
	// for ever without asking.
	var browser func() string
	if n.Config.Web.PlainLinks && c.URL == "" {
		browser = func() string {
			if u := n.webURL(h.Domain); strings.HasPrefix(u, "http://") {
				return u + uploadPath + h.Domain
			}
			return n.uploadURL(h.Domain)
		}
	}
	s, err := upload.New(ctx, upload.Config{
		BrowserURL: browser,
		Domain:     "upload." + h.Domain,
		Host:       h,
		Store:      n.Store,
		Dir:        filepath.Join(plan.UploadsDir(n.Config), h.Domain),
		Secret:     secret,
		URL:        func() string { return n.uploadURL(h.Domain) },
		MaxSize:    int64(c.MaxSize),
		Quota:      int64(c.Quota),
		Expiry:     func() time.Duration { return n.settings.Of(h.Domain).Uploads },
		Bucket:     bucket(c.S3),
		Fits:       func(bytes int64) bool { return n.disks.Fits(bytes) },
	})
	if err != nil {
		return nil, fmt.Errorf("uploads of %s: %w", h.Domain, err)
	}
	return s, nil
}

func bucket(c config.S3) *upload.Bucket {
	if c.Endpoint == "" {
		return nil
	}
	return &upload.Bucket{
		Endpoint:  c.Endpoint,
		Name:      c.Bucket,
		Region:    c.Region,
		Prefix:    c.Prefix,
		AccessKey: c.AccessKey,
		SecretKey: c.SecretKey,
		Plain:     c.Plain,
	}
}

// uploadURL gives the URL of a host's files, as clients see it.
func (n *Node) uploadURL(domain string) string {
	if u := n.Config.Upload.URL; u != "" {
		return u + "/" + domain
	}
	return n.publicURL(domain) + uploadPath + domain
}

func (n *Node) handleUploads(mux *http.ServeMux) {
	for _, h := range n.hosts {
		if h.uploads != nil {
			p := uploadPath + h.Domain
			mux.Handle(p+"/", http.StripPrefix(p, h.uploads))
		}
	}
}

func (n *Node) runUploads(ctx context.Context, g *errgroup.Group) {
	for _, h := range n.hosts {
		if h.uploads != nil {
			n.keep(ctx, g, "uploads of "+h.Domain, h.uploads.Run)
		}
	}
}
