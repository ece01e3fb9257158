package pages

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/store"
	"parley/testrig"
)

// A table of 500 people: looked at, imported, found, and all of them archived at once.
func TestImport(t *testing.T) {
	r := rig(t)
	var csv strings.Builder
	csv.WriteString("full_name,email,department,role\n")
	for i := range 500 {
		fmt.Fprintf(&csv, "Person %d,p%d@work.example,Imported,member\n", i, i)
	}
	csv.WriteString("Nobody,not an address,Imported,member\n")
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	b.open("/admin/people/import")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.press("form[action='/admin/people/import'] button.primary")
	if text := b.text(); !strings.Contains(text, "Create 500 people") || !strings.Contains(text, "1 wrong") {
		t.Fatalf("what will be done: %.600s", text)
	}
	if n, err := r.Node.Store.CountUsers(t.Context(), testrig.Host); err != nil || n > 20 {
		t.Fatalf("looked at, and there are %d accounts, %v", n, err)
	}
	b.press("button[name=do][value=import]")
	if text := b.text(); !strings.Contains(text, "500 people created") {
		t.Fatalf("imported: %.600s", text)
	}
	if _, n, err := r.Node.Store.People(t.Context(), testrig.Host,
		store.PeopleFilter{Department: "Imported", Limit: 1}); err != nil || n != 500 {
		t.Fatalf("%d people, %v", n, err)
	}
	b.open("/admin/people?department=Imported")
	for _, f := range b.faults() {
		t.Errorf("the list: %s", f)
	}
	eval[bool](b, `(() => { document.querySelector("input[name=all]").click(); document.getElementById("do").value = "archive"; return true })()`)
	b.press("#list .bulk button")
	if text := b.text(); !strings.Contains(text, "Done for 500 people") {
		t.Errorf("archived: %.600s", text)
	}
	if _, n, err := r.Node.Store.People(t.Context(), testrig.Host,
		store.PeopleFilter{Department: "Imported", State: store.StateArchived, Limit: 1}); err != nil || n != 500 {
		t.Errorf("%d in the archive, %v", n, err)
	}
	// Some that were ticked, and the way back.
	b.open("/admin/people?state=active")
	eval[bool](b, `(() => { document.querySelector("input[name=name][value=carol]").click(); document.getElementById("do").value = "disable"; return true })()`)
	b.press("#list .bulk button")
	if u, err := r.Node.Store.User(t.Context(), testrig.Host, "carol"); err != nil || !u.Disabled {
		t.Errorf("disabled: %v, %v", u.Disabled, err)
	}
	b.press("#toasts button.undo")
	if u, err := r.Node.Store.User(t.Context(), testrig.Host, "carol"); err != nil || u.Disabled {
		t.Errorf("undone: %v, %v", u.Disabled, err)
	}
}

// A picture is chosen on the profile, shown at once, without a word of the policy's, and removed.
func TestPicture(t *testing.T) {
	r := rig(t)
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewNRGBA(image.Rect(0, 0, 300, 200))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "me.png")
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, r, "fr", "dark")
	b.signIn("romeo")
	b.open("/me")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#photo"), []string{file}))
	b.press("form[action='/me/photo'] button:not([name])")
	b.until(`(() => { const i = document.querySelector("main .avatar.big img"); return i !== null && i.complete && i.naturalWidth > 0 })()`)
	for _, f := range b.faults() {
		t.Errorf("with a picture: %s", f)
	}
	b.open("/people")
	b.until(`(() => { const i = document.querySelector("#list .avatar img"); return i !== null && i.complete && i.naturalWidth > 0 })()`)
	b.open("/me")
	b.press("form[action='/me/photo'] button[value=remove]")
	if eval[bool](b, `document.querySelector("main .avatar img") !== null`) {
		t.Error("it is still there")
	}
}

// A profile field is defined, filled in and deleted in the browser; every page involved is accessible.
func TestProfileFields(t *testing.T) {
	r := rig(t)
	b := start(t, r, "en", "dark")
	b.signIn("romeo")
	look := func(what string) {
		t.Helper()
		for _, f := range b.faults() {
			t.Errorf("%s: %s", what, f)
		}
	}
	const page = "/admin/people/fields"
	b.open(page)
	look("without fields")
	b.fill("name", "Office")
	eval[bool](b, `(() => { document.getElementById("kind").value = "choice"; return true })()`)
	eval[bool](b, `(() => { document.querySelector("input[name=listed]").click(); return true })()`)
	b.press("#new button.primary")
	look("with what is wrong")
	if at := eval[string](b, `document.activeElement.id`); at != "choices" {
		t.Errorf("what is wrong is at choices, and the cursor in %q", at)
	}
	b.fill("choices", "Verona\nMantua")
	b.press("#new button.primary")
	if text := b.text(); !strings.Contains(text, "The profile field Office was created") {
		t.Fatalf("created: %.600s", text)
	}
	b.fill("name", "Extension")
	eval[bool](b, `(() => { document.getElementById("kind").value = "number"; return true })()`)
	b.press("#new button.primary")
	look("with fields")
	b.press("form[action='" + page + "/extension/up'] button:not([formaction])")
	if first := eval[string](b, `document.querySelector("tbody a").innerText`); first != "Extension" {
		t.Errorf("%s is the first", first)
	}

	b.open("/me")
	look("the profile")
	b.fill("field_extension", "0117")
	eval[bool](b, `(() => { document.getElementById("field_office").value = "Mantua"; return true })()`)
	b.press("form[action='/me'] button.primary")
	b.open("/admin/people?q=romeo")
	if cell := eval[string](b, `document.querySelector("td[data-label=Office]").innerText`); cell != "Mantua" {
		t.Errorf("the list has %q", cell)
	}
	look("the list of people")

	b.open(page + "/office")
	look("a field")
	b.fill("confirm", "office")
	b.press("#danger button.destroy")
	b.open("/me")
	if eval[bool](b, `document.getElementById("field_office") !== null`) {
		t.Error("it is still there")
	}
}
