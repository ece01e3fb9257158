package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed assets all:templates
var files embed.FS

// assets are the files that pages load. Their addresses have their version, so that browsers keep them for good.
type assets struct {
	fs      fs.FS
	version string
	since   time.Time // files are not older for browsers: when the server started
	icons   map[string]template.HTML

	mu       sync.Mutex
	zipped   map[string][]byte
	pictures map[string][]byte // see drawn
}

func newAssets(since time.Time) (*assets, error) { return readAssets(sub("assets"), since) }

func readAssets(from fs.FS, since time.Time) (*assets, error) {
	a := &assets{fs: from, since: since, icons: make(map[string]template.HTML), zipped: make(map[string][]byte)}
	a.pictures = make(map[string][]byte)
	sum := sha256.New()
	err := fs.WalkDir(a.fs, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(a.fs, name)
		if err != nil {
			return err
		}
		sum.Write([]byte(name))
		sum.Write(b)
		if base := path.Base(name); path.Ext(base) == ".svg" && path.Dir(name) == "vendor/icons" {
			text := string(b)
			if i := strings.Index(text, "<svg"); i >= 0 {
				text = strings.Replace(text[i:], "<svg", `<svg aria-hidden="true" focusable="false"`, 1)
			}
			a.icons[strings.TrimSuffix(base, ".svg")] = template.HTML(text)
		}
		return nil
	})
	a.version = hex.EncodeToString(sum.Sum(nil)[:6])
	return a, err
}

func (a *assets) path(name string) string { return "/assets/" + a.version + "/" + name }

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	b, made, err := a.drawn(name)
	if !made {
		b, err = fs.ReadFile(a.fs, name)
	}
	if err != nil || !fs.ValidPath(name) {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.PathValue("version") != a.version {
		h.Set("Cache-Control", "no-cache") // a page of another version, or a font that a stylesheet names
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		h.Set("Content-Type", t)
	}
	switch path.Ext(name) {
	case ".js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	case ".css", ".svg", ".json":
	default:
		http.ServeContent(w, r, "", a.since, bytes.NewReader(b))
		return
	}
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		b = a.zip(name, b)
	}
	_, _ = w.Write(b)
}

// zip compresses a file once.
func (a *assets) zip(name string, b []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if z := a.zipped[name]; z != nil {
		return z
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = z.Write(b)
	if z.Close() != nil {
		return b
	}
	a.zipped[name] = buf.Bytes()
	return buf.Bytes()
}
