// What the page hands over to the script.

import type { Me } from "./types"

/** Words are a text in the language of the page, or its forms by number. */
export type Words = string | { one?: string; many?: string; other: string }

/** Boot is the content of the element with the id boot. */
export interface Boot {
  me: Me
  lang: string
  words: Record<string, Words>
  name: string
  version: string
}

/** boot is what the server wrote into this page. */
export const boot: Boot = JSON.parse(document.getElementById("boot")?.textContent ?? "{}") as Boot
