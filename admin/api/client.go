package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"syscall"

	"github.com/danielgtaylor/huma/v2"
)

// ErrNoServer is returned by a Client whose socket nobody listens on.
var ErrNoServer = errors.New("no server is listening")

// Error is the server's answer to an operation that it has refused or that has failed.
type Error struct {
	Status int
	Text   string
	Field  string // the input that the error is about; "" for none
}

// Error returns the text of the error.
func (e *Error) Error() string { return e.Text }

// Client asks the API over the control socket, as the operator of the machine.
type Client struct {
	path string
	host string
	http *http.Client
}

// NewClient makes one for the socket at path. It connects when it is used.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConns: 1}}}
}

// On returns the client for one host; "" is the only host.
func (c *Client) On(host string) *Client {
	on := *c
	on.host = host
	return &on
}

// Close closes the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Do runs an operation. The error is an *Error if the server refuses it.
func (o Op[I, O]) Do(ctx context.Context, c *Client, in I) (out O, err error) {
	res, err := c.send(ctx, o.Operation, in)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("the server's answer: %w", err)
	}
	return out, nil
}

// Save runs an operation that answers with a file, and writes the file to w.
func Save[I any](ctx context.Context, c *Client, o Op[I, File], in I, w io.Writer) error {
	res, err := c.send(ctx, o.Operation, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("the server's answer is incomplete: %w", err)
	}
	return nil
}

// All reads a list in parts, to its end.
func All[I any, P listed[I], T any](ctx context.Context, c *Client, o Op[I, []T], in I) ([]T, error) {
	const most = 1000
	all := []T{}
	for {
		*P(&in).part() = Part{Offset: len(all), Limit: most}
		some, err := o.Do(ctx, c, in)
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(some) < most {
			return all, nil
		}
	}
}

// send makes a request and returns the answer of an operation that has succeeded.
func (c *Client) send(ctx context.Context, o huma.Operation, in any) (*http.Response, error) {
	r := request{path: o.Path, query: make(url.Values)}
	if err := r.add(reflect.ValueOf(in)); err != nil {
		return nil, err
	}
	u := "http://parley" + r.path
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, o.Method, u, r.body)
	if err != nil {
		return nil, err
	}
	if r.json {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.host != "" {
		req.Header.Set(HostHeader, c.host)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.dialError(err)
	}
	if res.StatusCode >= 300 {
		defer res.Body.Close()
		return nil, refused(res)
	}
	return res, nil
}

// request is an operation's input as path, query and body.
type request struct {
	path  string
	query url.Values
	body  io.Reader
	json  bool
}

// add takes in the fields of an input by the tags that the server uses.
func (r *request) add(in reflect.Value) error {
	t := in.Type()
	for i := range t.NumField() {
		f, v := t.Field(i), in.Field(i)
		path, inPath := f.Tag.Lookup("path")
		query, inQuery := f.Tag.Lookup("query")
		switch {
		case f.Anonymous:
			if err := r.add(v); err != nil {
				return err
			}
		case !f.IsExported():
		case inPath:
			if v.String() == "" {
				return &Error{Status: http.StatusUnprocessableEntity, Text: "an empty name was given", Field: path}
			}
			// "." and ".." are names here.
			name := strings.ReplaceAll(url.PathEscape(v.String()), ".", "%2E")
			r.path = strings.ReplaceAll(r.path, "{"+path+"}", name)
		case inQuery:
			r.addQuery(query, v)
		case f.Name == "Body":
			b, err := json.Marshal(v.Interface())
			if err != nil {
				return err
			}
			r.body, r.json = bytes.NewReader(b), true
		case f.Name == "Content":
			r.body, _ = v.Interface().(io.Reader)
		}
	}
	return nil
}

func (r *request) addQuery(name string, v reflect.Value) {
	name, _, _ = strings.Cut(name, ",")
	switch {
	case v.IsZero():
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			r.query.Add(name, fmt.Sprint(v.Index(i)))
		}
	default:
		r.query.Set(name, fmt.Sprint(v))
	}
}

// maxProblem limits how many bytes of an error are read.
const maxProblem = 64 << 10

// refused reads the reason of an error (RFC 9457).
func refused(res *http.Response) error {
	var p huma.ErrorModel
	err := json.NewDecoder(io.LimitReader(res.Body, maxProblem)).Decode(&p)
	if err != nil || p.Detail == "" {
		return &Error{Status: res.StatusCode, Text: "the server answered " + res.Status}
	}
	e := &Error{Status: res.StatusCode, Text: p.Detail}
	if len(p.Errors) == 0 {
		return e
	}
	first := p.Errors[0]
	_, e.Field, _ = strings.Cut(first.Location, ".")
	// the server has refused the values before the operation: say which are wrong
	if first.Message != "" && first.Message != p.Detail {
		e.Text = e.Field + ": " + first.Message
	}
	return e
}

func (c *Client) dialError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("you cannot use the control socket %s: run this as the server's user", c.path)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s: start it with `parley serve`, or name the socket with --socket",
			ErrNoServer, c.path)
	}
	return fmt.Errorf("control socket %s: %w", c.path, err)
}
