package testrig

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// administer is `administrator does: POST /v1/teams {…}`: a request to the control socket, as the command line sends it;
// `administrator cannot:` is one that is refused.
func (p *player) administer(s step) error {
	method, rest, _ := strings.Cut(s.arg, " ")
	path, body, _ := strings.Cut(rest, " ")
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", p.rig.cfg.Listeners.Control.Path)
	}}}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://parley"+p.vars.fill(path)+sep+"host="+Host, strings.NewReader(p.vars.fill(body)))
	if err != nil {
		return err
	}
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	refused := res.StatusCode >= 400 && res.StatusCode < 500
	if s.verb == "administrator cannot" && !refused || s.verb == "administrator does" && res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", res.Status, got)
	}
	return nil
}
