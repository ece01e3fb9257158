package testrig

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/store"
)

// TestItemsExpire: items older than their node keeps them are not shown, by any request, and are removed (XEP-0060,
// pubsub#item_expire).
func TestItemsExpire(t *testing.T) {
	r := Start(t, func(*config.Config) {})
	r.Account("romeo@example.org")
	c, err := r.Connect("tcp", "example.org")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn("romeo", Password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind("x"); err != nil {
		t.Fatal(err)
	}
	ask := func(typ, payload string) *Element {
		t.Helper()
		if err := c.Write("<iq type='" + typ + "' id='q'>" + payload + "</iq>"); err != nil {
			t.Fatal(err)
		}
		for {
			e, err := c.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Attr("id") == "q" {
				return e
			}
		}
	}
	const ps, config = "http://jabber.org/protocol/pubsub",
		"<field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field>"
	e := ask("set", "<pubsub xmlns='"+ps+
		"'><create node='n'/><configure><x xmlns='jabber:x:data' type='submit'>"+config+
		"<field var='pubsub#item_expire'><value>3600</value></field><field var='pubsub#max_items'><value>9</value>"+
		"</field></x></configure></pubsub>")
	if e.Attr("type") != "result" {
		t.Fatal(e)
	}
	st := r.Node.Store
	for id, age := range map[string]time.Duration{"old": 2 * time.Hour, "new": time.Minute} {
		it := store.NodeItem{
			ID:        id,
			Seq:       store.FirstID(time.Now().Add(-age)),
			Publisher: "romeo@example.org",
			Payload:   []byte("<a xmlns='a'/>"),
		}
		if err := st.Publish(t.Context(), "example.org", "romeo", "n", store.Keep{Items: 9}, it); err != nil {
			t.Fatal(err)
		}
	}
	for _, items := range []string{
		"<items node='n'/>", "<items node='n' max_items='5'/>",
		"<items node='n'><item id='old'/><item id='new'/></items>",
	} {
		if got := ask("get", "<pubsub xmlns='"+ps+"'>"+items+"</pubsub>").String(); strings.Contains(got, "old") ||
			!strings.Contains(got, "new") {
			t.Errorf("%s: %s", items, got)
		}
	}
	if got := ask("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>").
		String(); !strings.Contains(got, "<field var='pubsub#num_items' type='text-single'><value>1</value>") {
		t.Errorf("metadata: %s", got)
	}
	left := func() string {
		t.Helper()
		its, _, err := st.Items(t.Context(), "example.org", "romeo", "n", store.ItemPage{Max: 9})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, it := range its {
			ids = append(ids, it.ID)
		}
		return fmt.Sprint(ids)
	}
	if err := st.ExpireNodes(t.Context(), "example.org", time.Now()); err != nil || left() != "[new]" {
		t.Errorf("after the sweep: %s %v", left(), err)
	}
	// For ever, from now on.
	e = ask("set", "<pubsub xmlns='"+ps+"#owner'><configure node='n'><x xmlns='jabber:x:data' type='submit'>"+config+
		"<field var='pubsub#item_expire'><value>max</value></field></x></configure></pubsub>")
	if e.Attr("type") != "result" {
		t.Fatal(e)
	}
	if err := st.ExpireNodes(t.Context(), "example.org",
		time.Now().Add(1000*time.Hour)); err != nil || left() != "[new]" {
		t.Errorf("without a limit: %s %v", left(), err)
	}
}
