package front_test

import (
	"strings"
	"testing"
)

// mention is what a message says about a name in its text; begin and end count code points.
type mention struct {
	Begin   int    `json:"begin"`
	End     int    `json:"end"`
	Address string `json:"address,omitempty"`
}

type stylingCase struct {
	Text     string    `json:"text"`
	Mentions []mention `json:"mentions,omitempty"`
	want     string
	emoji    bool
}

// styled has trees as testdata/styling.ts draws them: | stands between blocks.
var styled = []stylingCase{
	// XEP-0393, section 5.2
	{Text: "*strong*", want: "<b>strong</b>"},
	{Text: "plain *strong* plain", want: "plain <b>strong</b> plain"},
	{Text: "*strong* plain *strong*", want: "<b>strong</b> plain <b>strong</b>"},
	{Text: "*strong*plain*", want: "<b>strong</b>plain*"},
	{Text: "* plain *strong*", want: "* plain <b>strong</b>"},
	{Text: "not strong*", want: "not strong*"},
	{Text: "*not strong", want: "*not strong"},
	{Text: "*not \n strong*", want: "*not \n strong*"},
	{Text: "*not *strong", want: "*not *strong"},
	{Text: "**", want: "**"},
	{Text: "****", want: "****"},
	{Text: "(Two spans, both )(*alike in dignity*)", want: "(Two spans, both )(*alike in dignity*)"},
	{Text: "_Twelfth Night_ and ~dis~likes", want: "<i>Twelfth Night</i> and <s>dis</s>likes"},
	{Text: "This is `*monospace*`", want: "This is <code>*monospace*</code>"},
	{Text: "This is *`monospace and bold`*", want: "This is <b><code>monospace and bold</code></b>"},
	{Text: "_*~all~*_", want: "<i><b><s>all</s></b></i>"},
	{Text: "*this _is* weird_", want: "<b>this _is</b> weird_"},
	{Text: "snake_case and a * b * c", want: "snake_case and a * b * c"},
	{Text: "", want: ""},
	// section 5.1
	{Text: "```ignored\n(println \"*no*\")\n```\n\nplain", want: "<pre ignored>(println \"*no*\")</pre>|\nplain"},
	{Text: "```\na\n\n  b", want: "<pre>a\n\n  b</pre>"},
	{Text: "text ```\na", want: "text ```\na"},
	{Text: "> ```\n> (println)\n\nplain", want: "<q><pre>(println)</pre></q>|\nplain"},
	{Text: "> That *is*.\n\nSaid", want: "<q>That <b>is</b>.</q>|\nSaid"},
	{Text: ">> That\n> Said\nWho?", want: "<q><q>That</q>|Said</q>|Who?"},
	{Text: ">", want: "<q></q>"},
	{Text: ">>>>>>>>>>deep", want: strings.Repeat("<q>", 8) + ">>deep" + strings.Repeat("</q>", 8)},
	// links
	{Text: "see https://example.org/a_b_c.", want: "see <a>https://example.org/a_b_c</a>."},
	{Text: "_see https://example.org/A_B for more_", want: "<i>see <a>https://example.org/A_B</a> for more</i>"},
	{Text: "(https://example.org/x_(y))", want: "(<a>https://example.org/x_(y)</a>)"},
	{Text: "*https://example.org/*", want: "<b><a>https://example.org/</a></b>"},
	{Text: "xmpp:sales@rooms.example.org?join!", want: "<a>xmpp:sales@rooms.example.org?join</a>!"},
	{Text: "javascript:alert(1) data:text/html,x", want: "javascript:alert(1) data:text/html,x"},
	{Text: "xmpp:nobody", want: "xmpp:nobody"},
	{Text: "`https://example.org`", want: "<code>https://example.org</code>"},
	{Text: "xhttps://example.org", want: "xhttps://example.org"},
	// mentions
	{Text: "hi @Bob!", Mentions: []mention{{3, 7, "bob@x"}}, want: "hi <@>@Bob</@>!"},
	{Text: "😀 *@Bob B_*", Mentions: []mention{{3, 10, "bob@x"}}, want: "😀 <b><@>@Bob B_</@></b>"},
	{Text: "> @Bob", Mentions: []mention{{2, 6, "bob@x"}}, want: "<q><@>@Bob</@></q>"},
	{Text: "*a @Bo*b", Mentions: []mention{{3, 8, "bob@x"}}, want: "*a <@>@Bo*b</@>"},
	{Text: "ab", Mentions: []mention{{1, 9, ""}, {-1, 1, ""}, {1, 1, ""}}, want: "ab"},
	// emoji
	{Text: "👍 ❤️", want: "👍 ❤️", emoji: true},
	{Text: "👩‍👩‍👧🇫🇷5️⃣🏴󠁧󠁢󠁳󠁣󠁴󠁿👍🏽", want: "👩‍👩‍👧🇫🇷5️⃣🏴󠁧󠁢󠁳󠁣󠁴󠁿👍🏽", emoji: true},
	{Text: "5 #", want: "5 #"},
	{Text: "👍 ok", want: "👍 ok"},
	{Text: " ", want: " "},
}

// styling is what testdata/styling.ts answers.
type styling struct {
	Trees  []string
	Emoji  []bool
	Folds  []int
	Broken []string
}

func TestStyling(t *testing.T) {
	got := runStyling(t, styled, 10_000)
	for i, c := range styled {
		if got.Trees[i] != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.Text, got.Trees[i], c.want)
		}
		if got.Emoji[i] != c.emoji {
			t.Errorf("%q: only emoji: %v", c.Text, got.Emoji[i])
		}
		if got.Folds[i] != -1 {
			t.Errorf("%q is folded", c.Text)
		}
	}
	for _, b := range got.Broken {
		t.Error(b)
	}
}

func TestFolding(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"thirty lines", strings.Repeat("line\n", 29) + "line", -1},
		{"thirty-one lines", strings.Repeat("line\n", 30) + "line", 149},
		{"a little over the limit", strings.Repeat("word ", 420), -1},
		{"words", strings.Repeat("word ", 1000), 1999},
		{"one word", strings.Repeat("w", 5000), 2000},
		{"pairs", "a" + strings.Repeat("😀", 2000), 1999},
	} {
		got := runStyling(t, []stylingCase{{Text: c.text}}, 0)
		if got.Folds[0] != c.want {
			t.Errorf("%s: cut at %d, want %d", c.name, got.Folds[0], c.want)
		}
	}
}

func runStyling(t *testing.T, cases []stylingCase, fuzz int) styling {
	t.Helper()
	var got styling
	runScript(t, "testdata/styling.ts", map[string]any{"cases": cases, "fuzz": fuzz}, &got)
	return got
}
