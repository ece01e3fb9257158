package testrig_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/testrig"
)

// calls finds the operations that the chat in the browser asks for: a method, and a path as a text, as a template, or
// made by the function at.
var calls = regexp.MustCompile(
	`call(?:<[^>]*(?:<[^>]*>)?[^>]*>)?\(\s*"([A-Z]+)",\s*(?:"([^"]+"(?: \+ \w+\()?)|` + "`([^`]+)`" +
		`|at\(([^)]*)\))`)

// values are the places of a path that are filled in.
var values = regexp.MustCompile(`\$\{[^}]*\}|\{[^}]*\}`)

// The chat in the browser uses no operation that the description of the API does not list, so that a token does all
// that a person does.
func TestFrontUsesTheAPI(t *testing.T) {
	r := testrig.Start(t, web)
	var doc struct {
		Paths map[string]map[string]apiOperation
	}
	if status := (apiClient{t, r.Browser(t), ""}).do("GET", "/openapi.json", "", &doc); status != 200 {
		t.Fatal(status)
	}
	described := make(map[string]bool)
	for path, ops := range doc.Paths {
		for method := range ops {
			path := strings.TrimPrefix(path, "/api/v1")
			described[strings.ToUpper(method)+" "+values.ReplaceAllString(path, "*")] = true
		}
	}
	files, err := filepath.Glob("../front/src/*.ts*")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	found := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "fetch("); n > 0 && filepath.Base(name) != "api.ts" &&
			filepath.Base(name) != "events.ts" && filepath.Base(name) != "sw.ts" {
			t.Errorf("%s: a request beside api.ts", name)
		}
		for _, m := range calls.FindAllStringSubmatch(string(text), -1) {
			found++
			path, joined, _ := strings.Cut(m[2], `"`)
			if strings.Contains(joined, "encodeURIComponent") {
				path += "*"
			}
			path += values.ReplaceAllString(m[3], "*")
			if m[4] != "" {
				path = "/conversations"
				for _, part := range strings.Split(m[4], ",") {
					if part = strings.TrimSpace(part); strings.HasPrefix(part, `"`) {
						path += "/" + strings.Trim(part, `"`)
					} else {
						path += "/*"
					}
				}
			}
			path, _, _ = strings.Cut(path, "?")
			if !described[m[1]+" "+path] {
				t.Errorf("%s: the API describes no %s %s", filepath.Base(name), m[1], path)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d calls are found: the test is blind", found)
	}
}
