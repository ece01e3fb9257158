package testrig

import (
	"errors"
	"strings"
)

// administer is `administrator does: POST /teams {…}`: a request to the API over the control socket, as the command
// line sends it; `administrator cannot:` expects a refusal.
func (p *player) administer(s step) error {
	method, rest, _ := strings.Cut(s.arg, " ")
	path, body, _ := strings.Cut(rest, " ")
	line := NewLine(p.t, Host, p.rig.cfg.Listeners.Control.Path)
	err := line.Do(method, p.vars.fill(path), p.vars.fill(body), nil)
	if s.verb != "administrator cannot" {
		return err
	}
	var refused *LineError
	switch {
	case err == nil:
		return errors.New("it is not refused")
	case !errors.As(err, &refused) || refused.Status >= 500:
		return err
	}
	return nil
}
