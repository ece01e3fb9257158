package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// recorder is Operations that notes what it was asked and answers what it was told to.
type recorder struct {
	asked string
	err   error
}

func (r *recorder) note(name string, args ...any) { r.asked = name + fmt.Sprintf("%q", args) }

var when = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func (r *recorder) Info(context.Context) (Info, error) {
	r.note("info")
	return Info{Version: "1", Started: when, Hosts: []HostInfo{{Domain: "a.example", Users: 2}}}, r.err
}
func (r *recorder) AddUser(_ context.Context, u NewUser) (User, error) {
	r.note("add", u.Address, u.Name, u.Password, u.Admin)
	return User{Address: u.Address, Created: when}, r.err
}
func (r *recorder) Users(_ context.Context, h, after string, limit int) ([]User, error) {
	r.note("users", h, after, limit)
	return []User{{Address: "x@a.example", Created: when}}, r.err
}
func (r *recorder) User(_ context.Context, a string) (User, error) {
	r.note("user", a)
	return User{Address: a, Created: when, LastSeen: when}, r.err
}
func (r *recorder) ChangeUser(_ context.Context, a string, c UserChange) (User, error) {
	b, _ := json.Marshal(c)
	r.note("change", a, string(b))
	return User{Address: a, Created: when}, r.err
}
func (r *recorder) SetPassword(_ context.Context, a, p string) error {
	r.note("password", a, p)
	return r.err
}
func (r *recorder) DeleteUser(_ context.Context, a string) error { r.note("delete", a); return r.err }
func (r *recorder) Export(_ context.Context, x Export, w io.Writer) error {
	r.note("export", x.Host, x.Addresses, x.Archive, x.Passwords)
	if r.err == nil || r.err.Error() == "late" {
		io.WriteString(w, strings.Repeat("<user/>", 2000))
	}
	return r.err
}
func (r *recorder) Import(_ context.Context, in Import, from io.Reader) (Imported, error) {
	b, err := io.ReadAll(from)
	if err == nil {
		err = r.err
	}
	r.note("import", fmt.Sprint(in.Merge, len(b)))
	return Imported{Users: []string{"x@a.example"}, Messages: 2}, err
}
func (r *recorder) CreateGroup(_ context.Context, g NewGroup) (Group, error) {
	r.note("group", g.Host, g.Slug, g.Name, g.Description, g.Private, g.Owner)
	return Group{Slug: g.Slug, Created: when}, r.err
}
func (r *recorder) Groups(_ context.Context, h, after string, limit int) ([]Group, error) {
	r.note("groups", h, after, limit)
	return nil, r.err
}
func (r *recorder) Group(_ context.Context, h, s string) (Group, error) {
	r.note("show", h, s)
	return Group{Host: h, Slug: s, Created: when, Members: []Member{{Address: "x@a.example", Role: "owner"}}}, r.err
}
func (r *recorder) SetMember(_ context.Context, h, s, a, role string) (Member, error) {
	r.note("member", h, s, a, role)
	return Member{Address: a, Role: role}, r.err
}
func (r *recorder) RemoveMember(_ context.Context, h, s, a string) error {
	r.note("remove", h, s, a)
	return r.err
}
func (r *recorder) DeleteGroup(_ context.Context, h, s string) error {
	r.note("deletegroup", h, s)
	return r.err
}
func (r *recorder) CreateTheme(_ context.Context, h, s string, t NewTheme) (Theme, error) {
	r.note("theme", h, s, t.Name, t.Creator)
	return Theme{Name: t.Name, Created: when}, r.err
}
func (r *recorder) CloseTheme(_ context.Context, h, s, t string) error {
	r.note("close", h, s, t)
	return r.err
}
func (r *recorder) Sessions(_ context.Context, h, a string) ([]Session, error) {
	r.note("sessions", h, a)
	return []Session{{Address: a, Since: when, Priority: -1}}, r.err
}
func (r *recorder) Kick(_ context.Context, a string) (int, error) { r.note("kick", a); return 3, r.err }

func (r *recorder) Reports(_ context.Context, h, before string, limit int) ([]Report, error) {
	r.note("reports", h, before, fmt.Sprint(limit))
	return []Report{{ID: "7", At: when}}, r.err
}
func (r *recorder) DeleteReport(_ context.Context, h, id string) error {
	r.note("deletereport", h, id)
	return r.err
}

// serve runs the control door on a socket of its own.
func serve(t *testing.T, op Operations, log io.Writer) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley") // t.TempDir is too long a path for a socket in some places
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "s")
	l, err := ListenSocket(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(Control(op, slog.New(slog.NewTextHandler(log, nil))))
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("the socket is still there")
		}
		os.RemoveAll(dir)
	})
	return path
}

func yes() *bool { b := true; return &b }

