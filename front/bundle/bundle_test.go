package bundle

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"parley/front"
)

// TestDistIsFresh bundles the sources and compares the result with what is kept.
func TestDistIsFresh(t *testing.T) {
	files := build(t)
	const how = "run go run ./front/cmd/bundle"
	for name, content := range files {
		kept, err := fs.ReadFile(front.Files(), name)
		if err != nil {
			t.Errorf("front/dist lacks %s: %s", name, how)
		} else if !bytes.Equal(kept, content) {
			t.Errorf("front/dist/%s is of older sources: %s", name, how)
		}
	}
	kept, err := fs.Glob(front.Files(), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range kept {
		if _, ok := files[name]; !ok {
			t.Errorf("front/dist/%s is not made any more: %s", name, how)
		}
	}
}

// TestSize keeps the first load below 120 KB and each piece that is loaded later below 150 KB, compressed.
func TestSize(t *testing.T) {
	files := build(t)
	first := append([]string{"front.js", "front.css"}, front.Preload()...)
	sum := 0
	for _, name := range first {
		sum += zipped(t, files[name])
	}
	t.Logf("the first load has %d bytes: %v", sum, first)
	if sum > 120<<10 {
		t.Errorf("the first load has %d bytes compressed", sum)
	}
	for name, content := range files {
		if n := zipped(t, content); path.Ext(name) == ".js" && n > 150<<10 {
			t.Errorf("%s has %d bytes compressed", name, n)
		}
	}
}

// TestWords compares what T says with what is kept for the page.
func TestWords(t *testing.T) {
	all := front.Words()
	if !slices.IsSorted(all) || len(all) == 0 || strings.TrimSpace(all[0]) == "" {
		t.Errorf("words of the front: %q", all)
	}
}

func zipped(t *testing.T, b []byte) int {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Len()
}

func build(t *testing.T) Files {
	t.Helper()
	files, err := Build("..")
	if err != nil {
		t.Fatal(err)
	}
	return files
}
