package transfer

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// endless is a text without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// TestTooLarge checks that no file makes the server keep more in memory than an element may have.
func TestTooLarge(t *testing.T) {
	for what, in := range map[string]io.Reader{
		"a text":                    io.MultiReader(strings.NewReader("<a>"), endless{}),
		"a text in what is skipped": io.MultiReader(strings.NewReader("<a><b>"), endless{}),
		"an attribute":              io.MultiReader(strings.NewReader("<a><b c='"), endless{}),
		"a comment":                 io.MultiReader(strings.NewReader("<a><!--"), endless{}),
		"elements":                  strings.NewReader("<a><b>" + strings.Repeat("<c/>", maxNodes)),
		"depth":                     strings.NewReader("<a><b>" + strings.Repeat("<c>", maxDepth+1)),
	} {
		r := newReader(in)
		r.in.most = 1 << 16
		_, ok, err := r.next()
		if err != nil || !ok {
			t.Fatal(err)
		}
		var s xml.StartElement
		if s, ok, err = r.next(); err == nil && ok {
			if strings.Contains(what, "skipped") {
				err = r.skip()
			} else {
				_, err = r.element(s)
			}
		}
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "too large") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
