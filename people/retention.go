package people

import (
	"context"
	"fmt"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/settings"
	"parley/store"
)

const (
	shortRetention = time.Hour
	longRetention  = 36500 * 24 * time.Hour
)

// Those who can set how long an account's messages are kept.
const (
	ByHost          = "host"
	ByAdministrator = "administrator"
	ByPerson        = "person"
)

// ParseRetention reads how long an account's messages are kept: a time from 1h to 36500d like "90d", "forever", or
// "host" for the host's setting. It gives the value for Change.Retention.
func ParseRetention(text string) (time.Duration, error) {
	switch text {
	case "host":
		return 0, nil
	case "forever":
		return store.Forever, nil
	}
	d, ok := settings.ParseDuration(text)
	if !ok {
		return 0, fault.New(fault.Invalid, "retention",
			"\"{{.Text}}\": write how long to keep messages, like 90d, or forever, or host for the organization's usual time", "Text", text)
	}
	if d < shortRetention || d > longRetention {
		return 0, fault.New(fault.Invalid, "retention",
			"{{.Text}} is not between {{.Min}} and {{.Max}}; write forever to keep messages always, host for the organization's usual time",
			"Text", text, "Min", settings.FormatDuration(shortRetention), "Max", settings.FormatDuration(longRetention))
	}
	return d, nil
}

// FormatRetention writes what ParseRetention reads.
func FormatRetention(d time.Duration) string {
	switch {
	case d == 0:
		return "host"
	case d < 0:
		return "forever"
	}
	return settings.FormatDuration(d)
}

// SetRetention gives the retention that administrators have set for an account, in the form of FormatRetention.
func (p *People) SetRetention(ctx context.Context, name string) (string, error) {
	r, err := p.st.Retention(ctx, p.h.Domain, name)
	if err != nil {
		return "", fmt.Errorf("retention of %s: %w", name, err)
	}
	return FormatRetention(r.Set), nil
}

// Retention gives how long an account's messages are kept, "90d" or "forever", and who has set it: ByHost,
// ByAdministrator or ByPerson.
func (p *People) Retention(ctx context.Context, name string) (keep, by string, err error) {
	r, err := p.st.Retention(ctx, p.h.Domain, name)
	if err != nil {
		return "", "", fmt.Errorf("retention of %s: %w", name, err)
	}
	general := p.Policy().Archive
	d := r.Effective(general)
	if keep = "forever"; d > 0 {
		keep = settings.FormatDuration(d)
	}
	switch {
	case r.Set != 0:
		return keep, ByAdministrator, nil
	case d != general:
		return keep, ByPerson, nil
	}
	return keep, ByHost, nil
}

// setRetention writes how long an account's messages are kept.
func (p *People) setRetention(ctx context.Context, name string, keep time.Duration, detail acts.Detail) error {
	was := time.Duration(0)
	err := p.st.SetRetention(ctx, p.h.Domain, name, func(r *store.Retention) { was, r.Set = r.Set, keep })
	if err != nil {
		return fmt.Errorf("set retention of %s: %w", name, err)
	}
	acts.Was(detail, "retention", FormatRetention(was), FormatRetention(keep))
	return nil
}
