package muc

import (
	"context"
	"errors"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Errors that keepers and rules of other packages return as well.
var (
	// ErrTaken says that the room is another node's by now.
	ErrTaken = server.WithText(
		stanza.Error{Type: stanza.Wait, Condition: stanza.ServiceUnavailable}, "the room has moved: try again")

	// ErrClosing says that the service ends, or that a room does not answer in time.
	ErrClosing = stanza.Error{Type: stanza.Wait, Condition: stanza.ServiceUnavailable}

	// ErrNoMember refuses people in a room that is for members only (section 7.2.6).
	ErrNoMember = stanza.Error{Type: stanza.Auth, Condition: stanza.RegistrationRequired}

	// ErrConflict refuses what somebody else has already, or what would leave a room without an owner.
	ErrConflict = stanza.Error{Type: stanza.Cancel, Condition: stanza.Conflict}

	// ErrTooFast refuses what somebody says or asks for too often.
	ErrTooFast = server.WithText(
		stanza.Error{Type: stanza.Wait, Condition: stanza.PolicyViolation}, "you are writing too fast")

	// ErrVoice refuses a request for voice.
	ErrVoice = server.WithText(server.NotAllowed, "you may speak already, or this room gives nobody a voice")
)

var (
	errFull    = server.WithText(server.ResourceConstraint, "the room is busy")
	errNoPlace = server.WithText(
		stanza.Error{Type: stanza.Wait, Condition: stanza.ServiceUnavailable}, "the room is full") // section 7.2.9
	errNotAuthorized = stanza.Error{Type: stanza.Auth, Condition: stanza.NotAuthorized}
	errNotOccupant   = stanza.Error{Type: stanza.Modify, Condition: stanza.NotAcceptable}
	errNoOccupant    = stanza.Error{Type: stanza.Cancel, Condition: stanza.ItemNotFound}
)

// Fail tells the sender of st about err, if there is one. Errors that are ours are logged. It is safe on any goroutine.
func (s *Service) Fail(ctx context.Context, st *wire.Stanza, err error) {
	if err == nil {
		return
	}
	if errors.Is(err, store.ErrConflict) {
		err = ErrTaken
	}
	if isFault(err) {
		s.log.Error("room failed", "room", st.To.String(), "err", err)
	}
	s.host.Router.Reply(ctx, st, err)
}

// notTold is what becomes of something that a room says to somebody by itself, if they cannot be told: they may want it
// so.
func (s *Service) notTold(who jid.JID, err error) {
	if isFault(err) {
		s.log.Error("somebody is not told", "who", who.String(), "err", err)
	}
}

// isFault says that an error is ours to mend, and not what somebody is to be told.
func isFault(err error) bool {
	_, refused := server.Refusal(err)
	return !refused && !errors.Is(err, server.ErrHandled)
}
