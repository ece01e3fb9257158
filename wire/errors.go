package wire

import "errors"

// StreamError is a violation that ends the stream: a condition of RFC 6120, section 4.9.3, and an English text for a
// person, which never contains what the peer sent.
type StreamError struct {
	Condition string
	Text      string
	App       *Element // an application-specific condition (section 4.9.4); nil if there is none
}

// Error returns "stream error:" with the condition and the text.
func (e *StreamError) Error() string {
	if e.Text == "" {
		return "stream error: " + e.Condition
	}
	return "stream error: " + e.Condition + ": " + e.Text
}

// ErrStreamEnd is the error of Reader.Next after the peer closed its stream with </stream:stream>.
var ErrStreamEnd = errors.New("wire: the peer closed its stream")

// errMore says that the bytes at hand end inside a token. It never leaves the package.
var errMore = errors.New("wire: need more bytes")

func notWellFormed(text string) error { return &StreamError{Condition: "not-well-formed", Text: text} }
func restricted(text string) error    { return &StreamError{Condition: "restricted-xml", Text: text} }
func tooMuch(text string) error       { return &StreamError{Condition: "policy-violation", Text: text} }

// badUTF8 is RFC 6120, section 4.9.3.22: "or has otherwise improperly encoded the stream".
func badUTF8() error { return &StreamError{Condition: "unsupported-encoding", Text: "invalid UTF-8"} }

// Limits bounds what a peer may send. A zero field stands for its default.
type Limits struct {
	Stanza   int // bytes of one first-level element; default 256 KiB, at most 4 MiB
	Depth    int // levels of elements; a first-level element is level 1; default 64, at most 128
	Attrs    int // attributes of one element, including namespace declarations; default 64, at most 128
	Children int // first-level payloads of one element; default 256
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, def, most int) {
		if *v <= 0 {
			*v = def
		}
		*v = min(*v, most)
	}
	set(&l.Stanza, 256<<10, maxElement)
	set(&l.Depth, 64, maxDepth)
	set(&l.Attrs, 64, maxAttrs)
	set(&l.Children, 256, maxElement)
	return l
}
