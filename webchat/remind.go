package webchat

import (
	"context"
	"net/url"
	"time"

	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// NewReminder is something that the caller wants to be reminded of: a text, or a message.
type NewReminder struct {
	At           time.Time `json:"at" doc:"at most a year from now"`
	Text         string    `json:"text,omitempty" maxLength:"2000"`
	Conversation string    `json:"conversation,omitempty" maxLength:"3071" doc:"bare address of the message's conversation"`
	Message      string    `json:"message,omitempty" maxLength:"13" doc:"id of a message; its text is repeated, without text"`
}

// maxReminder is how many characters a reminder has.
const maxReminder = 2000

// Remind keeps something of which a person is reminded by a message of the host, which wakes phones.
func (s *Service) Remind(ctx context.Context, account string, n NewReminder) (Scheduled, error) {
	x := store.Scheduled{Owner: account, Reminder: true, Due: n.At, Text: n.Text}
	if n.Message != "" {
		text, err := s.reminded(ctx, account, n)
		if err != nil {
			return Scheduled{}, err
		}
		if x.Chat = n.Conversation; x.Text == "" {
			x.Text = text
		}
	}
	if x.Text == "" {
		return Scheduled{}, fault.New(fault.Invalid, "text", "Say of what you want to be reminded")
	}
	if len([]rune(x.Text)) > maxReminder {
		return Scheduled{}, fault.New(fault.Invalid, "text", "This is too long for a reminder")
	}
	x.More = moreOf{Message: n.Message}.text()
	x, err := s.cfg.Later.Add(ctx, x)
	if err != nil {
		return Scheduled{}, err
	}
	return s.listedLater(ctx, &x, nil), nil
}

// reminded gives the text for a reminder of a message, which the person may read.
func (s *Service) reminded(ctx context.Context, account string, n NewReminder) (string, error) {
	id, err := jid.Parse(n.Conversation)
	if err != nil {
		return "", fault.New(fault.NotFound, "", "no such conversation")
	}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return "", err
	}
	f, err := s.find(ctx, who, id)
	if err != nil {
		return "", err
	}
	m, err := s.one(ctx, account, id, &f, n.Message)
	if err != nil {
		return "", err
	}
	text := short(m.Short())
	if by := s.message(ctx, &m, f.scene).By; by != nil {
		text = by.Name + ": " + text
	}
	return text, nil
}

// remind tells a person what the person wanted to be reminded of, by a message of the host. What a conversation says is
// not repeated to somebody who may not read it any more.
func (s *Service) remind(ctx context.Context, x *store.Scheduled) error {
	more, err := moreIn(x)
	if err != nil {
		return err
	}
	text, place, link := x.Text, "", ""
	if x.Chat != "" {
		_, f, err := s.laterIn(ctx, x)
		switch {
		case err == nil:
			place = s.placeName(&f)
			if web := s.cfg.Web(); web != "" && more.Message != "" {
				link = web + "/chat/c/" + url.PathEscape(x.Chat) + "/" + more.Message
			}
		case server.Fault(err) == nil:
			return err
		case more.Message != "":
			text = ""
		}
	}
	return s.cfg.Later.Tell(ctx, x.Owner, func(l *i18n.Lang) []string {
		if text == "" {
			return []string{l.T("You wanted to be reminded of a message. You cannot read it any more.")}
		}
		return []string{l.T("Reminder: {{.Text}}", "Text", text), place, link}
	})
}
