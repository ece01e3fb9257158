package picture

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/vector"
)

// Draw draws a simple SVG file as a square of n pixels: rectangles and paths of one colour, as our own icon has them.
// With full the first rectangle has no round corners and fills the square, for systems that cut icons themselves.
// Anything that it does not know is an error.
func Draw(svg []byte, n int, full bool) (image.Image, error) {
	var file struct {
		ViewBox string  `xml:"viewBox,attr"`
		Shapes  []shape `xml:",any"`
	}
	if err := xml.Unmarshal(svg, &file); err != nil {
		return nil, err
	}
	var x, y, w, h float64
	if _, err := fmt.Sscan(file.ViewBox, &x, &y, &w, &h); err != nil || x != 0 || y != 0 || w <= 0 || w != h {
		return nil, fmt.Errorf("the view box %q is no square at the origin", file.ViewBox)
	}
	out := image.NewNRGBA(image.Rect(0, 0, n, n))
	for i, s := range file.Shapes {
		if full && i == 0 {
			s.Radius = 0
		}
		p := &pen{r: vector.NewRasterizer(n, n), scale: float64(n) / w}
		if err := s.draw(p); err != nil {
			return nil, err
		}
		ink, err := s.ink()
		if err != nil {
			return nil, err
		}
		p.r.Draw(out, out.Bounds(), image.NewUniform(ink), image.Point{})
	}
	return out, nil
}

// shape is an element of the file.
type shape struct {
	XMLName xml.Name
	Width   float64 `xml:"width,attr"`
	Height  float64 `xml:"height,attr"`
	Radius  float64 `xml:"rx,attr"`
	Fill    string  `xml:"fill,attr"`
	Opacity string  `xml:"opacity,attr"`
	D       string  `xml:"d,attr"`
}

func (s *shape) draw(p *pen) error {
	switch s.XMLName.Local {
	case "rect":
		w, h, r := s.Width, s.Height, s.Radius
		d := fmt.Sprintf("M%g 0H%gA%g %g 0 0 1 %g %gV%gA%g %g 0 0 1 %g %gH%gA%g %g 0 0 1 0 %gV%gA%g %g 0 0 1 %g 0z",
			r, w-r, r, r, w, r, h-r, r, r, w-r, h, r, r, r, h-r, r, r, r, r)
		return p.path(d)
	case "path":
		return p.path(s.D)
	}
	return fmt.Errorf("an element %s is not known", s.XMLName.Local)
}

// ink gives the colour of a shape: #rrggbb or #rgb.
func (s *shape) ink() (color.NRGBA, error) {
	hex := strings.TrimPrefix(s.Fill, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	opacity := 1.0
	if s.Opacity != "" && err == nil {
		opacity, err = strconv.ParseFloat(s.Opacity, 64)
	}
	if err != nil || len(hex) != 6 || opacity < 0 || opacity > 1 {
		return color.NRGBA{}, fmt.Errorf("the colour %q with the opacity %q is not known", s.Fill, s.Opacity)
	}
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), uint8(math.Round(255 * opacity))}, nil
}

// pen draws a path. Its place is in the units of the file.
type pen struct {
	r              *vector.Rasterizer
	scale          float64
	x, y           float64
	startX, startY float64
}

var errPath = errors.New("the path is not known")

// arguments is how many numbers each command takes.
var arguments = map[byte]int{'M': 2, 'L': 2, 'H': 1, 'V': 1, 'C': 6, 'A': 7, 'Z': 0}

// path draws the commands M, L, H, V, C, A of circles, and Z, in both cases (SVG 1.1, section 8.3).
func (p *pen) path(d string) error {
	for d = strings.TrimSpace(d); d != ""; {
		command, relative := d[0]&^0x20, d[0]&0x20 != 0
		count, ok := arguments[command]
		if !ok {
			return errPath
		}
		var ns []float64
		var err error
		if ns, d, err = numbers(d[1:]); err != nil {
			return err
		}
		if count == 0 && len(ns) > 0 || count > 0 && (len(ns) == 0 || len(ns)%count != 0) {
			return errPath
		}
		for first := true; first || len(ns) > 0; first = false {
			if err := p.do(command, relative, ns[:count]); err != nil {
				return err
			}
			if ns = ns[count:]; command == 'M' {
				command, count = 'L', 2
			}
		}
	}
	return nil
}

func (p *pen) do(command byte, relative bool, ns []float64) error {
	var x, y float64 // what coordinates are relative to
	if relative {
		x, y = p.x, p.y
	}
	switch command {
	case 'M':
		p.x, p.y = x+ns[0], y+ns[1]
		p.startX, p.startY = p.x, p.y
		p.r.MoveTo(p.at(p.x, p.y))
	case 'L':
		p.line(x+ns[0], y+ns[1])
	case 'H':
		p.line(x+ns[0], p.y)
	case 'V':
		p.line(p.x, y+ns[0])
	case 'C':
		p.curve(x+ns[0], y+ns[1], x+ns[2], y+ns[3], x+ns[4], y+ns[5])
	case 'A':
		if ns[0] != ns[1] || ns[3] != 0 { // an ellipse, or the longer way round
			return errPath
		}
		p.arc(ns[0], ns[4] != 0, x+ns[5], y+ns[6])
	case 'Z':
		p.r.ClosePath()
		p.x, p.y = p.startX, p.startY
	}
	return nil
}

func (p *pen) at(x, y float64) (float32, float32) { return float32(x * p.scale), float32(y * p.scale) }

func (p *pen) line(x, y float64) {
	p.x, p.y = x, y
	p.r.LineTo(p.at(x, y))
}

func (p *pen) curve(ax, ay, bx, by, x, y float64) {
	a, b := [2]float32{}, [2]float32{}
	a[0], a[1] = p.at(ax, ay)
	b[0], b[1] = p.at(bx, by)
	cx, cy := p.at(x, y)
	p.r.CubeTo(a[0], a[1], b[0], b[1], cx, cy)
	p.x, p.y = x, y
}

// arc draws the shorter arc of a circle with a radius to a place, as a curve (SVG 1.1, appendix F.6.5).
func (p *pen) arc(r float64, clockwise bool, x, y float64) {
	dx, dy := (x-p.x)/2, (y-p.y)/2
	half := math.Hypot(dx, dy)
	if half == 0 || r == 0 {
		p.line(x, y)
		return
	}
	r = max(r, half)
	side := math.Sqrt(r*r-half*half) / half
	if !clockwise {
		side = -side
	}
	cx, cy := p.x+dx-side*dy, p.y+dy+side*dx
	angle := 2 * math.Asin(half/r)
	k := 4.0 / 3 * math.Tan(angle/4) // how far the handles are, in radii
	if !clockwise {
		k = -k
	}
	p.curve(p.x-k*(p.y-cy), p.y+k*(p.x-cx), x+k*(y-cy), y-k*(x-cx), x, y)
}

// numbers reads numbers up to the next command. A sign or a second point begins the next number.
func numbers(d string) (ns []float64, rest string, err error) {
	for {
		d = strings.TrimLeft(d, " ,\n\t")
		n := 0
		for point := false; n < len(d); n++ {
			c := d[n]
			if c == '.' && !point {
				point = true
			} else if (c < '0' || c > '9') && (n > 0 || c != '-') {
				break
			}
		}
		if n == 0 {
			return ns, d, nil
		}
		v, err := strconv.ParseFloat(d[:n], 64)
		if err != nil {
			return nil, "", errPath
		}
		ns, d = append(ns, v), d[n:]
	}
}
