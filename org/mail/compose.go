package mail

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"parley/internal/i18n"
	"parley/org"
	"parley/people"
	"parley/store"
)

//go:embed letter.html
var letterHTML string

// letter is a mail before it is formatted: paragraphs and one button.
type letter struct {
	Lang, Subject, Greeting string
	Before                  []string
	Note, NoteBy            string
	Facts                   [][2]string
	Button, Link            string
	After                   []string
	Decline, DeclineText    string
	Rooms                   []line
}

// line is a room with its unread messages.
type line struct{ Name, Text, Link string }

// Composer gives a function that writes people's letters in their language, as plain text and as HTML without pictures.
// It fails if the built-in template is broken.
func Composer(c *i18n.Catalogue) (people.Compose, error) {
	tmpl, err := template.New("letter").Parse(letterHTML)
	if err != nil {
		return nil, fmt.Errorf("letter.html: %w", err)
	}
	return func(l people.Letter) (subject, text, html string, err error) {
		x := write(c.Lang(l.Lang), l)
		var b bytes.Buffer
		if err := tmpl.Execute(&b, x); err != nil {
			return "", "", "", err
		}
		return x.Subject, x.text(), b.String(), nil
	}, nil
}

func write(t *i18n.Lang, l people.Letter) letter {
	x := letter{Lang: t.Code, Link: l.Link, Greeting: t.T("Hello,")}
	if l.Name != "" {
		x.Greeting = t.T("Hello {{.Name}},", "Name", l.Name)
	}
	until := l.Expires.UTC().Format("2006-01-02 15:04 UTC")
	switch l.Kind {
	case store.KindInvite:
		x.Subject = t.T("You've been invited to join {{.Organization}}!", "Organization", l.Organization)
		x.Before =
			[]string{t.T("{{.Organization}} invites you to its chat: one place for groups, themes and direct messages.",
				"Organization", l.Organization)}
		if l.By != "" {
			x.Before = []string{t.T("{{.By}} invites you to the chat of {{.Organization}}: one place for groups, themes and direct messages.", "By", l.By, "Organization", l.Organization)}
		}
		x.Note, x.NoteBy = l.Note, l.By
		role := l.RoleName
		if role == "" {
			role = t.T("role " + l.Role)
		}
		x.Facts = [][2]string{{t.T("Your address"), l.Address}, {t.T("Your role"), role}}
		if l.Department != "" {
			x.Facts = append(x.Facts, [2]string{t.T("Department"), l.Department})
		}
		x.Facts = append(x.Facts, [2]string{t.T("Valid until"), until})
		x.Button = t.T("Accept the invitation")
		x.After =
			[]string{t.T("Choose a password and you are signed in. The link is only for you: please do not share it.")}
		x.Decline, x.DeclineText = l.Decline, t.T("Not for you? Decline the invitation:")
	case store.KindReset:
		x.Subject = t.T("Your new password for {{.Organization}}", "Organization", l.Organization)
		x.Before = []string{t.T("With this link you choose a new password for {{.Address}}.", "Address", l.Address)}
		x.Facts = [][2]string{{t.T("Valid until"), until}}
		x.Button = t.T("Choose a new password")
		x.After = []string{t.T("If you did not ask for it, ignore this mail: your password stays the same.")}
	case people.LetterDigest:
		x.digest(t, l)
	default:
		x.Subject = t.T("A test message from {{.Organization}}", "Organization", l.Organization)
		x.Before = []string{t.T("If you can read this, e-mail works."), l.Written.UTC().Format(time.RFC1123)}
	}
	return x
}

// text formats the letter as plain text.
func (x letter) text() string {
	var b strings.Builder
	p := func(s string) {
		if s != "" {
			b.WriteString(s + "\n\n")
		}
	}
	p(x.Greeting)
	for _, s := range x.Before {
		p(s)
	}
	if x.Note != "" {
		p("    " + strings.ReplaceAll(x.Note, "\n", "\n    "))
	}
	for _, f := range x.Facts {
		b.WriteString(f[0] + ": " + f[1] + "\n")
	}
	if len(x.Facts) > 0 {
		b.WriteString("\n")
	}
	for _, r := range x.Rooms {
		p(r.Name + ": " + r.Text + "\n" + r.Link)
	}
	if x.Link != "" {
		p(x.Button + ":\n" + x.Link)
	}
	for _, s := range x.After {
		p(s)
	}
	if x.Decline != "" {
		p(x.DeclineText + "\n" + x.Decline)
	}
	return b.String()
}

// digest lists the rooms with unread messages and their number, but no message: messages of a group do not belong in a
// mailbox.
func (x *letter) digest(t *i18n.Lang, l people.Letter) {
	x.Subject = t.T("What you missed at {{.Organization}}", "Organization", l.Organization)
	x.Before = []string{t.T("There is something new that you have not read yet.")}
	for _, m := range l.Missed {
		text := t.T("{{.Count}} new messages", "Count", m.Unread)
		if m.Unread >= org.MaxUnread {
			text = t.T("{{.Number}} new messages or more", "Number", org.MaxUnread)
		}
		if m.Mentions > 0 {
			text += ", " + t.T("you are mentioned in {{.Count}} of them", "Count", m.Mentions)
		}
		x.Rooms = append(x.Rooms, line{m.Name, text, m.Link})
	}
	if l.More > 0 {
		x.After = append(x.After, t.T("There is news in {{.Count}} more rooms.", "Count", l.More))
	}
	x.Button = t.T("Read it")
	every := t.T("You get this mail at most once a day, and only when you have missed something.")
	if l.Every == store.DigestWeekly {
		every = t.T("You get this mail at most once a week, and only when you have missed something.")
	}
	x.After = append(x.After, every,
		t.T("Choose how often you get this e-mail, and which themes you follow: {{.Link}}", "Link", l.Settings))
	x.Decline, x.DeclineText = l.Decline, t.T("Do you want to stop these e-mails?")
}
