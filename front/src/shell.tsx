// The frame of the chat: conversations at the side, one in the middle, its details beside it.

import { T } from "./i18n"

/** Shell draws the whole page. */
export function Shell() {
  return <p>{T("Loading …")}</p>
}
