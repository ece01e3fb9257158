package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/store"
	"parley/testrig"
)

// With scripts a picker's list follows the words, and ticked people stay ticked and in sight; Enter searches, and does
// not send the form. The picker says that there are more.
func TestPicker(t *testing.T) {
	r := rig(t)
	for i := range 120 {
		if err := r.Node.Store.CreatePerson(t.Context(), store.Person{
			User: store.User{
				Host:     testrig.Host,
				Name:     fmt.Sprintf("extra%03d", i),
				FullName: fmt.Sprintf("Extra %03d", i),
				Created:  time.Now(),
			},
			Role:       store.RoleMember,
			Department: "Palace",
		}); err != nil {
			t.Fatal(err)
		}
	}
	b := start(t, r, "en", "light")
	b.signIn("romeo")
	shot := func(name string) {
		dir := os.Getenv("PARLEY_SHOTS")
		if dir == "" {
			return
		}
		png, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".png"), png.Data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.open("/groups/new")
	if text := b.text(); !strings.Contains(text, "more: search to find them.") {
		t.Errorf("it is not said that the list is cut: %s", text)
	}
	shot("picker")
	tick := func(name string) {
		t.Helper()
		b.fill("find-member", name)
		b.until(fmt.Sprintf(`[...document.querySelectorAll("#found-member label")].length === 1 && document.querySelector("#found-member label input[value=%s]") !== null`, name))
		eval[bool](b, fmt.Sprintf(`document.querySelector("#found-member label input[value=%s]").click(), true`, name))
	}
	tick("extra119")
	tick("extra007")
	// Enter in the field finds, and the form stays.
	b.fill("find-member", "extra00")
	eval[bool](b, `document.getElementById("find-member").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})), true`)
	b.until(`document.querySelectorAll("#found-member label").length === 9`) // 10, not counting the ticked one
	shot("picked")
	if faults := b.faults(); len(faults) > 0 {
		t.Error(faults)
	}
	b.fill("name", "Picked ones")
	b.press("form[action='/groups/new'] button.primary")
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "picked-ones")
	if err != nil {
		t.Fatal(err)
	}
	ms, err := r.Node.Org.Members(t.Context(), testrig.Host, g.ID)
	if err != nil || len(ms) != 3 {
		t.Errorf("%v, %v", ms, err)
	}
	b.open("/groups")
	shot("groups")
	b.open("/admin/webhooks")
	shot("webhooks")
	b.open("/admin/teams/platform")
	shot("team")
	b.open("/admin/people/new")
	shot("newcolleague")
}
