package picture

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"io"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// notoEmoji is the font Noto Emoji (decision 030).
//
//go:embed NotoEmoji.ttf.gz
var notoEmoji []byte

const (
	tileSide = 192
	drawn    = 124 // maximum width and height of the emoji, in pixels
	shades   = 16  // colours from the tile's to the emoji's
)

// tiles are pairs of colours, of the ground and of the emoji: the colours that the pages give people and groups.
var tiles = [...][2]uint32{
	{0xd3ecea, 0x0a4f49}, {0xdbe6fb, 0x1f3f7a}, {0xe9dffb, 0x50308c}, {0xfbdde9, 0x84234e},
	{0xfde2d3, 0x7b3a10}, {0xfbecc6, 0x664b00}, {0xe3f0cd, 0x41570f}, {0xd1efdc, 0x0f5430}, {0xd3e9f7, 0x10496e},
	{0xe0e3f8, 0x333a86}, {0xf5dcf4, 0x70266f}, {0xe6e2dc, 0x4f463a},
}

// Hue gives a name one of the twelve colours, always the same.
func Hue(name string) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32() % uint32(len(tiles)))
}

// emojiFont reads the font when the first tile is drawn.
var emojiFont = sync.OnceValues(func() (*sfnt.Font, error) {
	z, err := gzip.NewReader(bytes.NewReader(notoEmoji))
	if err != nil {
		return nil, fmt.Errorf("emoji font: %w", err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("emoji font: %w", err)
	}
	f, err := opentype.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("emoji font: %w", err)
	}
	return f, nil
})

// Drawable gives the character that Emoji draws for an emoji: the first that the font has. For a combined emoji that is
// the main part, such as a person without the profession; false for flags, which are letters.
func Drawable(emoji string) (rune, bool) {
	f, err := emojiFont()
	if err != nil {
		return 0, false
	}
	for _, r := range emoji {
		if r >= 0x1f1e6 && r <= 0x1f1ff { // half of a flag; it has a picture of its own, which is not the flag
			return 0, false
		}
		if i, err := f.GlyphIndex(nil, r); err == nil && i != 0 {
			if b, _, err := f.GlyphBounds(nil, i, fixed.I(100), font.HintingNone); err == nil && !b.Empty() {
				return r, true
			}
		}
	}
	return 0, false
}

// Emoji draws a tile in one of the twelve colours with an emoji on it: a PNG of 192 by 192 pixels, always the same for
// the same input. It gives false if the font has nothing to draw.
func Emoji(emoji string, hue int) (out []byte, ok bool, err error) {
	r, ok := Drawable(emoji)
	if !ok {
		return nil, false, nil
	}
	f, err := emojiFont()
	if err != nil {
		return nil, false, err
	}
	mask, err := glyph(f, r)
	if err != nil {
		return nil, false, err
	}
	m := image.NewPaletted(image.Rect(0, 0, tileSide, tileSide), ramp(tiles[hue%len(tiles)]))
	for i, a := range mask.Pix {
		m.Pix[i] = uint8((int(a)*(shades-1) + 127) / 255)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, m); err != nil {
		return nil, false, err
	}
	return b.Bytes(), true, nil
}

// glyph draws a character as large as fits, in the middle.
func glyph(f *sfnt.Font, r rune) (*image.Alpha, error) {
	i, err := f.GlyphIndex(nil, r)
	if err != nil {
		return nil, err
	}
	b, _, err := f.GlyphBounds(nil, i, fixed.I(1000), font.HintingNone)
	if err != nil {
		return nil, err
	}
	w, h := (b.Max.X - b.Min.X).Ceil(), (b.Max.Y - b.Min.Y).Ceil()
	face, err := opentype.NewFace(f,
		&opentype.FaceOptions{Size: 1000 * drawn / float64(max(w, h)), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, err
	}
	defer face.Close()
	b, _, _ = face.GlyphBounds(r)
	m := image.NewAlpha(image.Rect(0, 0, tileSide, tileSide))
	d := font.Drawer{Dst: m, Src: image.Opaque, Face: face, Dot: fixed.Point26_6{
		X: fixed.I(tileSide/2) - (b.Min.X+b.Max.X)/2, Y: fixed.I(tileSide/2) - (b.Min.Y+b.Max.Y)/2}}
	d.DrawString(string(r))
	return m, nil
}

// ramp gives the shades between two colours.
func ramp(c [2]uint32) color.Palette {
	p := make(color.Palette, shades)
	for i := range p {
		mix := func(shift uint) uint8 {
			a, b := int(c[0]>>shift&0xff), int(c[1]>>shift&0xff)
			return uint8(a + (b-a)*i/(shades-1))
		}
		p[i] = color.RGBA{mix(16), mix(8), mix(0), 0xff}
	}
	return p
}
