package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"parley/admin"
	"parley/internal/fault"
)

// socketed serves operations on a socket of its own, and gives a client of it.
func socketed(t *testing.T, add func(s *Server, d *doors)) *Client {
	t.Helper()
	s := &Server{Config: Config{Log: slog.New(slog.DiscardHandler)}}
	mux := http.NewServeMux()
	a := s.huma(mux)
	add(s, &doors{api: a, takes: bySocket})
	mux.HandleFunc("/", s.nothing(a, "there is none"))
	path := filepath.Join(t.TempDir(), "s")
	l, err := admin.ListenSocket(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	srv, c := admin.NewServer(mux), NewClient(path)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		c.Close()
		srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return c
}

type echoInput struct {
	InShare
	Part
	Words []string `query:"word,explode"`
	All   bool     `query:"all"`
	Body  struct {
		Text string `json:"text" maxLength:"5"`
	}
}

// A client sends what the server reads: also names that mean something in paths.
func TestClientSendsWhatIsRead(t *testing.T) {
	o := machine[echoInput, echoInput]("echo", http.MethodPut, "/teams/{team}/shares/{kind}/{name}", "")
	c := socketed(t, func(s *Server, d *doors) {
		serve(s, d, o, nil, func(_ context.Context, _ caller, in *echoInput) (echoInput, error) { return *in, nil })
	})
	for _, name := range []string{"plain", "a/b", ".", "..", "a b+c", "ü?#%2F", "x@example.org"} {
		in := echoInput{InShare: InShare{InShares: InShares{InTeam: InTeam{"sales"}, Kind: Snippets}, Name: name}}
		in.Words, in.All, in.Offset, in.Limit, in.Body.Text = []string{"one", "two & more"}, true, 3, 7, "hello"
		got, err := o.Do(t.Context(), c, in)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got.Name != name || got.Team != "sales" || strings.Join(got.Words, "|") != "one|two & more" ||
			!got.All || got.Offset != 3 || got.Limit != 7 || got.Body.Text != "hello" {
			t.Errorf("%q: the server reads %+v", name, got)
		}
	}
	var e *Error
	if _, err := o.Do(t.Context(), c, echoInput{}); !errors.As(err, &e) || e.Field != "team" {
		t.Errorf("an empty name: %v", err)
	}
	in := echoInput{InShare: InShare{InShares: InShares{InTeam: InTeam{"sales"}, Kind: "boats"}, Name: "x"}}
	if _, err := o.Do(t.Context(), c, in); !errors.As(err, &e) || e.Status != 422 || e.Field != "kind" {
		t.Errorf("no such kind: %v", err)
	}
	in.Kind, in.Body.Text = Contacts, "too long"
	if _, err := o.Do(t.Context(), c, in); !errors.As(err, &e) || e.Field != "text" ||
		!strings.HasPrefix(e.Text, "text: ") {
		t.Errorf("a text that is too long: %v", err)
	}
}

func TestClientErrors(t *testing.T) {
	refusals := []error{
		&fault.Error{Kind: fault.Exists, Field: "name", Text: "{{.Name}} is taken", Args: []any{"Name", "alice"}},
		&fault.Error{Kind: fault.Forbidden, Text: "your role does not allow this"},
		errors.New("the disk has gone"),
	}
	o, n := machine[None, None]("fail", http.MethodPost, "/fail", ""), 0
	c := socketed(t, func(s *Server, d *doors) {
		act(s, d, o, nil, func(context.Context, caller, *None) error { return refusals[n] })
	})
	for i, want := range []Error{
		{409, "alice is taken", "name"},
		{403, "your role does not allow this", ""},
		{500, "the server failed: its log says why", ""},
	} {
		n = i
		_, err := o.Do(t.Context(), c, None{})
		var e *Error
		if !errors.As(err, &e) || *e != want {
			t.Errorf("%v: got %+v, want %+v", refusals[i], err, want)
		}
	}
	none := machine[None, None]("none", http.MethodPost, "/none", "")
	var e *Error
	if _, err := none.Do(t.Context(), c, None{}); !errors.As(err, &e) || e.Status != 404 || e.Text != "there is none" {
		t.Errorf("an operation that there is not: %v", err)
	}
	if _, err := none.Do(t.Context(),
		NewClient(filepath.Join(t.TempDir(), "none")), None{}); !errors.Is(err, ErrNoServer) {
		t.Errorf("no server: %v", err)
	}
}

// A client gets an error when a download breaks off in the middle. A download that cannot begin gives the usual error.
func TestFileCut(t *testing.T) {
	begins := false
	c := socketed(t, func(s *Server, d *doors) {
		stream(s, d, Backup, "application/x-tar", func(_ context.Context, _ caller, _ *None, w io.Writer) error {
			if begins {
				io.WriteString(w, "begun")
			}
			return &fault.Error{Kind: fault.Exists, Text: "a backup is being made already"}
		})
	})
	var e *Error
	if err := Save(t.Context(), c, Backup, None{}, io.Discard); !errors.As(err, &e) || e.Status != 409 {
		t.Errorf("before it begins: %v", err)
	}
	begins = true
	var b bytes.Buffer
	if err := Save(t.Context(), c, Backup, None{}, &b); err == nil || !strings.Contains(err.Error(), "incomplete") {
		t.Errorf("got %v after %d bytes", err, b.Len())
	}
}

// A list is asked for in parts to its end.
func TestAllParts(t *testing.T) {
	const many = 2345
	o := machine[Part, []int]("numbers", http.MethodGet, "/numbers", "")
	asked := 0
	c := socketed(t, func(s *Server, d *doors) {
		list(s, d, o, nil, func(_ context.Context, _ caller, in *Part) (out []int, total int, err error) {
			asked++
			for i := in.Offset; i < min(many, in.Offset+in.Limit); i++ {
				out = append(out, i)
			}
			return out, many, nil
		})
	})
	all, err := All(t.Context(), c, o, Part{})
	if err != nil || len(all) != many || all[many-1] != many-1 || asked != 3 {
		t.Errorf("%d numbers in %d parts: %v", len(all), asked, err)
	}
}

// A malformed request is refused before anything is done, and without harm.
func TestRequestsThatAreNone(t *testing.T) {
	done := 0
	s := &Server{Config: Config{Log: slog.New(slog.DiscardHandler)}}
	mux := http.NewServeMux()
	a := s.huma(mux)
	mux.HandleFunc("/", s.nothing(a, "there is none"))
	o := machine[Body[NewTeam], None]("team", http.MethodPost, "/teams", "")
	act(s, &doors{api: a, takes: bySocket}, o, nil, func(context.Context, caller, *Body[NewTeam]) error {
		done++
		return nil
	})
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/api/v1/teams", `{"name":"x","colour":"red"}`, 422},
		{"POST", "/api/v1/teams", `{"name":7}`, 422},
		{"POST", "/api/v1/teams", `{"name":"x"} {}`, 400},
		{"POST", "/api/v1/teams", `name=x`, 400},
		{"POST", "/api/v1/teams", ``, 400},
		{"POST", "/api/v1/teams", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		{"GET", "/api/v2/teams", ``, 404},
		{"PUT", "/api/v1/teams", ``, 404},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s %.40s: %d %s", c.method, c.path, c.body, w.Code, w.Body)
		}
	}
	if done != 0 {
		t.Errorf("it was done %d times", done)
	}
}
