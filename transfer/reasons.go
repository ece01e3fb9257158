package transfer

import (
	"errors"
	"strings"

	"mellium.im/xmpp/stanza"

	"parley/auth"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
)

// reason says in words why something was not imported, and which key of the configuration would allow it ("" if none).
// Without words, the error is a failure of this server.
func reason(kind string, err error) (text, key string) {
	var se stanza.Error
	var app *server.AppError
	switch {
	case errors.As(err, &app) && app.App != nil:
		if text, key = nodeReason(app.App.Name.Local); text != "" {
			return text, key
		}
		return strings.ReplaceAll(app.App.Name.Local, "-", " "), ""
	case errors.As(err, &se):
		return refusal(kind, se)
	case errors.Is(err, store.ErrLimit):
		return "there are more than an account may have", limitKey(kind)
	case errors.Is(err, auth.ErrPassword), errors.Is(err, auth.ErrTwoForms), errors.Is(err, errValue):
		return err.Error(), ""
	case fault.Of(err) != nil:
		se, _ = server.Refusal(err)
		return refusal(kind, se)
	}
	return "", ""
}

// nodeReason puts the conditions of XEP-0060 into words.
func nodeReason(condition string) (text, key string) {
	switch condition {
	case "payload-too-big":
		return "it is larger than the limit for items of a node", "pubsub.item_size"
	case "max-nodes-exceeded":
		return "an account may not have so many nodes", "pubsub.nodes"
	case "max-items-exceeded", "node-full":
		return "a node may not have so many items", "pubsub.items"
	case "too-many-subscriptions":
		return "a node may not have so many subscriptions", "pubsub.subscriptions"
	}
	return "", ""
}

// refusal puts the answer of a feature into words.
func refusal(kind string, se stanza.Error) (text, key string) {
	switch {
	case se.Condition == stanza.ResourceConstraint:
		key = limitKey(kind)
	case se.Condition == stanza.NotAcceptable && kind == kindCards:
		key = "pubsub.item_size" // it also limits the size of a card
	case se.Condition == stanza.NotAcceptable && kind == kindPrivate:
		key = "accounts.private_element_size"
	}
	if text = se.Text["en"]; text != "" {
		return text, key
	}
	switch se.Condition {
	case stanza.NotAllowed, stanza.Forbidden:
		text = "parley does not let accounts change that"
	case stanza.NotAcceptable, stanza.BadRequest:
		text = "it is not in a form that parley takes"
	case stanza.ResourceConstraint, stanza.PolicyViolation:
		text = "there is more than an account may have"
	case stanza.FeatureNotImplemented, stanza.ServiceUnavailable:
		text = "parley has nothing of this kind"
	default:
		text = strings.ReplaceAll(string(se.Condition), "-", " ")
	}
	return text, key
}

// limitKey gives the key that limits how many things of a kind an account has.
func limitKey(kind string) string {
	switch kind {
	case kindContacts:
		return "accounts.max_contacts"
	case kindBookmarks:
		return "accounts.max_bookmarks"
	case kindPrivate:
		return "accounts.private_elements"
	case kindWaiting:
		return "accounts.offline_messages"
	case kindItems, kindPictures:
		return "pubsub.bytes"
	}
	return ""
}
