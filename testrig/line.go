package testrig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Line asks the API over a node's control socket, as the command line does, with requests as they go over it.
type Line struct {
	Host string // that it is about
	http *http.Client
}

// Line gives the command line's way to the node. It ends with the test.
func (r *Rig) Line(t testing.TB) *Line {
	t.Helper()
	return NewLine(t, Host, r.Node.Config.Listeners.Control.Path)
}

// NewLine gives the command line's way to a node that hosts host and whose control socket is at path. It ends with the
// test.
func NewLine(t testing.TB, host, path string) *Line {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	l := &Line{Host: host, http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
	t.Cleanup(l.http.CloseIdleConnections)
	return l
}

// LineError is the error that an answer of the API reports.
type LineError struct {
	Status int
	Text   string
}

func (e *LineError) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Text) }

// Do asks for something below /api/v1, with a body in JSON if there is one, and reads the answer into what into points
// to, which may be nil. The error is a *LineError where it was not done.
func (l *Line) Do(method, path, body string, into any) error {
	return l.ask(method, "/v1"+path, body, into)
}

// Describe reads the OpenAPI description of the operations on the socket.
func (l *Line) Describe(into any) error { return l.ask(http.MethodGet, "/openapi.json", "", into) }

func (l *Line) ask(method, path, body string, into any) error {
	req, err := http.NewRequest(method, "http://parley/api"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Parley-Host", l.Host)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return err
	case res.StatusCode >= 300:
		return &LineError{res.StatusCode, string(b)}
	case into == nil:
		return nil
	}
	return json.Unmarshal(b, into)
}
