package wire

// nsXMLNS is bound to the prefix xmlns and to no other (Namespaces in XML 1.0, section 3).
const nsXMLNS = "http://www.w3.org/2000/xmlns/"

const frequentSize = 1024 // four times the number of strings in it

// frequent holds the names, namespaces and values of most stanzas, so that reading them allocates nothing.
var frequent = func() (t [frequentSize]string) {
	for _, s := range []string{
		NSClient, NSServer, NSStream, NSFraming, NSStreams, NSStanzas, NSSASL, NSTLS, NSBind,
		NSSession, NSSM, NSDelay, NSSID, NSForward, NSCarbons, NSHints, NSMAM, NSRSM, NSForm, NSDiscoInfo, NSDiscoItems,
		NSCaps, NSRoster, NSMUC, NSMUCUser, NSMUCAdmin, NSMUCOwner, NSPubSub, NSPubSubEv, NSCommands, NSOOB, NSXML,
		"http://jabber.org/protocol/chatstates", "http://jabber.org/protocol/xhtml-im",
		"http://jabber.org/protocol/nick", "urn:xmpp:receipts", "urn:xmpp:chat-markers:0",
		"urn:xmpp:message-correct:0", "urn:xmpp:reactions:0", "urn:xmpp:reply:0", "urn:xmpp:fallback:0",
		"urn:xmpp:message-retract:1", "urn:xmpp:eme:0", "urn:xmpp:ping", "urn:xmpp:blocking", "urn:xmpp:time",
		"urn:xmpp:csi:0", "urn:xmpp:occupant-id:0", "urn:xmpp:bookmarks:1", "urn:xmpp:push:0", "urn:xmpp:sasl:2",
		"urn:xmpp:bind:0", "urn:xmpp:mds:displayed:0", "urn:xmpp:jingle-message:0", "urn:xmpp:http:upload:0",
		"urn:xmpp:idle:1", "urn:xmpp:styling:0", "urn:xmpp:sfs:0", "eu.siacs.conversations.axolotl",
		"urn:xmpp:omemo:2", "urn:xmpp:openpgp:0", "jabber:iq:version", "jabber:iq:last", "jabber:iq:private",
		"jabber:iq:register", "jabber:iq:search", "jabber:x:conference", "jabber:x:encrypted", "jabber:x:signed",
		"jabber:server:dialback", "vcard-temp", "vcard-temp:x:update", "storage:bookmarks",
		// element names
		"message", "presence", "iq", "body", "subject", "thread", "show", "status", "priority",
		"error", "query", "x", "c", "active", "inactive", "composing", "paused", "gone", "request", "received",
		"displayed", "markable", "acknowledged", "origin-id", "stanza-id", "replace", "reactions", "reaction", "reply",
		"fallback", "retract", "apply-to", "encryption", "encrypted", "ping", "bind", "session", "resource", "jid",
		"vCard", "pubsub", "event", "items", "item", "publish", "retrieve", "delay", "private", "no-copy", "store",
		"no-store", "no-permanent-store", "html", "nick", "auth", "response", "challenge", "success", "failure",
		"abort", "starttls", "proceed", "features", "stream", "enable", "enabled", "resume", "resumed", "r", "a", "h",
		"open", "close", "idle", "occupant-id", "command", "block", "unblock", "blocklist", "time", "prefs", "fin",
		"result", "sent", "forwarded", "set", "get", "group", "field", "value", "option", "feature", "identity",
		"destroy", "history", "reason", "actor", "invite", "decline", "password",
		// attribute names and values
		"to", "from", "type", "id", "lang", "ver", "node", "hash", "ext", "version", "mechanism", "max", "previd",
		"name", "subscription", "ask", "both", "none", "remove", "chat", "groupchat", "normal", "headline",
		"unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "submit", "cancel", "form",
		"en", "de", "fr", "es", "ru", "1.0", "true", "false", "0", "1", "sha-1", "PLAIN",
		"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "EXTERNAL",
	} {
		for i := internSlot(s); ; i++ {
			if i %= frequentSize; t[i] == s {
				break
			} else if t[i] == "" {
				t[i] = s
				break
			}
		}
	}
	return t
}()

// internSlot returns where the search for s begins. The last byte and a middle one distinguish most of these strings.
func internSlot[T string | []byte](s T) uint {
	n := uint(len(s))
	return ((uint(s[n-1])*37+uint(s[n/2]))*37 + uint(s[0]) + n*131) % frequentSize
}

// intern returns b as a string. Frequent strings cost no allocation.
func intern(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	for i := internSlot(b); frequent[i] != ""; i = (i + 1) % frequentSize {
		if frequent[i] == string(b) {
			return frequent[i]
		}
	}
	return string(b)
}
