package front_test

import (
	"slices"
	"strings"
	"testing"
)

// conv is a conversation as the server gives it, with what these tests are about.
type conv struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Parent   string `json:"parent,omitempty"`
	Me       string `json:"me"`
	Unread   int    `json:"unread"`
	Mentions int    `json:"mentions"`
	Notify   string `json:"notify"`
	Closed   bool   `json:"closed"`
	Last     *last  `json:"last,omitempty"`
}

type last struct {
	ID   string `json:"id"`
	At   string `json:"at"`
	Text string `json:"text"`
}

type happening struct {
	Name string `json:"name"`
	Data any    `json:"data"`
}

type stateCase struct {
	Conversations []conv      `json:"conversations"`
	Events        []happening `json:"events"`
	Current       string      `json:"current"`
	Folded        []string    `json:"folded"`
	Favourites    []string    `json:"favourites"`
}

type shown struct {
	Tree         []string
	Last         map[string]string
	Next, Before string
}

func show(t *testing.T, c stateCase) shown {
	t.Helper()
	for i := range c.Conversations {
		c.Conversations[i].Me = "anna@a.example"
		if c.Conversations[i].Notify == "" {
			c.Conversations[i].Notify = "all"
		}
	}
	if c.Folded == nil {
		c.Folded = []string{}
	}
	if c.Favourites == nil {
		c.Favourites = []string{}
	}
	if c.Events == nil {
		c.Events = []happening{}
	}
	var out shown
	runScript(t, "testdata/state.ts", c, &out)
	return out
}

func at(minute string) *last {
	return &last{ID: "0000000000" + minute, At: "2026-11-30T10:" + minute + ":00Z", Text: "at " + minute}
}

// message is an event of a new message of bob's, or of who is named.
func message(in, id, minute, by string) happening {
	return happening{"message", map[string]any{
		"conversation": in,
		"fresh":        true,
		"message": map[string]any{
			"id":   id,
			"at":   "2026-11-30T10:" + minute + ":00Z",
			"by":   map[string]string{"id": by, "name": by},
			"text": "new " + id,
		},
	}}
}

func some() []conv {
	return []conv{
		{ID: "s", Kind: "group", Name: "Sales", Last: at("10")},
		{ID: "e", Kind: "group", Name: "engineering", Unread: 2, Last: at("20")},
		{ID: "e2", Kind: "theme", Name: "Version 10", Parent: "e", Mentions: 1, Unread: 3},
		{ID: "e1", Kind: "theme", Name: "Version 9", Parent: "e"},
		{ID: "e0", Kind: "theme", Name: "Version 8", Parent: "e", Closed: true, Unread: 1},
		{ID: "x", Kind: "theme", Name: "As a guest", Parent: "elsewhere"},
		{ID: "bob@a.example", Kind: "person", Name: "Bob", Last: at("30")},
		{ID: "carol@a.example", Kind: "person", Name: "Carol", Unread: 4, Notify: "none", Last: at("40")},
	}
}

func wantTree(t *testing.T, got []string, want string) {
	t.Helper()
	if w := strings.Split(strings.TrimSpace(strings.ReplaceAll(want, "\t", "")), "\n"); !slices.Equal(got, w) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(w, "\n"))
	}
}

func TestTree(t *testing.T) {
	wantTree(t, show(t, stateCase{Conversations: some()}).Tree, `
		- Groups
		  As a guest
		  - engineering 2
		    Version 9
		    Version 10 @1 3
		    + Closed themes (1) 1
		  Sales
		- Direct
		  Carol 4
		  Bob`)
}

// TestFoldedTree: what is folded away is counted where it was, except what is muted. The open conversation stays in
// view.
func TestFoldedTree(t *testing.T) {
	c := stateCase{
		Conversations: some(),
		Current:       "e1",
		Folded:        []string{"groups/e", "direct"},
		Favourites:    []string{"s", "gone"},
	}
	wantTree(t, show(t, c).Tree, `
		- Favourites
		  Sales
		- Groups
		  As a guest
		  + engineering @1 6
		    Version 9
		  Sales
		+ Direct`)
}

// TestUnread: a message counts once, unless it is one's own; who is mentioned is told so besides.
func TestUnread(t *testing.T) {
	got := show(t, stateCase{Conversations: some(), Events: []happening{
		message("s", "m1", "50", "bob@a.example"),
		message("s", "m1", "50", "bob@a.example"),
		message("s", "m2", "51", "anna@a.example"),
		{"mention", map[string]string{"conversation": "s", "message": "m1"}},
		message("bob@a.example", "000000000029", "29", "bob@a.example"), // the list has counted it
		{"read", map[string]any{"conversation": "e", "read": "r", "unread": 0, "mentions": 0}},
		{"gone", map[string]string{"conversation": "x"}},
		{"conversation", map[string]any{"id": "e1", "kind": "theme", "name": "Version 9.1", "parent": "e"}},
		{"of a newer server", map[string]any{}},
	}})
	wantTree(t, got.Tree, `
		- Groups
		  - engineering
		    Version 9.1
		    Version 10 @1 3
		    + Closed themes (1) 1
		  Sales @1 1
		- Direct
		  Carol 4
		  Bob`)
	if got.Last["s"] != "new m2" || got.Last["bob@a.example"] != "at 30" {
		t.Errorf("newest messages: %v", got.Last)
	}
}

// TestNextUnread goes around, and leaves out what is muted.
func TestNextUnread(t *testing.T) {
	got := show(t, stateCase{Conversations: some(), Current: "e2"})
	if got.Next != "e0" || got.Before != "e" {
		t.Errorf("next %q, before %q", got.Next, got.Before)
	}
}

func TestServerSentEvents(t *testing.T) {
	const stream = "retry: 5\n: beat\n\nid: e-1\nevent: hello\ndata: {}\n\ndata: a\ndata:b\r\n\r\nevent: only a name\n\n" +
		"id: e-2\revent: last\rdata: é😀\r\rdata: not over"
	var got struct {
		Events  []struct{ ID, Name, Data string }
		Letters bool
		Differ  []int
	}
	runScript(t, "testdata/sse.ts", stream, &got)
	want := []struct{ ID, Name, Data string }{
		{"e-1", "hello", "{}"},
		{"e-1", "message", "a\nb"},
		{"e-2", "last", "é😀"},
	}
	if !slices.Equal(got.Events, want) {
		t.Errorf("got %q", got.Events)
	}
	if len(got.Differ) > 0 || !got.Letters {
		t.Errorf("events differ where the stream is cut at %v; by letters: %v", got.Differ, got.Letters)
	}
}
