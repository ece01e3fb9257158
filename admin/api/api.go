// Package api is the way in for programs: JSON over HTTP, described in OpenAPI. It is served to programs with the token
// of a person, and on the control socket to the operator of the machine, whose client the command line is. Each
// operation is a value (Op) that says where it is and what it takes and gives: the server serves it, and a Client calls
// it. Packages org, people and the others with acts decide what may be done; the API asks them and shows the result.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/admin"
	"parley/auth"
	"parley/feature/webhooks"
	"parley/feature/webpush"
	"parley/federation"
	"parley/internal/clock"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/transfer"
	"parley/webchat"
	"parley/wire/jid"
)

// Config is what the API needs.
type Config struct {
	People   []*people.People // one for each host, the first host's first
	Hosts    map[string]*server.Host
	Hooks    map[string]*webhooks.Webhooks // by host
	Photos   map[string]admin.Photos       // by host; nil: there are no pages that show them
	Org      *org.Org
	Store    Store
	Clock    clock.Clock
	Log      *slog.Logger
	Throttle *auth.Throttle
	Failures *auth.Failures // nil: failed sign-ins are not noted
	Rooms    admin.Rooms
	Chats    map[string]*webchat.Service // by host
	Pushes   map[string]*webpush.WebPush // by host
	// Browser gives the browser that a request comes from, if somebody is signed in with it; nil otherwise. It is set
	// before anything is served; nil: there are no pages.
	Browser func(w http.ResponseWriter, r *http.Request) (*Browser, error)
	// begins a search for messages
	Find       func(ctx context.Context, host string, who jid.JID, text string) store.Find
	System     admin.System
	Federation *federation.Admin
	Import     transfer.Config // writes and reads the files of accounts
}

// Server serves the API. Safe from any goroutine.
type Server struct {
	Config
	public http.Handler
	socket http.Handler
}

// New makes the API.
func New(c Config) *Server {
	s := &Server{Config: c}
	public, socket := http.NewServeMux(), http.NewServeMux()
	s.public, s.socket = public, socket
	token, operator := s.huma(public), s.huma(socket)
	token.UseMiddleware(s.authorize(token), s.veil(token), s.rights(token))
	operator.UseMiddleware(s.operate(operator))
	for _, d := range []*doors{{api: token, takes: byToken}, {api: operator, takes: bySocket}} {
		s.people(d)
		s.profileFields(d)
		s.accounts(d)
		s.invitations(d)
		s.groups(d)
		s.groupSettings(d)
		s.groupPeople(d)
		s.themes(d)
		s.messages(d)
		s.conversations(d)
		s.tasks(d)
		s.savedMessages(d)
		s.pins(d)
		s.scheduled(d)
		s.complaints(d)
		s.versions(d)
		s.forwarding(d)
		s.seen(d)
		s.desk(d)
		s.events(d)
		s.webPush(d)
		s.teams(d)
		s.shares(d)
		s.saved(d)
		s.webhooks(d)
		s.others(d)
		s.system(d)
		s.settings(d)
		s.links(d)
		s.actions(d)
		s.tokens(d)
		s.quiet(d)
		s.files(d)
	}
	public.HandleFunc("/", s.nothing(token, "there is no such thing"))
	socket.HandleFunc("/", s.nothing(operator,
		"there is no such operation: the command and the server may be of different versions"))
	return s
}

// nothing answers requests for unknown operations.
func (s *Server) nothing(a huma.API, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = huma.WriteErr(a, humago.NewContext(&huma.Operation{}, r, w), http.StatusNotFound, text)
	}
}

// huma begins a description in OpenAPI 3.1 at /api/openapi.json. There are no pages for it: those that come with huma
// load from elsewhere.
func (s *Server) huma(mux *http.ServeMux) huma.API {
	cfg := huma.DefaultConfig("parley", "1")
	cfg.Info.Description = "People, groups and their messages. Create tokens on the page /me/tokens."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "/api/openapi", "", "", nil
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	return humago.New(mux, cfg)
}

// schemaName names a type in the description. What is said in conversations has messages and teams of its own kind.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if strings.HasSuffix(t.PkgPath(), "/webchat") {
		return "Chat" + name
	}
	return name
}

// ServeHTTP serves programs with a token, below /api.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.public.ServeHTTP(w, r) }

// Socket serves the operator of the machine, below /api. It authenticates nobody: the permissions of the socket's file
// decide who may connect.
func (s *Server) Socket() http.Handler { return s.socket }

// host finds the people of a host; nil if it is not hosted here.
func (s *Server) host(domain string) *people.People {
	for _, p := range s.People {
		if p.Host() == domain {
			return p
		}
	}
	return nil
}

// requestTime is how long a known program has to send the body of a request.
const requestTime = 2 * time.Minute
