package testrig_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/store"
	"parley/testrig"
)

// fieldsPage is where the organization's profile fields are defined.
const fieldsPage = "/admin/people/fields"

// fieldOf gives the value that somebody has in a profile field.
func fieldOf(t *testing.T, r *testrig.Rig, name, key string) string {
	t.Helper()
	u, err := r.Node.Store.Person(t.Context(), testrig.Host, name)
	if err != nil {
		t.Fatal(err)
	}
	return u.Fields[key]
}

// withFields is a node whose owner, romeo, has defined an extension, which people change, and shared mailboxes, which
// they do not; and a note on people that only administrators see.
func withFields(t *testing.T) (r *testrig.Rig, owner *testrig.Browser) {
	t.Helper()
	r = testrig.Start(t, web)
	r.Account("!romeo", "juliet", "nurse")
	for name, role := range map[string]string{"romeo": store.RoleOwner, "nurse": store.RoleSupervisor} {
		set := func(p *store.Person) error { p.Role, p.Department = role, "Household"; return nil }
		if _, _, err := r.Node.Store.UpdatePerson(t.Context(), testrig.Host, name, set); err != nil {
			t.Fatal(err)
		}
	}
	owner = r.Browser(t)
	owner.SignIn("romeo")
	for _, f := range [][]string{
		{"name", "Extension", "name_fr", "Numéro de poste", "kind", "number", "boxes", "1",
			"searched", "on", "listed", "on"},
		{"name", "Shared mailboxes", "kind", "choice", "choices", "sales\r\nsupport",
			"changed_by", "admins", "boxes", "1"},
		{"name", "Note", "key", "hr-note", "kind", "text", "seen_by", "admins", "changed_by", "admins",
			"boxes", "1", "listed", "on"},
	} {
		if p := owner.Post(fieldsPage, f...); p.Status != http.StatusSeeOther || p.To != fieldsPage {
			t.Fatalf("%v: %d to %q: %s", f, p.Status, p.To, p.Text)
		}
	}
	return r, owner
}

func has(t *testing.T, what string, p testrig.Page, status int, want ...string) {
	t.Helper()
	if p.Status != status {
		t.Errorf("%s: %d, not %d", what, p.Status, status)
	}
	for _, w := range want {
		if !strings.Contains(p.Text, w) {
			t.Errorf("%s lacks %q", what, w)
		}
	}
}

func hasNot(t *testing.T, what string, p testrig.Page, no ...string) {
	t.Helper()
	for _, w := range no {
		if strings.Contains(p.Text, w) {
			t.Errorf("%s has %q", what, w)
		}
	}
}

