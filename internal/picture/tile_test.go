package picture

import (
	"bytes"
	"image"
	"image/png"
	"testing"
)

// TestEmoji checks that a tile is a small picture, always the same, and that a combined emoji is drawn by its first
// character.
func TestEmoji(t *testing.T) {
	seen := make(map[string]string)
	for _, e := range []string{"🚀", "🎭", "❤️", "☎", "⚙️", "👩‍💻", "👍🏽"} {
		b, ok, err := Emoji(e, 3)
		if err != nil || !ok {
			t.Errorf("%q: %v, %v", e, ok, err)
			continue
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil || m.Bounds() != image.Rect(0, 0, 192, 192) || len(b) > 8<<10 {
			t.Fatalf("%q: %v, %v, %d bytes", e, err, m.Bounds(), len(b))
		}
		ground, other := m.At(0, 0), 0
		for y := range 192 {
			for x := range 192 {
				if m.At(x, y) != ground {
					if other++; x < 192/6 || y < 192/6 || x >= 192*5/6 || y >= 192*5/6 {
						t.Fatalf("%q: something at %d, %d", e, x, y)
					}
				}
			}
		}
		if other < 500 {
			t.Errorf("%q: %d points are drawn", e, other)
		}
		if was, there := seen[string(b)]; there {
			t.Errorf("%q looks like %q", e, was)
		}
		seen[string(b)] = e
		if again, _, _ := Emoji(e, 3); !bytes.Equal(again, b) {
			t.Errorf("%q: another picture the second time", e)
		}
		if another, _, _ := Emoji(e, 4); bytes.Equal(another, b) {
			t.Errorf("%q: no other colour", e)
		}
	}
	for _, e := range []string{"", "🇫🇷", "\u200d\ufe0f", "字", "\U0010fffd"} {
		if b, ok, err := Emoji(e, 0); ok || err != nil {
			t.Errorf("%q: %d bytes, %v", e, len(b), err)
		}
	}
	if r, ok := Drawable("👩‍💻"); !ok || r != '👩' {
		t.Errorf("%c, %v", r, ok)
	}
}
