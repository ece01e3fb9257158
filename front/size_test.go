package front_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// What a browser loads before the chat can be used is small: the script with the pieces that it needs at once, and the
// style, as they are sent.
func TestFirstLoad(t *testing.T) {
	const most = 120_000
	read := func(name string) []byte {
		t.Helper()
		content, err := os.ReadFile(filepath.Join("dist", name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	var pieces []string
	if err := json.Unmarshal(read("first.json"), &pieces); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, name := range append(pieces, "front.js", "front.css") {
		var sent bytes.Buffer
		w, err := gzip.NewWriterLevel(&sent, gzip.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(read(name)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes", name, sent.Len())
		total += sent.Len()
	}
	if total > most {
		t.Errorf("the first load is %d bytes, and may be %d", total, most)
	}
}
