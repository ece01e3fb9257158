package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"
)

var red, blue = color.NRGBA{220, 20, 20, 255}, color.NRGBA{20, 20, 220, 255}

// halves is a picture whose left half is red and whose right half is blue.
func halves(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			if m.SetNRGBA(x, y, red); x >= w/2 {
				m.SetNRGBA(x, y, blue)
			}
		}
	}
	return m
}

func encoded(t testing.TB, m image.Image, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, m)
	case "jpeg":
		err = jpeg.Encode(&b, m, nil)
	case "gif":
		err = gif.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noted writes an orientation and a text into a JPEG's EXIF note.
func noted(data []byte, o uint16) []byte {
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, o)
	tiff = append(tiff, "\x00\x00\x00\x00\x00\x00secret place"...)
	seg := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(seg)+2))...)
	return append(append(out, seg...), data[2:]...)
}

func isRed(c color.Color) bool {
	r, _, b, _ := c.RGBA()
	return r > b
}

func TestSquare(t *testing.T) {
	for _, format := range []string{"png", "jpeg", "gif"} {
		out, typ, err := Square(encoded(t, halves(1200, 700), format), 100<<10)
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		m, as, err := image.Decode(bytes.NewReader(out))
		if err != nil || "image/"+as != typ || len(out) > 100<<10 {
			t.Fatalf("%s became %s, %s, %d bytes: %v", format, typ, as, len(out), err)
		}
		if m.Bounds().Dx() != 512 || m.Bounds().Dy() != 512 {
			t.Errorf("%s: %v", format, m.Bounds())
		}
		if !isRed(m.At(20, 256)) || isRed(m.At(490, 256)) {
			t.Errorf("%s: the middle is not the middle", format)
		}
	}
	out, _, err := Square(encoded(t, halves(40, 30), "png"), 100<<10)
	if c, _, cerr := image.DecodeConfig(bytes.NewReader(out)); err != nil || cerr != nil || c.Width != 30 {
		t.Errorf("a small one was made larger: %d, %v", c.Width, err)
	}
}

// TestOrientation checks that a photo taken with an upright telephone, which lies on its side in the file, is turned,
// and that where it was taken is removed.
func TestOrientation(t *testing.T) {
	plain := encoded(t, halves(300, 300), "jpeg")
	top := map[uint16][2]bool{
		1: {true, false},
		2: {false, true},
		3: {false, true},
		6: {true, true},
		8: {false, false},
		9: {true, false},
	}
	for o, want := range top { // left and right of the upper edge
		data := noted(plain, o)
		if !bytes.Contains(data, []byte("secret place")) {
			t.Fatal("the note is not in the file")
		}
		out, _, err := Square(data, 100<<10)
		if err != nil {
			t.Fatal(o, err)
		}
		m, _, err := image.Decode(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{isRed(m.At(20, 20)), isRed(m.At(280, 20))}; got != want {
			t.Errorf("orientation %d: upper corners %v, not %v", o, got, want)
		}
		if bytes.Contains(out, []byte("secret place")) || bytes.Contains(out, []byte("Exif")) {
			t.Errorf("orientation %d: the camera's note is still there", o)
		}
	}
}

// TestLimit checks that a picture that cannot be compressed is made smaller until it fits, and keeps its transparent
// parts.
func TestLimit(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 600, 600))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32())
	}
	out, typ, err := Square(encoded(t, m, "png"), 60<<10)
	if err != nil || len(out) > 60<<10 || typ != "image/png" {
		t.Errorf("%d bytes, %s, %v", len(out), typ, err)
	}
}

func TestRefused(t *testing.T) {
	huge := encoded(t, image.NewNRGBA(image.Rect(0, 0, 20, 20)), "png")
	// width, and the checksum of the header does not matter: it is refused earlier or there
	binary.BigEndian.PutUint32(huge[16:], 100_000)
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"text":      {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), ErrFormat},
		"nothing":   {nil, ErrFormat},
		"cut":       {encoded(t, halves(300, 300), "png")[:200], ErrFormat},
		"heavy":     {make([]byte, MaxBytes+1), ErrLarge},
		"deep":      {encoded(t, image.NewNRGBA64(image.Rect(0, 0, 5000, 4000)), "png"), ErrLarge},
		"tiny":      {encoded(t, halves(4, 400), "png"), ErrSmall},
		"two faces": {huge, ErrFormat},
		"wide plain": {encoded(t,
			image.NewPaletted(image.Rect(0, 0, 30000, 1000), color.Palette{red, blue}), "png"), ErrLarge},
	} {
		if _, _, err := Square(c.data, 100<<10); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
	}
}

func FuzzSquare(f *testing.F) {
	f.Add(noted(encoded(f, halves(32, 32), "jpeg"), 6))
	f.Add(encoded(f, halves(32, 32), "png"))
	f.Add(encoded(f, halves(32, 32), "gif"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, typ, err := Square(data, 20<<10)
		if err != nil {
			return
		}
		if _, format, err := image.DecodeConfig(bytes.NewReader(out)); err != nil ||
			"image/"+format != typ || len(out) > 20<<10 {
			t.Errorf("%d bytes, %s, %s, %v", len(out), typ, format, err)
		}
	})
}

// webp is a lossless WebP file of one colour: each of its five codes has one symbol, so that pixels take no bits at
// all.
func webp(w, h int, c color.NRGBA) []byte {
	bits, n := make([]byte, 32), 0
	put := func(v uint32, width int) {
		for i := range width {
			bits[n/8] |= byte(v>>i&1) << (n % 8)
			n++
		}
	}
	put(0x2f, 8)
	put(uint32(w-1), 14)
	put(uint32(h-1), 14)
	put(0, 1+3+3) // no alpha, version 0; no transform, no cache, one group of codes
	for _, symbol := range []uint8{c.G, c.R, c.B, c.A} {
		put(1|0<<1|1<<2, 3)
		put(uint32(symbol), 8)
	}
	put(1, 4) // distances: none
	bits = bits[:(n/8+2)&^1]
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(12+len(bits)))
	file = binary.LittleEndian.AppendUint32(append(file, "WEBPVP8L"...), uint32(len(bits)))
	return append(file, bits...)
}

func TestWebP(t *testing.T) {
	data := webp(200, 100, red)
	if err := Readable(data); err != nil {
		t.Fatal(err)
	}
	out, typ, err := Small(data, 64, 100<<10)
	if err != nil || typ != "image/png" {
		t.Fatal(typ, err)
	}
	m, _, err := image.Decode(bytes.NewReader(out))
	if err != nil || m.Bounds().Dx() != 64 || !isRed(m.At(32, 32)) {
		t.Error(m.Bounds(), err)
	}
}