// Each method of the client arrives as the same method with the same arguments, and its answer comes back.
func TestClientIsOperations(t *testing.T) {
	r := new(recorder)
	var log bytes.Buffer
	c := NewClient(serve(t, r, &log))
	defer c.Close()
	ctx := t.Context()
	odd := "a.b%2F/../é@a.example/./x y?z#1"
	for _, tc := range []struct {
		call  func() (any, error)
		asked string
		want  any
	}{
		{func() (any, error) { return c.Info(ctx) }, `info[]`, Info{Version: "1", Started: when, Hosts: []HostInfo{{Domain: "a.example", Users: 2}}}},
		{func() (any, error) { return c.AddUser(ctx, NewUser{"x@a.example", "X Y", "secret-word", true}) }, `add["x@a.example" "X Y" "secret-word" %!q(bool=true)]`, User{Address: "x@a.example", Created: when}},
		{func() (any, error) { return c.Users(ctx, "a.example", "m", 7) }, `users["a.example" "m" '\a']`, []User{{Address: "x@a.example", Created: when}}},
		{func() (any, error) { return c.User(ctx, odd) }, `user["` + odd + `"]`, User{Address: odd, Created: when, LastSeen: when}},
		{func() (any, error) { return c.User(ctx, "..") }, `user[".."]`, User{Address: "..", Created: when, LastSeen: when}},
		{func() (any, error) { return c.ChangeUser(ctx, "x", UserChange{Disabled: yes()}) }, `change["x" "{\"disabled\":true}"]`, User{Address: "x", Created: when}},
		{func() (any, error) { return nil, c.SetPassword(ctx, "x", "secret-word") }, `password["x" "secret-word"]`, nil},
		{func() (any, error) { return nil, c.DeleteUser(ctx, "x") }, `delete["x"]`, nil},
		{func() (any, error) {
			var b bytes.Buffer
			err := c.Export(ctx, Export{"h", []string{"x", odd}, true, false}, &b)
			return b.Len(), err
		}, `export["h" ["x" "` + odd + `"] %!q(bool=true) %!q(bool=false)]`, 14000},
		{func() (any, error) {
			return c.Import(ctx, Import{true}, strings.NewReader(strings.Repeat("x", 3*maxBody)))
		}, fmt.Sprintf(`import["true %d"]`, 3*maxBody), Imported{Users: []string{"x@a.example"}, Messages: 2}},
		{func() (any, error) {
			return c.CreateGroup(ctx, NewGroup{Host: "h", Slug: "s", Name: "n", Description: "d", Private: true, Owner: "o"})
		}, `group["h" "s" "n" "d" %!q(bool=true) "o"]`, Group{Slug: "s", Created: when}},
		{func() (any, error) { return c.Groups(ctx, "", "", 32) }, `groups["" "" ' ']`, []Group(nil)},
		{func() (any, error) { return c.Group(ctx, "h", "s") }, `show["h" "s"]`, Group{Host: "h", Slug: "s", Created: when, Members: []Member{{Address: "x@a.example", Role: "owner"}}}},
		{func() (any, error) { return c.SetMember(ctx, "h", "s", odd, "owner") }, `member["h" "s" "` + odd + `" "owner"]`, Member{Address: odd, Role: "owner"}},
		{func() (any, error) { return nil, c.RemoveMember(ctx, "", "s", "x") }, `remove["" "s" "x"]`, nil},
		{func() (any, error) { return nil, c.DeleteGroup(ctx, "h", "s") }, `deletegroup["h" "s"]`, nil},
		{func() (any, error) { return c.CreateTheme(ctx, "h", "s", NewTheme{Name: "Q4 launch", Creator: "x"}) }, `theme["h" "s" "Q4 launch" "x"]`, Theme{Name: "Q4 launch", Created: when}},
		{func() (any, error) { return nil, c.CloseTheme(ctx, "h", "s", "k") }, `close["h" "s" "k"]`, nil},
		{func() (any, error) { return c.Sessions(ctx, "h", "x") }, `sessions["h" "x"]`, []Session{{Address: "x", Since: when, Priority: -1}}},
		{func() (any, error) { return c.Reports(ctx, "h", "7", 9) }, `reports["h" "7" "9"]`, []Report{{ID: "7", At: when}}},
		{func() (any, error) { return nil, c.DeleteReport(ctx, "h", "7") }, `deletereport["h" "7"]`, nil},
		{func() (any, error) { return c.Kick(ctx, odd) }, `kick["` + odd + `"]`, 3},
	} {
		r.asked, r.err = "", nil
		got, err := tc.call()
		if err != nil || r.asked != tc.asked || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n asked %s\n got   %+v, %v\n want  %+v", tc.asked, r.asked, got, err, tc.want)
		}
		r.err = Conflict("field", "it <is> & so")
		_, err = tc.call()
		var e *Error
		if !errors.As(err, &e) || *e != (Error{409, "it <is> & so", "field"}) {
			t.Errorf("%s: got error %#v", tc.asked, err)
		}
		r.err = errors.New("disk on fire")
		if _, err = tc.call(); err == nil || strings.Contains(err.Error(), "fire") {
			t.Errorf("%s: got error %v", tc.asked, err)
		}
	}
	if strings.Contains(log.String(), "secret-word") {
		t.Error("a password is in the log")
	}
	if !strings.Contains(log.String(), "disk on fire") {
		t.Error("the failure is not in the log")
	}
}

