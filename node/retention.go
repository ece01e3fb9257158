package node

import (
	"context"
	"fmt"
	"time"

	"parley/admin"
	"parley/config"
	"parley/server"
	"parley/store"
)

const (
	shortRetention = time.Hour
	longRetention  = 36500 * 24 * time.Hour
)

// readRetention reads what an administrator says for an account.
func readRetention(text string) (time.Duration, error) {
	switch text {
	case "host":
		return 0, nil
	case "forever":
		return store.Forever, nil
	}
	d, err := config.ParseDuration(text)
	if err != nil {
		return 0, admin.Invalid("retention", "%q: write how long messages are kept, like 90d, or forever, or host for as long as others'", text)
	}
	if d < shortRetention || d > longRetention {
		return 0, admin.Invalid("retention", "%s is not between %s and %s; write forever for messages that are never removed, host for as long as others'",
			text, config.FormatDuration(shortRetention), config.FormatDuration(longRetention))
	}
	return d, nil
}

func writeRetention(d time.Duration) string {
	if d <= 0 {
		return "forever"
	}
	return config.FormatDuration(d)
}

// showRetention puts in what holds for the account, and by whom.
func (o *operations) showRetention(ctx context.Context, h *server.Host, name string, u *admin.User) error {
	r, err := o.n.Store.Retention(ctx, h.Domain, name)
	if err != nil {
		return fmt.Errorf("retention of %s: %w", name, err)
	}
	general := o.n.settings.Of(h.Domain).Archive
	u.Retention, u.RetentionBy = writeRetention(r.Effective(general)), "host"
	switch {
	case r.Set != 0:
		u.RetentionBy = "administrator"
	case r.Effective(general) != general:
		u.RetentionBy = "person"
	}
	return nil
}
