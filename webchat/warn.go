package webchat

import (
	"context"
	"strings"

	"parley/internal/i18n"
	"parley/messages"
	"parley/wire/jid"
)

// canWarn says whether the author of a message can be told that it was removed: somebody of the host.
func (p *speaker) canWarn(m *messages.Message) bool {
	j, err := jid.Parse(m.By.Address)
	return err == nil && j.Local() != "" && j.Domain() == p.s.cfg.Host.Domain
}

// warn tells the author of a message that a moderator has removed it, and why. The text goes with it: it is gone from
// the room.
func (p *speaker) warn(ctx context.Context, m *messages.Message, reason string) {
	author, err := jid.Parse(m.By.Address)
	if err != nil {
		return
	}
	by := p.s.person(ctx, p.account()).name
	if !p.f.scene.addressed {
		by = p.nicks(ctx)[0]
	}
	quote := []rune(m.Short())
	if len(quote) > 500 {
		quote = append(quote[:500], '…')
	}
	p.s.notice(ctx, author.Local(), func(l *i18n.Lang) string {
		lines := []string{l.T("{{.Name}} has removed a message of yours in {{.Where}}, and warns you", "Name", by,
			"Where", p.s.placeName(&p.f))}
		if reason != "" {
			lines = append(lines, l.T("Reason: {{.Reason}}", "Reason", reason))
		}
		for line := range strings.SplitSeq(string(quote), "\n") {
			lines = append(lines, "> "+line)
		}
		if at := p.s.addressOf(p.id, m.ID.String()); at != "" {
			lines = append(lines, at)
		}
		return strings.Join(lines, "\n")
	})
}
