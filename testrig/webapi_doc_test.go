package testrig_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/people"
	"parley/testrig"
)

// onlySocket are operations for the operator of the machine alone, with the reason.
var onlySocket = map[string]string{
	"set-password":        "people choose their passwords by a link: reset-password",
	"list-app-passwords":  "they are a person's own, on the page of their security",
	"create-app-password": "they are a person's own, on the page of their security",
	"revoke-app-password": "they are a person's own, on the page of their security",
	"turn-factor-off":     "it asks who you are: the person's page does",
	"create-token":        "a token is made by somebody who shows who they are: on the pages, or parley token",
	"export":              "files of whole accounts are for who has the server: parley export",
	"import":              "files of whole accounts are for who has the server: parley import",
	"backup":              "all that a server keeps is for who has the server: parley backup",
	"get-server":          "it is about all hosts; of one host it is get-health",
}

// onlyToken are operations for people, not for the operator of the machine.
var onlyToken = map[string]string{
	"list-messages":        "what people say to each other is for them",
	"search-messages":      "what people say to each other is for them",
	"send-message":         "somebody says it",
	"retract-message":      "somebody takes it back",
	"kick":                 "a moderator in the room does it",
	"join-group":           "one joins oneself",
	"leave-group":          "one leaves oneself",
	"list-conversations":   "what people say to each other is for them",
	"get-conversation":     "what people say to each other is for them",
	"read-history":         "what people say to each other is for them",
	"find-messages":        "what people say to each other is for them",
	"read-events":          "what people say to each other is for them",
	"confirm-events":       "what people say to each other is for them",
	"list-mentionable":     "somebody says it",
	"find-colleagues":      "list-people is for the operator",
	"post-message":         "somebody says it",
	"list-missed-calls":    "they are one's own",
	"list-meetings":        "what people say to each other is for them",
	"list-colleague-parts": "list-people and list-teams are for the operator",
	"open-conversation":    "somebody begins it",
	"rename-conversation":  "somebody of the conversation does it",
	"add-people":           "somebody of the conversation does it",
	"leave-conversation":   "one leaves oneself",

	"edit-message":      "somebody says it",
	"remove-message":    "somebody takes it back",
	"react":             "somebody says it",
	"mark-read":         "one reads oneself",
	"show-typing":       "one writes oneself",
	"set-notifications": "they are one's own",
	"set-status":        "it is one's own",
	"get-web-push":      "it is one's own browser's",
	"start-web-push":    "it is one's own browser's",
	"stop-web-push":     "it is one's own browser's",
	"describe-link":     "it is for somebody who writes",
	"mark-unread":       "one reads oneself",

	"list-saved-messages": "one saves them oneself",
	"list-saved-marks":    "one saves them oneself",
	"save-message":        "one saves it oneself",
	"unsave-message":      "one saves it oneself",
	"list-pins":           "what people say to each other is for them",
	"pin-message":         "somebody of the conversation does it",
	"unpin-message":       "somebody of the conversation does it",
	"report-message":      "somebody of the conversation does it",
	"list-versions":       "what people say to each other is for them",
	"forward-message":     "somebody says it",
	"list-seen":           "one has said it oneself",

	"list-saved-replies":   "list-team-shares is for the operator",
	"list-shared-contacts": "list-team-shares is for the operator",

	"list-own-actions": "list-actions is for the operator",
	"use-action":       "somebody in the conversation uses it",

	"keep-file":          "somebody sends it",
	"make-task":          "somebody of the conversation makes it",
	"list-tasks-in":      "what people say to each other is for them",
	"list-tasks":         "they are one's own",
	"get-task":           "what people say to each other is for them",
	"change-task":        "somebody of the conversation does it",
	"delete-task":        "somebody of the conversation deletes it",
	"get-sidebar":        "it is one's own",
	"arrange-sidebar":    "it is one's own",
	"list-drafts":        "they are one's own",
	"set-draft":          "it is one's own",
	"schedule-message":   "somebody sends it",
	"add-reminder":       "it is one's own",
	"list-scheduled":     "they are one's own",
	"change-scheduled":   "it is one's own",
	"send-scheduled":     "it is one's own",
	"delete-scheduled":   "it is one's own",
	"get-quiet-hours":    "they are one's own",
	"change-quiet-hours": "they are one's own",
}

type apiOperation struct {
	OperationID string
	Summary     string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   json.RawMessage
	}
	RequestBody *struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema json.RawMessage }
	}
	Security []map[string][]string
}

// There is one API: programs have all operations of the command line, and the other way around, or the list says why
// not.
func TestTheCommandLineIsAClientOfTheAPI(t *testing.T) {
	r := testrig.Start(t, web)
	type description struct {
		Paths map[string]map[string]apiOperation
	}
	ids := func(d description) map[string]bool {
		has := make(map[string]bool)
		for _, ops := range d.Paths {
			for _, op := range ops {
				has[op.OperationID] = true
			}
		}
		return has
	}
	var public, socket description
	if status := (apiClient{t, r.Browser(t), ""}).do("GET", "/openapi.json", "", &public); status != 200 {
		t.Fatal(status)
	}
	if err := r.Line(t).Describe(&socket); err != nil {
		t.Fatal(err)
	}
	token, line := ids(public), ids(socket)
	for id := range line {
		if _, only := onlySocket[id]; token[id] == only {
			t.Errorf("%s: with a token %v, named as one for the machine alone %v", id, token[id], only)
		}
	}
	for id := range token {
		if _, only := onlyToken[id]; line[id] == only {
			t.Errorf("%s: on the socket %v, named as one for people alone %v", id, line[id], only)
		}
	}
	if len(line) < 60 || len(token) < 60 {
		t.Errorf("%d and %d operations", len(line), len(token))
	}
}

