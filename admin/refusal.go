package admin

import (
	"net/http"

	"parley/internal/fault"
	"parley/server"
	"parley/store"
)

// statuses are what kinds of refusals are in HTTP (decision 115).
var statuses = map[fault.Kind]int{
	fault.Invalid:    http.StatusUnprocessableEntity,
	fault.Exists:     http.StatusConflict,
	fault.NotFound:   http.StatusNotFound,
	fault.Forbidden:  http.StatusForbidden,
	fault.NotAllowed: http.StatusForbidden,
	fault.Limit:      http.StatusForbidden,
	fault.Busy:       http.StatusServiceUnavailable,
}

// Texts for errors of package store that no act has put into words.
var kept = map[fault.Kind]*fault.Error{
	fault.NotFound: {Kind: fault.NotFound, Text: "there is no such thing"},
	fault.Exists:   {Kind: fault.Exists, Text: "somebody else has changed this meanwhile: try again"},
	fault.Limit:    {Kind: fault.Limit, Text: "the limit for these is reached"},
	fault.Busy:     {Kind: fault.Busy, Text: "the server is busy: try again in a few seconds"},
}

// Refusal gives the HTTP status for what err refuses, and what to say: the fault.Error in it, or one for a stanza error
// or an error of package store. It gives 0 and nil if err refuses nothing: it is a failure of the server then, or nil.
func Refusal(err error) (status int, f *fault.Error) {
	if f = server.Fault(err); f == nil {
		f = kept[store.KindOf(err)]
	}
	if f == nil {
		return 0, nil
	}
	return statuses[f.Kind], f
}
