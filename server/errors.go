package server

import (
	"context"
	"errors"
	"log/slog"

	"mellium.im/xmpp/stanza"

	"parley/internal/fault"
	"parley/store"
	"parley/wire"
)

var (
	// ErrHandled stops a stanza without telling its sender.
	ErrHandled = errors.New("server: handled")
	// ErrReplied says that an IQFunc sent its answer itself.
	ErrReplied = errors.New("server: replied already")
	// ErrClosed is the error of a send to a session that has ended.
	ErrClosed = errors.New("server: session is closed")
)

// AppError is a stanza error with an application-specific condition (RFC 6120, section 8.3.4).
type AppError struct {
	Stanza  stanza.Error
	App     *wire.Element // nil: none
	Address string        // the new address, for the conditions gone and redirect (RFC 6120, section 8.3.3)
	Payload *wire.Element // sent back beside the error
}

// Error returns the text of the stanza error.
func (e *AppError) Error() string {
	if e.App == nil {
		return e.Stanza.Error()
	}
	return e.Stanza.Error() + " (" + e.App.Name.Local + ")"
}

// Unwrap returns the stanza error.
func (e *AppError) Unwrap() error { return e.Stanza }

// The stanza errors that many places return.
var (
	BadRequest            = stanza.Error{Type: stanza.Modify, Condition: stanza.BadRequest}
	ServiceUnavailable    = stanza.Error{Type: stanza.Cancel, Condition: stanza.ServiceUnavailable}
	ItemNotFound          = stanza.Error{Type: stanza.Cancel, Condition: stanza.ItemNotFound}
	Forbidden             = stanza.Error{Type: stanza.Auth, Condition: stanza.Forbidden}
	NotAllowed            = stanza.Error{Type: stanza.Cancel, Condition: stanza.NotAllowed}
	Unexpected            = stanza.Error{Type: stanza.Wait, Condition: stanza.UnexpectedRequest}
	NotAcceptable         = stanza.Error{Type: stanza.Modify, Condition: stanza.NotAcceptable}
	MalformedJID          = stanza.Error{Type: stanza.Modify, Condition: stanza.JIDMalformed}
	ResourceConstraint    = stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint}
	PolicyViolation       = stanza.Error{Type: stanza.Modify, Condition: stanza.PolicyViolation}
	Internal              = stanza.Error{Type: stanza.Wait, Condition: stanza.InternalServerError}
	RemoteNotFound        = stanza.Error{Type: stanza.Cancel, Condition: stanza.RemoteServerNotFound}
	FeatureNotImplemented = stanza.Error{Type: stanza.Cancel, Condition: stanza.FeatureNotImplemented}
)

// WithText returns e with an English text for a person to read.
func WithText(e stanza.Error, text string) stanza.Error {
	e.Text = map[string]string{"en": text}
	return e
}

// conditions are what kinds of refusals are in XMPP (decision 115).
var conditions = map[fault.Kind]stanza.Error{
	fault.Invalid:    NotAcceptable,
	fault.Exists:     {Type: stanza.Cancel, Condition: stanza.Conflict},
	fault.NotFound:   ItemNotFound,
	fault.Forbidden:  Forbidden,
	fault.NotAllowed: NotAllowed,
	fault.Limit:      ResourceConstraint,
	fault.Busy:       ResourceConstraint,
}

// Refusal gives the stanza error (RFC 6120, section 8.3.3) for what err refuses: a stanza error in it as that is, a
// fault.Error with its text in English, an error of package store by its kind and without a text. ok is false if err
// refuses nothing: it is a failure of the server then, or nil.
func Refusal(err error) (e stanza.Error, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	if f := fault.Of(err); f != nil {
		return WithText(conditions[f.Kind], f.Error()), true
	}
	e, ok = conditions[store.KindOf(err)]
	return e, ok
}

// refusals are the kinds of refusals that stanza errors are, and texts for those without one.
var refusals = map[stanza.Condition]fault.Error{
	stanza.BadRequest:           {Kind: fault.Invalid, Text: "this is not possible here"},
	stanza.NotAcceptable:        {Kind: fault.Invalid, Text: "this is not possible here"},
	stanza.JIDMalformed:         {Kind: fault.Invalid, Text: "this is no address"},
	stanza.PolicyViolation:      {Kind: fault.Invalid, Text: "this is not possible here"},
	stanza.Conflict:             {Kind: fault.Exists, Text: "somebody else has this name already"},
	stanza.ItemNotFound:         {Kind: fault.NotFound, Text: "there is no such thing"},
	stanza.Forbidden:            {Kind: fault.Forbidden, Text: "your role does not allow this"},
	stanza.NotAuthorized:        {Kind: fault.Forbidden, Text: "this needs a password"},
	stanza.RegistrationRequired: {Kind: fault.Forbidden, Text: "this is for members only"},
}