// The description is OpenAPI 3.1 as programs read it: references lead somewhere, and names that must be unique are.
func TestAPIDescriptionIsValid(t *testing.T) {
	r := testrig.Start(t, web)
	p := r.Browser(t).Get("/api/openapi.json")
	if p.Status != 200 {
		t.Fatal(p.Status)
	}
	var doc struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Paths      map[string]map[string]apiOperation
		Components struct {
			Schemas         map[string]json.RawMessage
			SecuritySchemes map[string]struct{ Type, Scheme string }
		}
	}
	var plain any
	if err := json.Unmarshal([]byte(p.Text), &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(p.Text), &plain); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^3\.1\.\d+$`).MatchString(doc.OpenAPI) || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("openapi %q, info %+v", doc.OpenAPI, doc.Info)
	}
	if s := doc.Components.SecuritySchemes["token"]; s.Type != "http" || s.Scheme != "bearer" {
		t.Errorf("security: %+v", doc.Components.SecuritySchemes)
	}
	references(t, plain, plain, "#")
	used := make(map[string]bool)
	methods := []string{"get", "put", "post", "delete", "patch"}
	ids := make(map[string]string)
	for path, ops := range doc.Paths {
		want := regexp.MustCompile(`\{([a-z]+)\}`).FindAllStringSubmatch(path, -1)
		for method, op := range ops {
			at := method + " " + path
			if !slices.Contains(methods, method) {
				t.Errorf("%s: there is no such method", at)
			}
			if was := ids[op.OperationID]; op.OperationID == "" || was != "" || op.Summary == "" {
				t.Errorf("%s: operation %q, also %q, %q", at, op.OperationID, was, op.Summary)
			}
			ids[op.OperationID] = at
			named := make(map[string]bool)
			inPath := 0
			for _, p := range op.Parameters {
				if named[p.In+p.Name] || len(p.Schema) == 0 ||
					p.In == "path" && (!p.Required || !strings.Contains(path, "{"+p.Name+"}")) {
					t.Errorf("%s: parameter %+v", at, p)
				}
				if named[p.In+p.Name] = true; p.In == "path" {
					inPath++
				}
			}
			if inPath != len(want) {
				t.Errorf("%s: %d of its parameters are described", at, inPath)
			}
			if op.RequestBody != nil && len(op.RequestBody.Content["application/json"].Schema) == 0 {
				t.Errorf("%s: its body is not described", at)
			}
			good := false
			for status, res := range op.Responses {
				if !regexp.MustCompile(`^([1-5]\d\d|default)$`).MatchString(status) || res.Description == "" {
					t.Errorf("%s: answer %s %+v", at, status, res)
				}
				for typ, c := range res.Content {
					if len(c.Schema) == 0 {
						t.Errorf("%s: answer %s, %s is not described", at, status, typ)
					}
				}
				good = good || status[0] == '2'
			}
			if !good {
				t.Errorf("%s: no answer is a good one", at)
			}
			for _, need := range op.Security {
				for name, scopes := range need {
					for _, scope := range scopes {
						used[scope] = true
						if name != "token" || !slices.Contains(people.Scopes, scope) {
							t.Errorf("%s needs %s %s, which nobody is offered", at, name, scope)
						}
					}
				}
			}
		}
	}
	for _, scope := range people.Scopes {
		if !used[scope] {
			t.Errorf("the scope %s is good for nothing", scope)
		}
	}
}

// references follows each $ref, and looks at each schema's words.
func references(t *testing.T, doc, at any, path string) {
	types := []any{"string", "number", "integer", "boolean", "array", "object", "null"}
	switch v := at.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			here, found := doc, strings.HasPrefix(ref, "#/")
			for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
				m, _ := here.(map[string]any)
				if here, ok = m[part]; !ok {
					found = false
				}
			}
			if !found {
				t.Errorf("%s: %s leads nowhere", path, ref)
			}
		}
		if props, ok := v["properties"].(map[string]any); ok {
			for _, name := range list(v["required"]) {
				if _, ok := props[fmt.Sprint(name)]; !ok {
					t.Errorf("%s: %v is required and not described", path, name)
				}
			}
			for _, typ := range append(list(v["type"]), v["type"]) {
				if _, many := typ.([]any); !many && typ != nil && !slices.Contains(types, typ) {
					t.Errorf("%s: type %v", path, typ)
				}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			references(t, doc, v[k], path+"/"+k)
		}
	case []any:
		for i, x := range v {
			references(t, doc, x, fmt.Sprint(path, "/", i))
		}
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

var update = flag.Bool("update", false, "write the operations into docs/api.md")

// docs/api.md lists the operations that the API has.
func TestAPIDocument(t *testing.T) {
	r := testrig.Start(t, web)
	var doc struct {
		Paths map[string]map[string]apiOperation
	}
	(apiClient{t, r.Browser(t), ""}).do("GET", "/openapi.json", "", &doc)
	var table strings.Builder
	table.WriteString("\n| | scope | |\n|---|---|---|\n")
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if op, ok := doc.Paths[path][method]; ok {
				fmt.Fprintf(&table, "| `%s %s` | `%s` | %s |\n", strings.ToUpper(method),
					strings.TrimPrefix(path, "/api/v1"), op.Security[0]["token"][0], op.Summary)
			}
		}
	}
	const name = "../docs/api.md"
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(have), "-update -->\n")
	want := head + "-update -->\n" + table.String()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !ok || string(have) != want {
		t.Error("docs/api.md is not what the API says: go test ./testrig -run APIDocument -update")
	}
}
