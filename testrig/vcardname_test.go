package testrig_test

import (
	"testing"

	"parley/testrig"
)

// Colleagues see a person without a vCard under the name that the organization knows; nobody else does.
func TestCardOfAColleague(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo", "juliet", "nurse@second.example")
	if err := r.Node.Store.SetFullName(t.Context(), testrig.Host, "juliet", "Juliet <Capulet>"); err != nil {
		t.Fatal(err)
	}
	romeo := signIn(t, r, "romeo")
	ask := func(id, to string) *testrig.Element {
		t.Helper()
		return do(t, romeo, "<iq type='get' id='"+id+"' to='"+to+"'><vCard xmlns='vcard-temp'/></iq>", id)
	}
	if e := ask("1", "juliet@example.org"); e.Find("FN") == nil || e.Find("FN").Text != "Juliet <Capulet>" {
		t.Errorf("a colleague: %s", e)
	}
	// her own card, without a name
	if e := ask("2", "romeo@example.org"); e.Attr("type") != "result" || e.Find("FN") != nil {
		t.Errorf("the own card: %s", e)
	}
	if err := r.Node.Store.SetFullName(t.Context(), testrig.Second, "nurse", "Angelica"); err != nil {
		t.Fatal(err)
	}
	if e := ask("3", "nurse@second.example"); e.Find("service-unavailable") == nil {
		t.Errorf("of another organization: %s", e)
	}
}
