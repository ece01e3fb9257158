package testrig

import (
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
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

// RunScriptsOnNodes plays the scripts below folders, as RunScripts does, on several nodes, if they can be
// (Script.Spreads). except gives those that are not played, by their names, with the reason. It fails if fewer than
// half of the stanzas that clients got of each other have gone from one node to another one.
func RunScriptsOnNodes(t *testing.T, nodes int, except map[string]string, patterns ...string) {
	t.Helper()
	var mu sync.Mutex
	var all Crossing
	played := 0
	t.Run("scripts", func(t *testing.T) {
		for _, pattern := range patterns {
			files, err := scripts(pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				s, name := scriptOf(t, f), scriptName(f)
				if except[name] != "" || !s.Spreads() {
					continue
				}
				played++
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c := s.playOn(t, f, nodes)
					t.Logf("%d of %d stanzas", c.Crossed, c.Stanzas)
					mu.Lock()
					defer mu.Unlock()
					all.Stanzas += c.Stanzas
					all.Crossed += c.Crossed
				})
			}
		}
	})
	t.Logf("%d scripts on %d nodes: %d stanzas between clients, of which %d went between nodes",
		played, nodes, all.Stanzas, all.Crossed)
	if all.Crossed*2 < all.Stanzas || all.Crossed == 0 {
		t.Errorf("of %d stanzas between clients %d went between nodes: fewer than half", all.Stanzas, all.Crossed)
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
