package sim

import "strings"

// elements cuts a stream into its header and its top-level elements, as text. It reads what the server writes:
// well-formed XML without comments and CDATA. It shares no code with the server's streams.
type elements struct {
	buf   string
	depth int
	at    int // how far buf is read
	begin int // of the element that is open
}

// feed takes bytes and returns what has become whole: "<stream:stream …>", elements, "</stream:stream>".
func (p *elements) feed(b []byte) (out []string) {
	p.buf += string(b)
	for {
		i := strings.IndexByte(p.buf[p.at:], '<')
		if i < 0 {
			break
		}
		start := p.at + i
		end := tagEnd(p.buf, start)
		if end < 0 {
			break
		}
		tag := p.buf[start:end]
		p.at = end
		switch {
		case strings.HasPrefix(tag, "<?"):
			continue
		case strings.HasPrefix(tag, "</"):
			p.depth--
			if p.depth == 1 {
				out = append(out, p.buf[p.begin:end])
			} else if p.depth == 0 {
				out = append(out, tag)
			}
		default:
			if p.depth == 1 {
				p.begin = start
			}
			if p.depth == 0 {
				out = append(out, tag)
			}
			if !strings.HasSuffix(tag, "/>") {
				p.depth++
			} else if p.depth == 1 {
				out = append(out, tag)
			}
		}
		if p.depth <= 1 {
			p.buf, p.at, p.begin = p.buf[p.at:], 0, 0
		}
	}
	return out
}

// tagEnd gives the place behind the tag that begins at a place; -1 if it is not whole.
func tagEnd(s string, start int) int {
	quote := byte(0)
	for i := start; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return -1
}

// nameOf gives an element's name with its prefix.
func nameOf(e string) string {
	i := strings.IndexAny(e[1:], " />")
	return e[1 : 1+i]
}

// attr gives an attribute of the first tag of a text; "" if there is none.
func attr(e, name string) string {
	end := tagEnd(e, 0)
	if end < 0 {
		return ""
	}
	tag := e[:end]
	for from := 0; ; {
		i := strings.Index(tag[from:], name+"=")
		if i < 0 {
			return ""
		}
		i += from
		if tag[i-1] == ' ' {
			quote := tag[i+len(name)+1]
			rest := tag[i+len(name)+2:]
			return unescape(rest[:strings.IndexByte(rest, quote)])
		}
		from = i + 1
	}
}

// within gives the first element with a name in an element, from its tag on; "" if there is none.
func within(e, name string) string {
	for from := 1; ; {
		i := strings.Index(e[from:], "<"+name)
		if i < 0 {
			return ""
		}
		i += from
		if c := e[i+1+len(name)]; c == ' ' || c == '>' || c == '/' {
			return e[i:]
		}
		from = i + 1
	}
}

// textOf gives the text of the first element with a name in an element.
func textOf(e, name string) string {
	x := within(e, name)
	if x == "" {
		return ""
	}
	x = x[tagEnd(x, 0):]
	return unescape(x[:strings.IndexByte(x, '<')])
}

var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&apos;", "'", "&quot;", `"`, "&amp;", "&")

func unescape(s string) string { return unescaper.Replace(s) }
