// What the page hands over to the script.

import type { Me } from "./types"

/** Words are a text in the language of the page, or its forms by number. */
export type Words = string | { one?: string; many?: string; other: string }

/** ProgramAct is something that a program of the organization can do with a message. */
export interface ProgramAct {
  id: string
  name: string
  name_fr?: string
  icon: string
  /** comment is whether one may write something for the program. */
  comment: boolean
  /** all is whether it can be used in all conversations, not only in those of groups (their slugs). */
  all: boolean
  groups?: string[]
}

/** Boot is the content of the element with the id boot. */
export interface Boot {
  me: Me
  lang: string
  words: Record<string, Words>
  /** name is the organization's. */
  name: string
  version: string
  /** maxFile is the size of the largest file that can be sent, in bytes; 0: files cannot be sent. */
  maxFile?: number
  /** creates is whether one may create groups. */
  creates?: boolean
  /** several is whether one may begin conversations of several people. */
  several?: boolean
  /** links are pages outside of the chat that the organization shows to one, with the names of icons. */
  links?: { name: string; url: string; icon: string }[]
  /** keeps is whether this browser may keep messages, to show them while offline. */
  keeps?: boolean
  /** seen is whether in rooms, the author of a message sees its readers. */
  seen?: boolean
  /** previews is whether the server describes links. */
  previews?: boolean
  /** actions are what programs can do with messages. */
  actions?: ProgramAct[]
  /** search is whether messages are found by their words. */
  search?: boolean
}

/** boot is what the server wrote into this page. */
export const boot: Boot = JSON.parse(document.getElementById("boot")?.textContent ?? "{}") as Boot
