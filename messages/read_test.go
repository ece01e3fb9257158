package messages_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/messages"
)

const (
	sfs      = "urn:xmpp:sfs:0"
	replying = "urn:xmpp:reply:0"
)

func oob(url string) string { return "<x xmlns='jabber:x:oob'><url>" + url + "</url></x>" }

func sharing(meta, sources string) string {
	return "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'>" + meta +
		"</file><sources>" + sources + "</sources></file-sharing>"
}

func source(url string) string {
	return "<url-data xmlns='http://jabber.org/protocol/url-data' target='" + url + "'/>"
}

func mention(begin, end, uri string) string {
	return "<reference xmlns='urn:xmpp:reference:0' type='mention' begin='" + begin + "' end='" + end + "' uri='" + uri +
		"'/>"
}

func explicit(whom string, end int) string {
	return fmt.Sprintf("<mention xmlns='urn:xmpp:mentions:0' %s begin='0' end='%d'/>", whom, end)
}

// One stanza by itself: want is "" for one that shows nothing.
func TestOf(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"text":               {body("hello"), "Ann: hello"},
		"me":                 {body("/me waves"), "Ann: waves kind=me"},
		"not me":             {body("/mean"), "Ann: /mean"},
		"only space":         {body(" \n "), ""},
		"chat state":         {"<active xmlns='http://jabber.org/protocol/chatstates'/>", ""},
		"marker":             {"<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>", ""},
		"markable":           {body("x") + "<markable xmlns='urn:xmpp:chat-markers:0'/>", "Ann: x"},
		"receipt":            {"<received xmlns='urn:xmpp:receipts' id='x'/>", ""},
		"reaction":           {react("x", "👍") + body("👍"), ""},
		"retraction":         {"<retract xmlns='urn:xmpp:message-retract:1' id='x'/>" + body("took it back"), ""},
		"older retraction":   {"<apply-to xmlns='urn:xmpp:fasten:0' id='x'/>" + body("took it back"), ""},
		"subject":            {"<subject>News</subject>", "Ann: News kind=subject"},
		"no subject":         {"<subject/>", ""},
		"subject and text":   {"<subject>News</subject>" + body("x"), "Ann: x"},
		"correction":         {body("new") + replace("old"), "Ann: new corrects=old"},
		"correction of long": {body("new") + replace(strings.Repeat("x", 300)), "Ann: new"},
		"omemo": {"<encrypted xmlns='eu.siacs.conversations.axolotl'><header/><payload>x</payload></encrypted>" +
			body("I sent you an OMEMO encrypted message"), "Ann: This message is encrypted kind=encrypted"},
		"omemo 2": {"<encrypted xmlns='urn:xmpp:omemo:2'><header/><payload>x</payload></encrypted>",
			"Ann: This message is encrypted kind=encrypted"},
		"keys":    {"<encrypted xmlns='eu.siacs.conversations.axolotl'><header/></encrypted>", ""},
		"openpgp": {"<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>", "Ann: This message is encrypted kind=encrypted"},
		"aesgcm":  {body("aesgcm://x.example/a.jpg#00"), "Ann: This message is encrypted kind=encrypted"},
		"meeting": {body("Meeting: https://meet.example/x") + "<invite xmlns='urn:xmpp:call-invites:0'>" +
			"<jingle sid='1'/><external uri='sip:x@y'/><external uri='https://meet.example/x'/></invite>" +
			oob("https://meet.example/x"),
			"Ann: Meeting: https://meet.example/x kind=meeting link=https://meet.example/x"},
		"meeting by a script": {body("x") +
			"<invite xmlns='urn:xmpp:call-invites:0'><external uri='javascript:x'/></invite>",
			"Ann: x kind=meeting"},
		"task": {body("Task: x") + "<task xmlns='https://parley.im/task' id='0000000000001' done='true'/>",
			"Ann: Task: x task=0000000000001/true"},
		"no task": {body("Task: x") + "<task xmlns='https://parley.im/task' id='../1'/>", "Ann: Task: x"},
		"new theme": {body("New theme: Q4: https://x.example/sub/g/verona/t/abc xmpp:v.abc@rooms.a.example?join") +
			oob("xmpp:v.abc@rooms.a.example?join"), "Ann: New theme: Q4 opens=v.abc@rooms.a.example/g/verona/t/abc"},
		"new theme without a page": {body("New theme: Q4: xmpp:v.abc@rooms.a.example?join") +
			oob("xmpp:v.abc@rooms.a.example?join"), "Ann: New theme: Q4 opens=v.abc@rooms.a.example"},
		"new theme elsewhere": {body("Look: https://x.example/else xmpp:v.abc@rooms.a.example?join") +
			oob("xmpp:v.abc@rooms.a.example?join"), "Ann: Look: https://x.example/else opens=v.abc@rooms.a.example"},
		"room of a text": {body("come to xmpp:v@rooms.a.example?join"), "Ann: come to xmpp:v@rooms.a.example?join"},
		"another room": {body("come to xmpp:v@rooms.a.example?join") + oob("xmpp:w@rooms.a.example?join"),
			"Ann: come to xmpp:v@rooms.a.example?join"},
		"no room": {body("come to xmpp:rooms.a.example?join") + oob("xmpp:rooms.a.example?join"),
			"Ann: come to xmpp:rooms.a.example?join"},
		"tombstone": {"<retracted xmlns='urn:xmpp:message-retract:1' stamp='2026-01-01T00:00:00Z' id='x'/>",
			"Ann:  removed own=true by= reason="},
		"moderated": {"<retracted xmlns='urn:xmpp:message-retract:1' id='x'><moderated xmlns='urn:xmpp:message-moderate:1' " +
			"by='r@rooms.a.example/Boss'/><reason>spam</reason></retracted>", "Ann:  removed own=false by=Boss reason=spam"},
	} {
		t.Run(name, func(t *testing.T) { wantOf(t, c.payload, c.want) })
	}
}

