package testrig_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"strings"
	"testing"

	"parley/testrig"
)

// A system that installs the chat gets pictures of the sizes that the manifest names; a page names one for iOS.
func TestApplicationIcons(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	b := r.Browser(t)
	var m struct {
		Icons []struct{ Src, Sizes, Type, Purpose string }
	}
	if err := json.Unmarshal([]byte(b.Get("/chat/manifest.webmanifest").Text), &m); err != nil {
		t.Fatal(err)
	}
	purposes := make(map[string]int)
	for _, icon := range m.Icons {
		p := b.Get(icon.Src)
		if p.Status != 200 || p.Header.Get("Content-Type") != icon.Type {
			t.Errorf("%s: %d %s", icon.Src, p.Status, p.Header.Get("Content-Type"))
			continue
		}
		if icon.Type != "image/png" {
			continue
		}
		c, err := png.Decode(bytes.NewReader([]byte(p.Text)))
		if err != nil {
			t.Fatal(err)
		}
		size := c.Bounds().Dx()
		if icon.Sizes != (map[int]string{192: "192x192", 512: "512x512"})[size] || c.Bounds().Dy() != size {
			t.Errorf("%s is %v", icon.Src, c.Bounds())
		}
		if _, _, _, alpha := c.At(0, 0).RGBA(); (alpha == 0xffff) != (icon.Purpose == "maskable") {
			t.Errorf("%s: its corner has the alpha %d", icon.Src, alpha)
		}
		purposes[icon.Purpose]++
	}
	if purposes["any"] != 2 || purposes["maskable"] != 1 {
		t.Errorf("%v", purposes)
	}
	_, rest, ok := strings.Cut(b.Get("/login").Text, `<link rel="apple-touch-icon" href="`)
	src, _, _ := strings.Cut(rest, `"`)
	if p := b.Get(src); !ok || p.Status != 200 || p.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%q: %d", src, p.Status)
	}
	if p := b.Get("/assets/x/icon-64.png"); p.Status != 404 {
		t.Errorf("no icon: %d", p.Status)
	}
}
