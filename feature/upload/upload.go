// Package upload lets people share files over HTTP (XEP-0363): a service that gives out slots, and the web pages behind
// them.
package upload

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	ns        = "urn:xmpp:http:upload:0"
	nsPurpose = "urn:xmpp:http:upload:purpose:0"
)

// XEPs lists what the service implements, for docs/xeps.md.
var XEPs = []server.XEP{{
	Number:  363,
	Title:   "HTTP File Upload",
	Version: "1.2.0",
	Notes:   "files on the node's disk or in an S3-compatible store",
}}

// Config of the service; zero values mean the defaults.
type Config struct {
	Domain     string // upload.<host>
	Host       *server.Host
	Store      Store
	Dir        string                 // directory of the files; made if missing
	Bucket     *Bucket                // object store to use instead of Dir; nil: none
	URL        func() string          // the beginning of the files' URLs, without a slash at the end
	BrowserURL func() string          // the same for clients in browsers, which connect by WebSocket; nil: as URL
	Secret     []byte                 // key of the slots' tokens, the same on all nodes
	MaxSize    int64                  // bytes per file, default 100 MiB
	Quota      int64                  // bytes per account, default 1 GiB
	Expiry     func() time.Duration   // how long files in messages are kept, default 90 days
	Fits       func(bytes int64) bool // whether the disk has room for a file; nil: always
	SlotTTL    time.Duration          // how long a slot is valid, default 10 min
}

// Service is the upload service of one host: an entity on the router and an http.Handler.
type Service struct {
	server.Service
	cfg    Config
	files  files
	coming sync.Map // ids of the files that are being put
	look   chan struct{}
}

// New makes the service, and adds it to the router and the host's disco#items. It fails if Dir or Bucket cannot be
// used.
func New(ctx context.Context, c Config) (*Service, error) {
	for _, d := range []struct {
		at *int64
		v  int64
	}{{&c.MaxSize, 100 << 20}, {&c.Quota, 1 << 30}} {
		if *d.at <= 0 {
			*d.at = d.v
		}
	}
	if c.Expiry == nil {
		c.Expiry = func() time.Duration { return 90 * 24 * time.Hour }
	}
	if c.SlotTTL <= 0 {
		c.SlotTTL = 10 * time.Minute
	}
	s := &Service{cfg: c, files: disk{c.Dir}, look: make(chan struct{}, 1)}
	if c.Bucket != nil {
		var err error
		if s.files, err = newBucket(*c.Bucket, c.Host.Domain); err != nil {
			return nil, err
		}
	}
	if err := s.files.prepare(ctx); err != nil {
		return nil, fmt.Errorf("uploads of %s: %w", c.Host.Domain, err)
	}
	f := form.New(form.Result, ns)
	f.Add("max-file-size", form.TextSingle, "", strconv.FormatInt(c.MaxSize, 10))
	s.Service = server.Service{
		Host:     c.Host,
		Identity: server.Identity{Category: "store", Type: "file", Name: "File upload"},
		Answer:   s.answer,
		Forms:    []*wire.Element{f.Element()},
		Features: []string{
			ns, nsPurpose + "#message", nsPurpose + "#profile", nsPurpose + "#ephemeral", nsPurpose + "#permanent",
		},
	}
	if err := s.Open(c.Domain); err != nil {
		return nil, err
	}
	c.Host.OnRetraction(s.retracted)
	return s, nil
}

func (s *Service) answer(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	if st.Type != "get" || e.Name != (wire.Name{Space: ns, Local: "request"}) {
		return nil, server.ServiceUnavailable
	}
	return s.slot(ctx, st.From, e)
}

const (
	maxName  = 255    // bytes of a file's name
	maxFiles = 10_000 // per account: small files cost more than their bytes
)

var errDisk = server.WithText(server.ResourceConstraint, diskFull)

const diskFull = "the server's disk is nearly full: no files can be uploaded until its administrators have made room"

// slot gives a place to put a file and one to get it from (XEP-0363, sections 5 and 6).
func (s *Service) slot(ctx context.Context, who jid.JID, e *wire.Element) (*wire.Element, error) {
	u, err := s.reserve(ctx, who, e)
	if err != nil {
		return nil, err
	}
	put := wire.E(ns, "put", wire.T(ns, "header", "Bearer "+s.token(u)).Set("name", "Authorization"))
	put.Set("url", s.address(u, s.inBrowser(who)))
	return wire.E(ns, "slot", put, wire.E(ns, "get").Set("url", s.address(u, true))), nil
}

// address gives the URL of a file. Browsers may have to read a file, whoever uploads it: with browser it is one that
// they trust.
func (s *Service) address(u store.Upload, browser bool) string {
	base := s.cfg.URL()
	if browser && s.cfg.BrowserURL != nil {
		base = s.cfg.BrowserURL()
	}
	return base + "/" + u.ID + "/" + url.PathEscape(u.Name)
}

// reserve makes a slot of what a request says of the file.
func (s *Service) reserve(ctx context.Context, who jid.JID, e *wire.Element) (store.Upload, error) {
	if who.Domain() != s.cfg.Host.Domain || who.Local() == "" {
		return store.Upload{}, server.WithText(server.Forbidden,
			"only people of "+s.cfg.Host.Domain+" may upload files")
	}
	u, err := s.requested(e)
	if err != nil {
		return u, err
	}
	u.Owner = who.Local()
	if s.cfg.Fits != nil && !s.cfg.Fits(u.Size) {
		return u, errDisk
	}
	var id [18]byte
	rand.Read(id[:])
	u.ID = base64.RawURLEncoding.EncodeToString(id[:])
	err = s.cfg.Store.CreateUpload(ctx, u, maxFiles, s.cfg.Quota)
	if errors.Is(err, store.ErrLimit) {
		return u, s.overQuota(ctx, u)
	}
	return u, err
}

