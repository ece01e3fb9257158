package muc

import (
	"parley/server"
	"parley/wire"
)

var errGuests = server.WithText(server.ResourceConstraint, "too many people of your server are entering at once")

// admitsGuest limits how often people of one other server enter rooms: an attacker who floods a room with joins has
// many names there, but one domain.
func (s *Service) admitsGuest(st *wire.Stanza) bool {
	if st.Kind != wire.Presence || st.Type != "" || !st.Has(wire.NSMUC, "x") || s.host.Router.Local(st.From.Domain()) {
		return true
	}
	return s.guests.Allow(st.From.Domain(), st.At)
}
