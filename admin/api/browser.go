package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
	"parley/webchat"
)

// Browser is a browser that somebody is signed in with on the pages.
type Browser struct {
	People     *people.People
	Me         store.Person
	Actor      people.Actor
	Credential webchat.Credential
	Say        func(f *fault.Error) string // says a refusal in the language of the browser's person
}

// browserKey marks the operations that serve browsers too.
const browserKey = "browser"

// byCookie finds out who is signed in with the browser that asks. done is true if the request is answered. The
// browser's session may do what people do who chat, and nothing that a page would ask for a fresh proof for.
func (s *Server) byCookie(a huma.API, hc huma.Context, r *http.Request, w http.ResponseWriter) (b *Browser, done bool) {
	if s.Browser == nil || hc.Header("Authorization") != "" || hc.Operation().Metadata[browserKey] == nil {
		return nil, false
	}
	b, err := s.Browser(w, r)
	if err != nil {
		s.refuse(a, hc, err)
		return nil, true
	}
	return b, false
}
