package bundle

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEmoji(t *testing.T) {
	t.Parallel()
	text, err := emoji("..")
	if err != nil {
		t.Fatal(err)
	}
	list, ok := strings.CutPrefix(text, "export const emoji = ")
	var all [][]any
	if err := json.Unmarshal([]byte(list), &all); err != nil || !ok {
		t.Fatalf("not a list of emoji: %v", err)
	}
	if len(all) < 1800 {
		t.Errorf("%d emoji", len(all))
	}
	for _, e := range all {
		if len(e) < 5 || e[2] == "" || e[3] == "" {
			t.Errorf("%v lacks a name", e)
		}
		if name := e[2]; name == "thumbs up" {
			if len(e) != 6 || e[3] != "pouce vers le haut" || !strings.Contains(e[4].(string), "génial") {
				t.Errorf("%v: no shades, no French name or no French words", e)
			}
		}
	}
}
