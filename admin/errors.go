package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// Error is what an administrator did that cannot be done, and why. It is what the control socket answers.
type Error struct {
	Status int    `json:"-"`
	Text   string `json:"error"`
	Field  string `json:"field,omitempty"` // which of what was given it is about
}

func (e *Error) Error() string { return e.Text }

// Invalid: a value cannot be taken.
func Invalid(field, format string, args ...any) *Error {
	return &Error{http.StatusUnprocessableEntity, fmt.Sprintf(format, args...), field}
}

// NotFound: there is no such thing.
func NotFound(field, format string, args ...any) *Error {
	return &Error{http.StatusNotFound, fmt.Sprintf(format, args...), field}
}

// Conflict: it exists, or is in a state that forbids it.
func Conflict(field, format string, args ...any) *Error {
	return &Error{http.StatusConflict, fmt.Sprintf(format, args...), field}
}

// Forbidden: a rule is against it.
func Forbidden(field, format string, args ...any) *Error {
	return &Error{http.StatusForbidden, fmt.Sprintf(format, args...), field}
}

// reply writes v, or the error there was.
func reply(w http.ResponseWriter, r *http.Request, log *slog.Logger, v any, err error) {
	status := http.StatusOK
	var e *Error
	switch {
	case err == nil:
	case errors.As(err, &e):
		status, v = e.Status, e
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return // nobody is there to read it
	default:
		log.Error("control", "do", r.Method+" "+r.URL.Path, "err", err)
		status, v = http.StatusInternalServerError, &Error{Text: "the server failed to do it: its log says why"}
	}
	if v == nil {
		v = struct{}{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		log.Debug("control: answer", "err", err)
	}
}
