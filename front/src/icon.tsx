// Icons of Lucide, which the bundle tool puts into the script.

import { createElement } from "preact"
import { icons } from "generated:icons"

/** Icon draws an icon by its name in vendor/lucide-static/icons. What it means has to be said in words beside it. */
export function Icon({ name }: { name: string }) {
  return (
    <svg class="lucide" aria-hidden="true" focusable="false" width="24" height="24" viewBox="0 0 24 24" fill="none"
      stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
      {icons[name]?.map(([tag, attributes], i) => createElement(tag, { key: i, ...attributes }))}
    </svg>
  )
}
