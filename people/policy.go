package people

import (
	"context"
	"errors"

	"parley/org"
	"parley/settings"
	"parley/words"
)

// Policy is what the organization has decided and what holds where it has not; it costs nothing to ask.
func (p *People) Policy() settings.Values { return p.cfg.Settings.Of(p.h.Domain) }

// RoleName is what a role is called: by the organization, or else in a language.
func (p *People) RoleName(l *words.Lang, role string) string {
	if called := p.Policy().Roles[role]; called != "" {
		return called
	}
	return l.T("role " + role)
}

// Settings gives all settings as they are in force, to who runs the organization.
func (p *People) Settings(a Actor) ([]settings.State, error) {
	if !a.Runs() {
		return nil, fail(org.Forbidden, "", "Your role does not allow this")
	}
	return p.cfg.Settings.All(p.h.Domain), nil
}

// ChangeSettings sets some, and takes back those whose value is nil. The error is settings.Mistakes where values are wrong.
func (p *People) ChangeSettings(ctx context.Context, a Actor, to map[string]*string) ([]settings.Changed, error) {
	if !a.Runs() {
		return nil, fail(org.Forbidden, "", "Your role does not allow this")
	}
	changed, err := p.cfg.Settings.Change(ctx, p.h.Domain, a.Name, to)
	if err != nil {
		return nil, err
	}
	if len(changed) > 0 {
		detail := make(map[string]any)
		for _, c := range changed {
			detail[c.Name] = []any{c.Was, c.Is}
		}
		p.audit(ctx, a, "settings.change", "", detail)
		if detail["signin.two_factor"] != nil {
			p.enforceFactor(ctx)
		}
	}
	return changed, nil
}

// Mistaken gives the mistakes of a change of settings; nil if the error is another one.
func Mistaken(err error) settings.Mistakes {
	var ms settings.Mistakes
	errors.As(err, &ms)
	return ms
}
