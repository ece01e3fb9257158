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

func TestFault(t *testing.T) {
	for _, c := range []struct {
		err  error
		kind fault.Kind
		text string
	}{
		{fmt.Errorf("act: %w", fault.New(fault.Limit, "", "x")), fault.Limit, "x"},
		{server.WithText(server.Forbidden, "this theme is closed"), fault.Forbidden, "this theme is closed"},
		{fmt.Errorf("room: %w", server.Forbidden), fault.Forbidden, "your role does not allow this"},
		{server.WithText(server.PolicyViolation, "too large"), fault.Invalid, "too large"},
		{stanza.Error{Type: stanza.Wait, Condition: stanza.PolicyViolation}, fault.Busy,
			"the server is busy: try again in a few seconds"},
		{server.FeatureNotImplemented, fault.NotAllowed, "this is not possible here"},
		{&server.AppError{Stanza: server.ItemNotFound}, fault.NotFound, "there is no such thing"},
	} {
		if f := server.Fault(c.err); f == nil || f.Kind != c.kind || f.Text != c.text {
			t.Errorf("%v: %+v", c.err, f)
		}
	}
	for _, err := range []error{nil, errors.New("the disk has gone"), server.Internal} {
		if f := server.Fault(err); f != nil {
			t.Errorf("%v refuses %+v", err, f)
		}
	}
}
