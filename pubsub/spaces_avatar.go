package pubsub

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"

	"parley/internal/door"
	"parley/server"
	"parley/store"
	"parley/wire"
)

// The photo of a group, or its emoji, is the avatar of its space (XEP-0503, section 5.2.1). The photo's address
// contains its hash, which only those learn who may know of the group.

const (
	idAvatar    = "urn:xmpp:spaces:avatar:metadata:0"
	idAvatarOld = "urn:xmpp:avatar:metadata" // Movim reads this one
	nsMetadata  = "urn:xmpp:avatar:metadata"
)

// avatarItems describes the photo under the id of the XEP and under the older one. It returns none if there is no
// photo.
func (s *Spaces) avatarItems(ctx context.Context, g store.Group) ([]server.PEPItem, error) {
	if s.cfg.URL == nil {
		return nil, nil
	}
	p, err := s.o.Picture(ctx, s.h.Domain, g.ID)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	info := wire.E(nsMetadata, "info").Set("id", p.Hash).Set("bytes", strconv.Itoa(len(p.Data))).Set("type", p.Type).
		Set("url", s.cfg.URL()+"/"+s.h.Domain+"/"+g.ID+"/"+p.Hash)
	b := wire.E(nsMetadata, "metadata", info).AppendXML(nil, "")
	return []server.PEPItem{{ID: idAvatar, Payload: b}, {ID: idAvatarOld, Payload: b}}, nil
}

// ServeHTTP serves the photo at <group>/<hash>. The caller must strip the rest of the path.
func (s *Spaces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	group, hash, ok := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	p, err := s.o.Picture(r.Context(), s.h.Domain, group)
	if err != nil || subtle.ConstantTimeCompare([]byte(p.Hash), []byte(hash)) != 1 {
		if err = ignoreNotFound(err); err != nil {
			door.Failed(r.Context(), s.h.Log, "a group's photo cannot be read", "group", group, "err", err)
		}
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.Type)
	h.Set("Content-Length", strconv.Itoa(len(p.Data)))
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodGet {
		_, _ = w.Write(p.Data) // the client may have gone
	}
}
