package front_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"parley/front/bundle"
)

// runScript bundles a script of testdata with the sources that it imports, and runs it in Node.js. The script gets in
// as JSON from standard input, and writes what is read into out.
func runScript(t *testing.T, name string, in, out any) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("PARLEY_TEST_REQUIRE_CLIENTS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	program := filepath.Join(t.TempDir(), "script.mjs")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	options := bundle.Options(dir)
	options.EntryPoints, options.Outfile, options.Write = []string{name}, program, true
	built := api.Build(options)
	if len(built.Errors) > 0 {
		t.Fatal(strings.Join(api.FormatMessages(built.Errors, api.FormatMessagesOptions{}), ""))
	}
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	c := exec.Command(node, program)
	c.Stdin, c.Stderr = bytes.NewReader(input), &errs
	answer, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatal(err)
	}
}
