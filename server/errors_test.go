package server_test

import (
	"errors"
	"fmt"
	"testing"

	"mellium.im/xmpp/stanza"

	"parley/internal/fault"
	"parley/server"
	"parley/store"
)

func TestRefusalOfEveryKind(t *testing.T) {
	seen := make(map[fault.Kind]bool)
	for _, c := range []struct {
		err       error
		typ       stanza.ErrorType
		condition stanza.Condition
		text      string
	}{
		{fault.New(fault.Invalid, "name", "x"), stanza.Modify, stanza.NotAcceptable, "x"},
		{fault.New(fault.Exists, "", "x"), stanza.Cancel, stanza.Conflict, "x"},
		{fault.New(fault.NotFound, "", "x"), stanza.Cancel, stanza.ItemNotFound, "x"},
		{fault.New(fault.Forbidden, "", "x"), stanza.Auth, stanza.Forbidden, "x"},
		{fault.New(fault.NotAllowed, "", "x"), stanza.Cancel, stanza.NotAllowed, "x"},
		{fault.New(fault.Limit, "", "{{.Max}} at most", "Max", 3), stanza.Wait, stanza.ResourceConstraint, "3 at most"},
		{fault.New(fault.Busy, "", "x"), stanza.Wait, stanza.ResourceConstraint, "x"},
		{fmt.Errorf("act: %w", fault.At(fault.Invalid, "name", "is missing")), stanza.Modify,
			stanza.NotAcceptable, "name: is missing"},
		{fmt.Errorf("read: %w", store.ErrNotFound), stanza.Cancel, stanza.ItemNotFound, ""},
		{store.ErrExists, stanza.Cancel, stanza.Conflict, ""},
		{store.ErrConflict, stanza.Cancel, stanza.Conflict, ""},
		{store.ErrShare, stanza.Wait, stanza.ResourceConstraint, ""},
		{fmt.Errorf("room: %w", server.MalformedJID), stanza.Modify, stanza.JIDMalformed, ""},
	} {
		if f := fault.Of(c.err); f != nil {
			seen[f.Kind] = true
		}
		got, ok := server.Refusal(c.err)
		if !ok || got.Type != c.typ || got.Condition != c.condition || got.Text["en"] != c.text {
			t.Errorf("%v: got %+v, want %s %s %q", c.err, got, c.typ, c.condition, c.text)
		}
	}
	for _, k := range fault.Kinds {
		if !seen[k] {
			t.Errorf("kind %d is not tried", k)
		}
	}
	for _, err := range []error{nil, errors.New("the disk has gone"), store.ErrLast, server.ErrHandled} {
		if got, ok := server.Refusal(err); ok {
			t.Errorf("%v refuses something: %v", err, got)
		}
	}
}

func TestNoted(t *testing.T) {
	var note *server.NoteError
	if err := server.Noted(fault.New(fault.Forbidden,
		"", "not you")); !errors.As(err, &note) || note.Text != "not you" {
		t.Errorf("got %v", err)
	}
	if err := errors.New("the disk has gone"); server.Noted(err) != err || server.Noted(nil) != nil {
		t.Error("what is no refusal does not stay as it is")
	}
}