// An export that fails in the middle is seen to be cut.
func TestExportCut(t *testing.T) {
	r := &recorder{err: errors.New("late")}
	c := NewClient(serve(t, r, io.Discard))
	defer c.Close()
	var b bytes.Buffer
	if err := c.Export(t.Context(), Export{}, &b); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("got %v after %d bytes", err, b.Len())
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	r := new(recorder)
	h := Control(r, slog.New(slog.DiscardHandler))
	for _, tc := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", "/v1/users", `{"address":"x","colour":"red"}`, 400, "colour"},
		{"POST", "/v1/users", `{"address":7}`, 400, "address"},
		{"POST", "/v1/users", `{"address":"x"} {}`, 400, ""},
		{"POST", "/v1/users", `address=x`, 400, ""},
		{"POST", "/v1/users", ``, 400, ""},
		{"POST", "/v1/users", `{"address":"` + strings.Repeat("x", maxBody) + `"}`, 413, ""},
		{"GET", "/v1/users?limit=0", ``, 422, "limit"},
		{"GET", "/v1/users?limit=many", ``, 422, "limit"},
		{"GET", "/v2/users", ``, 404, ""},
		{"PUT", "/v1/users", ``, 404, ""},
	} {
		r.asked = ""
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body)))
		var e Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Text == "" {
			t.Errorf("%s %s: answer %q", tc.method, tc.path, w.Body)
		}
		if w.Code != tc.status || e.Field != tc.field || r.asked != "" {
			t.Errorf("%s %s: got %d about %q, asked %q", tc.method, tc.path, w.Code, e.Field, r.asked)
		}
	}
}

func TestSocket(t *testing.T) {
	path := serve(t, new(recorder), io.Discard)
	if i, err := os.Lstat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", i.Mode(), err)
	}
	if _, err := ListenSocket(path, 0o600); err == nil || !strings.Contains(err.Error(), "running") {
		t.Errorf("a second server on the same socket: %v", err)
	}
	if _, err := NewClient(path).Info(t.Context()); err != nil {
		t.Errorf("the second one has harmed the first: %v", err)
	}
}

func TestSocketLeftBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // as a server that was killed
	l.Close()
	_, err = NewClient(path).Info(t.Context())
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "parley serve") {
		t.Errorf("got %v", err)
	}
	if l, err = ListenSocket(path, 0o660); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Lstat(path); err != nil || i.Mode().Perm() != 0o660 {
		t.Errorf("got %v, %v", i.Mode(), err)
	}
	l.Close()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenSocket(file, 0o600); err == nil {
		t.Error("a file was taken for a socket")
	}
	if b, _ := os.ReadFile(file); string(b) != "dear diary" {
		t.Error("the file is gone")
	}
	if _, err = NewClient(filepath.Join(dir, "none")).Info(t.Context()); !errors.Is(err, ErrNoServer) {
		t.Errorf("got %v", err)
	}
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestHealth(t *testing.T) {
	well := Check{"store", func(context.Context) error { return nil }}
	ill := Check{"disk", func(context.Context) error { return errors.New("full") }}
	if w := get(Monitor(prometheus.NewRegistry(), well), "/healthz"); w.Code != 200 || !strings.Contains(w.Body.String(), `"status": "ok"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w := get(Monitor(prometheus.NewRegistry(), well, ill), "/healthz")
	var h Health
	if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil {
		t.Fatal(err)
	}
	if want := (Health{"failing", map[string]string{"store": "ok", "disk": "full"}}); w.Code != 503 || !reflect.DeepEqual(h, want) {
		t.Errorf("got %d %+v", w.Code, h)
	}
}

// A check that hangs is told as such within the time, and the others with it.
func TestHealthOfWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		start := time.Now()
		h := look(t.Context(), []Check{
			{"stuck", func(context.Context) error { <-release; return nil }},
			{"store", func(context.Context) error { return nil }},
		})
		if want := (Health{"failing", map[string]string{"stuck": "no answer", "store": "ok"}}); !reflect.DeepEqual(h, want) {
			t.Errorf("got %+v", h)
		}
		if d := time.Since(start); d != checkTimeout {
			t.Errorf("it took %v", d)
		}
		close(release)
		synctest.Wait()
	})
}

func TestMetrics(t *testing.T) {
	for range 2 { // two nodes in one process share nothing
		r := prometheus.NewRegistry()
		if err := RegisterProcess(r); err != nil {
			t.Fatal(err)
		}
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_test_total", Help: "x"})
		r.MustRegister(c)
		c.Inc()
		w := get(Monitor(r), "/metrics")
		for _, want := range []string{"\nparley_test_total 1\n", "\ngo_goroutines ", "\nprocess_cpu_seconds_total "} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("no %q", strings.TrimSpace(want))
			}
		}
	}
	if w := get(Monitor(prometheus.NewRegistry()), "/debug/pprof/"); w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
}
