package pages

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

// attacks are what somebody may write who wants the page to run something, or to look like something else.
var attacks = []string{
	`<script>__owned(1)</script>`,
	`<img src=x onerror=__owned(2)>`,
	`<svg onload=__owned(3)>`,
	`"><img src=x onerror=__owned(4)>`,
	`' autofocus onfocus='__owned(5)`,
	`</script><script>__owned(6)</script>`,
	`</textarea><script>__owned(7)</script>`,
	`<!--<img src="--><img src=x onerror=__owned(8)//">`,
	`javascript:__owned(9)`,
	`[click](javascript:__owned(10))`,
	`https://example.org/"onmouseover="__owned(11)`,
	`https://example.org/'><img src=x onerror=__owned(12)>`,
	`xmpp:romeo@example.org?message;body=<script>__owned(13)</script>`,
	`xmpp:javascript:__owned(14)@example.org`,
	`data:text/html,<script>__owned(15)</script>`,
	`vbscript:__owned(16)`,
	`java&#x0a;script:__owned(17)`,
	`&lt;script&gt;__owned(18)&lt;/script&gt;`,
	`{{constructor.constructor("__owned(19)")()}}`,
	"${__owned(20)}",
	"`<img src=x onerror=__owned(21)>`",
	"```html\n<script>__owned(22)</script>\n```",
	"> <iframe srcdoc='<script>parent.__owned(23)</script>'>",
	`*<b onclick=__owned(24)>*_~<i>~_`,
	`<a href="javascript:__owned(25)">here</a>`,
	`<style>*{display:none}</style>`,
	`<base href="https://elsewhere.example/">`,
	`<meta http-equiv=refresh content="0;url=https://elsewhere.example/">`,
	`<form action=https://elsewhere.example><input name=password></form>`,
	`<math><mi xlink:href="javascript:__owned(26)">x</mi></math>`,
	`<object data="javascript:__owned(27)">`,
	`<link rel=stylesheet href=https://elsewhere.example/x.css>`,
	`@<img src=x onerror=__owned(28)>`,
	`/me <img src=x onerror=__owned(29)>`,
	"\u202e<img src=x onerror=__owned(30)>\u202c",
	"\u2028<script>__owned(31)</script>\u2029",
	`{"__proto__":{"dangerouslySetInnerHTML":{"__html":"<img src=x onerror=__owned(32)>"}}}`,
	strings.Repeat("*_~`", 2000) + `<img src=x onerror=__owned(33)>`,
	strings.Repeat("> ", 500) + `<script>__owned(34)</script>`,
	"https://example.org/" + strings.Repeat("(", 4000) + `<script>__owned(35)</script>`,
	"A" + strings.Repeat("\u0301", 300) + `<img src=x onerror=__owned(36)>`,
}

