package pages

import (
	"testing"
)

// What another client says is in the browser at once, without loading the page anew: in a room, and of two people.
func TestFrontHears(t *testing.T) {
	for _, kind := range []string{"groupchat", "chat"} {
		t.Run(kind, func(t *testing.T) {
			s := newScene(t, kind)
			s.first.run(`window.__here = true`)
			stanza := func(id, content string) string {
				return `<message type='` + kind + `' to='` + s.to + `' id='` + id + `'>` + content + `</message>`
			}
			// ref is what a message is called that refers to another: in rooms by the room's id.
			ref := func(text, own string) string {
				if kind == "chat" {
					return own
				}
				return eval[string](s.first, scripted(`__row(%s).dataset.id`, text))
			}
			s.client.raw(stanza("j1", `<body>O Romeo</body>`))
			s.first.shows("O Romeo")
			s.first.untilf(`__row("O Romeo").getAttribute("aria-label").startsWith("Juliet Capulet")`)

			s.client.raw(stanza("j2", `<body>O Romeo, Romeo</body><replace xmlns='urn:xmpp:message-correct:0' id='j1'/>`))
			s.first.until(`__rows("O Romeo").length === 1 && __row("O Romeo, Romeo")?.querySelector(".edited") !== null`)

			s.first.write("Shall I speak at this")
			m := s.client.gets("Shall I speak at this", "<body>")
			s.first.until(`__row("Shall I speak")?.matches(":not(.pending)")`)
			mine := ref("Shall I speak", idOf(t, m))
			s.client.raw(stanza("j3", `<reactions xmlns='urn:xmpp:reactions:0' id='`+mine+`'><reaction>🌹</reaction></reactions>`))
			s.first.until(`!!__row("Shall I speak").querySelector(".reaction:not(.own)")?.textContent.includes("🌹")`)

			s.client.raw(stanza("j4", "<body>&gt; Shall I speak at this\nWhat man art thou</body>"+
				`<reply xmlns='urn:xmpp:reply:0' to='`+romeo+`' id='`+mine+`'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='24'/></fallback>`))
			s.first.until(`__row("What man art thou")?.querySelector(".quote")?.textContent.includes("Shall I speak") && !__row("What man art thou").querySelector(".body").textContent.includes(">")`)

			s.client.raw(stanza("j5", `<body>Too rash</body>`))
			s.first.shows("Too rash")
			s.client.raw(stanza("j6", `<retract xmlns='urn:xmpp:message-retract:1' id='`+ref("Too rash", "j5")+`'/><body>/me retracted a message</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>`))
			s.first.until(`__rows("Too rash").length === 0 && __rows("Juliet Capulet took this message back").length === 1`)

			s.client.raw(stanza("j7", `<body>`+base+`/files/rose.pdf</body><x xmlns='jabber:x:oob'><url>`+base+`/files/rose.pdf</url></x>`))
			s.first.until(`__row("rose.pdf")?.querySelector("a.file-card")?.href === "` + base + `/files/rose.pdf"`)

			s.client.raw(stanza("j8", `<composing xmlns='http://jabber.org/protocol/chatstates'/>`))
			s.first.until(`document.querySelector(".typing").textContent.includes("Juliet Capulet is writing")`)
			s.client.raw(stanza("j9", `<body>Good night</body><active xmlns='http://jabber.org/protocol/chatstates'/>`))
			s.first.until(`!!__row("Good night") && document.querySelector(".typing").textContent === ""`)

			// Her other client has read it, so her browser's count goes.
			s.hers.open("/chat")
			s.first.write("A thousand times")
			s.hers.until(`document.querySelector(".tree .count") !== null`)
			said := s.client.gets("A thousand times", "<body>")
			id, by := ref("A thousand times", stanzaID(t, said)), s.room
			if kind == "chat" {
				id, by = stanzaID(t, said), juliet
				s.client.raw(stanza("j10", `<displayed xmlns='urn:xmpp:chat-markers:0' id='`+idOf(t, said)+`'/>`))
			}
			s.client.raw(`<iq type='set' id='mds'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:mds:displayed:0'><item id='` +
				s.mirror + `'><displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' id='` + id + `' by='` + by + `'/></displayed></item></publish></pubsub></iq>`)
			s.hers.until(`document.querySelector(".tree .count") === null`)
			if !eval[bool](s.first, `window.__here`) {
				t.Error("the page was loaded anew")
			}
			for _, b := range []*browser{s.first, s.second, s.hers} {
				b.clean()
			}
		})
	}
}

// The answer to what one sends may come after what others say of it: that stays.
func TestAnswersThatComeLate(t *testing.T) {
	for _, kind := range []string{"groupchat", "chat"} {
		t.Run(kind, func(t *testing.T) {
			s := newScene(t, kind)
			s.first.run(`
				const fetched = window.fetch
				const held = new Promise((resolve) => { window.__release = resolve })
				window.fetch = async (...asked) => {
					const answer = await fetched(...asked)
					if (asked[1]?.method === "POST" && String(asked[0]).endsWith("/messages")) await held
					return answer
				}
				true`)
			s.first.write("Shall I speak at this")
			m := s.client.gets("Shall I speak at this", "<body>")
			s.first.until(`__row("Shall I speak")?.matches(":not(.pending)")`)
			named := idOf(t, m)
			if kind == "groupchat" {
				named = stanzaID(t, m)
			}
			s.client.raw(`<message type='` + kind + `' to='` + s.to + `' id='late'>` +
				`<reactions xmlns='urn:xmpp:reactions:0' id='` + named + `'>` +
				`<reaction>🌹</reaction></reactions></message>`)
			const reaction = `!!__row("Shall I speak").querySelector(".reaction:not(.own)")?.` +
				`textContent.includes("🌹")`
			s.first.until(reaction)
			s.first.run(`window.__release(); true`)
			// What is sent next waits for the answer.
			s.first.write("Too rash")
			s.client.gets("Too rash", "<body>")
			s.first.until(`__row("Too rash")?.matches(":not(.pending)")`)
			if !eval[bool](s.first, reaction) {
				t.Error("the answer to what was sent took a reaction away")
			}
			s.first.clean()
		})
	}
}
