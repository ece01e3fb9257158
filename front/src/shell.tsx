// The frame of the chat: conversations at the side, one in the middle, its details beside it. On a narrow window one of
// the three is in view.

import { useEffect, useRef } from "preact/hooks"
import { About } from "./about"
import { BadgeKeeper } from "./badge"
import { boot } from "./boot"
import { ConversationView } from "./conversation"
import { Dialogs } from "./dialogs"
import { FindView } from "./find"
import { Home } from "./home"
import { T } from "./i18n"
import { Keys } from "./keys"
import { LaterLink, LaterView } from "./laterviews"
import { OpenedMenu } from "./menu"
import { Mine } from "./mine"
import { MissedView } from "./missed"
import { about, asking, narrow } from "./panes"
import { go, href, place } from "./route"
import { conversations, loaded, problem, restored } from "./store"
import { SavedView } from "./savedview"
import { LineState } from "./linestate"
import { Toasts } from "./toast"
import { Counts, Tree } from "./tree"
import { newItems } from "./treemenu"
import { TasksView } from "./tasklists"
import { loadConversations } from "./apply"
import { Guarded } from "./failing"
import { Failure } from "./fields"
import { Icon, Menu } from "./ui"
import { Unknown } from "./unknown"

/** Shell draws the whole page. */
export function Shell() {
  const p = place.value
  const details = about.value && p.view === "conversation"
  const screen = details ? "about" : p.view === "home" ? "tree" : "main"
  return (
    <div class={details ? "chat with-about" : "chat"} data-screen={screen}>
      <a class="skip" href="#main">{T("Skip to the content")}</a>
      {/* On a phone the tree is the page. */}
      <div class="side-frame" {...(narrow.value && screen === "tree" ? { role: "main", id: "main" } : {})}>
        {narrow.value && screen === "tree" && <h1 class="visually-hidden">{boot.name}</h1>}
        <Side />
      </div>
      <Main />
      {details && <Guarded key={p.conversation}><About id={p.conversation} /></Guarded>}
      <Dialogs />
      <OpenedMenu />
      <Toasts />
      <Keys />
      <BadgeKeeper />
    </div>
  )
}

function Side() {
  return (
    <nav class="chat-side" aria-label={T("Conversations")}>
      <header>
        <a class="org" href="/" title={T("Home")}>
          <span class="mark"><Icon name="messages-square" /></span>
          <span class="grow" dir="auto">{boot.name}</span>
        </a>
        <Menu label={T("New")} icon="plus" items={newItems} />
      </header>
      <div class="ways">
        <button class="goto" onClick={() => { asking.value = { what: "jump" } }}>
          <Icon name="search" />
          <span class="grow">{T("Go to or search")}</span>
          <kbd>Ctrl K</kbd>
        </button>
        <MissedLink />
        <a class="row way" href={href({ view: "tasks" })}
          aria-current={place.value.view === "tasks" ? "page" : undefined}>
          <Icon name="circle-check" />
          <span class="grow">{T("Tasks")}</span>
        </a>
        <a class="row way" href={href({ view: "saved" })}
          aria-current={place.value.view === "saved" ? "page" : undefined}>
          <Icon name="bookmark" />
          <span class="grow">{T("Saved messages")}</span>
        </a>
        <LaterLink current={place.value.view === "scheduled"} />
      </div>
      <div class="tree-box">
        {loaded.value || restored.value ? <Guarded><Tree /></Guarded> : problem.value ? <NotLoaded text={problem.value} />
          : <p class="muted waiting" role="status">{T("Loading …")}</p>}
        {/* On a phone the middle, which says so elsewhere, is not in view. */}
        {narrow.value && loaded.value && !conversations.value.size && <Home />}
      </div>
      <LineState />
      <Mine />
    </nav>
  )
}

function MissedLink() {
  let unread = 0
  let mentions = 0
  for (const c of conversations.value.values()) {
    mentions += c.mentions
    if (c.notify !== "none") unread += c.unread
  }
  return (
    <a class="row way" href={href({ view: "missed" })}
      aria-current={place.value.view === "missed" ? "page" : undefined}>
      <Icon name="inbox" />
      <span class="grow">{T("Missed activity")}</span>
      <Counts unread={unread} mentions={mentions} />
    </a>
  )
}

function NotLoaded({ text }: { text: string }) {
  return (
    <div class="inset">
      <Failure text={text} />
      <button onClick={() => void loadConversations()}><Icon name="refresh-cw" />{T("Try again")}</button>
    </div>
  )
}

function Main() {
  const p = place.value
  const hidden = narrow.value && (p.view === "home" || p.view === "conversation" && about.value)
  const main = useRef<HTMLElement>(null)
  const what = p.view === "conversation" ? p.conversation : p.view
  useEffect(() => {
    // After a step on a phone the old screen is gone, and the focus with it.
    if (document.activeElement === document.body && p.view !== "home") main.current?.focus()
  }, [what])
  return (
    <main ref={main} class="chat-main" tabIndex={-1} {...(hidden ? {} : { id: "main" })}>
      {p.view !== "home" && (
        <button class="back quiet icon-button" aria-label={T("Back to the conversations")}
          onClick={() => go({ view: "home" })}>
          <Icon name="chevron-left" />
        </button>
      )}
      {(p.view === "conversation" || p.view === "home") && <h1 class="visually-hidden">{boot.name}</h1>}
      <div class="line-box"><LineState /></div>
      <div class="chat-content"><Guarded key={what}><Content /></Guarded></div>
    </main>
  )
}

function Content() {
  const p = place.value
  switch (p.view) {
    case "home": return <Home />
    case "missed": return <MissedView />
    case "saved": return <SavedView />
    case "tasks": return <TasksView {...(p.task === undefined ? {} : { task: p.task })} />
    case "scheduled": return <LaterView />
    case "search": return <FindView key="search" words={p.query} />
    case "conversation": {
      const known = conversations.value.has(p.conversation)
      if (!known && loaded.value) return <Unknown key={p.conversation} id={p.conversation} />
      return (
        <ConversationView key={p.conversation} id={p.conversation}
          {...(p.message === undefined ? {} : { around: p.message })} />
      )
    }
  }
}