// Whatever somebody writes, calls themselves or a file, it is text on the page, in a room and one to one, live and
// loaded anew, as a quote, in the tree and in search.
func TestFrontHostile(t *testing.T) {
	s := newStage(t)
	b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	b.prepare(`window.__owns = []; window.__owned = n => __owns.push(n)`)
	b.signIn("romeo")
	b.chat(s.room)
	client := slixmpp(t, s.Rig, "juliet", s.room)
	escaped := func(text string) string {
		var out strings.Builder
		if err := xml.EscapeText(&out, []byte(text)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for i, attack := range attacks {
		x := escaped(attack)
		if i%8 == 0 { // another name
			client.raw(fmt.Sprintf(`<presence to='%s/%s'/>`, s.room, escaped(strings.Map(printable, attack[:min(len(attack), 200)]))))
		}
		for _, to := range [][2]string{{"groupchat", s.room}, {"chat", romeo}} {
			client.raw(fmt.Sprintf(`<message type='%s' to='%s' id='a%d'><body>%s</body></message>`, to[0], to[1], i, x))
			client.raw(fmt.Sprintf(`<message type='%s' to='%s' id='f%d'><body>https://example.org/%d.png</body><x xmlns='jabber:x:oob'><url>https://example.org/%[3]d.png</url></x>`+
				`<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>%[5]s</name><media-type>image/png%[5]s</media-type><size>12</size></file>`+
				`<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://example.org/%[3]d.png'/></sources></file-sharing></message>`,
				to[0], to[1], i, i, x))
			client.raw(fmt.Sprintf(`<message type='%s' to='%s' id='o%d'><body>%s</body><x xmlns='jabber:x:oob'><url>%[4]s</url></x></message>`, to[0], to[1], i, x))
		}
	}
	client.raw(fmt.Sprintf(`<message type='groupchat' to='%s' id='subject'><subject>%s</subject></message>`, s.room, escaped(attacks[1])))
	last := fmt.Sprintf(`<message type='%%s' to='%%s' id='last'><body>the end %s</body></message>`, escaped(attacks[1]))
	client.raw(fmt.Sprintf(last, "groupchat", s.room))
	client.raw(fmt.Sprintf(last, "chat", romeo))
	intact := func(what string) {
		t.Helper()
		b.shows("the end <img")
		var report struct {
			Owned                     []int
			Scripts, Frames, Handlers int
			Links                     []string
		}
		text := eval[string](b, `JSON.stringify({
			owned: __owns, scripts: document.querySelectorAll(".list script, .tree script, .list style, .list link, .list base, .list form, .list object").length,
			frames: document.querySelectorAll("iframe, object, embed").length,
			handlers: [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => /^on/i.test(a.name))).length,
			links: [...document.querySelectorAll("a[href], img[src], audio[src], video[src]")].map(e => e.href ?? e.src).filter(u => !/^(https?:|blob:)/.test(u))})`)
		if err := json.Unmarshal([]byte(text), &report); err != nil {
			t.Fatal(err)
		}
		if len(report.Owned)+report.Scripts+report.Frames+report.Handlers+len(report.Links) > 0 {
			t.Errorf("%s: %s", what, text)
		}
		for _, f := range eval[[]string](b, `__faults`) {
			t.Errorf("%s: %s", what, f)
		}
	}
	intact("live")
	b.run(`__row("the end <img").focus(), true`)
	b.key("r")
	b.until(`document.querySelector(".composer-bar")?.textContent.includes("the end <img")`)
	b.write("an answer " + attacks[1])
	b.until(`__row("an answer")?.querySelector(".quote")?.textContent.includes("the end <img")`)
	intact("a reply")
	b.chat(s.room)
	intact("loaded anew")
	// Upwards, through all of them.
	b.until(`(() => { const l = document.querySelector(".list"); if (l.querySelector(".beginning")) return true; l.scrollTop = 0; l.dispatchEvent(new Event("scroll")); return false })()`)
	if n := eval[int](b, `document.querySelectorAll(".list .message").length`); n < 100 {
		t.Errorf("only %d messages", n)
	}
	b.run(`document.querySelector(".conversation-head [aria-pressed]").click(), true`)
	b.until(`document.querySelector(".about .member-list li") !== null`)
	for _, f := range eval[[]string](b, `__faults.concat(__owns)`) {
		t.Errorf("all of them: %s", f)
	}
	b.open("/chat/c/" + juliet)
	intact("one to one")
	b.open("/chat/missed")
	b.open("/chat/search?q=script")
	b.until(`document.querySelector(".hits .snippet, .chat-content .empty") !== null`)
	if n := eval[int](b, `__owns.length + document.querySelectorAll(".hits script, .hits img:not(.avatar img)").length`); n > 0 {
		t.Error("search runs what it has found")
	}
	b.clean()
}

// printable leaves out what no nickname may have.
func printable(r rune) rune {
	if r < ' ' || r == 0x2028 || r == 0x2029 || r == 0x202e || r == 0x202c {
		return -1
	}
	return r
}
