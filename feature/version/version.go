// Package version says which software this is (XEP-0092).
package version

import (
	"context"

	"parley/server"
	"parley/wire"
)

const ns = "jabber:iq:version"

// New makes the feature; version is the build's. It does not tell the operating system.
func New(_ *server.Host, version string) *server.Feature {
	return &server.Feature{
		Name: "version",
		XEP: []server.XEP{{
			Number:  92,
			Title:   "Software Version",
			Version: "1.1",
			Notes:   "the operating system is not told",
		}},
		Disco: []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "get", Space: ns, Local: "query"}: func(context.Context,
				*server.Request) (*wire.Element, error) {
				return wire.E(ns, "query", wire.T(ns, "name", "parley"), wire.T(ns, "version", version)), nil
			},
		},
	}
}
