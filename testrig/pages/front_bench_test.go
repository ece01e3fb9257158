package pages

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"parley/testrig"
)

// BenchmarkFrontReadable measures how long somebody waits for the first conversation on a slow machine (a quarter of
// this one's speed) with a slow line (1.6 Mbit/s, 150 ms): nothing of the chat is kept in the browser yet.
func BenchmarkFrontReadable(b *testing.B) {
	s := newStage(b)
	for i := range 60 {
		s.tells(fmt.Sprintf("Line %d of a scene\nin which all that matters is said", i))
	}
	first := chatter(b, s.Node.Addr("websocket").String(), "en", "light")
	var all, script, messages []float64
	for b.Loop() {
		p := first.somebody()
		p.prepare(`(function look() {
			if ([...document.querySelectorAll(".list .message")].some((m) => m.textContent.includes("Line 59"))) {
				window.__readable = performance.now()
			} else requestAnimationFrame(look)
		})()`)
		p.signIn("romeo")
		slow := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
			{Latency: 150, DownloadThroughput: 1.6e6 / 8, UploadThroughput: 750e3 / 8},
		}}
		if _, err := chromedp.Call(p.ctx, network.EmulateNetworkConditionsByRule, slow); err != nil {
			b.Fatal(err)
		}
		if _, err := chromedp.Call(p.ctx, emulation.SetCPUThrottlingRate,
			emulation.SetCPUThrottlingRateParams{Rate: 4}); err != nil {
			b.Fatal(err)
		}
		p.open("/chat/c/" + s.room)
		p.until(`window.__readable > 0`)
		all = append(all, eval[float64](p, `window.__readable`))
		const came = `performance.getEntriesByType("resource").find((e) => e.name.includes(%s)).responseEnd`
		script = append(script, eval[float64](p, scripted(came, "/front.js")))
		messages = append(messages, eval[float64](p, scripted(came, "/messages?limit")))
	}
	for unit, ms := range map[string][]float64{"ms-to-read": all, "ms-to-script": script, "ms-to-messages": messages} {
		slices.Sort(ms)
		b.ReportMetric(ms[len(ms)/2], unit)
	}
}

// BenchmarkFrontHears measures how long a message of slixmpp takes until another slixmpp has it, and until the browser
// shows it: the median of both, from the same messages.
func BenchmarkFrontHears(b *testing.B) {
	s := newStage(b, "nurse")
	room := s.roomOf(s.makeGroup("Hall", romeo, juliet, "nurse@"+testrig.Host).Room)
	from, to := slixmpp(b, s.Rig, "juliet", room), slixmpp(b, s.Rig, "nurse", room)
	p := chatter(b, s.Node.Addr("websocket").String(), "en", "light")
	p.prepare(`window.__seen = {}; new MutationObserver(() => {
		for (const m of document.querySelectorAll(".list .message")) {
			const text = m.querySelector(".body")?.textContent
			if (text && !(text in __seen)) requestAnimationFrame(() => __seen[text] ??= Date.now())
		}
	}).observe(document, { subtree: true, childList: true })`)
	p.signIn("romeo")
	p.chat(room)
	var page, peer []float64
	for b.Loop() {
		text := fmt.Sprintf("Message %d", len(page))
		began := time.Now()
		if err := from.in.Encode(map[string]string{"to": room, "type": "groupchat", "body": text}); err != nil {
			b.Fatal(err)
		}
		to.gets("groupchat", text)
		peer = append(peer, float64(time.Since(began).Microseconds())/1000)
		p.untilf(`__seen[%s] > 0`, text)
		shown := eval[float64](p, scripted(`__seen[%s]`, text))
		page = append(page, shown-float64(began.UnixMicro())/1000)
	}
	slices.Sort(page)
	slices.Sort(peer)
	b.ReportMetric(page[len(page)/2], "ms-to-browser")
	b.ReportMetric(peer[len(peer)/2], "ms-to-slixmpp")
}
