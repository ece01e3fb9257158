// Package ping answers pings (XEP-0199).
package ping

import (
	"context"

	"parley/server"
	"parley/wire"
)

const ns = "urn:xmpp:ping"

// New makes the feature; hosts and accounts answer pings.
func New(*server.Host) *server.Feature {
	pong := func(context.Context, *server.Request) (*wire.Element, error) { return nil, nil }
	return &server.Feature{
		Name:    "ping",
		XEP:     []server.XEP{{Number: 199, Title: "XMPP Ping", Version: "2.0.1"}},
		Disco:   []string{ns},
		Account: []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "get", Space: ns, Local: "ping"}: pong,
			{To: server.ToSelf, Type: "get", Space: ns, Local: "ping"}: pong,
		},
	}
}
