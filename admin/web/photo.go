package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"parley/admin"
	"parley/internal/fault"
	"parley/internal/picture"
	"parley/people"
	"parley/store"
)

func (s *Server) photoPages() {
	s.handle("GET /people/{name}/photo", member, (*request).photo)
	s.handle("POST /me/photo", member, (*request).ownPhoto)
}

const (
	shownSide  = 192 // pixels of a picture on pages
	shownBytes = 48 << 10
	maxShown   = 1000 // pictures that are remembered
)

// thumb is a picture as pages show it.
type thumb struct {
	data []byte // nil: it cannot be shown
	typ  string
}

// thumbOf returns the small picture for the hash of a published one, and makes it if necessary. Clients may publish
// anything, so pages show only pictures that parley has drawn anew.
func (s *Server) thumbOf(hash string, published []byte) thumb {
	if th, ok := s.thumbs.Get(hash); ok {
		return th
	}
	data, typ, err := picture.Small(published, shownSide, shownBytes)
	if err != nil {
		data = nil
	}
	th := thumb{data, typ}
	s.thumbs.Put(hash, th)
	return th
}

// photoURL is the address of a person's picture; "" if there is none.
func (s *Server) photoURL(host, name string) string {
	ph := s.Photos[host]
	if ph == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	hash, err := ph.PhotoHash(ctx, name)
	if err != nil {
		s.Log.Error("picture of a person", "account", name, "err", err)
	}
	return admin.PhotoPath(name, hash)
}

// photo serves the picture of a colleague, to colleagues.
func (c *request) photo() error {
	if _, err := c.P.Get(c.r.Context(), c.r.PathValue("name")); err != nil {
		if _, _, ok := c.explain(err); ok { // as of somebody without a picture
			return notFound
		}
		return err
	}
	data, hash, err := c.s.Photos[c.host()].Photo(c.r.Context(), c.r.PathValue("name"))
	if err != nil {
		return err
	}
	t := c.s.thumbOf(hash, data)
	if t.data == nil {
		return notFound
	}
	h := c.w.Header()
	h.Set("ETag", strconv.Quote(hash))
	h.Set("Cache-Control", "private, no-cache")
	if c.r.FormValue("v") == hash[:12] { // another picture has another address
		h.Set("Cache-Control", "private, max-age=86400")
	}
	h.Set("Content-Type", t.typ)
	http.ServeContent(c.w, c.r, "", time.Time{}, bytes.NewReader(t.data))
	return nil
}

// upload gives the picture that was sent with a form; zero if none was.
func (c *request) upload() (people.Photo, bool, error) {
	f, _, err := c.r.FormFile("photo")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return people.Photo{}, false, nil
	}
	if err != nil {
		return people.Photo{}, false, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || len(b) == 0 {
		return people.Photo{}, false, err
	}
	p, err := people.CheckPhoto(b)
	return p, err == nil, err
}

// setPhoto carries out a form with a picture.
func (c *request) setPhoto(u store.Person, page string) error {
	p, ok, err := c.upload()
	remove := c.form("do") == "remove"
	if err == nil && !ok && !remove {
		err = fault.New(fault.Invalid, "photo", "Choose a picture first")
	}
	if remove {
		p = people.Photo{}
	}
	if err == nil {
		err = c.P.SetPhoto(c.r.Context(), c.Actor, u.Name, p)
	}
	if err != nil {
		return c.oops(page, err)
	}
	if remove {
		return c.done(page, "The picture was removed")
	}
	return c.done(page, "The picture was changed: apps show it from now on")
}

func (c *request) ownPhoto() error { return c.setPhoto(*c.Me, "/me") }
