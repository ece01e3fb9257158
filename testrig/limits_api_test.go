package testrig_test

import (
	"encoding/json"
	pathpkg "path"
	"testing"

	"parley/feature/webhooks"
	"parley/org"
	"parley/people"
	"parley/testrig"
)

// apiSchema is what the description says of a value.
type apiSchema struct {
	Ref        string `json:"$ref"`
	MaxLength  int
	Properties map[string]apiSchema
}

// The limits of texts that the API states are those of the rules: the tags that state them cannot use the rules'
// constants.
func TestAPILimitsAreThoseOfTheRules(t *testing.T) {
	r := testrig.Start(t, web)
	var doc struct {
		Paths      map[string]map[string]apiOperation
		Components struct{ Schemas map[string]apiSchema }
	}
	if status := (apiClient{t, r.Browser(t), ""}).do("GET", "/openapi.json", "", &doc); status != 200 {
		t.Fatal(status)
	}
	body := func(op apiOperation) (s apiSchema) {
		if op.RequestBody == nil {
			return s
		}
		if err := json.Unmarshal(op.RequestBody.Content["application/json"].Schema, &s); err != nil {
			t.Fatal(op.OperationID, err)
		}
		if s.Ref != "" {
			s = doc.Components.Schemas[pathpkg.Base(s.Ref)]
		}
		return s
	}
	person := map[string]int{
		"full_name":  people.MaxField,
		"phone":      people.MaxField,
		"title":      people.MaxField,
		"department": people.MaxField,
	}
	want := map[string]map[string]int{
		"create-person":     person,
		"change-person":     person,
		"invite-person":     {"note": people.MaxNote},
		"create-invitation": {"note": people.MaxNote},
		"create-group":      {"name": org.MaxName},
		"change-group":      {"name": org.MaxName},
		"create-theme":      {"name": org.MaxName},
		"change-theme":      {"name": org.MaxName},
		"create-team":       {"name": org.MaxName},
		"create-webhook":    {"name": webhooks.MaxName},
	}
	for _, ops := range doc.Paths {
		for _, op := range ops {
			s := body(op)
			for field, most := range want[op.OperationID] {
				if got, ok := s.Properties[field]; !ok || got.MaxLength != most {
					t.Errorf("%s takes %s of %d characters, the rules %d", op.OperationID, field, got.MaxLength, most)
				}
			}
			delete(want, op.OperationID)
		}
	}
	for id := range want {
		t.Errorf("there is no operation %s", id)
	}
}
