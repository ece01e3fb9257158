package picture

import (
	"image/color"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	const box = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">`
	svg := box + `<rect width="32" height="32" rx="9" fill="#0f766e"/>` +
		`<path d="M8 8h8v8H8z" fill="#fff"/>` +
		`<path d="M24 20a4 4 0 0 1-4 4 4 4 0 0 1-4-4 4 4 0 0 1 8 0z" fill="#000" opacity=".5"/>` +
		`<path d="M2 16c0-2 4-2 4 0l-.5.5z" fill="#fff"/></svg>`
	green, white := color.NRGBA{0x0f, 0x76, 0x6e, 255}, color.NRGBA{255, 255, 255, 255}
	half := color.NRGBA{0x07, 0x3a, 0x36, 255} // black over green
	for _, full := range []bool{false, true} {
		m, err := Draw([]byte(svg), 64, full)
		if err != nil {
			t.Fatal(err)
		}
		corner := color.NRGBA{}
		if full {
			corner = green
		}
		for _, p := range []struct {
			x, y int
			want color.NRGBA
		}{
			{0, 0, corner}, {63, 63, corner}, {0, 63, corner}, {63, 0, corner}, {32, 2, green}, {2, 32, green},
			{24, 24, white},
			{17, 17, white}, {34, 17, green}, {40, 40, half}, {40, 46, half}, {33, 34, green}, {46, 46, green},
		} {
			got := color.NRGBAModel.Convert(m.At(p.x, p.y)).(color.NRGBA)
			if d := func(a, b uint8) bool { return max(a, b)-min(a, b) > 2 }; d(got.R, p.want.R) ||
				d(got.G, p.want.G) ||
				d(got.B, p.want.B) || d(got.A, p.want.A) {
				t.Errorf("full %v: at %d,%d is %v, want %v", full, p.x, p.y, got, p.want)
			}
		}
	}
	for _, wrong := range []string{
		"", "<svg/>", strings.Replace(box, "0 0 32 32", "0 0 32 16", 1) + "</svg>", box + `<circle r="3" fill="#fff"/></svg>`,
		box + `<path d="M0 0h1" fill="red"/></svg>`, box + `<path d="M0 0Q1 1 2 2" fill="#fff"/></svg>`,
		box + `<path d="M0" fill="#fff"/></svg>`, box + `<path d="M0 0A1 2 0 0 1 3 3" fill="#fff"/></svg>`,
		box + `<path d="M0 0h-" fill="#fff"/></svg>`, box + `<path d="M0 0z3" fill="#fff"/></svg>`,
		box + `<rect width="1" height="1" fill="#fff" opacity="2"/></svg>`,
	} {
		if _, err := Draw([]byte(wrong), 16, false); err == nil {
			t.Errorf("%s is drawn", wrong)
		}
	}
}