// An owner defines, orders, changes and deletes profile fields; errors are shown beside the input.
func TestProfileFieldsOnPages(t *testing.T) {
	empty := testrig.Start(t, web)
	empty.Account("!romeo")
	b := empty.Browser(t)
	b.SignIn("romeo")
	has(t, "without fields", b.Get(fieldsPage), 200, "No profile fields yet", `id="new"`)

	r, owner := withFields(t)
	p := owner.Get(fieldsPage)
	has(t, "the list", p, 200, "Shared mailboxes", "Choice from a list", `action="/admin/people/fields/extension/up"`)
	if strings.Index(p.Text, ">Extension<") > strings.Index(p.Text, ">Shared mailboxes<") {
		t.Error("they are out of order")
	}
	has(t, "the people page", owner.Get("/admin/people"), 200, `href="/admin/people/fields"`)
	owner.Post(fieldsPage + "/shared-mailboxes/up")
	if p = owner.Get(fieldsPage); strings.Index(p.Text, ">Extension<") < strings.Index(p.Text, ">Shared mailboxes<") {
		t.Error("it was not moved up")
	}
	owner.Post(fieldsPage + "/shared-mailboxes/down")

	p = owner.Post(fieldsPage, "name", "Languages", "kind", "choice", "choices", "", "boxes", "1",
		"listed", "on", "key", "langs")
	has(t, "a choice without choices", p, 422, "Say what there is to choose from", `value="Languages"`, `value="langs"`,
		`name="listed" checked`, `aria-describedby="choices-error"`, `<option value="choice" selected>`)
	p = owner.Post(fieldsPage, "name", "Second extension", "key", "extension", "kind", "text")
	has(t, "a key twice", p, 422, "There is a field extension already", `aria-describedby="key-error"`)
	has(t, "no kind", owner.Post(fieldsPage, "name", "X", "kind", "colour"), 422, "This is one of:")

	p = owner.Post(fieldsPage, "name", "Pay", "kind", "text", "seen_by", "admins", "changed_by", "person")
	has(t, "what a person would change unseen", p, 422, `aria-describedby="changed_by-error"`,
		`value="admins" selected`)

	p = owner.Get(fieldsPage + "/extension")
	has(t, "one field", p, 200, `value="Numéro de poste"`, "The kind of a field cannot be changed.",
		`name="searched" checked`)
	hasNot(t, "one field", p, `name="kind"`, `name="choices"`)
	p = owner.Post(fieldsPage+"/extension", "name", " ")
	has(t, "without a name", p, 422, "A field needs a name", `aria-describedby="name-error"`)
	if p := owner.Post(fieldsPage+"/extension", "name", "Extension", "boxes", "1", "searched", "on"); p.Status != 303 {
		t.Errorf("saved: %d", p.Status)
	}
	if fs, err := r.Node.Store.ProfileFields(t.Context(), testrig.Host); err != nil || fs[0].Listed || !fs[0].Searched {
		t.Errorf("a box that is not ticked: %+v, %v", fs, err)
	}
	has(t, "no such field", owner.Get(fieldsPage+"/nothing"), 404)

	owner.Post("/admin/people/juliet", "field_extension", "0117")
	p = owner.Post(fieldsPage+"/extension/delete", "confirm", "Extension")
	has(t, "the wrong word", p, 422, "Type extension to delete the field", `value="Extension"`)
	if p := owner.Post(fieldsPage+"/extension/delete", "confirm", "extension"); p.To != fieldsPage {
		t.Errorf("deleted: %d to %q", p.Status, p.To)
	}
	hasNot(t, "the list", owner.Get(fieldsPage), ">Extension<")
	if v := fieldOf(t, r, "juliet", "extension"); v != "" {
		t.Errorf("its value stays: %q", v)
	}

	member := r.Browser(t)
	member.SignIn("juliet")
	for _, p := range []testrig.Page{
		member.Get(fieldsPage),
		member.Get(fieldsPage + "/hr-note"),
		member.Post(fieldsPage, "name", "Mine", "kind", "text"),
		member.Post(fieldsPage+"/hr-note", "seen_by", "organization"),
		member.Post(fieldsPage+"/hr-note/delete", "confirm", "hr-note"),
	} {
		has(t, "a member at the fields", p, 403)
	}
}

// A person fills in the fields that are theirs to change, and sees those that are shown to them; colleagues see them
// beside the other fields.
func TestProfileFieldsOfAPerson(t *testing.T) {
	r, owner := withFields(t)
	b := r.Browser(t)
	b.SignIn("juliet")
	p := b.Get("/me")
	has(t, "the profile", p, 200, `name="field_extension"`, `inputmode="decimal"`, "Shared mailboxes",
		"An administrator changes it.")
	hasNot(t, "the profile", p, `name="field_shared-mailboxes"`, "hr-note", ">Note<")
	if p := b.Post("/me", "full_name", "Juliet Capulet", "field_extension", "0117"); p.Status != 303 {
		t.Fatalf("%d: %s", p.Status, p.Text)
	}
	p = b.Post("/me", "full_name", "Someone Else", "field_extension", "ask at the desk")
	has(t, "no number", p, 422, "Extension is a number", `value="ask at the desk"`, `value="Someone Else"`,
		`aria-describedby="field_extension-error"`)
	has(t, "not the person's", b.Post("/me", "field_shared-mailboxes", "sales"), 422, "Only administrators can change")
	if v := fieldOf(t, r, "juliet", "extension") + fieldOf(t, r, "juliet", "shared-mailboxes"); v != "0117" {
		t.Errorf("kept: %q", v)
	}

	// The console: the same form, all fields, and columns of those that are listed.
	p = owner.Get("/admin/people/juliet")
	has(t, "the person", p, 200, `name="field_extension" value="0117"`,
		`name="field_shared-mailboxes"`, `name="field_hr-note"`)
	p = owner.Post("/admin/people/juliet", "field_shared-mailboxes", "press")
	has(t, "no choice", p, 422, "Shared mailboxes is one of: sales, support")
	p = owner.Post("/admin/people/juliet", "field_shared-mailboxes", "support", "field_hr-note", "on leave")
	if p.Status != 303 || fieldOf(t, r, "juliet", "shared-mailboxes") != "support" {
		t.Errorf("saved: %d: %s", p.Status, p.Text)
	}
	p = owner.Get("/admin/people?q=0117")
	has(t, "found by it", p, 200, "Juliet Capulet", `<td data-label="Extension">0117</td>`,
		`<td data-label="Note">on leave</td>`)
	hasNot(t, "the list", p, `data-label="Shared mailboxes"`)

	// Colleagues: fields for administrators are hidden from them, and from a supervisor of other people.
	p = b.Get("/people")
	has(t, "colleagues", p, 200, "0117", "support")
	hasNot(t, "colleagues", p, "on leave")
	nurse := r.Browser(t)
	nurse.SignIn("nurse")
	hasNot(t, "a supervisor's list", nurse.Get("/admin/people"), "on leave", "0117")
	hasNot(t, "a supervisor's colleagues", nurse.Get("/people"), "on leave")

	// In French, where there is a French name.
	b.Post("/lang", "lang", "fr")
	p = b.Get("/me")
	has(t, "en français", p, 200, "Numéro de poste", "Shared mailboxes", "Visible pour")
	hasNot(t, "en français", p, ">Extension<")
	has(t, "en français", b.Post("/me", "field_extension", "x"), 422, "Numéro de poste doit être un nombre")

	// A choice that is offered no longer stays, and is in nobody's way.
	owner.Post(fieldsPage+"/shared-mailboxes", "choices", "sales\npress")
	p = owner.Get("/admin/people/juliet")
	has(t, "an old choice", p, 200, "<option selected>support</option>")
	if p := owner.Post("/admin/people/juliet", "title", "Heiress",
		"field_shared-mailboxes", "support"); p.Status != 303 {
		t.Errorf("an old choice: %d", p.Status)
	}
}

