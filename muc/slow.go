package muc

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Slow mode (XEP-0500): how long a person waits from one message to the next, with whatever client and nick.

const (
	maxSlow    = 86400 // seconds
	nsValidate = "http://jabber.org/protocol/xdata-validate"
)

func slowField(seconds int) form.Field {
	return form.Field{
		Var:    prefix + "slow_mode_duration",
		Type:   form.TextSingle,
		Label:  "Seconds from one message of a person to the next",
		Desc:   "0: no limit",
		Values: []string{strconv.Itoa(seconds)},
		Validate: wire.E(nsValidate, "validate", wire.E(nsValidate, "range").Set("min", "0").
			Set("max", strconv.Itoa(maxSlow))).Set("datatype", "xs:integer"),
	}
}

// slow refuses a message that comes too early, and remembers when people said something. Administrators do not wait.
func slow(r *Room) Hooks {
	var spoke map[jid.JID]time.Time // made with the first message: few rooms are slow
	return Hooks{Moving: Moving{
		Name: "slow",
		Give: func() any { return spoke },
		Take: func(b []byte) error { return json.Unmarshal(b, &spoke) },
	}, Accept: func(o *Occupant, st *wire.Stanza) error {
		if r.cfg.SlowMode == 0 || AtLeast(o.affiliation, Admin) || !st.Has(wire.NSClient, "body") {
			return nil
		}
		pause, now := time.Duration(r.cfg.SlowMode)*time.Second, time.Now()
		if now.Sub(spoke[o.bare]) < pause {
			return server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.PolicyViolation},
				fmt.Sprintf("This room is in slow mode: wait %d seconds between messages.", r.cfg.SlowMode))
		}
		if len(spoke) >= 1000 {
			for j, at := range spoke {
				if now.Sub(at) >= pause {
					delete(spoke, j)
				}
			}
		}
		if spoke == nil {
			spoke = make(map[jid.JID]time.Time)
		}
		spoke[o.bare] = now
		return nil
	}}
}
