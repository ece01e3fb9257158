package c2s

import "parley/server"

// XEPs lists what this package implements, for docs/xeps.md.
var XEPs = []server.XEP{
	{Title: "RFC 6120: Core", Notes: "client to server, server to server"},
	{Title: "RFC 7395: XMPP over WebSocket"},
	{Title: "RFC 7590: TLS in XMPP", Notes: "TLS 1.2 and newer, required unless configured otherwise"},
	{Title: "RFC 7622: Address Format"},
	{Title: "RFC 9266: Channel Bindings for TLS 1.3", Notes: "tls-exporter, and tls-server-end-point of RFC 5929"},
	{
		Number:  124,
		Title:   "Bidirectional-streams Over Synchronous HTTP (BOSH)",
		Version: "1.11.2",
		Notes:   "no key sequence, no acknowledgements of requests",
		Partial: true,
	},
	{Number: 206, Title: "XMPP Over BOSH", Version: "1.4"},
	{
		Number:  156,
		Title:   "Discovering Alternative XMPP Connection Methods",
		Version: "1.4.0",
		Notes:   "host-meta in XML and JSON",
	},
	{
		Number:  198,
		Title:   "Stream Management",
		Version: "1.6.3",
		Notes:   "resumption on the same node only; between servers acknowledgements only",
		Partial: true,
	},
	{Number: 352, Title: "Client State Indication", Version: "1.0.0"},
	{
		Number:  368,
		Title:   "SRV records for XMPP over TLS",
		Version: "1.1.0",
		Notes:   "direct TLS, ALPN xmpp-client and xmpp-server",
	},
	{Number: 386, Title: "Bind 2", Version: "1.1.0", Notes: "a client's resource stays the same"},
	{Number: 388, Title: "Extensible SASL Profile", Version: "1.0.4"},
	{Number: 440, Title: "SASL Channel-Binding Type Capability", Version: "1.0.0"},
	{Number: 474, Title: "SASL SCRAM Downgrade Protection", Version: "0.5.0"},
	{Number: 478, Title: "Stream Limits Advertisement", Version: "0.2.0"},
	{Number: 480, Title: "SASL Upgrade Tasks", Version: "0.2.0", Notes: "to SCRAM-SHA-1 and SCRAM-SHA-256"},
	{Number: 484, Title: "Fast Authentication Streamlining Tokens", Version: "0.2.0", Notes: "no TLS early data"},
	{Number: 115, Title: "Entity Capabilities", Version: "1.6.0", Notes: "SHA-1, as clients use it"},
}
