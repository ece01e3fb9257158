package front_test

import "testing"

// TestLateAnswers checks that the answer to a request takes nothing away that an event has told of meanwhile.
func TestLateAnswers(t *testing.T) {
	var got map[string]any
	runScript(t, "testdata/late.ts", nil, &got)
	want := map[string]any{
		"one conversation":          "Hall, read m1, 1 unread, 0 mentions, last m2",
		"one that is not known yet": "Room, read m1, 1 unread, 0 mentions, last m2",
		"one that is gone":          "gone",
		"all conversations":         "Room, read m2, 1 unread, 1 mentions, last m3, dnd",
		"all conversations, asked for after one that answers first": "Room, read m1, 2 unread, 0 mentions, last m3",
		"what was read":               "Room, read m2, 1 unread, 0 mentions, last m3",
		"an event of an earlier mark": "Room, read m3, 0 unread, 0 mentions, last m3",
		"what was marked as unread":   "Room, read m3, 0 unread, 0 mentions, last m2",
		"one's status":                "dnd",
		"somebody's presence":         "away",
		"a task":                      "theirs",
		"a task that is gone":         "gone",
		"pins":                        true,
		"pins of a page":              true,
		"what is saved":               "false,true,true",
		"a message that is saved":     false,
		"what is scheduled":           "b newer,c same",
		"one that is sent at once":    "c",
		"the tree":                    "b",
		"drafts":                      "newer",
	}
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: got %v, want %v", name, got[name], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d cases, want %d", len(got), len(want))
	}
}
