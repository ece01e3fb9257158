package webchat

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"parley/feature/notify"
	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/messages"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Complaint is why somebody reports a message.
type Complaint struct {
	Reason string `json:"reason" enum:"spam,abuse,other"`
	Text   string `json:"text,omitempty" maxLength:"1000"`
}

const (
	maxReports = 100 // of one person that nobody has handled
	maxTold    = 20  // people who are told of a report
)

// Report tells those who keep order of a message: the moderators of a group or, where there is none but its author, the
// administrators. It is kept with the reports of XEP-0377.
func (s *Service) Report(ctx context.Context, account string, c Credential, id jid.JID, message string,
	why Complaint) error {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return err
	}
	m, err := s.one(ctx, account, id, &p.f, message)
	if err != nil {
		return err
	}
	if m.Removed != nil {
		return fault.New(fault.NotFound, "", "no such message")
	}
	if p.mine(ctx, &m) {
		return fault.New(fault.NotAllowed, "", "This message is your own")
	}
	rep := store.Report{
		Host:     s.cfg.Host.Domain,
		ID:       s.cfg.Host.IDs.Next(),
		Reporter: account,
		Who:      s.side(m.By, m.Incoming, p.f.scene).Address,
		Reason:   why.Reason,
		Text:     strings.TrimSpace(why.Text),
		Messages: []store.ID{m.ID},
	}
	if p.f.scene.self == "" {
		rep.Room = id.String()
	}
	if rep.Who == "" {
		rep.Who = id.String() // a room itself says it, or a program
	}
	err = s.cfg.Store.AddReport(ctx, rep, maxReports)
	if errors.Is(err, store.ErrLimit) {
		return fault.New(fault.Limit, "", "You have reported {{.Max}} messages that nobody has looked at yet", "Max",
			maxReports)
	}
	if err != nil {
		return err
	}
	s.cfg.Host.Log.Info("reported", "by", account, "whom", rep.Who, "reason", rep.Reason)
	s.do(func(ctx context.Context) { s.tellOfReport(ctx, p, &m, &rep) })
	return nil
}

// tellOfReport tells those who keep order of a report.
func (s *Service) tellOfReport(ctx context.Context, p *speaker, m *messages.Message, r *store.Report) {
	order, err := s.keepers(ctx, p, r.Who)
	if err != nil {
		s.failed("cannot tell of a report", err)
		return
	}
	by := s.message(ctx, m, scene{room: p.f.scene.room, addressed: true, self: p.f.scene.self, with: p.f.scene.with}).By
	author := r.Who
	if by != nil {
		author = by.Name
	}
	quote := []rune(m.Short())
	if len(quote) > 500 {
		quote = append(quote[:500], '…')
	}
	for _, who := range order {
		s.notice(ctx, who, func(l *i18n.Lang) string {
			lines := []string{l.T("{{.Name}} reports a message of {{.Author}} in {{.Where}}", "Name",
				s.person(ctx, r.Reporter).name, "Author", author, "Where", s.reportedIn(l, p))}
			lines = append(lines, l.T("Reason: {{.Reason}}", "Reason", reasonText(l, r.Reason)))
			if r.Text != "" {
				lines = append(lines, r.Text)
			}
			for line := range strings.SplitSeq(string(quote), "\n") {
				lines = append(lines, "> "+line)
			}
			if at := s.addressOf(p.id, m.ID.String()); at != "" && r.Room != "" {
				lines = append(lines, at)
			}
			return strings.Join(lines, "\n")
		})
	}
}

// reasonText is what people read of the reason of a report.
func reasonText(l *i18n.Lang, reason string) string {
	switch reason {
	case "spam":
		return l.T("advertising")
	case "abuse":
		return l.T("abuse")
	}
	return l.T("something else")
}

func (s *Service) reportedIn(l *i18n.Lang, p *speaker) string {
	if p.f.scene.self != "" {
		return l.T("a direct conversation")
	}
	return s.placeName(&p.f)
}

// keepers gives the accounts that keep order in a conversation, without the one that a report is about.
func (s *Service) keepers(ctx context.Context, p *speaker, but string) (all []string, err error) {
	add := func(address string) {
		j, err := jid.Parse(address)
		if err == nil && j.Domain() == s.cfg.Host.Domain && address != but && len(all) < maxTold {
			all = append(all, j.Local())
		}
	}
	if place := p.f.place; place != nil {
		ms, err := s.cfg.Org.Members(ctx, s.cfg.Host.Domain, place.Group.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range ms {
			if m.Role == store.RoleOwner || m.Role == store.RoleModerator {
				add(m.JID)
			}
		}
	}
	for _, role := range []string{store.RoleAdmin, store.RoleOwner} {
		if len(all) > 0 {
			break
		}
		ps, _, err := s.cfg.Store.People(ctx, s.cfg.Host.Domain,
			store.PeopleFilter{Role: role, Here: true, Limit: maxTold})
		if err != nil {
			return nil, err
		}
		for i := range ps {
			add(ps[i].Name + "@" + s.cfg.Host.Domain)
		}
	}
	return all, nil
}

// notice sends a person a message from the address of the host that notifies, in the person's language.
func (s *Service) notice(ctx context.Context, account string, text func(l *i18n.Lang) string) {
	to, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return
	}
	p, err := s.cfg.Store.Person(ctx, s.cfg.Host.Domain, account)
	if err != nil {
		s.failed("cannot notify a person", err, "account", account)
		return
	}
	body := text(s.cfg.Words.Lang(p.Lang))
	if utf8.RuneCountInString(body) > MaxText {
		body = string([]rune(body)[:MaxText])
	}
	s.cfg.Host.Router.Send(ctx, (&wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		Type: "chat",
		ID:   s.cfg.Host.NewID(),
		From: jid.MustParse(notify.Name + "@" + s.cfg.Host.Domain),
		To:   to,
	}).Add(wire.T(wire.NSClient, "body", body)))
}
