package testrig_test

import (
	"path/filepath"
	"strings"
	"testing"

	"parley/testrig"
)

// TestScripts plays every script of testdata, each on a node of its own.
func TestScripts(t *testing.T) {
	var files []string
	for _, pattern := range []string{"testdata/*.xmpp", "testdata/*/*.xmpp"} {
		fs, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, fs...)
	}
	if len(files) == 0 {
		t.Fatal("there are no scripts")
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(f), "testdata/"), ".xmpp"), func(t *testing.T) {
			t.Parallel()
			testrig.Play(t, f)
		})
	}
}
