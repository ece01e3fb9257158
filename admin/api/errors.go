package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/admin"
	"parley/org"
	"parley/people"
	"parley/store"
)

var (
	notFound  = &people.Error{Kind: org.NotFound, Text: "there is no such thing"}
	forbidden = &people.Error{Kind: org.Forbidden, Text: people.NotYourRole}
)

func invalid(field, text string, args ...any) error {
	return &people.Error{Kind: org.Invalid, Field: field, Text: text, Args: args}
}

func missing(field, text string, args ...any) error {
	return &people.Error{Kind: org.NotFound, Field: field, Text: text, Args: args}
}

// statuses are what kinds of errors are in HTTP.
var statuses = map[org.Kind]int{
	org.Invalid:   http.StatusUnprocessableEntity,
	org.NotFound:  http.StatusNotFound,
	org.Exists:    http.StatusConflict,
	org.Forbidden: http.StatusForbidden,
}

// problem turns mistakes of who asked into answers (RFC 9457); the rest is ours.
func (s *Server) problem(err error) error {
	var pe *people.Error
	var oe *org.Error
	var dead *people.Dead
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pe):
		return problem(pe.Kind, pe.Field, err)
	case errors.As(err, &oe):
		return problem(oe.Kind, oe.Field, err)
	case errors.As(err, &dead), errors.Is(err, store.ErrNotFound):
		return problem(org.NotFound, "", notFound)
	case errors.Is(err, admin.ErrDiskFull):
		return huma.NewError(http.StatusInsufficientStorage, err.Error())
	case errors.Is(err, context.Canceled): // nobody is there to read it
		return huma.NewError(http.StatusServiceUnavailable, "nobody waits for the answer")
	}
	s.Log.Error("api", "err", err)
	return huma.Error500InternalServerError(serverFail)
}

func problem(kind org.Kind, field string, err error) error {
	status := statuses[kind]
	if status == 0 {
		status = http.StatusUnprocessableEntity
	}
	if field == "" {
		return huma.NewError(status, err.Error())
	}
	return huma.NewError(status, err.Error(), &huma.ErrorDetail{Message: err.Error(), Location: "body." + field})
}

// refuse answers an error before an operation is reached.
func (s *Server) refuse(a huma.API, hc huma.Context, err error) {
	var model *huma.ErrorModel
	if !errors.As(s.problem(err), &model) {
		_ = huma.WriteErr(a, hc, http.StatusInternalServerError, serverFail)
		return
	}
	var details []error
	for _, d := range model.Errors {
		details = append(details, d)
	}
	_ = huma.WriteErr(a, hc, model.Status, model.Detail, details...)
}