// Fault gives what err refuses as a fault.Error, for doors that know no stanza errors: the one that err is or wraps, or
// one for the stanza error in it. It is nil if there is neither, or if the stanza error tells of a failure of ours.
func Fault(err error) *fault.Error {
	if f := fault.Of(err); f != nil {
		return f
	}
	var e stanza.Error
	if !errors.As(err, &e) || e.Condition == stanza.InternalServerError {
		return nil
	}
	f, known := refusals[e.Condition]
	switch {
	case e.Type == stanza.Wait:
		f = fault.Error{Kind: fault.Busy, Text: "the server is busy: try again in a few seconds"}
	case !known:
		f = fault.Error{Kind: fault.NotAllowed, Text: "this is not possible here"}
	}
	if text := e.Text["en"]; text != "" {
		f.Text = text
	}
	return &f
}

// maxEcho is the largest payload, in bytes, that an error carries back to its sender.
const maxEcho = 2048

// fenced says whether err is that this node's place was taken. Then nobody is told what became of st, and it does not
// count as handled: it may have been kept just before, and this node ends.
func fenced(st *wire.Stanza, err error) bool {
	if !errors.Is(err, store.ErrFenced) {
		return false
	}
	st.Hold()
	return true
}

// ErrorReply turns an error into the answer to st. It returns nil if st must not be answered, because it is an error or
// a result itself, or if err needs no answer. An error that is no Refusal becomes internal-server-error; the caller
// logs it.
func ErrorReply(st *wire.Stanza, err error) *wire.Stanza {
	if err == nil || errors.Is(err, ErrHandled) || errors.Is(err, ErrReplied) ||
		st.Type == "error" || st.Kind == wire.Other {
		return nil // never bounce an error
	}
	if st.Kind == wire.IQ && st.Type == "result" {
		return nil
	}
	r := st.Reply()
	r.Type = "error"
	if st.Kind != wire.IQ && len(st.Payload) <= maxEcho {
		r.Payload, r.Children = st.Payload, st.Children
	}
	var ae *AppError
	if errors.As(err, &ae) && ae.Payload != nil {
		r.Add(ae.Payload)
	}
	return r.Add(errorElement(err))
}

func errorElement(err error) *wire.Element {
	var app *wire.Element
	var address string
	var ae *AppError
	if errors.As(err, &ae) {
		app, address = ae.App, ae.Address
	}
	se, ok := Refusal(err)
	if !ok {
		se = Internal
	}
	e := wire.E(wire.NSClient, "error").Set("type", string(se.Type))
	if !se.By.Equal(zeroBy) {
		e.Set("by", se.By.String())
	}
	e.Add(wire.T(wire.NSStanzas, string(se.Condition), address))
	for lang, text := range se.Text {
		t := wire.T(wire.NSStanzas, "text", text)
		if lang != "" {
			t.Attrs = append(t.Attrs, wire.Attr{Name: wire.Name{Space: wire.NSXML, Local: "lang"}, Value: lang})
		}
		e.Add(t)
	}
	return e.Add(app)
}

var zeroBy = stanza.Error{}.By

// isFailure says whether an error of a stanza is a failure of ours: it neither refuses the stanza, nor says that it is
// dealt with.
func isFailure(err error) bool {
	_, refused := Refusal(err)
	return err != nil && !refused && !errors.Is(err, ErrHandled) && !errors.Is(err, ErrReplied)
}

// logFault logs our own faults as errors; the peers' mistakes are debug.
func (h *Host) logFault(ctx context.Context, st *wire.Stanza, err error) {
	if err == nil || errors.Is(err, ErrHandled) || errors.Is(err, ErrReplied) {
		return
	}
	level := slog.LevelError
	if _, ok := Refusal(err); ok {
		level = slog.LevelDebug
	} else if ctx.Err() != nil {
		level = slog.LevelInfo
	}
	if h.Log.Enabled(ctx, level) {
		h.Log.Log(ctx, level, "stanza refused", "kind", st.Kind.String(), "type", st.Type, "from", st.From.String(),
			"to", st.To.String(), "err", err)
	}
}
