// Package fault is how an act says no. An Error is what the server refuses to a person or a program, and why, in words
// that they are shown. Every other error is a failure of the server, which its log tells and nobody else.
//
// Rules give an Error; they know nothing of the door that the request came by. A door asks server.Refusal for the
// stanza error, or admin.Refusal for the HTTP status, so that one kind of refusal is the same everywhere.
//
// Texts are plain English and the names of messages in package i18n at once. A text begins in lower case or in upper
// case as it pleases: pages begin it in upper case. Values are left out as {{.Name}} and given in Args, so that a
// translation can put them where its language wants them:
//
//	fault.New(fault.Exists, "name", "{{.Name}} is taken", "Name", "alice")
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind classifies an error. Each door turns it into its own: a stanza error, an HTTP status.
type Kind uint8

// Kinds of refusals.
const (
	// Invalid: the input cannot be accepted from anybody.
	Invalid Kind = iota + 1
	// Exists: the thing to create exists already, or somebody else has changed it meanwhile.
	Exists
	// NotFound: there is no such thing, or who asks may not know of it.
	NotFound
	// Forbidden: the actor may not do this; somebody with another role may.
	Forbidden
	// NotAllowed: nobody may do this as things are; the last owner of a group cannot leave it. It is also the error for
	// people who may not create a group or theme: a service where not everybody may create rooms answers so (XEP-0045,
	// section 10.1.1).
	NotAllowed
	// Limit: the allowed number is reached. Room comes from removing something, or with time.
	Limit
	// Busy: the server has too much to do; trying again helps.
	Busy
)

// Kinds are all that there are.
var Kinds = []Kind{Invalid, Exists, NotFound, Forbidden, NotAllowed, Limit, Busy}

// Error is a refusal. It is not changed once made.
type Error struct {
	Kind  Kind
	Field string // the name of the input that it is about; "" for none
	Text  string // the message of package i18n; see the package
	Args  []any  // names and values that fill in the text, in turn
}

// ErrRole is the refusal to people whose role does not allow what they ask for.
var ErrRole = New(Forbidden, "", "your role does not allow this")

// New makes an Error. The field may be "", args are names and values in turn.
func New(kind Kind, field, text string, args ...any) error {
	return &Error{Kind: kind, Field: field, Text: text, Args: args}
}

// At makes an Error of a text that goes on from the name of the field, such as "is missing"; its Text has both.
func At(kind Kind, field, text string, args ...any) error {
	return New(kind, field, field+": "+text, args...)
}

// Error gives the text in English, filled with the arguments.
func (e *Error) Error() string {
	s := e.Text
	for i := 0; i+1 < len(e.Args); i += 2 {
		s = strings.ReplaceAll(s, fmt.Sprintf("{{.%v}}", e.Args[i]), fmt.Sprint(e.Args[i+1]))
	}
	return s
}

// Of returns the Error that err is or wraps; nil if it is none.
func Of(err error) *Error {
	var e *Error
	errors.As(err, &e)
	return e
}

// Is says whether err is or wraps an Error of a kind.
func Is(err error, kind Kind) bool {
	e := Of(err)
	return e != nil && e.Kind == kind
}
