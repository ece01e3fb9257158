// Package entitytime tells the time (XEP-0202).
package entitytime

import (
	"context"

	"parley/server"
	"parley/wire"
)

const ns = "urn:xmpp:time"

// New makes the feature. The server's time zone is UTC to everyone.
func New(h *server.Host) *server.Feature {
	return &server.Feature{
		Name:  "entitytime",
		XEP:   []server.XEP{{Number: 202, Title: "Entity Time", Version: "2.0"}},
		Disco: []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "get", Space: ns, Local: "time"}: func(context.Context,
				*server.Request) (*wire.Element, error) {
				return wire.E(ns, "time", wire.T(ns, "tzo", "+00:00"),
					wire.T(ns, "utc", h.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"))), nil
			},
		},
	}
}
