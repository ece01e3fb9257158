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

// refusal is an error with a condition of XEP-0060 beside the general one.
func refusal(typ stanza.ErrorType, condition stanza.Condition, local string) error {
	return &server.AppError{Stanza: stanza.Error{Type: typ, Condition: condition}, App: wire.E(nsErrors, local)}
}

// unsupported returns the error for a missing feature (section 16.5).
func unsupported(feature string) error {
	return &server.AppError{Stanza: stanza.Error{Type: stanza.Cancel, Condition: stanza.FeatureNotImplemented},
		App: wire.E(nsErrors, "unsupported").Set("feature", feature)}
}

// The errors of XEP-0060.
var (
	errNodeRequired  = refusal(stanza.Modify, stanza.BadRequest, "nodeid-required")
	errItemRequired  = refusal(stanza.Modify, stanza.BadRequest, "item-required")
	errNoPayload     = refusal(stanza.Modify, stanza.BadRequest, "payload-required")
	errPayload       = refusal(stanza.Modify, stanza.BadRequest, "invalid-payload")
	errForbiddenItem = refusal(stanza.Modify, stanza.BadRequest, "item-forbidden")
	errPayloadSize   = refusal(stanza.Modify, stanza.NotAcceptable, "payload-too-big")
	errTooManyItems  = refusal(stanza.Modify, stanza.NotAllowed, "max-items-exceeded")
	// XEP-0060 has no condition for this.
	errFull = server.WithText(server.ResourceConstraint,
		"the storage for items is full: remove some items first")
	errShare = server.WithText(server.ResourceConstraint,
		"the nodes of this node's creator are full: remove some of their items first")
	errNodeFull      = refusal(stanza.Cancel, stanza.Conflict, "node-full")
	errTooManyNodes  = refusal(stanza.Wait, stanza.ResourceConstraint, "max-nodes-exceeded")
	errTooManySubs   = refusal(stanza.Wait, stanza.PolicyViolation, "too-many-subscriptions")
	errPrecondition  = refusal(stanza.Cancel, stanza.Conflict, "precondition-not-met")
	errInvalidJID    = refusal(stanza.Modify, stanza.BadRequest, "invalid-jid")
	errJIDRequired   = refusal(stanza.Modify, stanza.BadRequest, "jid-required")
	errOptions       = refusal(stanza.Modify, stanza.BadRequest, "invalid-options")
	errNoSubscriber  = refusal(stanza.Modify, stanza.UnexpectedRequest, "not-subscribed")
	errAccessModel   = refusal(stanza.Modify, stanza.NotAcceptable, "unsupported-access-model")
	errSubID         = refusal(stanza.Modify, stanza.NotAcceptable, "invalid-subid")
	errNotSubscribed = refusal(stanza.Cancel, stanza.UnexpectedRequest, "not-subscribed")
	errMustSubscribe = refusal(stanza.Auth, stanza.NotAuthorized, "not-subscribed")
	errPending       = refusal(stanza.Auth, stanza.NotAuthorized, "pending-subscription")
	errNoPresence    = refusal(stanza.Auth, stanza.NotAuthorized, "presence-subscription-required")
	errNotInGroup    = refusal(stanza.Auth, stanza.NotAuthorized, "not-in-roster-group")
	errClosedNode    = refusal(stanza.Cancel, stanza.NotAllowed, "closed-node")
	errNodeExists    = stanza.Error{Type: stanza.Cancel, Condition: stanza.Conflict}
)
