package testrig

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"parley/config"
)

// TestUploadsWhereCertificatesAreNotTrusted: with links to the plain listener, as in `parley dev`, a browser puts files
// and gets them where its page comes from; an app puts them by TLS, and what it puts is read in browsers too.
func TestUploadsWhereCertificatesAreNotTrusted(t *testing.T) {
	r := Start(t, func(c *config.Config) { c.Web.PlainLinks = true })
	r.Account("romeo@example.org")
	slot := func(transport string) (to, from, token string) {
		c, err := r.Connect(transport, "example.org")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		if err := c.SignIn("romeo", Password); err != nil {
			t.Fatal(err)
		}
		if err := c.Bind(transport); err != nil {
			t.Fatal(err)
		}
		if err := c.Write("<iq xmlns='jabber:client' type='get' id='slot' to='upload.example.org'><request " +
			"xmlns='urn:xmpp:http:upload:0' filename='a.txt' size='5' content-type='text/plain'/></iq>"); err != nil {
			t.Fatal(err)
		}
		slot, err := c.Next()
		if err != nil || slot.Attr("type") != "result" {
			t.Fatal(slot, err)
		}
		return slot.Find("put").Attr("url"), slot.Find("get").Attr("url"), slot.Find("header").Text
	}
	page := r.Node.WebURL(Host)
	to, from, token := slot("ws")
	if !strings.HasPrefix(page, "http://localhost:") || !strings.HasPrefix(to, page+"/upload/") || from != to {
		t.Fatalf("the page is at %s, files go to %s and come from %s", page, to, from)
	}
	plain := http.Client{}
	q, err := http.NewRequestWithContext(t.Context(), "PUT", to, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", token)
	res, err := plain.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatal(res.Status)
	}
	if res, err = plain.Get(from); err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
	if to, from, _ := slot("tcp"); !strings.HasPrefix(to, "https://") || !strings.HasPrefix(from, page+"/upload/") {
		t.Errorf("an app puts files to %s, and they are read at %s", to, from)
	}
}
