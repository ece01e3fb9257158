package bundle

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// icons makes a module of the icons: their names, with the elements inside each as [name, attributes].
func icons(dir string) (string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "vendor/lucide-static/icons/*.svg"))
	if err != nil {
		return "", err
	}
	all := make(map[string][][2]any)
	for _, name := range found {
		b, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		inside, err := shapes(b)
		if err != nil {
			return "", fmt.Errorf("icon %s: %w", name, err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".svg")] = inside
	}
	b, err := inJSON(all)
	return "export const icons = " + string(b), err
}

// shapes lists the elements inside the svg element.
func shapes(svg []byte) ([][2]any, error) {
	var out [][2]any
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local == "svg" {
			continue
		}
		attrs := make(map[string]string)
		for _, a := range e.Attr {
			attrs[a.Name.Local] = a.Value
		}
		out = append(out, [2]any{e.Name.Local, attrs})
	}
}
