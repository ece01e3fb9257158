package admin

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
	"strconv"
	"strings"
	"syscall"
)

// ErrNoServer is returned by a Client whose socket nobody listens on.
var ErrNoServer = errors.New("no server is listening")

// Client is Operations over the control socket.
type Client struct {
	path string
	http *http.Client
}

var _ Operations = (*Client)(nil)

// NewClient makes one for the socket at path. It connects when it is used.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConns: 1}}}
}

// Close lets the connection go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) do(ctx context.Context, method string, path []string, query url.Values, body, answer any) error {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(b)
	}
	res, err := c.send(ctx, method, path, query, content)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if answer == nil {
		return nil
	}
	return decode(res.Body, answer)
}

func decode(r io.Reader, answer any) error {
	if err := json.NewDecoder(r).Decode(answer); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	return nil
}

// send makes a request and gives the answer to one that was done.
func (c *Client) send(ctx context.Context, method string, path []string, query url.Values, content io.Reader) (*http.Response, error) {
	u := "http://parley/v1"
	for _, p := range path {
		if p == "" {
			return nil, Invalid("", "an empty name was given")
		}
		u += "/" + strings.ReplaceAll(url.PathEscape(p), ".", "%2E") // "." and ".." are names here
	}
	req, err := http.NewRequestWithContext(ctx, method, u+"?"+query.Encode(), content)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.dialError(err)
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		e := &Error{Status: res.StatusCode}
		if err := json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(e); err != nil || e.Text == "" {
			e.Text = "the server answered " + res.Status
		}
		return nil, e
	}
	return res, nil
}

func (c *Client) dialError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("you may not use the control socket %s: run this as the server's user", c.path)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s: start it with `parley serve`, or name the socket with --socket", ErrNoServer, c.path)
	}
	return fmt.Errorf("control socket %s: %w", c.path, err)
}

func host(h string) url.Values {
	if h == "" {
		return nil
	}
	return url.Values{"host": {h}}
}

func list(host, after string, limit int) url.Values {
	return url.Values{"host": {host}, "after": {after}, "limit": {strconv.Itoa(limit)}}
}

func (c *Client) Info(ctx context.Context) (v Info, err error) {
	return v, c.do(ctx, "GET", []string{"info"}, nil, nil, &v)
}

func (c *Client) AddUser(ctx context.Context, u NewUser) (v User, err error) {
	return v, c.do(ctx, "POST", []string{"users"}, nil, u, &v)
}

func (c *Client) Users(ctx context.Context, h, after string, limit int) (v []User, err error) {
	return v, c.do(ctx, "GET", []string{"users"}, list(h, after, limit), nil, &v)
}

func (c *Client) User(ctx context.Context, address string) (v User, err error) {
	return v, c.do(ctx, "GET", []string{"users", address}, nil, nil, &v)
}

func (c *Client) ChangeUser(ctx context.Context, address string, ch UserChange) (v User, err error) {
	return v, c.do(ctx, "PATCH", []string{"users", address}, nil, ch, &v)
}

func (c *Client) SetPassword(ctx context.Context, address, pw string) error {
	return c.do(ctx, "PUT", []string{"users", address, "password"}, nil, password{pw}, nil)
}

func (c *Client) DeleteUser(ctx context.Context, address string) error {
	return c.do(ctx, "DELETE", []string{"users", address}, nil, nil, nil)
}

func (c *Client) CreateGroup(ctx context.Context, g NewGroup) (v Group, err error) {
	return v, c.do(ctx, "POST", []string{"groups"}, nil, g, &v)
}

func (c *Client) Groups(ctx context.Context, h, after string, limit int) (v []Group, err error) {
	return v, c.do(ctx, "GET", []string{"groups"}, list(h, after, limit), nil, &v)
}

func (c *Client) Group(ctx context.Context, h, slug string) (v Group, err error) {
	return v, c.do(ctx, "GET", []string{"groups", slug}, host(h), nil, &v)
}

func (c *Client) SetMember(ctx context.Context, h, slug, address, r string) (v Member, err error) {
	return v, c.do(ctx, "PUT", []string{"groups", slug, "members", address}, host(h), role{r}, &v)
}

func (c *Client) RemoveMember(ctx context.Context, h, slug, address string) error {
	return c.do(ctx, "DELETE", []string{"groups", slug, "members", address}, host(h), nil, nil)
}

func (c *Client) ChangeGroup(ctx context.Context, h, slug string, ch GroupChange) (v Group, err error) {
	return v, c.do(ctx, "PATCH", []string{"groups", slug}, host(h), ch, &v)
}

func (c *Client) DeletedGroups(ctx context.Context, h string) (v []Group, err error) {
	return v, c.do(ctx, "GET", []string{"deleted-groups"}, host(h), nil, &v)
}

func (c *Client) RestoreGroup(ctx context.Context, h, slug string) (v Group, err error) {
	return v, c.do(ctx, "POST", []string{"deleted-groups", slug, "restore"}, host(h), nil, &v)
}

func (c *Client) SetPhoto(ctx context.Context, h, slug string, image []byte) error {
	return c.do(ctx, "PUT", []string{"groups", slug, "photo"}, host(h), photo{image}, nil)
}

func (c *Client) DeleteGroup(ctx context.Context, h, slug string) error {
	return c.do(ctx, "DELETE", []string{"groups", slug}, host(h), nil, nil)
}

func (c *Client) SetMandatory(ctx context.Context, h, slug, w string) error {
	return c.do(ctx, "PUT", []string{"groups", slug, "mandatory"}, host(h), whom{w}, nil)
}

func (c *Client) SetGroupTeam(ctx context.Context, h, slug, team, r string) error {
	return c.do(ctx, "PUT", []string{"groups", slug, "teams", team}, host(h), role{r}, nil)
}

func (c *Client) Requests(ctx context.Context, h, slug string) (v []Request, err error) {
	return v, c.do(ctx, "GET", []string{"groups", slug, "requests"}, host(h), nil, &v)
}

func (c *Client) AnswerRequest(ctx context.Context, h, slug, address string, yes bool) error {
	return c.do(ctx, "PUT", []string{"groups", slug, "requests", address}, host(h), answer{yes}, nil)
}

func (c *Client) ChangeTheme(ctx context.Context, h, slug, theme string, ch ThemeChange) (v Theme, err error) {
	return v, c.do(ctx, "PATCH", []string{"groups", slug, "themes", theme}, host(h), ch, &v)
}

func (c *Client) SetThemePerson(ctx context.Context, h, slug, theme, address, r string) error {
	return c.do(ctx, "PUT", []string{"groups", slug, "themes", theme, "people", address}, host(h), role{r}, nil)
}

func (c *Client) CreateTheme(ctx context.Context, h, slug string, t NewTheme) (v Theme, err error) {
	return v, c.do(ctx, "POST", []string{"groups", slug, "themes"}, host(h), t, &v)
}

func (c *Client) CloseTheme(ctx context.Context, h, slug, theme string) error {
	return c.do(ctx, "DELETE", []string{"groups", slug, "themes", theme}, host(h), nil, nil)
}

func (c *Client) Sessions(ctx context.Context, h, address string) (v []Session, err error) {
	return v, c.do(ctx, "GET", []string{"sessions"}, url.Values{"host": {h}, "address": {address}}, nil, &v)
}

func (c *Client) Kick(ctx context.Context, address string) (int, error) {
	var k kicked
	err := c.do(ctx, "DELETE", []string{"sessions", address}, nil, nil, &k)
	return k.Closed, err
}
