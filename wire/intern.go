package wire

// interned are strings that come again and again; the map is only read.
var interned = func() map[string]string {
	m := make(map[string]string)
	for _, s := range []string{
		"", NSClient, NSServer, NSStream, NSFraming, NSSASL, NSTLS, NSBind, NSSession, NSSM, NSDelay, NSSID, NSForward, NSCarbons,
		NSHints, NSMAM, NSRSM, NSForm, NSDiscoInfo, NSDiscoItems, NSCaps, NSRoster, NSMUC, NSMUCUser, NSMUCAdmin, NSMUCOwner,
		NSPubSub, NSPubSubEv, NSCommands, NSOOB, NSXML, NSStanzas,
		"urn:xmpp:ping", "urn:xmpp:receipts", "urn:xmpp:chat-markers:0", "urn:xmpp:reply:0", "urn:xmpp:reactions:0",
		"urn:xmpp:message-correct:0", "http://jabber.org/protocol/chatstates", "eu.siacs.conversations.axolotl",
		"vcard-temp:x:update", "jabber:x:conference", "urn:xmpp:occupant-id:0",
		"message", "presence", "iq", "body", "subject", "thread", "show", "status", "priority", "error", "text", "x", "c", "r", "a",
		"query", "ping", "active", "composing", "paused", "inactive", "gone", "request", "received", "origin-id", "stanza-id",
		"markable", "displayed", "store", "no-store", "item", "items", "delay", "nick", "pubsub", "bind", "enable", "stream",
		"chat", "groupchat", "normal", "headline", "get", "set", "result", "unavailable", "subscribe", "subscribed", "unsubscribe",
		"unsubscribed", "probe", "h", "hash", "node", "ver", "id", "xmlns", "en", "sha-1", "true", "false", "1", "0",
	} {
		m[s] = s
	}
	return m
}()
