package notify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"parley/messages"
	"parley/store"
	"parley/store/fulltext"
	"parley/wire/jid"
)

const searchHelp = `Finds messages in your chats, groups and themes that have all the words, "words in quotes" together. ` +
	`from:juliet, in:engineering, after:2026-01-31 and before:2026-12-31 narrow it down. Encrypted messages are not found.`

const (
	maxHits    = 10
	maxExcerpt = 160 // characters
)

// search answers !search with the newest results.
func (v *voice) search(ctx context.Context, who jid.JID, rest string) (string, error) {
	f := v.cfg.Find(ctx, who, "")
	f.Except, f.Max = v.jid.String(), maxHits
	if text, err := v.narrow(ctx, &f, rest); text != "" || err != nil {
		return text, err
	}
	q, err := fulltext.Parse(f.Text)
	if err != nil {
		return "These are too many words.", nil
	}
	if q.Empty() {
		return searchHelp, nil
	}
	hits, complete, err := v.st.SearchMessages(ctx, f)
	if err != nil {
		return "", err
	}
	ms, err := messages.Reader{Store: v.st}.Found(ctx, v.h.Domain, v.cfg.Rooms, who.Local(), hits)
	if err != nil {
		return "", err
	}
	var found []string
	for i, h := range hits {
		if ms[i].ID != 0 && ms[i].Removed == nil {
			found = append(found, v.hit(who, q, h, ms[i]))
		}
	}
	var head string
	switch {
	case len(found) == 0:
		return "Nothing was found.", nil
	case !complete:
		head = fmt.Sprintf("The newest %d of more messages:", len(found))
	case len(found) == 1:
		head = "One message:"
	default:
		head = fmt.Sprintf("%d messages:", len(found))
	}
	return head + "\n\n" + strings.Join(found, "\n\n"), nil
}

// filterWords splits a search into words and filters; a filter's value with spaces is in quotation marks.
var filterWords = regexp.MustCompile(`[a-z]+:"[^"]*"|\S+`)

// narrow takes the filters out of the text into f, and gives the remaining words. Its error is for the asker to read.
func (v *voice) narrow(ctx context.Context, f *store.Find, rest string) (string, error) {
	var left []string
	for _, w := range filterWords.FindAllString(rest, -1) {
		key, value, ok := strings.Cut(w, ":")
		value = strings.Trim(value, `"`)
		if !ok || value == "" {
			left = append(left, w)
			continue
		}
		switch key {
		case "from":
			name, domain, full := strings.Cut(value, "@")
			if !full {
				domain = v.h.Domain
			}
			j, err := jid.New(jid.Typed(name), domain, "")
			if err != nil {
				return "from: is a name or an address, like from:juliet.", nil
			}
			f.From = j.Bare().String()
		case "in":
			if err := v.place(ctx, f, value); err != nil {
				return "", err
			}
		case "after", "before":
			day, err := time.Parse(time.DateOnly, value)
			if err != nil {
				return key + ": is a day, like " + key + ":2026-01-31.", nil
			}
			if key == "after" {
				f.After = day
			} else {
				f.Before = day.Add(-time.Microsecond)
			}
		default:
			left = append(left, w)
		}
	}
	f.Text = strings.Join(left, " ")
	return "", nil
}

// place limits the search to a group by its slug, or else to a room. It does not reveal whether the place exists.
func (v *voice) place(ctx context.Context, f *store.Find, name string) error {
	g, err := v.st.GroupBySlug(ctx, v.h.Domain, strings.ToLower(name))
	if err == nil {
		f.Group = g.ID
		return nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	name, _, _ = strings.Cut(name, "@")
	f.Room = jid.Typed(strings.ToLower(name))
	return nil
}

// hit formats one message: where, who, when, what, and its link. now is what was said as it is now.
func (v *voice) hit(who jid.JID, q fulltext.Query, m store.Found, now messages.Message) string {
	where, link, by := jid.Unescape(m.Room), m.With, m.Nick
	switch {
	case m.Room == "":
		where = m.With
		if by = m.Sender; by == who.String() {
			by = "you"
		}
	case m.GroupName != "":
		where = m.GroupName
		if m.ThemeName != "" {
			where += " › " + m.ThemeName
		}
	}
	if m.Room != "" {
		link = m.Room + "@" + v.cfg.Rooms + "?join"
	}
	if by == "" {
		by = m.Sender
	}
	return fmt.Sprintf("%s — %s, %s\n%s\nxmpp:%s", where, by, now.At.Format("2006-01-02 15:04 MST"),
		q.Excerpt(now.Plain(), maxExcerpt), link)
}
