// Commands: lines that begin with a slash. The server's own commands begin with an exclamation mark (muc/groups), and
// work in any client; here they have a menu.

import { Problem } from "./api"
import { T } from "./i18n"
import { createTheme } from "./newtheme"
import { remindCommand } from "./reminders"
import { snippetNamed } from "./saved"
import { send } from "./state"
import { statusCommand } from "./statuscommand"
import { newTask } from "./taskdialog"
import type { Conversation, Message } from "./types"

/** Command is what one can write after a slash. args shows what follows; it is empty if nothing does. */
export interface Command {
  word: string
  args: string
  about: string
  icon: string
  /** run does it. It throws a Problem, and what was written stays. A command without it is sent as it is written. */
  run?: (c: Conversation, rest: string, reply: Message | undefined) => Promise<void> | void
}

/** commandsFor lists the commands that make sense in a conversation. */
export function commandsFor(c: Conversation): Command[] {
  const list: Command[] = []
  if (c.group !== undefined) list.push(...groupCommands(c))
  if (c.kind === "theme" && !c.archived) list.push(...themeCommands(c))
  if (c.write) {
    list.push({ word: "task", args: T("TEXT"), icon: "circle-check", run: (_, rest) => newTask(c.id, { text: rest }),
      about: T("Make a task: what is to be done, by whom, until when") })
  }
  list.push({ word: "snippet", args: T("NAME"), icon: "text-quote", run: snippet,
    about: T("Write a saved reply of your teams") })
  list.push({ word: "remind", args: T("WHEN WHAT"), icon: "bell", run: (_, rest) => remindCommand(rest),
    about: T("Be reminded of something: /remind tomorrow 9:00 to call Bob") })
  list.push({ word: "me", args: T("DOES SOMETHING"), icon: "user",
    about: T("Say what you do: /me waves") })
  list.push({ word: "status", args: T("TEXT"), icon: "circle-dot", run: (_, rest) => statusCommand(rest),
    about: T("Set your status: /status in a meeting until 15:00, dnd 1h, clear") })
  return list
}

function groupCommands(c: Conversation): Command[] {
  const list: Command[] = []
  if (c.startsThemes) {
    list.push({ word: "theme", args: T("NAME"), icon: "message-square-plus", run: startTheme,
      about: T("Start a theme: a conversation about one thing") })
  }
  list.push({ word: "meet", args: T("[TOPIC]"), icon: "video", run: said("meet"),
    about: T("Start a meeting for everyone in here") })
  list.push({ word: "members", args: "", icon: "users", run: said("members"), about: T("The people in here") })
  if (c.kind === "group") {
    list.push({ word: "themes", args: "", icon: "list-tree", run: said("themes"),
      about: T("The themes of this group") })
  }
  if (c.manage) {
    list.push({ word: "invite", args: T("ADDRESS"), icon: "user-plus", run: said("invite"),
      about: T("Add somebody here") })
  }
  return list
}

function themeCommands(c: Conversation): Command[] {
  const list: Command[] = [
    { word: "follow", args: "", icon: "bell", run: said("follow"), about: T("Follow this theme in all your clients") },
    { word: "mute", args: "", icon: "bell-off", run: said("mute"),
      about: T("Mute this theme: your clients no longer enter it") },
  ]
  if (c.closed) {
    list.push({ word: "reopen", args: "", icon: "lock-open", run: said("reopen"), about: T("Reopen this theme") })
  } else {
    list.push(
      { word: "rename", args: T("NAME"), icon: "pencil", run: said("rename"), about: T("Rename this theme") },
      { word: "close", args: "", icon: "lock", run: said("close"),
        about: T("Close this theme: people can read it but not write in it") })
  }
  return list
}

/** said gives what the server does when it is told in a line. */
function said(word: string): Command["run"] {
  return (c, rest, reply) => send(c.id, `!${word} ${rest}`.trim(), reply ? { reply } : {})
}

async function startTheme(c: Conversation, name: string, reply: Message | undefined): Promise<void> {
  if (!name) return
  if (reply) return send(c.id, "!theme " + name, { reply }) // the server makes the reply the theme's beginning
  await createTheme(c.group!, name)
}

/** snippet sends a saved reply whose name was written in full; the menu puts one into the field. */
async function snippet(c: Conversation, name: string, reply: Message | undefined): Promise<void> {
  const found = await snippetNamed(name)
  if (!found) throw new Problem(404, T("Your teams have no saved reply “{{.Name}}”.", { Name: name }))
  send(c.id, found.text, reply ? { reply } : {})
}

/** Ran says what became of a text. */
export type Ran = "said" | "done"

/** run carries out a command, if the text is one; otherwise, or for /me, it is to be said. It throws a Problem. */
export async function run(c: Conversation, text: string, reply: Message | undefined): Promise<Ran> {
  const m = /^\/(\p{L}+)(?:\s+([^]*))?$/u.exec(text.trim())
  const known = m && commandsFor(c).find((x) => x.word === m[1]!.toLowerCase())
  if (!m || !known?.run) return "said"
  await known.run(c, (m[2] ?? "").trim(), reply)
  return "done"
}
