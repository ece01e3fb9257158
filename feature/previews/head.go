package previews

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
)

// head is what the head of a page says of it.
type head struct {
	named     string // the title element
	ogTitle   string
	ogText    string
	text      string
	site      string
	elsewhere string // the title for other networks
}

func (h *head) title() string       { return first(h.ogTitle, h.named, h.elsewhere) }
func (h *head) description() string { return first(h.ogText, h.text) }

func first(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// maxTokens bounds the elements of a head.
const maxTokens = 20_000

// readHead reads a page up to its body, or as much of it as is allowed.
func readHead(body io.Reader, contentType string) (*head, error) {
	text, err := charset.NewReader(io.LimitReader(body, maxBody), contentType)
	if err != nil {
		return nil, err
	}
	h := new(head)
	z := html.NewTokenizer(io.LimitReader(text, 3*maxBody)) // UTF-8 takes up to three bytes for one of another charset
	titled := false
	for range maxTokens {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return h, err
			}
			return h, nil
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch string(name) {
			case "body":
				return h, nil
			case "meta":
				h.meta(z, more)
			case "title":
				// Only the first: pictures in a page have titles too.
				if !titled && z.Next() == html.TextToken {
					h.named, titled = string(z.Text()), true
				}
			}
		}
	}
	return h, nil
}

// meta reads a meta element.
func (h *head) meta(z *html.Tokenizer, more bool) {
	var name, content string
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "name", "property":
			if name == "" {
				name = strings.ToLower(strings.TrimSpace(string(value)))
			}
		case "content":
			content = string(value)
		}
	}
	for _, x := range []struct {
		name string
		to   *string
	}{
		{"og:title", &h.ogTitle}, {"og:description", &h.ogText}, {"og:site_name", &h.site}, {"description", &h.text},
		{"twitter:title", &h.elsewhere},
	} {
		if name == x.name && *x.to == "" {
			*x.to = content
		}
	}
}
