package muc

import (
	"mellium.im/xmpp/stanza"

	"parley/internal/limit"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// How often one person may enter one room: each time costs presence for the whole room.
const (
	comingRate  = 1
	comingBurst = 20
)

var errComing = server.WithText(
	stanza.Error{Type: stanza.Wait, Condition: stanza.PolicyViolation}, "you enter and leave rooms too often")

// coming limits how often one person enters.
func coming(*Room) Hooks {
	comers := limit.New[jid.JID](comingRate, comingBurst, limit.Most)
	return Hooks{Come: func(st *wire.Stanza) error {
		if !comers.Allow(st.From.Bare(), st.At) {
			return errComing
		}
		return nil
	}}
}