// requested reads what a request for a slot says of the file. The result has no owner and no id yet.
func (s *Service) requested(e *wire.Element) (store.Upload, error) {
	u := store.Upload{
		Host:        s.cfg.Host.Domain,
		Name:        e.Attr("filename"),
		ContentType: e.Attr("content-type"),
		Created:     s.cfg.Host.Clock.Now(),
	}
	if !isFileName(u.Name) {
		return u, server.WithText(server.BadRequest,
			"the file name is missing, too long or has characters that are not allowed")
	}
	var err error
	if u.Size, err = strconv.ParseInt(e.Attr("size"), 10, 64); err != nil || u.Size <= 0 {
		return u, server.WithText(server.BadRequest, "the size is missing or not a number of bytes")
	}
	if u.Size > s.cfg.MaxSize {
		return u, &server.AppError{
			Stanza: server.WithText(server.NotAcceptable,
				fmt.Sprintf("File too large. The maximum file size is %d bytes", s.cfg.MaxSize)),
			App: wire.E(ns, "file-too-large", wire.T(ns, "max-file-size", strconv.FormatInt(s.cfg.MaxSize, 10))),
		}
	}
	if u.ContentType != "" {
		if _, _, err := mime.ParseMediaType(u.ContentType); err != nil || len(u.ContentType) > 255 {
			return u, server.WithText(server.BadRequest, "the content type is not a media type")
		}
	}
	u.Expires, err = s.expires(e)
	return u, err
}

// isFileName says whether a file may have this name: not a path, no control characters, at most maxName bytes.
func isFileName(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || path.Base(name) != name ||
		name == "." || name == ".." {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
}

// inBrowser says whether a client is connected by WebSocket.
func (s *Service) inBrowser(who jid.JID) bool {
	for _, x := range s.cfg.Host.Account(who.Local()).Sessions() {
		if x.JID == who {
			return x.Info.Transport == "websocket"
		}
	}
	return false
}

// expires gives when the file may be removed, by the purpose in the request (section 8).
func (s *Service) expires(e *wire.Element) (time.Time, error) {
	if e.Child(nsPurpose, "profile") != nil || e.Child(nsPurpose, "permanent") != nil {
		return time.Time{}, nil
	}
	until := s.cfg.Host.Clock.Now().Add(s.cfg.Expiry())
	if eph := e.Child(nsPurpose, "ephemeral"); eph != nil {
		t, err := time.Parse(time.RFC3339, eph.Attr("expire-before"))
		if err != nil || t.Before(s.cfg.Host.Clock.Now()) {
			return t, server.WithText(server.BadRequest, "expire-before is not a time in the future")
		}
		if t.Before(until) {
			until = t
		}
	}
	return until, nil
}

// overQuota gives an error that says when there will be room: when the account's oldest file expires.
func (s *Service) overQuota(ctx context.Context, u store.Upload) error {
	us, err := s.cfg.Store.UploadsOf(ctx, u.Host, u.Owner)
	if err != nil {
		return err
	}
	var first time.Time
	for _, o := range us {
		if !o.Expires.IsZero() && (first.IsZero() || o.Expires.Before(first)) {
			first = o.Expires
		}
	}
	e := &server.AppError{
		Stanza: server.WithText(server.ResourceConstraint,
			fmt.Sprintf("Quota reached. You may have %d files of %d bytes in all", maxFiles, s.cfg.Quota)),
	}
	if !first.IsZero() {
		e.App = wire.E(ns, "retry").Set("stamp", first.UTC().Format(time.RFC3339))
	}
	if e.App == nil {
		return e.Stanza
	}
	return e
}

// token proves to the HTTP side that a slot was given.
func (s *Service) token(u store.Upload) string {
	m := hmac.New(sha256.New, s.cfg.Secret)
	fmt.Fprintf(m, "upload\x00%s\x00%s\x00%d\x00%s", u.Host, u.ID, u.Size, u.Name)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Run removes expired files until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		if err := s.Sweep(ctx, s.cfg.Host.Clock.Now()); err != nil && ctx.Err() == nil {
			s.cfg.Host.Log.Error("cannot remove old uploads", "err", err)
		}
		if err := s.unlinkUntil(ctx, t.C); err != nil {
			return nil
		}
	}
}

// unlinkUntil checks files of retracted messages until it is time to sweep; it returns an error when ctx has ended.
func (s *Service) unlinkUntil(ctx context.Context, sweep <-chan time.Time) error {
	for {
		if err := s.Unlink(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Host.Log.Error("cannot remove files of retracted messages", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sweep:
			return nil
		case <-s.look:
		}
	}
}

// Sweep removes what has expired at a moment.
func (s *Service) Sweep(ctx context.Context, now time.Time) error {
	for {
		us, err := s.cfg.Store.ExpiredUploads(ctx, s.cfg.Host.Domain, now, now.Add(-s.cfg.SlotTTL-time.Hour), 100)
		if err != nil || len(us) == 0 {
			return err
		}
		for _, u := range us {
			if err := s.removeFile(ctx, u); err != nil {
				return err
			}
		}
	}
}
