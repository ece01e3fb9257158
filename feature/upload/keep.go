package upload

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"syscall"

	"mellium.im/xmpp/stanza"

	"parley/internal/fault"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Keep keeps a file of a person of the host, with the limits that hold for slots, and returns its URL. r has exactly
// size bytes. contentType is a media type, or "".
func (s *Service) Keep(ctx context.Context, owner jid.JID, name, contentType string, size int64,
	r io.Reader) (string, error) {
	ask := wire.E(ns, "request").Set("filename", name).Set("size", strconv.FormatInt(size, 10))
	if contentType != "" {
		ask.Set("content-type", contentType)
	}
	u, err := s.reserve(ctx, owner, ask)
	if err != nil {
		return "", refused(err)
	}
	in := &body{r: r}
	switch err := s.files.put(ctx, u.ID, size, in); {
	case errors.Is(err, errSize), in.broken():
		return "", fault.New(fault.Invalid, "size", "The file was not sent whole")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "", fault.New(fault.Limit, "", diskFull)
	case err != nil && !errors.Is(err, fs.ErrExist):
		return "", err
	}
	return s.address(u, true), s.cfg.Store.FinishUpload(context.WithoutCancel(ctx), u.Host, u.ID)
}

// MaxSize gives the largest size of a file, in bytes.
func (s *Service) MaxSize() int64 { return s.cfg.MaxSize }

// refused makes a refusal of a slot one that pages and programs understand.
func refused(err error) error {
	var app *server.AppError
	if errors.As(err, &app) {
		err = app.Stanza
	}
	var e stanza.Error
	if !errors.As(err, &e) {
		return err
	}
	kind := fault.Invalid
	switch e.Condition {
	case stanza.Forbidden:
		kind = fault.Forbidden
	case stanza.ResourceConstraint:
		kind = fault.Limit
	}
	return fault.New(kind, "file", e.Text["en"])
}