// A link must be a harmless one, and "yes" is written in the page's language.
func TestValuesOfProfileFields(t *testing.T) {
	r, owner := withFields(t)
	owner.Post(fieldsPage, "name", "Calendar", "kind", "link", "boxes", "1", "listed", "on")
	owner.Post(fieldsPage, "name", "First aider", "name_fr", "Secouriste", "kind", "yes-no",
		"boxes", "1", "listed", "on")
	owner.Post("/admin/people/juliet", "field_calendar", "https://cal.example/juliet?a=1&b=2",
		"field_first-aider", "yes")
	link := `<a class="reach" href="https://cal.example/juliet?a=1&amp;b=2" rel="noopener noreferrer nofollow">`
	has(t, "the list", owner.Get("/admin/people"), 200, link, `<td data-label="First aider">yes</td>`)
	b := r.Browser(t)
	b.SignIn("romeo")
	b.Post("/lang", "lang", "fr")
	has(t, "colleagues", b.Get("/people"), 200, link, "Secouriste</span> oui")
	p := owner.Post("/admin/people/juliet", "field_calendar", "javascript:alert(1)")
	has(t, "a script", p, 422, "un lien qui commence par https://")
}

// Lists that are exported have the fields, those that are imported may; a new colleague begins with them.
func TestProfileFieldsOfLists(t *testing.T) {
	r, owner := withFields(t)
	owner.Post("/admin/people/juliet", "field_extension", "0117", "field_shared-mailboxes", "sales")
	p := owner.Get("/admin/people.csv")
	has(t, "the export", p, 200, "created,last_seen,extension,shared-mailboxes,hr-note\r\n", ",0117,sales,\r\n")

	has(t, "columns", owner.Get("/admin/people/import"), 200, ">shared-mailboxes<")
	csv := "Name,Email,Numéro de poste,Shared Mailboxes\nAnn One,ann@work.example,0118,Support\n" +
		"Ben Two,ben@work.example,desk,\n"
	p = owner.Post("/admin/people/import", "text", csv)
	has(t, "the preview", p, 200, "<th>Extension</th>", `<td data-label="Extension">0118</td>`, "1 wrong",
		"Extension is a number", "<b>Numéro de poste “desk”</b>")
	hasNot(t, "the preview", p, "Columns that are ignored")
	has(t, "the import", owner.Post("/admin/people/import", "text", csv, "do", "import"), 200, "1 person created")
	if v := fieldOf(t, r, "ann", "extension") + fieldOf(t, r, "ann", "shared-mailboxes"); v != "0118support" {
		t.Errorf("imported: %q", v)
	}

	has(t, "a new colleague", owner.Get("/admin/people/new"), 200, `name="field_extension"`, `name="field_hr-note"`)
	p = owner.Post("/admin/people/new", "full_name", "Cleo Three", "field_extension", "x",
		"field_hr-note", "new", "do", "create")
	has(t, "a new colleague", p, 422, "Extension is a number", `name="field_extension" value="x"`, `value="new"`)
	owner.Post("/admin/people/new", "full_name", "Cleo Three", "field_extension", "0119", "do", "create")
	if v := fieldOf(t, r, "cleo.three", "extension"); v != "0119" {
		t.Errorf("created: %q", v)
	}
}
