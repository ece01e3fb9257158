package front_test

import "testing"

// TestSync checks which draft of two devices stays, and how favourites are moved.
func TestSync(t *testing.T) {
	type draft struct {
		Local  string  `json:"local"`
		Synced *string `json:"synced,omitempty"`
		At     string  `json:"at,omitempty"`
		Remote string  `json:"remote"`
		Then   string  `json:"then"`
		want   string
	}
	a := "a"
	drafts := []draft{
		{Local: "", Remote: "a", Then: "2", want: "take"},                           // begun on another device
		{Local: "a", Synced: &a, At: "1", Remote: "ab", Then: "2", want: "take"},    // gone on with there
		{Local: "a", Synced: &a, At: "1", Remote: "", Then: "2", want: "take"},      // sent there
		{Local: "a", Synced: &a, At: "1", Remote: "", Then: "", want: "take"},       // not in the list any more
		{Local: "ab", Synced: &a, At: "1", Remote: "a", Then: "1", want: "nothing"}, // what came from here
		{Local: "ab", Synced: &a, At: "1", Remote: "c", Then: "2", want: "give"},    // typed here since
		{Local: "ab", Remote: "c", Then: "2", want: "give"},
		{Local: "ab", Remote: "", Then: "", want: "give"},
		{Local: "a", Remote: "a", Then: "2", want: "nothing"},
		{Local: "a", Synced: &a, At: "2", Remote: "x", Then: "1", want: "nothing"}, // an event that is late
	}
	type move struct {
		List  []string `json:"list"`
		Value string   `json:"value"`
		By    int      `json:"by"`
		want  string
	}
	abc := []string{"a", "b", "c"}
	moves := []move{
		{abc, "b", -1, "bac"}, {abc, "b", 1, "acb"}, {abc, "a", -1, "abc"}, {abc, "c", 1, "abc"}, {abc, "x", 1, "abc"},
	}
	var got struct{ Drafts, Moves []string }
	runScript(t, "testdata/sync.ts", map[string]any{"drafts": drafts, "moves": moves}, &got)
	for i, c := range drafts {
		if got.Drafts[i] != c.want {
			t.Errorf("%+v: %s", c, got.Drafts[i])
		}
	}
	for i, c := range moves {
		if got.Moves[i] != c.want {
			t.Errorf("%+v: %s", c, got.Moves[i])
		}
	}
}
