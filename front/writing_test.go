package front_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/store"
)

// TestWriting checks the names that a text mentions, the words that menus are about, and the ids of moments.
func TestWriting(t *testing.T) {
	type named struct {
		Text  string            `json:"text"`
		Names map[string]string `json:"names"`
		want  string
	}
	bob := map[string]string{"@Bob": "bob@x", "@Bob Smith": "smith@x"}
	mentions := []named{
		{"hi @Bob and @Bob Smith!", bob, "@Bob=bob@x @Bob Smith=smith@x"},
		{"😀 @Bob", bob, "@Bob=bob@x"},
		{"@Bobby, mail a@Bob, /@Bob", bob, ""},
		{"(@Bob)", bob, "@Bob=bob@x"},
		{"@Bob", map[string]string{}, ""},
	}
	triggers := []struct{ text, want string }{
		{"@|", "person 0-1 "},
		{"hi @bo|b", "person 3-6 bo"},
		{"hi @Bob S|", "person 3-9 Bob S"},
		{"hi @Bob S and|", ""},
		{"bob@ex|", ""},
		{"so :th|", "emoji 3-6 th"},
		{"12:30|", ""},
		{"a :|", ""},
		{"/th|", "command 0-3 th"},
		{"a /th|", ""},
		{"/theme x|", ""},
		{"/snippet |", "snippet 0-9 "},
		{"/snippet opening h|", "snippet 0-18 opening h"},
		{"a /snippet x|", ""},
		{"/status dn|", "status 0-10 dn"},
		{"/status |", "status 0-8 "},
	}
	links := []struct{ text, want string }{
		{"see https://a.example/x.", "https://a.example/x"},
		{"*(https://a.example/(b))*", "https://a.example/(b)"},
		{"https://chat.example/chat/c/x and http://b.example", "http://b.example"},
		{"`https://a.example` ftp://a.example xmpp:a@b", ""},
		{"```\nhttps://a.example\n```\n> https://b.example\nhttps://c.example", "https://c.example"},
		{"https://" + strings.Repeat("a", 2000) + ".example", ""},
		{"no link", ""},
	}
	// The card of a conversation is first drawn with what the last visit has kept, then with what the server says.
	marks := []struct {
		Sure bool   `json:"sure"`
		Read string `json:"read"`
	}{{false, "1"}, {false, "2"}, {true, "5"}, {true, "7"}}
	begins := []string{"1", "1", "5", "5"}
	moments := []time.Time{
		time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC),
		store.Epoch,
		time.Date(2026, 11, 30, 12, 34, 56, 789_000_000, time.UTC),
		time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	in := map[string]any{"mentions": mentions}
	var texts []string
	for _, c := range triggers {
		texts = append(texts, c.text)
	}
	var ms []int64
	for _, m := range moments {
		ms = append(ms, m.UnixMilli())
	}
	var linking []string
	for _, l := range links {
		linking = append(linking, l.text)
	}
	in["links"], in["marks"] = linking, marks
	in["triggers"], in["moments"] = texts, ms
	var got struct{ Mentions, Triggers, Links, Beginnings, IDs []string }
	runScript(t, "testdata/writing.ts", in, &got)
	for i, c := range mentions {
		if got.Mentions[i] != c.want {
			t.Errorf("%q mentions %q, want %q", c.Text, got.Mentions[i], c.want)
		}
	}
	for i, c := range triggers {
		if got.Triggers[i] != c.want {
			t.Errorf("%q: %q, want %q", c.text, got.Triggers[i], c.want)
		}
	}
	if !slices.Equal(got.Beginnings, begins) {
		t.Errorf("lists begin after %v, want %v", got.Beginnings, begins)
	}
	for i, l := range links {
		if got.Links[i] != l.want {
			t.Errorf("%q links to %q, want %q", l.text, got.Links[i], l.want)
		}
	}
	for i, m := range moments {
		if want := store.FirstID(m).String(); got.IDs[i] != want {
			t.Errorf("%v has the id %s, want %s", m, got.IDs[i], want)
		}
	}
}
