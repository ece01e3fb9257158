package messages

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/store"
	"parley/wire"
)

// folded makes messages of entries as fold does where all of the archive is on one page: it asks no store.
func folded(ctx context.Context, c *conversation, es []store.Archived) ([]Message, error) {
	var parts []*part
	for _, e := range es {
		parts = append(parts, c.parse(e))
	}
	f := c.folding(parts)
	for _, p := range parts {
		f.former[p.m.By.Address] = 0
		if p.refers != "" {
			f.changes[p.refers] = append(f.changes[p.refers], p)
		}
		f.orphans[p] = p.is == corrects && c.original(parts, p) == nil
		if t := f.onPage(p.reply); p.reply != "" && t != nil {
			f.targets[p.reply] = t
		}
	}
	return f.messages(ctx)
}

// FuzzFold: whatever a stranger sends, nothing panics, ranges are inside the text, and what somebody else has said
// stays as it is.
func FuzzFold(f *testing.F) {
	for _, s := range []string{
		"<body>&gt; x\nhi</body><reply xmlns='urn:xmpp:reply:0' id='1' to='r@s/Ann'/>" +
			"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>" +
			"<reference xmlns='urn:xmpp:reference:0' type='mention' begin='4' end='6' uri='xmpp:bob@a.example'/>",
		"<body>new</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
		"<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>\U0001f44d</reaction></reactions>",
		"<retracted xmlns='urn:xmpp:message-retract:1' id='1'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@s/B'/></retracted>",
		"<body>https://x.example/a.png</body><x xmlns='jabber:x:oob'><url>https://x.example/a.png</url></x>",
		"<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>a</name><size>9</size></file>" +
			"<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://x.example/'/></sources></file-sharing>",
		"<body>/me \U0001f355 waves</body><mention xmlns='urn:xmpp:mentions:0' occupantid='o' begin='2' end='99'/>",
		"<body>x</body><invite xmlns='urn:xmpp:call-invites:0'><external uri='https://x.example'/></invite>",
	} {
		f.Add(s, s, true)
		f.Add(s, "<body>x</body>", false)
	}
	f.Fuzz(func(t *testing.T, one, two string, inRoom bool) {
		kind, ann, bob := "chat", "ann@a.example/x", "bob@a.example/y"
		if inRoom {
			kind, ann, bob = "groupchat", "r@s/Ann", "r@s/Bob"
		}
		entry := func(id store.ID, from, payload string) (store.Archived, bool) {
			s := "<message xmlns='jabber:client' type='" + kind + "' from='" + from + "' id='" + fmt.Sprint(
				int64(id),
			) + "'>" +
				payload + "</message>"
			st, err := wire.ParseStanza([]byte(s), limits)
			if err != nil || inRoom && st.Has(nsOccupantID, "") {
				return store.Archived{}, false // the room takes these away
			}
			e := store.Archived{ID: id, Stanza: []byte(s), Refers: store.RefersOf(st)}
			if inRoom {
				e.Sender = from[len("r@s/"):] + "@a.example"
			}
			return e, true
		}
		first, _ := entry(1, ann, "<body>my words</body>")
		all := []store.Archived{first}
		for i, payload := range []string{one, two} {
			if e, ok := entry(store.ID(i+2), bob, payload); ok {
				all = append(all, e)
			}
		}
		c := &conversation{in: store.Conversation{Host: "a.example", Owner: "ann", With: "bob@a.example"}}
		if inRoom {
			c.in = store.Conversation{Host: "s", Room: "r"}
		}
		ms, err := folded(t.Context(), c, all)
		if err != nil || len(ms) == 0 {
			t.Fatalf("%d messages, %v", len(ms), err)
		}
		check(t, ms)
	})
}

// check looks at messages of which the first is Ann's.
func check(t *testing.T, ms []Message) {
	t.Helper()
	m := ms[0]
	if m.Text != "my words" || m.Removed != nil || !m.Edited.IsZero() || m.Reply != nil || len(m.Files) > 0 {
		t.Errorf("Ann's message is now %+v", m)
	}
	for _, m := range ms {
		n := utf8.RuneCountInString(m.Text)
		for _, x := range m.Mentions {
			if x.Begin < 0 || x.Begin >= x.End || x.End > n {
				t.Errorf("a mention at %d to %d of %d: %q", x.Begin, x.End, n, m.Text)
			}
		}
		if len(m.Files) > maxFiles || len(m.Mentions) > maxMentions || len(m.Reactions) > 2*maxReactions {
			t.Errorf("too much: %+v", m)
		}
		for _, x := range m.Files {
			if !strings.HasPrefix(x.URL, "http://") && !strings.HasPrefix(x.URL, "https://") || x.Name == "" ||
				strings.ContainsAny(x.Name, `/\`) {
				t.Errorf("a file %+v", x)
			}
		}
		if m.Reply != nil && utf8.RuneCountInString(m.Reply.Text) > maxQuote {
			t.Errorf("a quotation of %d", len(m.Reply.Text))
		}
		if !utf8.ValidString(m.Text) || m.At != (time.Time{}) && m.At != m.ID.Time() {
			t.Errorf("%+v", m)
		}
		if again := m.WithoutAddresses(); again.Text != m.Text || !reflect.DeepEqual(again.Files, m.Files) {
			t.Errorf("%+v", again)
		}
	}
}
