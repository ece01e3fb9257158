package testrig_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/admin/api"
	"parley/people"
	"parley/store"
	"parley/testrig"
)

// fieldsRig is an organization with an administrator, a supervisor and three members, two of them of one department.
func fieldsRig(t *testing.T) (r *testrig.Rig, admin apiClient) {
	t.Helper()
	r = testrig.Start(t, web)
	r.Account("!romeo", "juliet", "nurse", "paris", "escalus", "tybalt@second.example")
	role(t, r, "juliet", store.RoleMember, "Balcony")
	role(t, r, "nurse", store.RoleMember, "Balcony")
	role(t, r, "paris", store.RoleMember, "Palace")
	role(t, r, "escalus", store.RoleSupervisor, "Balcony")
	return r, apiOfAll(t, r, "romeo")[0]
}

// actsOn gives what the audit log says of an action, the latest first.
func actsOn(t *testing.T, r *testrig.Rig, action string) (details []map[string]any, targets []string) {
	t.Helper()
	es, err := r.Node.Store.AuditEntries(t.Context(), testrig.Host, store.AuditFilter{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if e.Action != action {
			continue
		}
		var d map[string]any
		if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
			t.Fatal(err)
		}
		details, targets = append(details, d), append(targets, e.Target)
	}
	return details, targets
}

