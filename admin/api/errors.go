package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/admin"
	"parley/internal/door"
	"parley/internal/fault"
	"parley/people"
)

var notFound = fault.New(fault.NotFound, "", "there is no such thing")

func invalid(field, text string, args ...any) error {
	return fault.New(fault.Invalid, field, text, args...)
}

func missing(field, text string, args ...any) error {
	return fault.New(fault.NotFound, field, text, args...)
}

// problem turns a refusal into an answer (RFC 9457), in the caller's language if that is known; any other error is an
// internal one.
func (s *Server) problem(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if dead := (*people.Dead)(nil); errors.As(err, &dead) {
		err = notFound
	}
	status, f := admin.Refusal(err)
	switch {
	case f != nil && f.Field != "":
		text := who(ctx).said(f)
		return huma.NewError(status, text, &huma.ErrorDetail{Message: text, Location: "body." + f.Field})
	case f != nil:
		return huma.NewError(status, who(ctx).said(f))
	case errors.Is(err, admin.ErrDiskFull):
		return huma.NewError(http.StatusInsufficientStorage, err.Error())
	case errors.Is(err, context.Canceled), door.Gone(ctx): // nobody is there to read it
		return huma.NewError(http.StatusServiceUnavailable, "nobody is waiting for the answer")
	}
	s.Log.Error("api", "err", err)
	return huma.Error500InternalServerError(serverFail)
}

// refuse answers an error before an operation is reached.
func (s *Server) refuse(a huma.API, hc huma.Context, err error) {
	var model *huma.ErrorModel
	if !errors.As(s.problem(hc.Context(), err), &model) {
		_ = huma.WriteErr(a, hc, http.StatusInternalServerError, serverFail)
		return
	}
	var details []error
	for _, d := range model.Errors {
		details = append(details, d)
	}
	_ = huma.WriteErr(a, hc, model.Status, model.Detail, details...)
}
