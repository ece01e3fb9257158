package form

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"parley/wire"
)

func parse(t *testing.T, s string) (Form, error) {
	t.Helper()
	e, err := wire.ParseElement([]byte(s), wire.NSClient)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(e)
}

func TestRoundTrip(t *testing.T) {
	f := New(Ask, "http://jabber.org/protocol/muc#roomconfig").
		Add("muc#roomconfig_roomname", TextSingle, "Name", "Küche & <Bad>").Required().
		AddBool("muc#roomconfig_persistentroom", "Persistent", true).
		AddList("whois", "Who sees addresses", "moderators", Option{"Moderators", "moderators"},
			Option{"Anyone", "anyone"}).
		AddText("desc", "Description", "one\n\nthree").
		AddFixed("The end").
		Add("admins", JIDMulti, "Admins", "a@x.example", "b@x.example", "A@x.example")
	f.Title, f.Instructions = "Configuration", "Fill this in.\nAll of it."
	f.Field("whois").Desc = "longer"

	got, err := parse(t, string(f.Element().AppendXML(nil, wire.NSClient)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, *f) {
		t.Fatalf("\n got %+v\nwant %+v", got, *f)
	}
	if v, ok := got.Bool("muc#roomconfig_persistentroom"); !v || !ok {
		t.Error("boolean")
	}
	if _, ok := got.Bool("whois"); ok {
		t.Error("a word taken for a boolean")
	}
	if got.Text("desc") != "one\n\nthree" || got.About() != "http://jabber.org/protocol/muc#roomconfig" {
		t.Errorf("%q %q", got.Text("desc"), got.About())
	}
	if js, err := got.JIDs("admins"); err != nil || len(js) != 2 {
		t.Errorf("%v %v", js, err)
	}
	if got.Has("nothing") || got.Get("nothing") != "" || !got.Has("desc") {
		t.Error("Has or Get")
	}
}

func TestParseRefuses(t *testing.T) {
	field := `<field var='a'><value>1</value></field>`
	for in, want := range map[string]error{
		`<x xmlns='jabber:x:data'/>`:                                                                                          ErrNotForm,
		`<x xmlns='jabber:x:oob' type='form'/>`:                                                                               ErrNotForm,
		`<x xmlns='jabber:x:data' type='submit'><field><value>1</value></field></x>`:                                          ErrNotForm,
		`<x xmlns='jabber:x:data' type='submit'>` + strings.Repeat(field, MaxFields+1) + `</x>`:                               ErrTooMany,
		`<x xmlns='jabber:x:data' type='submit'><field var='a'>` + strings.Repeat(`<value/>`, MaxValues+1) + `</field></x>`:   ErrTooMany,
		`<x xmlns='jabber:x:data' type='submit'><field var='a'>` + strings.Repeat(`<option/>`, MaxOptions+1) + `</field></x>`: ErrTooMany,
	} {
		if _, err := parse(t, in); !errors.Is(err, want) {
			t.Errorf("%.80s: %v, want %v", in, err, want)
		}
	}
	if _, err := Parse(nil); !errors.Is(err, ErrNotForm) {
		t.Errorf("nil: %v", err)
	}
}
