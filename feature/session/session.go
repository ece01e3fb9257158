// Package session answers the session request of RFC 3921, which old clients still send and newer ones know to be
// optional (draft-cridland-xmpp-session).
package session

import (
	"context"

	"parley/server"
	"parley/wire"
)

// New makes the feature.
func New(*server.Host) *server.Feature {
	ok := func(context.Context, *server.Request) (*wire.Element, error) { return nil, nil }
	return &server.Feature{
		Name: "session",
		XEP:  []server.XEP{{Title: "RFC 3921: session establishment", Notes: "answered, and does nothing"}},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToSelf, Type: "set", Space: wire.NSSession, Local: "session"}: ok,
			{To: server.ToHost, Type: "set", Space: wire.NSSession, Local: "session"}: ok,
		},
	}
}
