package webchat

import (
	"context"
	"io"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/wire"
	"parley/wire/jid"
)

const (
	nsSharing  = "urn:xmpp:sfs:0"
	nsMetadata = "urn:xmpp:file:metadata:0"
	nsURLData  = "http://jabber.org/protocol/url-data"
)

// Keep keeps a file that a person sends, and says where it is. r has exactly size bytes.
func (s *Service) Keep(ctx context.Context, owner jid.JID, name, contentType string, size int64,
	r io.Reader) (File, error) {
	if s.Uploads == nil {
		return File{}, fault.New(fault.NotAllowed, "", "Files cannot be sent on this server")
	}
	if name = path.Base(strings.ReplaceAll(name, `\`, "/")); name == "." || name == "/" {
		name = "file"
	}
	at, err := s.Uploads.Keep(ctx, owner, name, contentType, size, r)
	return File{URL: at, Name: name, Type: contentType, Size: size}, err
}

// MaxFile gives the largest size of a file that can be sent, in bytes; 0 if files cannot be sent.
func (s *Service) MaxFile() int64 {
	if s.Uploads == nil {
		return 0
	}
	return s.Uploads.MaxSize()
}

// checkFile refuses what is no file on the web.
func checkFile(f File) error {
	u, err := url.Parse(f.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(f.URL) > 2000 {
		return fault.New(fault.Invalid, "files", "A file has an address that begins with https://")
	}
	if !utf8.ValidString(f.Name) || len(f.Name) > 255 || len(f.Type) > 255 {
		return fault.New(fault.Invalid, "files", "The name of the file is too long")
	}
	return nil
}

// fileElements gives what says of a message that it is a file: its address for older clients (XEP-0066), and what is
// known of the file (XEP-0447, XEP-0446).
func fileElements(f File) []*wire.Element {
	about := wire.E(nsMetadata, "file", wire.T(nsMetadata, "name", f.Name))
	if f.Type != "" {
		about.Add(wire.T(nsMetadata, "media-type", f.Type))
	}
	if f.Size > 0 {
		about.Add(wire.T(nsMetadata, "size", number(int(f.Size))))
	}
	if f.Width > 0 && f.Height > 0 {
		about.Add(wire.T(nsMetadata, "width", number(f.Width)), wire.T(nsMetadata, "height", number(f.Height)))
	}
	sources := wire.E(nsSharing, "sources", wire.E(nsURLData, "url-data").Set("target", f.URL))
	return []*wire.Element{
		wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", f.URL)),
		wire.E(nsSharing, "file-sharing", about, sources).Set("disposition", "inline"),
	}
}
