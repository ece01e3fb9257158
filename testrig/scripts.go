package testrig

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// RunScripts plays every script (*.xmpp) below the folders that match the given patterns of filepath.Glob, each as a
// parallel subtest on a node of its own. A subtest is named after the script's path without "testdata":
// mam/testdata/pages.xmpp is mam/pages. A pattern below which there is no script fails the test.
func RunScripts(t *testing.T, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := scripts(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("there are no scripts in %s", pattern)
		}
		for _, f := range files {
			t.Run(scriptName(f), func(t *testing.T) {
				t.Parallel()
				Play(t, f)
			})
		}
	}
}

// scripts lists the scripts below the folders that match a pattern.
func scripts(pattern string) ([]string, error) {
	folders, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(name, ".xmpp") {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func scriptName(file string) string {
	var parts []string
	for _, part := range strings.Split(strings.TrimSuffix(filepath.ToSlash(file), ".xmpp"), "/") {
		if part != "testdata" && part != ".." {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}
