// Package picture makes small pictures from uploaded ones: it looks at the size before it decodes, removes metadata,
// and gives PNG or JPEG.
package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	_ "image/gif" // its first frame
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // the format that telephones save
)

const (
	MaxBytes = 8 << 20   // of an uploaded file
	maxArea  = 24 << 20  // its pixels
	maxBytes = 128 << 20 // memory for it while it is decoded: a small file may hold a large picture
	minSide  = 16        // of the result
	smallest = 64        // the result is made smaller until it fits, down to this side
	side     = 512       // the largest side of the result
)

// Errors that say what is wrong with a picture.
var (
	ErrFormat = errors.New("this is not a picture in PNG, JPEG, GIF or WebP")
	ErrLarge  = errors.New("this picture is too large: at most 8 MB and 24 million pixels")
	ErrSmall  = errors.New("this picture is too small: at least 16 pixels each way")
)

// one lets one picture be decoded at a time: each needs memory for all its pixels.
var one = make(chan struct{}, 1)

// Readable says from a file's head alone, without decoding it, whether Square would refuse it, and why.
func Readable(data []byte) error {
	_, err := head(data)
	return err
}

func head(data []byte) (format string, err error) {
	if len(data) > MaxBytes {
		return "", ErrLarge
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil:
		return "", ErrFormat
	case c.Width < minSide || c.Height < minSide:
		return "", ErrSmall
	case c.Width > maxArea/c.Height || c.Width*c.Height > maxBytes/depth(c.ColorModel):
		return "", ErrLarge
	}
	return format, nil
}

// depth gives how many bytes a pixel takes.
func depth(m color.Model) int {
	switch m {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	case color.YCbCrModel:
		return 3
	}
	return 4
}

// Square makes a square picture of the middle of an uploaded one: at most 512 pixels each way and at most limit bytes,
// upright, without metadata. The type is image/png if it has few colours or transparent parts, otherwise image/jpeg.
func Square(data []byte, limit int) (out []byte, typ string, err error) {
	return Small(data, side, limit)
}

// Small is Square with at most n pixels each way.
func Small(data []byte, n, limit int) (out []byte, typ string, err error) {
	format, err := head(data)
	if err != nil {
		return nil, "", err
	}
	one <- struct{}{}
	defer func() { <-one }()
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, "", ErrFormat
	}
	turn := 1
	if format == "jpeg" {
		turn = orientation(data)
	}
	n = min(n, src.Bounds().Dx(), src.Bounds().Dy())
	m := upright(shrink(src, n), turn)
	for {
		if out, typ, err = encode(m, format, limit); err != nil || len(out) <= limit {
			return out, typ, err
		}
		if n = n * 3 / 4; n < smallest {
			return nil, "", ErrLarge
		}
		m = shrink(m, n)
	}
}

// encode writes PNG if that suits the picture and fits, otherwise JPEG.
func encode(m *image.NRGBA, from string, limit int) ([]byte, string, error) {
	var b bytes.Buffer
	if from != "jpeg" {
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, m); err != nil {
			return nil, "", err
		}
		if b.Len() <= limit || !m.Opaque() {
			return b.Bytes(), "image/png", nil
		}
	}
	for q := 88; ; q -= 12 {
		b.Reset()
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: q}); err != nil {
			return nil, "", err
		}
		if b.Len() <= limit || q < 60 {
			return b.Bytes(), "image/jpeg", nil
		}
	}
}

// shrink takes the square in the middle and scales it to n by n.
func shrink(src image.Image, n int) *image.NRGBA {
	r := src.Bounds()
	full := min(r.Dx(), r.Dy())
	at := r.Min.Add(image.Pt((r.Dx()-full)/2, (r.Dy()-full)/2))
	out := image.NewNRGBA(image.Rect(0, 0, n, n))
	draw.CatmullRom.Scale(out, out.Rect, src, image.Rectangle{at, at.Add(image.Pt(full, full))}, draw.Src, nil)
	return out
}

// upright turns a square as the camera's note says (EXIF 2.3, Orientation: 1 to 8).
func upright(m *image.NRGBA, o int) *image.NRGBA {
	if o < 2 || o > 8 {
		return m
	}
	n := m.Bounds().Dx() - 1
	out := image.NewNRGBA(m.Bounds())
	for y := 0; y <= n; y++ {
		for x := 0; x <= n; x++ {
			u, v := x, y
			switch o {
			case 2:
				u = n - x
			case 3:
				u, v = n-x, n-y
			case 4:
				v = n - y
			case 5:
				u, v = y, x
			case 6:
				u, v = y, n-x
			case 7:
				u, v = n-y, n-x
			case 8:
				u, v = n-y, x
			}
			out.SetNRGBA(x, y, m.NRGBAAt(u, v))
		}
	}
	return out
}
