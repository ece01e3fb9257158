package upload

import (
	"context"
	"crypto/subtle"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"parley/internal/door"
	"parley/store"
)

// shown are the types that a browser may display; other files are only to be saved. None of these runs scripts.
var shown = map[string]bool{
	"image/png":       true,
	"image/jpeg":      true,
	"image/gif":       true,
	"image/webp":      true,
	"image/avif":      true,
	"image/heic":      true,
	"audio/mpeg":      true,
	"audio/ogg":       true,
	"audio/mp4":       true,
	"audio/aac":       true,
	"audio/opus":      true,
	"audio/flac":      true,
	"audio/wav":       true,
	"audio/webm":      true,
	"video/mp4":       true,
	"video/webm":      true,
	"video/ogg":       true,
	"video/quicktime": true,
	"text/plain":      true,
}

// ServeHTTP stores and serves files at <id>/<name>; the caller has stripped the path before that.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Range")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, Accept-Ranges, ETag")
	h.Set("Access-Control-Max-Age", "7200")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	u, err := s.find(r)
	if errors.Is(err, store.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.get(w, r, u)
	case http.MethodPut:
		s.put(w, r, u)
	default:
		h.Set("Allow", "GET, HEAD, PUT, OPTIONS")
		http.Error(w, "use GET or PUT", http.StatusMethodNotAllowed)
	}
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	door.Failed(r.Context(), s.cfg.Host.Log, "upload", "err", err)
	http.Error(w, "something is wrong here; try again later", http.StatusInternalServerError)
}

// find gives the slot or file that the path names.
func (s *Service) find(r *http.Request) (store.Upload, error) {
	id, name, ok := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if !ok || len(id) != 24 || strings.Contains(name, "/") {
		return store.Upload{}, store.ErrNotFound
	}
	name, err := url.PathUnescape(name)
	if err != nil {
		return store.Upload{}, store.ErrNotFound
	}
	u, err := s.cfg.Store.Upload(r.Context(), s.cfg.Host.Domain, id)
	if err == nil && (u.Name != name || !u.Expires.IsZero() && !s.cfg.Host.Clock.Now().Before(u.Expires)) {
		err = store.ErrNotFound
	}
	return u, err
}

// Time limits of an upload: without any data, and in all.
const (
	stallTime = time.Minute
	slowest   = 2 << 10 // bytes a second
)

// put stores the file. If the connection breaks, the client can try again with the same slot.
func (s *Service) put(w http.ResponseWriter, r *http.Request, u store.Upload) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok || subtle.ConstantTimeCompare([]byte(token), []byte(s.token(u))) != 1:
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "the slot's Authorization header is missing", http.StatusUnauthorized)
		return
	case u.Done:
		http.Error(w, "the file exists already", http.StatusConflict)
		return
	case s.cfg.Host.Clock.Now().Sub(u.Created) > s.cfg.SlotTTL:
		http.Error(w, "the slot has expired: ask for another", http.StatusForbidden)
		return
	case r.ContentLength >= 0 && r.ContentLength != u.Size:
		http.Error(w, "the file's size is not the one that the slot is for", http.StatusRequestEntityTooLarge)
		return
	case u.ContentType != "" && !sameType(u.ContentType, r.Header.Get("Content-Type")):
		http.Error(w, "the file's type is not the one that the slot is for", http.StatusUnsupportedMediaType)
		return
	case s.cfg.Fits != nil && !s.cfg.Fits(u.Size):
		http.Error(w, diskFull, http.StatusInsufficientStorage)
		return
	}
	if _, busy := s.coming.LoadOrStore(u.ID, true); busy {
		http.Error(w, "the file is being uploaded at the moment", http.StatusConflict)
		return
	}
	defer s.coming.Delete(u.ID)
	door.Allow(r.Context(), stallTime, stallTime+time.Duration(u.Size/slowest)*time.Second)
	in := &body{r: r.Body}
	err := s.files.put(r.Context(), u.ID, u.Size, in)
	switch {
	case errors.Is(err, fs.ErrExist): // the file came whole before, but the database did not learn of it
	case errors.Is(err, errSize), in.broken(), err != nil && r.Context().Err() != nil: // the last: the client is gone
		http.Error(w, "the file's size is not the one that the slot is for", http.StatusBadRequest)
		return
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		http.Error(w, diskFull, http.StatusInsufficientStorage)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	s.finish(w, r, u)
}

// finish notes that the file is complete. After a very long upload the slot may have been swept, or the account
// removed: the file is removed then, too.
func (s *Service) finish(w http.ResponseWriter, r *http.Request, u store.Upload) {
	ctx := context.WithoutCancel(r.Context()) // the file is complete, whether or not the client waits for the answer
	err := s.cfg.Store.FinishUpload(ctx, u.Host, u.ID)
	if errors.Is(err, store.ErrConflict) {
		if _, err = s.cfg.Store.Upload(ctx, u.Host, u.ID); errors.Is(err, store.ErrNotFound) {
			if err = s.files.remove(ctx, u.ID); err == nil {
				http.Error(w, "the slot has expired: ask for another", http.StatusForbidden)
				return
			}
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// sameType compares types without their parameters; a client may leave the header out.
func sameType(a, b string) bool {
	if b == "" {
		return true
	}
	x, _, err := mime.ParseMediaType(a)
	if err != nil {
		return false
	}
	y, _, err := mime.ParseMediaType(b)
	return err == nil && x == y
}

// get serves the file, or the requested part of it (RFC 9110, section 14).
func (s *Service) get(w http.ResponseWriter, r *http.Request, u store.Upload) {
	if !u.Done {
		http.NotFound(w, r)
		return
	}
	f, err := s.files.open(r.Context(), u.ID)
	if errors.Is(err, fs.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer f.Close()
	h := w.Header()
	typ, params, err := mime.ParseMediaType(u.ContentType)
	disposition := "inline"
	if err != nil || !shown[typ] {
		typ, params, disposition = "application/octet-stream", nil, "attachment"
	}
	if typ == "text/plain" {
		params = map[string]string{"charset": "utf-8"}
	}
	h.Set("Content-Type", mime.FormatMediaType(typ, params))
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": u.Name}))
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("ETag", `"`+u.ID+`"`)
	// several ranges: each would be a request to the object store; RFC 9110, section 14.2 allows to ignore them
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range")
	}
	http.ServeContent(w, r, "", u.Created, f)
}
