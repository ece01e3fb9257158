package web

import (
	"errors"
	"io"
	"net/http"

	"parley/internal/fault"
	"parley/people"
)

// A group's photo: parley makes a small picture of an uploaded one. Apps read it from the rooms (XEP-0486) and the
// space.

func (s *Server) groupPhoto() {
	s.handle("GET /g/{slug}/photo/{hash}", member, (*request).showPhoto)
	s.handle("POST /g/{slug}/photo", member, (*request).savePhoto)
}

// showPhoto sends the group's photo, or else its emoji as a picture, to people who may know of the group. Its address
// has its hash, so that a browser may keep it.
func (c *request) showPhoto() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	p, err := c.s.Org.Picture(c.r.Context(), c.host(), r.Group.ID)
	if err != nil {
		return err
	}
	if p.Hash != c.r.PathValue("hash") {
		return notFound
	}
	h := c.w.Header()
	h.Set("Content-Type", p.Type)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("Content-Disposition", "inline")
	_, _ = c.w.Write(p.Data) // the client may have gone
	return nil
}

// groupPicture makes the stored picture of an uploaded one, as for people.
func groupPicture(data []byte) ([]byte, error) {
	p, err := people.CheckPhoto(data)
	return p.Data(), err
}

func (c *request) savePhoto() error {
	r, err := c.owned()
	if err != nil {
		return err
	}
	page := "/g/" + r.Group.Slug + "/settings"
	var data []byte
	if c.form("do") != "remove" {
		f, _, err := c.r.FormFile("photo")
		if errors.Is(err, http.ErrMissingFile) {
			return c.oops(page, fault.New(fault.Invalid, "photo", "Choose a picture first"))
		}
		if err != nil {
			return tooLarge(err)
		}
		defer f.Close()
		if data, err = io.ReadAll(f); err != nil {
			return tooLarge(err)
		}
		if len(data) == 0 {
			return c.oops(page, fault.New(fault.Invalid, "photo", "Choose a picture first"))
		}
		if data, err = groupPicture(data); err != nil {
			return c.oops(page, err)
		}
	}
	if err := c.s.Org.SetPhoto(c.r.Context(), c.Actor, c.host(), r.Group.ID, data); err != nil {
		return c.oops(page, err)
	}
	return c.done(page, "Saved")
}

// tooLarge keeps the error of a body's limit; any other fault of a form is the sender's.
func tooLarge(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return err
	}
	return badForm
}
