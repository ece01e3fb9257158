package fulltext

import (
	"fmt"
	"strings"
	"testing"
)

func message(body string) []byte {
	r := strings.NewReplacer("&", "&amp;", "<", "&lt;")
	return []byte("<message xmlns='jabber:client' type='chat'><body>" + r.Replace(body) + "</body></message>")
}

func TestOf(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Hello, World!", "hello world"},
		{"Ça va, Müller & Straße?", "ca va muller strasse"},
		{"C\u0327a MU\u0308LLER", "ca muller"},
		{"don't 3.14 report_final.pdf", "don t 3 14 report final pdf"},
		{"ΟΔΟΣ οδός", "οδοσ οδοσ"},
		{"Ещё ёлка, мой", "еще елка мой"},
		{"北京 ひらがな カタカナ 한국어", "北 京 ひ ら か\u3099 な カタカナ 한국어"},
		{"ＦＵＬＬ ﬁt ½", "full fit 1 2"},
		{"हिन्दी", "हिन्दी"},
		{"👍🏽 — …", ""},
		{strings.Repeat("ä", 50), strings.Repeat("a", 40)},
		{strings.Repeat("я", 50), strings.Repeat("я", 20)},
	} {
		got := strings.Join(Words(message(c.text)), " ")
		if c.text == "北京 ひらがな カタカナ 한국어" { // が is one letter again
			c.want = strings.ReplaceAll(c.want, "か\u3099", "が")
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if n := len(Words(message(strings.Repeat("word ", 5000)))); n != maxWords {
		t.Errorf("%d words of a long text", n)
	}
}

// replies says which part of a body repeats another message.
func replies(begin, end string) string {
	return "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='" + begin + "' end='" + end +
		"'/></fallback>"
}

func TestOfStanzas(t *testing.T) {
	for _, c := range []struct{ payload, want string }{
		{"<subject>About</subject><body>One</body><body xml:lang='de'>Eins</body>", "about||one||eins"},
		{"<body>a&lt;b <i xmlns='x'>no</i>c</body>", "a|b|c"},
		{"<thread>t</thread><nick xmlns='http://jabber.org/protocol/nick'>Nick</nick>", ""},
		{"<body>I sent you an OMEMO message</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>", ""},
		{"<body>I sent you</body><encrypted xmlns='urn:xmpp:omemo:2'/>", ""},
		{"<body>I sent you</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:example:x'/>", ""},
		{"<body>taken back</body><retract xmlns='urn:xmpp:message-retract:1' id='x'/>", ""},
		{"<body>&gt; Où ?\nhere</body>" + replies("0", "7"), "here"},
		{"<body>&gt; Où ?\nhere</body>" + replies("0", "99"), "ou|here"},
		{"<body>where here</body>" + replies("-1", "4") + replies("3", "2") + replies("x", ""), "where|here"},
		{"<body>👍 to: hello</body><reactions xmlns='urn:xmpp:reactions:0' id='x'/>", ""},
	} {
		if got := strings.Join(Words([]byte("<message xmlns='jabber:client'>"+c.payload+"</message>")),
			"|"); got != c.want {
			t.Errorf("%s: got %q, want %q", c.payload, got, c.want)
		}
	}
	if ws := Words([]byte("<message")); ws != nil {
		t.Errorf("%q of what is no stanza", ws)
	}
}

func TestQuery(t *testing.T) {
	const text = "The quick brown fox jumps over example.org, doesn't it? Café ＡＢ"
	for _, c := range []struct {
		query string
		want  bool
	}{
		{"fox", true}, {"FOX quick", true}, {"fo", true}, {"fo quick", false}, {"fo* quick", true},
		{"cat", false}, {"fox cat", false}, {`"quick brown"`, true}, {`"brown quick"`, false}, {`"quick bro"`, false},
		{`„brown fox“ the`, true}, {`fox "quick brown`, true}, {`"quick" "brown"`, true}, {"example.org", true},
		{"example.or", true}, {"org.example", false}, {"doesn't", true}, {"cafe", true}, {"CAFÉ", true}, {"ab", true},
		{"f", false}, {"", false}, {"!?", false}, {`""`, false}, {`"`, false}, {"*", false}, {"brown-fox", true},
		{"fox ", true}, {"fo ", false}, {"fo!", false},
	} {
		q, err := Parse(c.query)
		if err != nil {
			t.Errorf("%q: %v", c.query, err)
		}
		if got := q.Match(Words(message(text))); got != c.want {
			t.Errorf("%q: %v, want %v (%+v)", c.query, got, c.want, q)
		}
		for _, m := range []string{
			text, strings.ReplaceAll(text, "é", "e"),
			strings.NewReplacer("Café ＡＢ", "<![CDATA[Caf]]>e AB", "fox", "f&#111;x").Replace(text),
			strings.NewReplacer("Café ＡＢ", "Cafe AB & c").Replace(text),
		} {
			st := []byte("<message xmlns='jabber:client' id='NO'><body>" +
				strings.ReplaceAll(m, " & ", " &amp; ") + "</body></message>")
			if got := q.MatchStanza(st); got != c.want {
				t.Errorf("%q in %s: %v, want %v", c.query, st, got, c.want)
			}
		}
	}
	// Two texts are not one.
	two := Words([]byte("<message xmlns='jabber:client'><subject>a brown</subject><body>fox</body></message>"))
	if q, _ := Parse(`"brown fox"`); q.Match(two) {
		t.Error("a phrase from one text into the other")
	}
	for _, s := range []string{strings.Repeat("x", MaxText+1), strings.Repeat("a ", maxQueryWords+1)} {
		if _, err := Parse(s); err != ErrTooMuch {
			t.Errorf("%d bytes: %v", len(s), err)
		}
	}
	q, _ := Parse(`one "two one" thr`)
	exact, prefixes := q.Terms()
	if fmt.Sprint(exact, prefixes) != "[one two] [thr]" {
		t.Error(exact, prefixes)
	}
}

// FuzzQuery: a text is found by its own words, and no input makes the search fail.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"Hello", `"a b" c*`, "ﬁ½", "हिन्दी", "\xff", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s)
		if err != nil || q.Empty() {
			return
		}
		for _, p := range q.parts {
			for _, w := range p.words {
				if w == "" || len(w) > maxLength {
					t.Errorf("word %q of %q", w, s)
				}
			}
		}
		ws := split(nil, s, maxWords)
		if all, err := Parse(`"` + strings.Join(ws, " ") + `"`); err == nil && !all.Match(ws) {
			t.Errorf("%q is not in itself: %q", s, ws)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	m := message("The quick brown fox jumps over the lazy dog; the server archives, routes and delivers each of " +
		"these, whoever it is for.")
	for b.Loop() {
		Terms(Words(m))
	}
}
