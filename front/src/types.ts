// What the server's API gives and takes: docs/api.md has each operation.

export interface Author { id: string; name: string; address?: string; photo?: string; hats?: {name: string, colour?: string}[] } // id: bare address, or an opaque id where a room hides addresses; "mine" is author.id === conversation.me
export interface Me { address: string; name: string; photo?: string; status?: Status; quiet?: boolean } // quiet: it is a quiet hour, others see "do not disturb"
export interface Status { show: "available"|"away"|"xa"|"dnd"|"offline"; text?: string; until?: string }
export interface Conversation {
  id: string; kind: "group"|"theme"|"room"|"person"|"several"; name: string
  group?: string   // slug, of group and theme
  theme?: string   // key, of a theme
  parent?: string  // id of the group's conversation, of a theme
  me: string       // what Author.id is for oneself here
  unread: number; mentions: number   // at most 100: show 99+
  read?: string    // id of the last message that was read
  last?: { id: string; at: string; by?: string; text: string }
  write: boolean; manage: boolean; startsThemes: boolean; react: boolean
  closed?: boolean; restricted?: boolean; archived?: boolean
  notify: "all"|"mentions"|"none"
  photo?: string; status?: Status; topic?: string; members?: number
  people?: Author[]; named?: boolean  // of several: who is in it besides oneself, and whether they gave it its name
}
export interface Message {
  id: string; origin?: string; at: string
  version?: string             // of two answers the one with the higher is newer; none: its id
  by?: Author                  // none: the room itself says it
  text: string                 // plain, XEP-0393 styling, without reply fallback and without the address of files
  edited?: string
  removed?: { by?: string; reason?: string; own: boolean }
  reply?: { id: string; by?: string; text?: string; gone?: boolean }
  reactions?: { emoji: string; by: Author[] }[]
  files?: { url: string; name: string; type?: string; size?: number; width?: number; height?: number }[]
  mentions?: { begin: number; end: number; address?: string; everyone?: boolean }[]   // in code points of text
  kind?: "subject"|"me"|"meeting"|"encrypted"|"task"|"task-done"      // "me": XEP-0245, text without "/me "; "meeting": link in `link`
  link?: string
  task?: Task                  // of the kinds "task" and "task-done"
  opens?: string               // conversation that the message hands over, such as a new theme's
  preview?: Preview            // of a link in the text, as the author's program says
}
/** Preview describes a page. */
export interface Preview { address: string; title: string; description?: string; site?: string }
/** Task is something that is to be done, in a conversation. */
export interface Task {
  id: string; conversation?: string; where?: string; what: string; link?: string; message?: string; at: string
  by?: Author; for?: Author; due?: string; done?: string; doneBy?: Author
}

/** Mention is a place in a message's text that names somebody. */
export type Mention = NonNullable<Message["mentions"]>[number]
/** FileRef is a file that the server has. */
export type FileRef = NonNullable<Message["files"]>[number]
/** Upload is a file of a message that is not acknowledged yet. */
export type Upload = FileRef
/** MessagePage is a part of a conversation's messages, oldest first. */
export interface MessagePage { messages: Message[]; older: boolean; newer: boolean; pinned?: string[] }
/** Colleague is an account of the organization. */
export type Colleague = Author & { status?: Status; title?: string; department?: string }
/** Person is somebody in a conversation. */
export type Person = Author & { here: boolean; role?: string }
/** People are those in a conversation whom one may mention. */
export interface People {
  people: Person[]
  total: number
  teams: { slug: string; name: string; people: number }[]
  everyone?: number
  here?: number
}
/** Hit is a message that was found. */
export interface Hit { conversation: string; where: string; message: Message }
