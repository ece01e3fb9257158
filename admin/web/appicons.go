package web

import (
	"bytes"
	"image/png"
	"io/fs"

	"parley/internal/picture"
)

// appIcons are the pictures that systems show for the chat once it is installed: those that take no SVG, such as home
// screens. They are drawn from icon.svg when they are first asked for.
var appIcons = map[string]struct {
	size int
	full bool // it fills the square: the system cuts its own shape. What the icon shows is within four fifths of it
}{
	"icon-192.png":          {192, false},
	"icon-512.png":          {512, false},
	"icon-maskable-512.png": {512, true},
	"icon-touch-180.png":    {180, true},
}

// drawn gives a picture of appIcons; ok is false for other names.
func (a *assets) drawn(name string) (b []byte, ok bool, err error) {
	icon, ok := appIcons[name]
	if !ok {
		return nil, false, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if b := a.pictures[name]; b != nil {
		return b, true, nil
	}
	svg, err := fs.ReadFile(a.fs, "icon.svg")
	if err != nil {
		return nil, true, err
	}
	m, err := picture.Draw(svg, icon.size, icon.full)
	if err != nil {
		return nil, true, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		return nil, true, err
	}
	a.pictures[name] = out.Bytes()
	return out.Bytes(), true, nil
}
