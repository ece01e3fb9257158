package admin

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxBody   = 192 << 10
	pageLimit = 1000 // most entries of one answer
)

// Control gives the handler of the control socket: JSON over HTTP. It asks nobody who they are: who may connect is
// decided by the socket's permissions.
func Control(op Operations, log *slog.Logger) http.Handler {
	c := &control{log: log, mux: http.NewServeMux()}
	c.handle("GET /v1/info", func(r *http.Request) (any, error) { return op.Info(r.Context()) })
	c.accounts(op)
	c.appPasswords(op)
	c.files(op)
	c.groups(op)
	c.teams(op)
	c.sharing(op)
	c.sessions(op)
	c.reports(op)
	c.federation(op)
	c.webhooks(op)
	c.backups(op)
	c.invitations(op)
	c.tokens(op)
	c.doctor(op)
	c.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, r, log, nil, NotFound("", "there is no %s %s: the command and the server may be of different versions", r.Method, r.URL.Path))
	})
	return c.mux
}

type control struct {
	log *slog.Logger
	mux *http.ServeMux
}

// handle answers a pattern with what f gives. What changes something is logged, without what was sent.
func (c *control) handle(pattern string, f func(r *http.Request) (any, error)) {
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		v, err := f(r)
		if r.Method != http.MethodGet {
			c.log.Info("control", "do", r.Method+" "+r.URL.Path, "ok", err == nil)
		}
		reply(w, r, c.log, v, err)
	})
}

func (c *control) accounts(op Accounts) {
	c.handle("POST /v1/users", func(r *http.Request) (any, error) {
		u, err := read[NewUser](r)
		if err != nil {
			return nil, err
		}
		return op.AddUser(r.Context(), u)
	})
	c.handle("GET /v1/users", func(r *http.Request) (any, error) {
		after, limit, err := page(r)
		if err != nil {
			return nil, err
		}
		return op.Users(r.Context(), r.FormValue("host"), after, limit)
	})
	c.handle("GET /v1/users/{address}", func(r *http.Request) (any, error) {
		return op.User(r.Context(), r.PathValue("address"))
	})
	c.handle("PATCH /v1/users/{address}", func(r *http.Request) (any, error) {
		ch, err := read[UserChange](r)
		if err != nil {
			return nil, err
		}
		return op.ChangeUser(r.Context(), r.PathValue("address"), ch)
	})
	c.handle("PUT /v1/users/{address}/password", func(r *http.Request) (any, error) {
		p, err := read[password](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetPassword(r.Context(), r.PathValue("address"), p.Password)
	})
	c.handle("DELETE /v1/users/{address}", func(r *http.Request) (any, error) {
		return nil, op.DeleteUser(r.Context(), r.PathValue("address"))
	})
}

type password struct {
	Password string `json:"password"`
}

type role struct {
	Role string `json:"role"`
}

// kicked says how many sessions were closed.
type kicked struct {
	Closed int `json:"closed"`
}

func (c *control) sessions(op Sessions) {
	c.handle("GET /v1/sessions", func(r *http.Request) (any, error) {
		return op.Sessions(r.Context(), r.FormValue("host"), r.FormValue("address"))
	})
	c.handle("DELETE /v1/sessions/{address}", func(r *http.Request) (any, error) {
		n, err := op.Kick(r.Context(), r.PathValue("address"))
		return kicked{n}, err
	})
}

// read takes the request's body; what it does not know is refused rather than left undone.
func read[T any](r *http.Request) (v T, err error) {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err = dec.Decode(&v)
	if err == nil && dec.More() {
		err = errors.New("one value is expected")
	}
	if err == nil {
		return v, nil
	}
	var big *http.MaxBytesError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &big):
		return v, &Error{Status: http.StatusRequestEntityTooLarge, Text: "the request is larger than " + strconv.Itoa(maxBody) + " bytes"}
	case errors.As(err, &typ):
		return v, &Error{http.StatusBadRequest, "it must be a " + typ.Type.String(), typ.Field}
	case errors.Is(err, io.EOF):
		return v, &Error{Status: http.StatusBadRequest, Text: "the request is empty: a JSON object is expected"}
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if _, name, ok := strings.Cut(text, `unknown field "`); ok {
		return v, &Error{http.StatusBadRequest, text, strings.TrimSuffix(name, `"`)}
	}
	return v, &Error{Status: http.StatusBadRequest, Text: "the request is no JSON: " + text}
}

func page(r *http.Request) (after string, limit int, err error) {
	limit = pageLimit
	if s := r.FormValue("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > pageLimit {
			return "", 0, Invalid("limit", "%q is no number from 1 to %d", s, pageLimit)
		}
	}
	return r.FormValue("after"), limit, nil
}
