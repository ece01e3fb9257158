package pubsub

import (
	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/wire"
)

const (
	nsOwner   = wire.NSPubSub + "#owner"
	nsErrors  = wire.NSPubSub + "#errors"
	nsConfig  = wire.NSPubSub + "#node_config"
	nsOptions = wire.NSPubSub + "#publish-options"
	nsMeta    = wire.NSPubSub + "#meta-data"
	nsSubAuth = wire.NSPubSub + "#subscribe_authorization"

	nsGetPending = wire.NSPubSub + "#get-pending"
	nsSubOptions = wire.NSPubSub + "#subscribe_options"
)

func fault(typ stanza.ErrorType, condition stanza.Condition, local string) error {
	return &server.AppError{Stanza: stanza.Error{Type: typ, Condition: condition}, App: wire.E(nsErrors, local)}
}

// unsupported returns the error for a missing feature (section 16.5).
func unsupported(feature string) error {
	return &server.AppError{Stanza: stanza.Error{Type: stanza.Cancel, Condition: stanza.FeatureNotImplemented},
		App: wire.E(nsErrors, "unsupported").Set("feature", feature)}
}

// The errors of XEP-0060.
var (
	errNodeRequired  = fault(stanza.Modify, stanza.BadRequest, "nodeid-required")
	errItemRequired  = fault(stanza.Modify, stanza.BadRequest, "item-required")
	errNoPayload     = fault(stanza.Modify, stanza.BadRequest, "payload-required")
	errPayload       = fault(stanza.Modify, stanza.BadRequest, "invalid-payload")
	errForbiddenItem = fault(stanza.Modify, stanza.BadRequest, "item-forbidden")
	errPayloadSize   = fault(stanza.Modify, stanza.NotAcceptable, "payload-too-big")
	errTooManyItems  = fault(stanza.Modify, stanza.NotAllowed, "max-items-exceeded")
	// XEP-0060 has no condition for this.
	errFull          = server.WithText(server.ResourceConstraint, "the storage for items is full: remove some items first")
	errShare         = server.WithText(server.ResourceConstraint, "the nodes of this node's creator are full: remove some of their items first")
	errNodeFull      = fault(stanza.Cancel, stanza.Conflict, "node-full")
	errTooManyNodes  = fault(stanza.Wait, stanza.ResourceConstraint, "max-nodes-exceeded")
	errTooManySubs   = fault(stanza.Wait, stanza.PolicyViolation, "too-many-subscriptions")
	errPrecondition  = fault(stanza.Cancel, stanza.Conflict, "precondition-not-met")
	errInvalidJID    = fault(stanza.Modify, stanza.BadRequest, "invalid-jid")
	errJIDRequired   = fault(stanza.Modify, stanza.BadRequest, "jid-required")
	errOptions       = fault(stanza.Modify, stanza.BadRequest, "invalid-options")
	errNoSubscriber  = fault(stanza.Modify, stanza.UnexpectedRequest, "not-subscribed")
	errAccessModel   = fault(stanza.Modify, stanza.NotAcceptable, "unsupported-access-model")
	errSubID         = fault(stanza.Modify, stanza.NotAcceptable, "invalid-subid")
	errNotSubscribed = fault(stanza.Cancel, stanza.UnexpectedRequest, "not-subscribed")
	errMustSubscribe = fault(stanza.Auth, stanza.NotAuthorized, "not-subscribed")
	errPending       = fault(stanza.Auth, stanza.NotAuthorized, "pending-subscription")
	errNoPresence    = fault(stanza.Auth, stanza.NotAuthorized, "presence-subscription-required")
	errNotInGroup    = fault(stanza.Auth, stanza.NotAuthorized, "not-in-roster-group")
	errClosedNode    = fault(stanza.Cancel, stanza.NotAllowed, "closed-node")
	errNodeExists    = stanza.Error{Type: stanza.Cancel, Condition: stanza.Conflict}
)
