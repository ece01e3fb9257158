package messages

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/wire"
)

const (
	nsSharing  = "urn:xmpp:sfs:0"
	nsMetadata = "urn:xmpp:file:metadata:0"
	nsURLData  = "http://jabber.org/protocol/url-data"
)

// Limits of what a client says of a file.
const (
	maxURL    = 4096
	maxName   = 255 // characters
	maxType   = 100
	maxPixels = 1 << 20
)

// files reads the files of a message, and cuts their addresses from its body.
func files(st *wire.Stanza, c *cutting) []File {
	all := shared(st)
	whole := strings.TrimSpace(c.left())
	lines := make(map[string]bool)
	if strings.Contains(whole, "://") {
		for l := range strings.Lines(whole) {
			lines[strings.TrimSpace(l)] = true
		}
	}
	for _, u := range outOfBand(st) {
		// Beside a text, a link is a link.
		if (whole == "" || lines[u]) && !has(all, u) && len(all) < maxFiles {
			all = append(all, File{URL: u})
		}
	}
	if len(all) == 0 {
		return nil
	}
	for i := range all {
		all[i].complete()
	}
	cutFallbacks(st, c)
	cutAddresses(c, all)
	return all
}

func has(fs []File, address string) bool {
	return slices.ContainsFunc(fs, func(f File) bool { return f.URL == address })
}

// outOfBand gives the addresses of XEP-0066.
func outOfBand(st *wire.Stanza) (all []string) {
	for _, c := range st.Children {
		if len(all) >= maxFiles {
			break
		}
		if c.Name.Space != wire.NSOOB || c.Name.Local != "x" {
			continue
		}
		e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
		if err != nil {
			continue
		}
		if u, ok := webAddress(strings.TrimSpace(e.ChildText(wire.NSOOB, "url"))); ok {
			all = append(all, u)
		}
	}
	return all
}

// shared gives the files of XEP-0447 that have an address.
func shared(st *wire.Stanza) (all []File) {
	for _, c := range st.Children {
		if len(all) >= maxFiles {
			break
		}
		if c.Name.Space != nsSharing || c.Name.Local != "file-sharing" {
			continue
		}
		e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
		if err != nil {
			continue
		}
		f := described(e.Child(nsMetadata, "file"))
		for _, source := range e.Child(nsSharing, "sources").Elements() {
			if source.Name.Space != nsURLData {
				continue
			}
			if u, ok := webAddress(source.Attr("target")); ok {
				f.URL = u
				break
			}
		}
		if f.URL != "" && !has(all, f.URL) {
			all = append(all, f)
		}
	}
	return all
}

// described reads what a client says of a file (XEP-0446).
func described(e *wire.Element) (f File) {
	f.Name = fileName(e.ChildText(nsMetadata, "name"))
	f.Type = mediaType(e.ChildText(nsMetadata, "media-type"))
	if n, err := strconv.ParseInt(strings.TrimSpace(e.ChildText(nsMetadata, "size")), 10, 64); err == nil && n > 0 {
		f.Size = n
	}
	w, h := e.ChildText(nsMetadata, "width"), e.ChildText(nsMetadata, "height")
	if before, after, ok := strings.Cut(e.ChildText(nsMetadata, "dimensions"), "x"); ok { // before version 0.2
		w, h = before, after
	}
	f.Width, f.Height = number(strings.TrimSpace(w)), number(strings.TrimSpace(h))
	if f.Width <= 0 || f.Height <= 0 || f.Width > maxPixels || f.Height > maxPixels {
		f.Width, f.Height = 0, 0
	}
	return f
}

// complete adds what the address says.
func (f *File) complete() {
	if f.Name == "" {
		if u, err := url.Parse(f.URL); err == nil {
			f.Name = fileName(path.Base(u.Path))
		}
	}
	if f.Name == "" {
		f.Name = "file"
	}
	if f.Type == "" {
		f.Type = types[strings.ToLower(path.Ext(f.Name))]
	}
}

// types are those that are shown, by the ends of names. The system's own table is another one on each machine.
var types = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp",
	".avif": "image/avif", ".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mp3": "audio/mpeg",
	".ogg": "audio/ogg", ".opus": "audio/ogg", ".m4a": "audio/mp4", ".wav": "audio/wav", ".pdf": "application/pdf",
}

// cutFallbacks cuts what the body says of the files to clients that do not know them.
func cutFallbacks(st *wire.Stanza, c *cutting) {
	for _, feature := range []string{nsSharing, wire.NSOOB} {
		for _, r := range fallbacks(st, feature) {
			if r.all {
				c.cutAll()
				return
			}
			c.cut(r.begin, r.end)
		}
	}
}

// cutAddresses cuts the line that has nothing but a file's address, for each file.
func cutAddresses(c *cutting, fs []File) {
	if !strings.Contains(c.left(), "://") {
		return
	}
	of := make(map[string]bool, len(fs))
	for _, f := range fs {
		of[f.URL] = true
	}
	rs := c.letters()
	for _, s := range c.kept() {
		for begin := s.begin; begin < s.end; {
			end := begin
			for end < s.end && rs[end] != '\n' {
				end++
			}
			if line := strings.TrimSpace(string(rs[begin:min(end, begin+maxURL)])); of[line] {
				delete(of, line)
				c.cut(begin, end+1)
			}
			begin = end + 1
		}
	}
}

// webAddress says whether a text is an address that a browser opens, and gives it.
func webAddress(s string) (string, bool) {
	if len(s) > maxURL || !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return "", false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return "", false
	}
	return s, true
}

// fileName gives a name without folders and without characters that are not seen.
func fileName(s string) string {
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s))
	if s == "." || s == ".." {
		return ""
	}
	if extra := utf8.RuneCountInString(s) - maxName; extra > 0 { // the end says what it is
		return string([]rune(s)[extra:])
	}
	return s
}

// mediaType gives a media type without parameters; "" if it is none.
func mediaType(s string) string {
	s, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(s)), ";")
	main, sub, ok := strings.Cut(s, "/")
	if !ok || main == "" || sub == "" || len(s) > maxType {
		return ""
	}
	for _, r := range main + sub {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$&-^_.+", r) {
			return ""
		}
	}
	return s
}
