package pubsub

import (
	"context"

	"parley/server"
	"parley/wire"
)

// onHost answers publish-subscribe requests to the host itself, which has no nodes. The host announces the feature
// because clients look for it there before they offer what needs personal eventing. COMPAT: Smack's OMEMO looks for it
// at the host and not at the account. Remove after 2030.
func onHost(_ context.Context, r *server.Request) (*wire.Element, error) {
	e := r.Payload
	verb, err := verbOf(e)
	if err != nil {
		return nil, err
	}
	switch {
	case verb.Name.Local == "create":
		return nil, unsupported("create-nodes")
	case e.Name.Space == wire.NSPubSub && r.Stanza.Type == "get" &&
		(verb.Name.Local == "subscriptions" || verb.Name.Local == "affiliations") && verb.Attr("node") == "":
		return wire.E(wire.NSPubSub, "pubsub", wire.E(wire.NSPubSub, verb.Name.Local)), nil
	case verb.Attr("node") == "":
		return nil, errNodeRequired
	}
	return nil, server.ItemNotFound
}
