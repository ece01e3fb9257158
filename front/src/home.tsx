// What stands in the middle while no conversation is open.

import { boot } from "./boot"
import { HomeLists } from "./homelists"
import { T } from "./i18n"
import { asking } from "./panes"
import { href } from "./route"
import { conversations, loaded, me } from "./store"
import { Icon } from "./ui"

/** Home says what one can do next. */
export function Home() {
  if (!loaded.value) return null
  const all = [...conversations.value.values()]
  const news = all.filter((c) => c.mentions || c.unread && c.notify !== "none").length
  if (!all.length) return <Nothing />
  return (
    <div class="empty">
      <Icon name={news ? "inbox" : "circle-check"} />
      <h2>{news ? T("There is news in {{.Count}} conversations", { Count: news }) : T("You have seen everything")}</h2>
      <p>{T("Choose a conversation at the side, or go to one with Ctrl+K.")}</p>
      <p class="actions center">
        {news > 0 && <a class="button primary" href={href({ view: "missed" })}>{T("Missed activity")}</a>}
        <NewButtons />
      </p>
      <HomeLists />
    </div>
  )
}

function Nothing() {
  return (
    <div class="empty">
      <Icon name="messages-square" />
      <h2>{T("Welcome, {{.Name}}", { Name: me.value.name })}</h2>
      <p>{boot.creates === false
        ? T("You are in no conversation yet. Write to a colleague, or look for a group.")
        : T("You are in no conversation yet. Write to a colleague, look for a group, or create one.")}</p>
      <p class="actions center">
        <NewButtons />
        <a class="button" href="/groups">{T("All groups of the organization")}</a>
      </p>
    </div>
  )
}

function NewButtons() {
  return (
    <>
      <button onClick={() => { asking.value = { what: "new conversation" } }}>
        <Icon name="message-circle" />{T("New conversation")}
      </button>
      {boot.creates !== false && (
        <button onClick={() => { asking.value = { what: "new group" } }}><Icon name="users" />{T("New group")}</button>
      )}
    </>
  )
}
