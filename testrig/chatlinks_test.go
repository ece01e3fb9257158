package testrig_test

import (
	"strings"
	"testing"

	"parley/acts"
	"parley/store"
	"parley/testrig"
)

// Pages lead to the chat where a conversation is meant: to the same one, and to the same message.
func TestPagesLeadToTheChat(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	role(t, r, "romeo", store.RoleOwner, "")
	if _, err := r.Node.Org.CreateGroup(t.Context(), acts.System, testrig.Host,
		newGroup("Verona", "romeo")); err != nil {
		t.Fatal(err)
	}
	romeo := r.Browser(t)
	romeo.SignIn("romeo")
	romeo.Post("/g/verona", "text", "Swords at noon")

	const person, room = "/chat/c/juliet@example.org", "/chat/c/verona@groups.example.org"
	has(t, "colleagues", romeo.Get("/people"), 200, `href="`+person+`"`)
	hasNot(t, "oneself among colleagues", romeo.Get("/people"), "/chat/c/romeo@")
	has(t, "a colleague", romeo.Get("/admin/people/juliet"), 200, `href="`+person+`"`)
	has(t, "home", romeo.Get("/"), 200, `href="`+room+`"`)
	p := romeo.Get("/g/verona")
	has(t, "a group", p, 200, `href="`+room+`"`)
	_, rest, ok := strings.Cut(p.Text, `id="m-`)
	id, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal("the group's page has no message")
	}
	has(t, "a message", romeo.Get("/g/verona/m/"+id), 200, `href="`+room+"/"+id+`"`)

	// A client for encrypted messages is found by who looks for it.
	has(t, "security", romeo.Get("/me/security"), 200, `href="/chat/converse"`)
	for _, path := range []string{"/", "/people", "/g/verona", "/welcome"} {
		hasNot(t, path, romeo.Get(path), "/chat/converse", "#converse")
	}
	has(t, "Converse.js", romeo.Get("/chat/converse"), 200, "OMEMO", `href="/chat"`)
	romeo.Post("/lang", "lang", "fr")
	has(t, "the same in French", romeo.Get("/chat/converse"), 200, "chiffrés de bout en bout")
}
