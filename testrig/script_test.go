package testrig_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"parley/testrig"
)

// TestScripts plays the scripts that belong to no package in particular. Others lie beside the code that they test.
func TestScripts(t *testing.T) { testrig.RunScripts(t, "testdata") }

// played are the folders whose scripts a TestScripts plays.
var played = []string{
	"testrig/testdata", "feature/*/testdata", "muc/testdata", "muc/groups/testdata", "pubsub/testdata",
	"server/testdata", "server/c2s/testdata",
}

// notOnNodes are scripts that several nodes do not play, with the reason.
var notOnNodes = map[string]string{
	"server/c2s/sm-unacked": "each node keeps what its own client has not acknowledged, and does not know who has at " +
		"another one: it comes twice at worst, under one id",
}

// TestScriptsOnNodes plays the scripts that need no room with their actors spread over three nodes.
func TestScriptsOnNodes(t *testing.T) {
	var patterns []string
	for _, p := range played {
		patterns = append(patterns, "../"+p)
	}
	testrig.RunScriptsOnNodes(t, 3, notOnNodes, patterns...)
}

// TestEveryScriptIsPlayed finds scripts in folders that no test looks into.
func TestEveryScriptIsPlayed(t *testing.T) {
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		name = filepath.ToSlash(name)
		if d.IsDir() || !strings.HasSuffix(name, ".xmpp") {
			return nil
		}
		before, _, _ := strings.Cut(strings.TrimPrefix(name, "../"), "/testdata/")
		for _, pattern := range played {
			if ok, err := filepath.Match(pattern, before+"/testdata"); ok || err != nil {
				return err
			}
		}
		t.Errorf("%s is played by no test: add its folder to a TestScripts, and to played", name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
