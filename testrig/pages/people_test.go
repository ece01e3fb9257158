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
	if text := b.text(); !strings.Contains(text, "500 people were created") {
		t.Fatalf("imported: %.600s", text)
	}
	if _, n, err := r.Node.Store.People(t.Context(), testrig.Host, store.PeopleFilter{Department: "Imported", Limit: 1}); err != nil || n != 500 {
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
	if _, n, err := r.Node.Store.People(t.Context(), testrig.Host, store.PeopleFilter{Department: "Imported", State: store.StateArchived, Limit: 1}); err != nil || n != 500 {
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
