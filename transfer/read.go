package transfer

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"parley/wire"
)

// Limits of an element that is read as a whole.
const (
	maxElement = 64 << 20 // bytes of input; also for any single tag or text
	maxNodes   = 1 << 20  // elements and texts
	maxDepth   = 100
)

// reader reads elements out of a large document. encoding/xml resolves prefixes, takes no external entities, and is off
// any path where speed matters.
type reader struct {
	d  *xml.Decoder
	in *gate
}

func newReader(r io.Reader) *reader {
	g := &gate{r: r, most: maxElement}
	return &reader{xml.NewDecoder(g), g}
}

// gate limits the bytes of one token, because the decoder keeps a whole token in memory.
type gate struct {
	r          io.Reader
	most, left int
}

var errToken = errors.New("a tag or a text is too large")

func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errToken
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

func (r *reader) token() (xml.Token, error) {
	r.in.left = r.in.most
	return r.d.Token()
}

// next gives the next start tag inside the open element; ok is false at its end.
func (r *reader) next() (s xml.StartElement, ok bool, err error) {
	for {
		t, err := r.token()
		if err != nil {
			return s, false, broken(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t.Copy(), true, nil
		case xml.EndElement:
			return s, false, nil
		}
	}
}

func broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

// skip skips the rest of the open element.
func (r *reader) skip() error {
	for depth := 1; depth > 0; {
		t, err := r.token()
		if err != nil {
			return broken(err)
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// element reads the rest of an element after its start tag.
func (r *reader) element(s xml.StartElement) (*wire.Element, error) {
	begin := r.d.InputOffset()
	e := open(s)
	stack := []*wire.Element{e}
	for nodes := 0; len(stack) > 0; nodes++ {
		t, err := r.token()
		if err != nil {
			return nil, broken(err)
		}
		if r.d.InputOffset()-begin > maxElement || len(stack) > maxDepth || nodes > maxNodes {
			return nil, fmt.Errorf("%w: <%s/> is too large", ErrFormat, s.Name.Local)
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			c := open(t)
			top.Add(c)
			stack = append(stack, c)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.Nodes = append(top.Nodes, wire.Node{Text: string(t)})
		}
	}
	return e, nil
}

func open(s xml.StartElement) *wire.Element {
	e := wire.E(s.Name.Space, s.Name.Local)
	for _, a := range s.Attr {
		space := a.Name.Space
		switch {
		case space == "xmlns" || space == "" && a.Name.Local == "xmlns":
			continue
		case space == "xml":
			space = wire.NSXML
		}
		e.Attrs = append(e.Attrs, wire.Attr{Name: wire.Name{Space: space, Local: a.Name.Local}, Value: a.Value})
	}
	return e
}

func attr(s xml.StartElement, local string) string {
	for _, a := range s.Attr {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}
