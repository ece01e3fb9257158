package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func decodeInto[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

// The life of an invitation on the command line.
func TestInvite(t *testing.T) {
	d := startDev(t)
	i := decodeInto[invitation](t, d.ok("", "--json", "invite", "create", "alice", "--name", "Alice Martin", "--email",
		"alice@work.example", "--valid", "12h"))
	if i.Address != "alice@localhost" || i.State != "open" || i.Expires.Sub(i.Created).Hours() != 12 ||
		!strings.Contains(i.Link, "/i/") || !strings.HasPrefix(i.URI, "xmpp:alice@localhost?register;preauth=") {
		t.Errorf("%+v", i)
	}
	if out := d.ok("", "invite", "list"); !strings.Contains(out, "alice@localhost") || !strings.Contains(out, i.Link) {
		t.Error(out)
	}
	again := decodeInto[invitation](t, d.ok("", "--json", "invite", "resend", i.ID))
	if again.ID != i.ID || again.Link == i.Link {
		t.Errorf("%+v", again)
	}
	d.ok("", "invite", "extend", "--valid", "30d", i.ID)
	if out := d.ok("", "invite", "revoke", i.ID); !strings.Contains(out, "revoked") {
		t.Error(out)
	}
	if out := d.ok("", "invite", "list"); out != "There are no invitations.\n" {
		t.Error(out)
	}
	if all := decodeInto[[]invitation](t, d.ok("", "--json", "invite", "list", "--all")); len(all) != 1 ||
		all[0].State != "revoked" || all[0].Link != "" {
		t.Errorf("%+v", all)
	}
	many := decodeInto[invitation](t, d.ok("", "--json", "invite", "create", "--uses", "5"))
	if many.Address != "" || many.MaxUses != 5 {
		t.Errorf("%+v", many)
	}
	for want, args := range map[string][]string{
		"account":                   {"invite", "create", "--name", "Nobody"},
		"already":                   {"invite", "create", "alice", "--name", "Another"},
		"not a duration":            {"invite", "create", "--valid", "soon"},
		"There is no such":          {"invite", "resend", "none"},
		"has ended":                 {"invite", "extend", i.ID},
		"at most":                   {"invite", "create", "--uses", "1000000"},
		"There is no such role":     {"invite", "create", "bob", "--role", "king"},
		"no name for an account":    {"invite", "create", "b b"},
		"There is no group nowhere": {"invite", "create", "carol", "--group", "nowhere"},
	} {
		if code, out, errs := d.cli("", args...); code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("parley %s: exit %d: %s%s, want %q", strings.Join(args, " "), code, out, errs, want)
		}
	}
	if code, _, _ := d.cli("", "invite", "revoke", many.ID, "none"); code != exitPartial {
		t.Errorf("one of two: exit %d", code)
	}
	if code, _, _ := d.cli("", "invite", "create", "a", "b"); code != exitUsage {
		t.Errorf("exit %d", code)
	}
}

// A token of the command line opens the API with its scopes, until it is revoked.
func TestToken(t *testing.T) {
	d := startDev(t)
	d.ok(pw+"\n", "user", "add", "alice", "--admin")
	tok := decodeInto[token](t,
		d.ok("", "--json", "token", "create", "alice", "robot", "--scope", "people:read", "--valid", "1d"))
	if tok.Owner != "alice@localhost" || tok.Secret == "" || tok.Expires.Sub(tok.Created).Hours() != 24 {
		t.Errorf("%+v", tok)
	}
	get := func() int {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), "GET",
			"http://"+d.welcome["websocket_plain"]+"/api/v1/people", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+tok.Secret)
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if code := get(); code != http.StatusOK {
		t.Errorf("with the token: %d", code)
	}
	out := d.ok("", "token", "list")
	if !strings.Contains(out, "robot") || strings.Contains(out, tok.Secret) {
		t.Error(out)
	}
	d.ok("", "token", "revoke", tok.ID)
	if code := get(); code != http.StatusUnauthorized {
		t.Errorf("with a revoked token: %d", code)
	}
	for want, args := range map[string][]string{
		"no account":        {"token", "create", "nobody", "x", "--scope", "people:read"},
		"There is no scope": {"token", "create", "alice", "x", "--scope", "everything"},
		"five years":        {"token", "create", "alice", "x", "--scope", "people:read", "--valid", "9999d"},
		"there is no token": {"token", "revoke", tok.ID},
	} {
		if code, _, errs := d.cli("", args...); code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("parley %s: exit %d: %s", strings.Join(args, " "), code, errs)
		}
	}
	if code, _, _ := d.cli("", "token", "create", "alice", "x"); code != exitUsage {
		t.Errorf("without a scope: exit %d", code)
	}
}
