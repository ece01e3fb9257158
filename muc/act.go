package muc

import (
	"parley/acts"
	"parley/wire/jid"
)

// by is the actor of what somebody asks for by a stanza: a form, a command, a change of affiliations.
func (s *Service) by(who jid.JID) acts.Actor { return s.host.By(who, acts.Client) }