// Administrators define the fields; each act is in the audit log.
func TestProfileFieldsAreDefined(t *testing.T) {
	r, admin := fieldsRig(t)
	others := apiOfAll(t, r, "juliet", "escalus")
	const path = "/v1/profile-fields"
	var f api.ProfileField
	admin.want(201, "POST", path, `{"name": "Extension", "name_fr": "Poste", "kind": "number", "searched": true}`, &f)
	want := api.ProfileField{Key: "extension", Name: "Extension", NameFR: "Poste", Kind: "number", Choices: []string{},
		SeenBy: "organization", ChangedBy: "person", Searched: true, Place: 1}
	if got, wanted := asJSON(t, f), asJSON(t, want); got != wanted {
		t.Errorf("got %s, want %s", got, wanted)
	}
	admin.want(201, "POST", path,
		`{"key": "site", "name": "Site", "kind": "choice", "choices": ["Verona", " Mantua ", "Verona"], "place": 1}`,
		&f)
	if f.Place != 1 || !slices.Equal(f.Choices, []string{"Verona", "Mantua"}) {
		t.Errorf("got %+v", f)
	}
	admin.want(201, "POST", path, `{"name": "Salary group", "seen_by": "admins", "changed_by": "admins"}`, &f)
	if f.Key != "salary-group" || f.Kind != "text" || f.Place != 3 {
		t.Errorf("got %+v", f)
	}
	for _, no := range []struct {
		status int
		body   string
	}{
		{409, `{"name": "Mail", "key": "email"}`},
		{409, `{"name": "Extension"}`},
		{422, `{"name": "Extension two", "key": "Extension 2"}`},
		{422, `{"name": "Site two", "kind": "choice"}`},
		{422, `{"name": "Site two", "kind": "choice", "choices": [" "]}`},
		{422, `{"name": "Site two", "kind": "colour"}`},
		{422, `{"name": "Site two", "seen_by": "everybody"}`},
		{422, `{"name": "Site two", "changed_by": "nobody"}`},
		{422, `{"name": "Site two", "place": 0}`},
		{422, `{"name": " "}`},
		{422, `{"key": "site-two"}`},
		{422, `{"name": "` + strings.Repeat("x", 61) + `"}`},
	} {
		admin.want(no.status, "POST", path, no.body, nil)
	}
	for _, c := range others {
		c.want(403, "POST", path, `{"name": "Mine"}`, nil)
		c.want(403, "PATCH", path+"/site", `{"name": "Mine"}`, nil)
		c.want(403, "DELETE", path+"/site", "", nil)
	}
	keys := func(c apiClient) (ks []string) {
		var fs []api.ProfileField
		c.want(200, "GET", path, "", &fs)
		for i, f := range fs {
			if ks = append(ks, f.Key); c == admin && f.Place != int64(i+1) {
				t.Errorf("%s has place %d, not %d", f.Key, f.Place, i+1)
			}
		}
		return ks
	}
	all := []string{"site", "extension", "salary-group"}
	for c, want := range map[apiClient][]string{admin: all, others[1]: all, others[0]: all[:2]} {
		if got := keys(c); !slices.Equal(got, want) {
			t.Errorf("fields: %q, want %q", got, want)
		}
	}

	admin.want(422, "PATCH", path+"/extension", `{"kind": "text"}`, nil)
	admin.want(422, "PATCH", path+"/extension", `{"name": ""}`, nil)
	admin.want(422, "PATCH", path+"/site", `{"choices": []}`, nil)
	admin.want(404, "PATCH", path+"/none", `{"name": "None"}`, nil)
	admin.want(200, "PATCH", path+"/extension", `{"name": "Ext.", "seen_by": "team", "kind": "number", "place": 3}`, &f)
	if f.Name != "Ext." || f.NameFR != "Poste" || f.SeenBy != "team" || !f.Searched || f.Place != 3 {
		t.Errorf("got %+v", f)
	}
	admin.want(200, "PATCH", path+"/extension", `{"name": "Ext."}`, nil) // changes nothing, and is not in the audit log
	if got := keys(admin); !slices.Equal(got, []string{"site", "salary-group", "extension"}) {
		t.Errorf("after a move: %q", got)
	}
	details, targets := actsOn(t, r, "field.change")
	wantDetail := `{"name":["Extension","Ext."],"place":[2,3],"seen_by":["organization","team"]}`
	if len(details) != 1 || targets[0] != "extension" || asJSON(t, details[0]) != wantDetail {
		t.Errorf("the change: %q %v", targets, details)
	}

	admin.want(200, "PATCH", "/v1/people/juliet", `{"fields": {"site": "mantua"}}`, nil)
	admin.want(204, "DELETE", path+"/site", "", nil)
	admin.want(404, "DELETE", path+"/site", "", nil)
	if got := keys(admin); !slices.Equal(got, []string{"salary-group", "extension"}) {
		t.Errorf("after a deletion: %q", got)
	}
	if p := profileOf(t, r, "juliet"); len(p.Fields) != 0 {
		t.Errorf("a value of a field that is no more: %v", p.Fields)
	}
	details, targets = actsOn(t, r, "field.delete")
	if len(details) != 1 || targets[0] != "site" || asJSON(t, details[0]) != `{"kind":"choice","name":"Site"}` {
		t.Errorf("the deletion: %q %v", targets, details)
	}
	if details, targets = actsOn(t,
		r, "field.create"); !slices.Equal(targets, []string{"salary-group", "site", "extension"}) ||
		asJSON(t, details[2]) != `{"kind":"number","name":"Extension"}` {
		t.Errorf("the creations: %q %v", targets, details)
	}

	for i := 2; i < people.MaxFields; i++ {
		admin.want(201, "POST", path, `{"name": "Field `+strconv.Itoa(i)+`"}`, nil)
	}
	admin.want(403, "POST", path, `{"name": "One too many"}`, nil)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A value must be possible for its field, only the people named in the definition may change it, and each change is in
// the audit log with the old value.
func TestProfileFieldValues(t *testing.T) {
	r, admin := fieldsRig(t)
	as := apiOfAll(t, r, "juliet", "nurse", "escalus")
	juliet, nurse, escalus := as[0], as[1], as[2]
	for _, f := range []string{
		`{"name": "Extension", "kind": "number"}`,
		`{"name": "Key", "kind": "yes-no"}`,
		`{"name": "Site", "kind": "choice", "choices": ["Verona", "Mantua"]}`,
		`{"name": "Page", "kind": "link"}`,
		`{"name": "Motto"}`,
		`{"name": "Badge", "changed_by": "admins"}`,
	} {
		admin.want(201, "POST", "/v1/profile-fields", f, nil)
	}
	set := func(c apiClient, status int, key, value string) {
		t.Helper()
		c.want(status, "PATCH", "/v1/people/juliet", `{"fields": {"`+key+`": `+strconv.Quote(value)+`}}`, nil)
	}
	for _, x := range []struct{ key, given, kept string }{
		{"extension", " 0042 ", "0042"},
		{"extension", "+1,5", "+1,5"},
		{"extension", "1 000", "1000"},
		{"key", "Oui", "yes"},
		{"key", "false", "no"},
		{"site", "MANTUA", "Mantua"},
		{"page", "https://j.example/?a=b#c", "https://j.example/?a=b#c"},
		{"motto", "  a   rose ", "a rose"},
		{"motto", strings.Repeat("é", 500), strings.Repeat("é", 500)},
	} {
		set(juliet, 200, x.key, x.given)
		if got := profileOf(t, r, "juliet").Fields[x.key]; got != x.kept {
			t.Errorf("%s %q: %q is kept", x.key, x.given, got)
		}
	}
	before := profileOf(t, r, "juliet").Fields
	for _, x := range [][2]string{
		{"extension", "12a"}, {"extension", "--1"}, {"key", "maybe"}, {"site", "Rome"}, {"page", "javascript:alert(1)"},
		{"page", "https://"}, {"page", "https://a b"}, {"page", "https://a.example/\u202e"},
		{"motto", strings.Repeat("é", 501)}, {"page", "https://a.example/" + strings.Repeat("x", 500)},
		{"motto", "a\u202eb"}, {"none", "x"},
	} {
		set(juliet, 422, x[0], x[1])
	}
	set(juliet, 403, "badge", "7")
	set(nurse, 403, "motto", "not hers")
	if now := profileOf(t, r, "juliet").Fields; !maps.Equal(now, before) {
		t.Errorf("what was refused has changed something: %v", now)
	}
	set(escalus, 200, "badge", "7")
	set(admin, 200, "badge", "8")
	set(juliet, 200, "badge", "8") // sets the present value again
	set(juliet, 200, "motto", "")
	if now := profileOf(t, r, "juliet").Fields; now["badge"] != "8" || len(now) != 5 {
		t.Errorf("the values: %v", now)
	}
	var p api.Person
	admin.want(200, "GET", "/v1/people/juliet", "", &p)
	if p.Fields["extension"] != "1000" || p.Fields["badge"] != "8" {
		t.Errorf("by the API: %v", p.Fields)
	}
	// A person that is created has values too.
	admin.want(201, "POST", "/v1/people", `{"name": "benvolio", "fields": {"extension": "17", "badge": "9"}}`, nil)
	admin.want(422, "POST", "/v1/people", `{"name": "mercutio", "fields": {"extension": "x"}}`, nil)
	if p := profileOf(t, r, "benvolio"); !maps.Equal(p.Fields, map[string]string{"extension": "17", "badge": "9"}) {
		t.Errorf("created with %v", p.Fields)
	}
	details, targets := actsOn(t, r, "person.change")
	if len(details) < 3 || targets[0] != "juliet@"+testrig.Host ||
		asJSON(t, details[0]) != `{"motto":["`+strings.Repeat("é", 500)+`",""]}` ||
		asJSON(t, details[1]) != `{"badge":["7","8"]}` || asJSON(t, details[2]) != `{"badge":["","7"]}` {
		t.Errorf("the audit log: %q %v", targets, details[:min(3, len(details))])
	}
}

const setCard4 = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" +
	"<publish node='urn:xmpp:vcard4'><item id='current'>" +
	"<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'>"

// publishCard4 publishes these properties.
func publishCard4(t *testing.T, c *testrig.Client, id, properties string) {
	t.Helper()
	e := do(t, c, "<iq type='set' id='"+id+"'>"+setCard4+properties+"</vcard></item></publish></pubsub></iq>", id)
	if e.Attr("type") != "result" {
		t.Fatal(e)
	}
}

// Definitions say who sees a field: in the API, and as extended properties of vCard4, also when they change. Values
// that a client publishes there go into the profile if the person may change them.
func TestProfileFieldsInCards(t *testing.T) {
	r, admin := fieldsRig(t)
	for _, f := range []string{
		`{"name": "Extension", "kind": "number"}`,
		`{"name": "Ratio", "kind": "number", "seen_by": "team"}`,
		`{"name": "Key", "kind": "yes-no", "seen_by": "team"}`,
		`{"name": "Page & more", "key": "page", "kind": "link"}`,
		`{"name": "Badge", "changed_by": "admins"}`,
		`{"name": "Secret", "seen_by": "admins"}`,
	} {
		admin.want(201, "POST", "/v1/profile-fields", f, nil)
	}
	values := `{"full_name": "Juliet", "fields": {"extension": "4711", "ratio": "0.5", "key": "yes", "page": "https://j.example/?a=b&c",
		"badge": "7", "secret": "hush"}}`
	admin.want(200, "PATCH", "/v1/people/juliet", values, nil)
	clients := make(map[string]*testrig.Client)
	for _, name := range []string{"romeo", "juliet", "nurse", "paris", "escalus"} {
		clients[name] = signIn(t, r, name)
	}
	stranger := signInAt(t, r, "tybalt", testrig.Second, "x")
	seen := func(e *testrig.Element) string {
		var got []string
		for _, key := range []string{"extension", "ratio", "key", "page", "badge", "secret"} {
			if e.Find("x-"+key) != nil {
				got = append(got, key)
			}
		}
		return strings.Join(got, " ")
	}
	const everybody, team, everything = "extension page badge", "extension ratio key page badge",
		"extension ratio key page badge secret"
	sees := map[string]string{
		"romeo":   everything,
		"juliet":  team,
		"escalus": everything,
		"nurse":   team,
		"paris":   everybody,
	}
	look := func(when string) {
		t.Helper()
		for name, want := range sees {
			old, now := cards(t, clients[name], "juliet@example.org")
			if got := seen(now); got != want {
				t.Errorf("%s, %s sees %q, want %q: %s", when, name, got, want, now)
			}
			if strings.Contains(strings.ToLower(old.String()), "x-") ||
				strings.Contains(now.String(), "profile-fields") {
				t.Errorf("%s, %s gets %s and %s", when, name, old, now)
			}
		}
		if _, now := cards(t, stranger, "juliet@example.org"); seen(now) != "" ||
			strings.Contains(now.String(), "profile-fields") {
			t.Errorf("%s, a stranger sees %s", when, now)
		}
	}
	look("from the profile")
	_, now := cards(t, clients["juliet"], "juliet@example.org")
	for _, want := range []string{
		"<x-extension><parameters><x-label><text>Extension</text></x-label></parameters>" +
			"<integer>4711</integer></x-extension>",
		"<float>0.5</float>", "<boolean>true</boolean>",
		"<x-label><text>Page &amp; more</text></x-label></parameters><uri>https://j.example/?a=b&amp;c</uri>",
		"<text>7</text></x-badge>",
	} {
		if !strings.Contains(now.String(), want) {
			t.Errorf("no %s in %s", want, now)
		}
	}
	admin.want(200, "PATCH", "/v1/people/juliet", `{"fields": {"extension": "0042", "ratio": "1,5"}}`, nil)
	_, now = cards(t, clients["juliet"], "juliet@example.org")
	for _, want := range []string{"<text>0042</text></x-extension>", "<text>1,5</text></x-ratio>"} {
		if !strings.Contains(now.String(), want) {
			t.Errorf("no %s in %s", want, now)
		}
	}

	// A client publishes fields that she may change, fields that she may not, impossible values, and properties that
	// the organization does not know.
	publishCard4(t, clients["juliet"], "p1",
		"<fn><text>Juliet</text></fn><x-extension><integer>12</integer></x-extension>"+
			"<x-key><boolean>false</boolean></x-key><x-ratio><text>half</text></x-ratio><x-badge>"+
			"<text>1</text></x-badge>"+
			"<x-secret><text/></x-secret><x-cat><text>Tom</text></x-cat>")
	want := map[string]string{
		"extension": "12",
		"ratio":     "1,5",
		"key":       "no",
		"page":      "https://j.example/?a=b&c",
		"badge":     "7",
		"secret":    "hush",
	}
	if p := profileOf(t, r, "juliet"); !maps.Equal(p.Fields, want) {
		t.Errorf("after a client has published: %v", p.Fields)
	}
	admin.want(200, "PATCH", "/v1/people/juliet", `{"fields": {"secret": "hush"}}`, nil)
	look("after a client has published")
	_, now = cards(t, clients["paris"], "juliet@example.org")
	for _, want := range []string{
		"<integer>12</integer></x-extension>", "<text>7</text></x-badge>", "<text>Tom</text></x-cat>",
	} {
		if !strings.Contains(now.String(), want) {
			t.Errorf("no %s in %s", want, now)
		}
	}
	// A client cannot claim a value for an empty field.
	admin.want(200, "PATCH", "/v1/people/juliet", `{"fields": {"badge": ""}}`, nil)
	publishCard4(t, clients["juliet"], "p2",
		"<x-badge><text>boss</text></x-badge><x-secret><text>hush</text></x-secret>")
	if _, now = cards(t, clients["paris"], "juliet@example.org"); strings.Contains(now.String(), "boss") ||
		!strings.Contains(now.String(), "<integer>12</integer>") {
		t.Errorf("a claim: %s", now)
	}
	// Nor does a card keep a value of a field that was deleted.
	admin.want(204, "DELETE", "/v1/profile-fields/secret", "", nil)
	admin.want(204, "DELETE", "/v1/profile-fields/badge", "", nil)
	for _, c := range []*testrig.Client{clients["paris"], stranger, clients["juliet"]} {
		if _, now = cards(t, c, "juliet@example.org"); strings.Contains(now.String(), "hush") ||
			strings.Contains(now.String(), "boss") {
			t.Errorf("of a field that is no more: %s", now)
		}
	}

	// People who subscribe to changes are told of them, and only of what they may see.
	for name, want := range map[string]string{"nurse": "extension ratio key page", "paris": "extension page"} {
		c := clients[name]
		do(t, c, "<iq type='set' id='s' to='juliet@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"+
			"<subscribe node='urn:xmpp:vcard4' jid='"+name+"@example.org'/></pubsub></iq>", "s")
		if err := c.Write("<presence/>"); err != nil {
			t.Fatal(err)
		}
		do(t, c, "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>", "p")
		number := map[string]string{"nurse": "21", "paris": "22"}[name]
		admin.want(200, "PATCH", "/v1/people/juliet", `{"fields": {"extension": "`+number+`"}}`, nil)
		if e := do(t, c, "", "vcard"); seen(e) != want || !strings.Contains(e.String(), "<integer>"+number+"<") {
			t.Errorf("%s is told %s", name, e)
		}
	}
}

// People are found in the directory of clients by what everybody sees of fields that people are found by.
func TestProfileFieldsInTheDirectory(t *testing.T) {
	r, admin := fieldsRig(t)
	admin.want(201, "POST", "/v1/profile-fields", `{"name": "Extension", "kind": "number", "searched": true}`, nil)
	admin.want(201, "POST", "/v1/profile-fields", `{"name": "Hidden", "searched": true, "seen_by": "admins"}`, nil)
	admin.want(200, "PATCH", "/v1/people/juliet", `{"fields": {"extension": "4711", "hidden": "hush"}}`, nil)
	paris := signIn(t, r, "paris")
	n := 0
	ask := func(typ, inside string) *testrig.Element {
		t.Helper()
		n++
		id := "d" + strconv.Itoa(n)
		return do(t, paris, "<iq type='"+typ+"' id='"+id+"' to='users.example.org'><query xmlns='jabber:iq:search'>"+
			inside+"</query></iq>", id)
	}
	found := func(word string) bool { return ask("set", "<nick>"+word+"</nick>").Find("item") != nil }
	if e := ask("get", "").String(); !strings.Contains(e, "var='x-extension' type='text-single' label='Extension'") ||
		strings.Contains(e, "x-hidden") {
		t.Errorf("the form: %s", e)
	}
	e := ask("set",
		"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>jabber:iq:search</value></field>"+
			"<field var='x-extension'><value>471</value></field></x>").String()
	if !strings.Contains(e, "juliet@example.org") || !strings.Contains(e, "<value>4711</value>") ||
		strings.Contains(e, "hush") {
		t.Errorf("the answer in a form: %s", e)
	}
	if !found("4711") || found("hush") {
		t.Errorf("by what everybody sees: %v, by what administrators see: %v", found("4711"), found("hush"))
	}
	for _, change := range []string{
		`{"seen_by": "admins"}`, `{"seen_by": "team"}`, `{"seen_by": "organization", "searched": false}`,
	} {
		admin.want(200, "PATCH", "/v1/profile-fields/extension", change, nil)
		if found("4711") {
			t.Errorf("found, with %s", change)
		}
	}
	// An administrator or supervisor finds people by a field in the API, whoever may see the field.
	admin.want(200, "PATCH", "/v1/profile-fields/extension", `{"searched": true, "seen_by": "admins"}`, nil)
	var page api.PeoplePage
	admin.want(200, "GET", "/v1/people?q=4711", "", &page)
	if len(page.People) != 1 || page.People[0].Name != "juliet" {
		t.Errorf("the API finds %+v", page)
	}
}
