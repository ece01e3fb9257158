package people

import (
	"context"
	"errors"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/settings"
)

// Policy gives the settings in force, without reading the store.
func (p *People) Policy() settings.Values { return p.cfg.Settings.Of(p.h.Domain) }

// RoleName gives the name of a role: the organization's, or else the language's.
func (p *People) RoleName(l *i18n.Lang, role string) string {
	if called := p.Policy().Roles[role]; called != "" {
		return called
	}
	return l.T("role " + role)
}

// Settings gives all settings with their values in force. Administrators may do this.
func (p *People) Settings(a Actor) ([]settings.State, error) {
	if !a.Runs() {
		return nil, fault.ErrRole
	}
	return p.cfg.Settings.All(p.h.Domain), nil
}

// ChangeSettings sets some settings, and resets those whose value is nil. The error is settings.Mistakes if values are
// wrong.
func (p *People) ChangeSettings(ctx context.Context, by Actor,
	to map[string]*string) (changed []settings.Changed, err error) {
	if !by.Runs() {
		return nil, fault.ErrRole
	}
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		if changed, err = p.cfg.Settings.Write(ctx, p.h.Domain, by.Name, to); err != nil || len(changed) == 0 {
			return err
		}
		detail := acts.Detail{}
		for _, c := range changed {
			acts.Was(detail, c.Name, c.Was, c.Is)
		}
		a.Note(acts.SettingsChange, "", detail)
		a.Changed(changes.Settings, "")
		if detail["signin.two_factor"] != nil {
			a.Then(p.enforceFactor)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// Mistaken gives the mistakes of a change of settings; nil if the error is another one.
func Mistaken(err error) settings.Mistakes {
	var ms settings.Mistakes
	errors.As(err, &ms)
	return ms
}
