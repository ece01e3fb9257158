package shape_test

import (
	"reflect"
	"strings"
	"testing"

	"parley/internal/fault"
	"parley/internal/shape"
)

type Naming struct {
	Name *string `json:"name,omitempty" label:"Name" maxLength:"5"`
}

type change struct {
	Naming
	About  *string   `json:"about,omitempty" label:"Description" lines:"true"`
	PostBy *string   `json:"post_by,omitempty" label:"Who may post" enum:"members,moderators,nobody" flag:"posts-by"`
	Open   *bool     `json:"open,omitempty" label:"Open to guests" doc:"whether guests come in"`
	Tags   *[]string `json:"tags,omitempty" label:"Tags"`
	Inner  map[string]string
}

func TestOf(t *testing.T) {
	var got []string
	for _, f := range shape.Of(change{}) {
		got = append(got, strings.Join([]string{f.Name, f.Flag, f.Label}, "|"))
	}
	want := []string{
		"name|name|Name", "about|about|Description", "post_by|posts-by|Who may post",
		"open|open|Open to guests", "tags|tags|Tags",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if f := shape.Named(&change{}, "post_by"); f.Kind != shape.Choice || len(f.Choices) != 3 {
		t.Errorf("got %+v", f)
	}
}

func TestRead(t *testing.T) {
	given := map[string]string{"name": "Verona", "open": "1", "tags": "a b\r\n\r\nc"}
	read := func() (c change, err error) {
		return c, shape.Read(&c, func(f shape.Field) (string, bool) { v, ok := given[f.Name]; return v, ok })
	}
	c, err := read()
	if err != nil || *c.Name != "Verona" || !*c.Open || c.About != nil || c.PostBy != nil ||
		len(*c.Tags) != 2 || (*c.Tags)[0] != "a b" {
		t.Errorf("got %+v, %v", c, err)
	}
	given["open"] = "perhaps"
	if _, err := read(); !fault.Is(err, fault.Invalid) || fault.Of(err).Field != "open" {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		change change
		want   string
	}{
		{change{}, ""},
		{change{Naming: Naming{text("Éœuvé")}}, ""}, // characters are counted, not bytes
		{change{Naming: Naming{text("Verona")}}, "name is too long: at most 5 characters"},
		{change{PostBy: text("nobody")}, ""},
		{change{PostBy: text("")}, `post_by is "members", "moderators" or "nobody"`},
	} {
		got := ""
		if err := shape.Check(c.change); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestApply(t *testing.T) {
	name, about, by, open := "Verona", "Two households", "members", false
	moderators, yes := "moderators", true
	shape.Apply(change{Naming: Naming{&name}, About: &about, PostBy: &by, Open: &open},
		change{PostBy: &moderators, Open: &yes})
	if name != "Verona" || about != "Two households" || by != "moderators" || !open {
		t.Errorf("got %q, %q, %q, %v", name, about, by, open)
	}
}

func TestDifferences(t *testing.T) {
	whole := func(name, by string, open bool) change {
		return change{Naming: Naming{&name}, About: new(string), PostBy: &by, Open: &open, Tags: &[]string{"t"}}
	}
	got := make(map[string]any)
	shape.Differences(whole("a", "members", true),
		whole("a", "nobody", false), func(name string, a, b any) { got[name] = []any{a, b} })
	want := map[string]any{"post_by": []any{"members", "nobody"}, "open": []any{true, false}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
