// Words before the caret that a menu is about.

/** Trigger is the word before the caret that a menu is about. */
export interface Trigger { kind: "person" | "emoji" | "command" | "snippet" | "status"; begin: number; end: number; query: string }

const person = /(?:^|[^\p{L}\p{N}@/])(@([\p{L}\p{N}][\p{L}\p{N}._'’-]*(?: [\p{L}\p{N}._'’-]*)?)?)$/u
const emoji = /(?:^|[\s(])(:([\p{L}\p{N}+][\p{L}\p{N}_+-]+))$/u
const command = /^(\/(\p{L}*))$/u
const status = /^(\/status +(\S.{0,49}|))$/u
const snippet = /^(\/snippet +(\S.{0,49}|))$/u

/** triggerAt finds the word that a menu is about. */
export function triggerAt(text: string, caret: number): Trigger | undefined {
  const before = text.slice(Math.max(0, caret - 80), caret)
  const found = (kind: Trigger["kind"], m: RegExpExecArray | null): Trigger | undefined =>
    m ? { kind, begin: caret - m[1]!.length, end: caret, query: m[2] ?? "" } : undefined
  const line = caret > 80 ? undefined : found("command", command.exec(before)) ??
    found("snippet", snippet.exec(before)) ?? found("status", status.exec(before))
  return line ?? found("person", person.exec(before)) ?? found("emoji", emoji.exec(before))
}
