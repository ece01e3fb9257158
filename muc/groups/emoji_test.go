package groups

import (
	"strings"
	"testing"
)

// A reaction is an emoji, and two regional letters are one only where a region has that code.
func TestIsEmoji(t *testing.T) {
	for _, s := range []string{"👍", "❤️", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "👋🏽", "🇫🇷", "🇩🇪", "🇪🇺", "🇺🇳", "🇽🇰", "🇨🇶"} {
		if !isEmoji(s) {
			t.Errorf("%s is refused", s)
		}
	}
	for _, s := range []string{"", "x", "🇫", "🇽🇽", "🇺🇿🇺🇿", "🇳🇴🇵🇪", "🇦🇦", "🇿🇿", "🇺🇰", "🇫🇷🇩", "👍👍"} {
		if isEmoji(s) {
			t.Errorf("%s is taken", s)
		}
	}
	flags := 0
	for a := rune(0x1f1e6); a <= 0x1f1ff; a++ {
		for b := rune(0x1f1e6); b <= 0x1f1ff; b++ {
			if isEmoji(string([]rune{a, b})) {
				flags++
			}
		}
	}
	if flags != 259 || len(strings.Fields(regions)) != flags {
		t.Errorf("%d flags, of %d regions", flags, len(strings.Fields(regions)))
	}
}