func wantOf(t *testing.T, payload, want string) {
	t.Helper()
	m, ok := messages.Of(
		stanza(t, "<message xmlns='jabber:client' type='groupchat' from='r@rooms.a.example/Ann' id='1'>"+
			payload+"</message>"),
	)
	got := ""
	if ok {
		got = line(m)
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What a body repeats of a message that it replies to is cut (XEP-0461, XEP-0428), whatever a client counts.
func TestReplyFallback(t *testing.T) {
	to := reply("x", "r@rooms.a.example/Bob")
	said := func(text, quote string) string {
		return `Ann: ` + text + ` reply by=Bob text="` + quote + `" gone=false`
	}
	for name, c := range map[string]struct{ payload, want string }{
		"none":           {body("yes") + to, said("yes", "")},
		"quote":          {body("&gt; Lunch?\nyes") + to + cut(replying, 0, 9), said("yes", "Lunch?")},
		"code points":    {body("&gt; 🍕é?\nyes") + to + cut(replying, 0, 6), said("yes", "🍕é?")},
		"no line break":  {body("&gt; Lunch?\n\nyes\n") + to + cut(replying, 0, 8), said("yes", "Lunch?")},
		"in the middle":  {body("a &gt; b c") + to + cut(replying, 2, 6), said("a c", "b")},
		"behind the end": {body("&gt; Lunch?\nyes") + to + cut(replying, 9, 99999), said("&gt; Lunch?", "yes")},
		"all of it":      {body("&gt; Lunch?") + to + cut(replying, 0, 99999), said("&gt; Lunch?", "Lunch?")},
		"backwards":      {body("yes") + to + cut(replying, 2, 1), said("yes", "")},
		"negative":       {body("yes") + to + cut(replying, -5, -1), said("yes", "")},
		"two":            {body("abcd") + to + cut(replying, 0, 1) + cut(replying, 2, 3), said("bd", "ac")},
		"no numbers": {body("yes") + to + "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'/>",
			said("yes", "")},
		"for something else": {body("abc") + to + cut("urn:else", 0, 1), said("abc", "")},
		"no reply":           {body("abc") + cut(replying, 0, 1), "Ann: abc"},
		"me": {body("&gt; Lunch?\n/me nods") + to + cut(replying, 0, 9),
			`Ann: nods kind=me reply by=Bob text="Lunch?" gone=false`},
		"long quote": {body(strings.Repeat("x", 300)+"\nyes") + to + cut(replying, 0, 301),
			said("yes", strings.Repeat("x", 199)+"…")},
	} {
		c.want = strings.ReplaceAll(c.want, "&gt;", ">")
		t.Run(name, func(t *testing.T) { wantOf(t, c.payload, c.want) })
	}
}

func TestFiles(t *testing.T) {
	const u = "https://x.example/up/a%20b.JPG"
	file := " file=" + u + "|a b.JPG|image/jpeg|0|0x0"
	for name, c := range map[string]struct{ payload, want string }{
		"out of band":      {body(u) + oob(u), "Ann: " + file},
		"space around":     {body("\n"+u+" ") + oob(u), "Ann: " + file},
		"a link in a text": {body("see "+u) + oob(u), "Ann: see " + u},
		"a line of a text": {body("see\n"+u+"\nhere") + oob(u), "Ann: see\nhere" + file},
		"without a body":   {oob(u), "Ann: " + file},
		"another body":     {body("https://y.example/") + oob(u), "Ann: https://y.example/"},
		"a script":         {body("javascript:x") + oob("javascript:x"), "Ann: javascript:x"},
		"with a password": {body("https://a:b@x.example/") + oob("https://a:b@x.example/"),
			"Ann: https://a:b@x.example/"},
		"no host":             {body("https:///x") + oob("https:///x"), "Ann: https:///x"},
		"shared":              {body(u) + sharing("", source(u)), "Ann: " + file},
		"shared and band":     {body(u) + oob(u) + sharing("", source(u)), "Ann: " + file},
		"shared with a text":  {body("see: "+u) + sharing("", source(u)) + cut(sfs, 3, 99), "Ann: see" + file},
		"shared by a torrent": {body("x") + sharing("", source("magnet:x")), "Ann: x"},
		"described": {body("x") + sharing("<name>../etc/pass\u202ewd</name><media-type>Image/PNG; x=y</media-type>"+
			"<size>5000000000</size><width>30</width><height>40</height>", source(u)),
			"Ann: x file=" + u + "|passwd|image/png|5000000000|30x40"},
		"dimensions": {body("x") + sharing("<name>a</name><media-type>bad</media-type><size>-1</size>"+
			"<dimensions>30x40</dimensions>", source(u)), "Ann: x file=" + u + "|a||0|30x40"},
		"huge": {body("x") + sharing("<name>a</name><width>99999999999</width><height>1</height>", source(u)),
			"Ann: x file=" + u + "|a||0|0x0"},
		"two": {body(u+"\nhttps://x.example/2") + oob(u) + oob("https://x.example/2"),
			"Ann: " + file + " file=https://x.example/2|2||0|0x0"},
	} {
		t.Run(name, func(t *testing.T) { wantOf(t, c.payload, c.want) })
	}
	m, _ := messages.Of(stanza(t, "<message xmlns='jabber:client'>"+many(40)+"</message>"))
	if len(m.Files) != 20 {
		t.Errorf("%d files", len(m.Files))
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(sharing("", source("https://x.example/"+strings.Repeat("x", i+1))))
	}
	return b.String()
}

func TestMentions(t *testing.T) {
	for name, c := range map[string]struct{ payload, want string }{
		"person": {body("hi Bob!") + mention("3", "6", "xmpp:bob@a.example/phone"),
			"Ann: hi Bob! mention=Bob:bob@a.examplefalse"},
		"occupant": {body("hi Bob!") + mention("3", "6", "xmpp:r@rooms.a.example/B%C3%A9"),
			"Ann: hi Bob! mention=Bob:r@rooms.a.example/Béfalse"},
		"pizza": {body("🍕 Bob") + mention("2", "5", "xmpp:bob@a.example"),
			"Ann: 🍕 Bob mention=Bob:bob@a.examplefalse"},
		"too far":  {body("Bob") + mention("1", "99", "xmpp:bob@a.example"), "Ann: Bob mention=ob:bob@a.examplefalse"},
		"nowhere":  {body("Bob") + mention("", "", "xmpp:bob@a.example"), "Ann: Bob"},
		"backward": {body("Bob") + mention("2", "1", "xmpp:bob@a.example"), "Ann: Bob"},
		"a page":   {body("Bob") + mention("0", "1", "https://x.example"), "Ann: Bob"},
		"a server": {body("Bob") + mention("0", "1", "xmpp:a.example"), "Ann: Bob"},
		"everyone": {body("@all") + explicit("mentions='urn:xmpp:mentions:0#channel'", 4),
			"Ann: @all mention=@all:true"},
		"by occupant-id": {body("Bob") + explicit("occupantid='occ'", 3),
			"Ann: Bob mention=Bob:occfalse"},
		"a role": {body("Bob") + explicit("mentions='urn:xmpp:mentions:0#owner'", 3), "Ann: Bob"},
		"behind a quote": {body("&gt; x\nhi Bob") + reply("x", "r@rooms.a.example/B") + cut(replying, 0, 4) +
			mention("7", "10", "xmpp:bob@a.example") + mention("2", "3", "xmpp:no@a.example"),
			`Ann: hi Bob reply by=B text="x" gone=false mention=Bob:bob@a.examplefalse`},
		"me": {body("/me hits Bob") + mention("9", "12", "xmpp:bob@a.example"),
			"Ann: hits Bob kind=me mention=Bob:bob@a.examplefalse"},
	} {
		t.Run(name, func(t *testing.T) { wantOf(t, c.payload, c.want) })
	}
}

func TestIsEmoji(t *testing.T) {
	for _, s := range []string{"👍", "👍🏽", "❤", "❤️", "👩🏽‍❤️‍💋‍👨🏾", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇫🇷",
		"1️⃣", "#⃣", "‼️", "ℹ️", "➕", "©️"} {
		if !messages.IsEmoji(s) {
			t.Errorf("%q is none", s)
		}
	}
	for _, s := range []string{"", "a", "+1", ":)", "1", "é", "\u202e👍", "👍 👍", "👍a", "\u200d", "\ufe0f", "<",
		strings.Repeat("👍", 20), "漢"} {
		if messages.IsEmoji(s) {
			t.Errorf("%q is one", s)
		}
	}
}
