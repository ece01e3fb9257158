package pages

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/backgroundservice"
	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"

	"parley/testrig"
)

// TestNotification: the service worker shows what the server tells of a message while no page of the chat is open, a
// newer one in place of an older one; nothing while somebody looks at the conversation.
func TestNotification(t *testing.T) {
	r := testrig.Start(t, nil)
	room, path := inVerona(t, r)
	b := start(t, r, "en", "light")
	if _, err := chromedp.CallBrowser(b.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: "notifications"},
		Setting:    cdpbrowser.PermissionSettingGranted,
		Origin:     base,
	}); err != nil {
		t.Fatal(err)
	}
	workers := make(chan serviceworker.RegistrationID, 100)
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if e, ok := ev.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, x := range e.Registrations {
				if x.ScopeURL == base+"/chat" && !x.IsDeleted {
					workers <- x.RegistrationID
				}
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, serviceworker.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	b.signIn("romeo")
	b.open(path)
	b.until(`navigator.serviceWorker.controller !== null`)
	var id serviceworker.RegistrationID
	select {
	case id = <-workers:
	case <-time.After(time.Minute):
		t.Fatal("there is no service worker")
	}
	tell := func(conversation, text string) {
		t.Helper()
		told, err := json.Marshal(map[string]string{
			"conversation": conversation, "name": "Verona", "by": "Juliet", "text": text, "id": "1",
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Call(b.ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{
			Origin: base, RegistrationID: id, Data: string(told),
		}); err != nil {
			t.Fatal(err)
		}
	}
	shown := b.notifications()
	eval[bool](b, `(() => { document.querySelector(".whoami").click(); return true })()`)
	b.until(`document.querySelector("[role=menu]")?.innerText.includes("Notify me on this device")`)
	tell(room, "while he looks")
	tell("nurse@"+testrig.Host, "Madam!")
	shown("Juliet: Madam!")
	b.open("/me") // no page of the chat is open
	tell(room, "Ay me")
	shown("Juliet: Ay me")
	tell(room, "O Romeo")
	shown("Juliet: O Romeo")
	there := func(want string) string {
		return fmt.Sprintf(`navigator.serviceWorker.getRegistration("/chat").then((r) => r.getNotifications({ tag: %q }))
			.then((all) => all.map((n) => n.title + " | " + n.body).join("\n") === %q)`, room, want)
	}
	b.comes(there("Verona | Juliet: O Romeo"))
	b.open(path) // what is read is told no more
	b.comes(there(""))
}

// notifications returns a function that waits for the browser to show the next notification, with a text.
//
// A page can ask what is shown, but Chromium takes a notification away if a page asks while it is being shown.
func (b *browser) notifications() func(text string) {
	b.t.Helper()
	events := make(chan *backgroundservice.Event, 100)
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if e, ok := ev.(*backgroundservice.EventBackgroundServiceEventReceived); ok {
			events <- e.BackgroundServiceEvent
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	for _, service := range []backgroundservice.ServiceName{
		backgroundservice.ServiceNameNotifications, backgroundservice.ServiceNamePushMessaging,
	} {
		observe := backgroundservice.StartObservingParams{Service: service}
		if _, err := chromedp.Call(b.ctx, backgroundservice.StartObserving, observe); err != nil {
			b.t.Fatal(err)
		}
		record := backgroundservice.SetRecordingParams{ShouldRecord: true, Service: service}
		if _, err := chromedp.Call(b.ctx, backgroundservice.SetRecording, record); err != nil {
			b.t.Fatal(err)
		}
	}
	next := func(name string) *backgroundservice.Event {
		b.t.Helper()
		late := time.After(time.Minute)
		for {
			select {
			case e := <-events:
				if e.EventName == name {
					return e
				}
			case <-late:
				b.t.Fatalf("%q does not come", name)
			}
		}
	}
	return func(text string) {
		b.t.Helper()
		shown := next("Notification displayed")
		is := false
		for _, m := range shown.EventMetadata {
			is = is || m.Key == "Body" && m.Value == text
		}
		if !is {
			b.t.Fatalf("another notification than %q is shown: %+v", text, shown)
		}
		next("Push event completed")
	}
}
