// What a link leads to, below the message that has it, and above the field in which one writes it.

import { useEffect, useState } from "preact/hooks"
import { T } from "./i18n"
import { describe, isKnown, linkOf, refusedIn, showsPreviews } from "./links"
import type { Preview } from "./types"
import { Icon } from "./ui"

const pause = 700 // ms without a letter after which a link is looked at

/** LinkPreview shows what the sender says of a link. Its host is said by the address alone. */
export function LinkPreview({ preview: p }: { preview: Preview }) {
  if (!showsPreviews.value || !/^https?:\/\//i.test(p.address) || !URL.canParse(p.address)) return null
  return (
    <a class="link-preview" href={p.address} target="_blank" rel="noopener noreferrer">
      <Said preview={p} />
    </a>
  )
}

function Said({ preview: p }: { preview: Preview }) {
  const { host } = new URL(p.address)
  return (
    <>
      <small class="muted"><bdi>{host}</bdi>{p.site && p.site !== host && <> · <bdi>{p.site}</bdi></>}</small>
      <b dir="auto">{p.title}</b>
      {p.description && <span dir="auto">{p.description}</span>}
    </>
  )
}

/** WrittenPreview shows the preview that goes with the message that is written. One can leave it out. */
export function WrittenPreview({ conversation, text }: { conversation: string; text: string }) {
  const address = useSettled(linkOf(conversation, text))
  const preview = address === undefined ? undefined : describe(address).value
  if (address === undefined || !preview) return null
  return (
    <div class="written-preview" role="group" aria-label={T("Preview of the link")}>
      <div class="link-preview"><Said preview={preview} /></div>
      <button type="button" class="quiet icon-button" aria-label={T("Send without the preview")}
        title={T("Send without the preview")} onClick={() => { refusedIn(conversation).value = address }}>
        <Icon name="x" />
      </button>
    </div>
  )
}

/** useSettled gives an address once it has not changed for a moment, or at once if its preview was asked for before. */
function useSettled(address: string | undefined): string | undefined {
  const [settled, setSettled] = useState<string>()
  useEffect(() => {
    const timer = setTimeout(() => setSettled(address), address === undefined || isKnown(address) ? 0 : pause)
    return () => clearTimeout(timer)
  }, [address])
  return settled === address ? settled : undefined
}
