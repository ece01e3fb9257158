package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Export says what is to be written.
type Export struct {
	Host      string
	Addresses []string
	Archive   bool // messages, too
	Passwords bool // what passwords are known by, too
}

// Import says how accounts are to be read.
type Import struct {
	Merge bool // what is there already gets what the file has, too
}

// Imported says what became of it.
type Imported struct {
	Users    []string `json:"users"` // made, or added to
	Messages int      `json:"messages"`
	Problems []string `json:"problems,omitempty"` // what was left out, and why
	More     int      `json:"more_problems,omitempty"`
}

// files are the two requests that carry more than a little: they take as long as they take.
func (c *control) files(op Accounts) {
	c.mux.HandleFunc("GET /v1/export", func(w http.ResponseWriter, r *http.Request) {
		unhurried(w)
		q := r.URL.Query()
		out := &started{w: w, kind: "application/xml"}
		err := op.Export(r.Context(), Export{Host: q.Get("host"), Addresses: q["address"], Archive: q.Has("archive"), Passwords: q.Has("passwords")}, out)
		c.log.Info("control", "do", "GET /v1/export", "ok", err == nil)
		switch {
		case err != nil && !out.yes:
			reply(w, r, c.log, nil, err)
		case err != nil:
			c.log.Error("control: export", "err", err)
			panic(http.ErrAbortHandler) // so that the other side sees that it is not whole
		}
	})
	c.mux.HandleFunc("POST /v1/import", func(w http.ResponseWriter, r *http.Request) {
		unhurried(w)
		v, err := op.Import(r.Context(), Import{Merge: r.URL.Query().Has("merge")}, r.Body)
		c.log.Info("control", "do", "POST /v1/import", "ok", err == nil, "users", len(v.Users))
		reply(w, r, c.log, v, err)
	})
}

// unhurried takes away the time limits of the server.
func unhurried(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // what cannot be set was not limited
	_ = rc.SetWriteDeadline(time.Time{})
}

// started notes that the answer has begun.
type started struct {
	w    http.ResponseWriter
	kind string // content type
	yes  bool
}

func (s *started) Write(b []byte) (int, error) {
	if !s.yes {
		s.yes = true
		s.w.Header().Set("Content-Type", s.kind)
	}
	return s.w.Write(b)
}

func (c *Client) Export(ctx context.Context, x Export, w io.Writer) error {
	q := url.Values{"address": x.Addresses}
	if x.Host != "" {
		q.Set("host", x.Host)
	}
	if x.Archive {
		q.Set("archive", "1")
	}
	if x.Passwords {
		q.Set("passwords", "1")
	}
	res, err := c.send(ctx, "GET", []string{"export"}, q, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("the export is not whole: %w", err)
	}
	return nil
}

func (c *Client) Import(ctx context.Context, in Import, r io.Reader) (v Imported, err error) {
	q := url.Values{}
	if in.Merge {
		q.Set("merge", "1")
	}
	res, err := c.send(ctx, "POST", []string{"import"}, q, r)
	if err != nil {
		return v, err
	}
	defer res.Body.Close()
	return v, decode(res.Body, &v)
}
