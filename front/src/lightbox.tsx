// A picture as large as the window.

import { signal } from "@preact/signals"
import { useEffect, useState } from "preact/hooks"
import { T } from "./i18n"
import { sizeOf } from "./size"
import type { FileRef } from "./types"
import { Dialog, Icon } from "./ui"

const shown = signal<{ pictures: readonly FileRef[]; at: number } | undefined>(undefined)

/** showPicture shows one of several pictures in large. */
export function showPicture(pictures: readonly FileRef[], at: number): void {
  shown.value = { pictures, at: Math.max(0, at) }
}

/** Lightbox shows the picture of showPicture. */
export function Lightbox() {
  const now = shown.value
  const file = now?.pictures[now.at]
  if (!now || !file) return null
  const move = (step: number) => {
    const { length } = now.pictures
    shown.value = { ...now, at: (now.at + step + length) % length }
  }
  return (
    <Dialog title={file.name} class="lightbox" wide onClose={() => { shown.value = undefined }}
      foot={<Foot file={file} many={now.pictures.length > 1} at={now.at} of={now.pictures.length} onMove={move} />}>
      <Large key={file.url} file={file} onMove={now.pictures.length > 1 ? move : undefined} />
    </Dialog>
  )
}

function Large({ file, onMove }: { file: FileRef; onMove: ((step: number) => void) | undefined }) {
  const [zoomed, setZoomed] = useState(false)
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key === "ArrowRight") onMove?.(1)
      else if (e.key === "ArrowLeft") onMove?.(-1)
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [onMove])
  return (
    <button type="button" class={zoomed ? "large zoomed" : "large"} data-autofocus aria-pressed={zoomed}
      aria-label={zoomed ? T("Fit {{.Name}} into the window", { Name: file.name })
        : T("Show {{.Name}} in full size", { Name: file.name })} onClick={() => setZoomed(!zoomed)}>
      <img src={file.url} alt={file.name} width={file.width} height={file.height} />
    </button>
  )
}

function Foot({ file, many, at, of, onMove }: {
  file: FileRef
  many: boolean
  at: number
  of: number
  onMove: (step: number) => void
}) {
  return (
    <>
      {many && (
        <>
          <button type="button" class="icon-button" aria-label={T("Previous picture")} onClick={() => onMove(-1)}>
            <Icon name="chevron-left" />
          </button>
          <span aria-live="polite">{T("{{.At}} of {{.Number}}", { At: at + 1, Number: of })}</span>
          <button type="button" class="icon-button" aria-label={T("Next picture")} onClick={() => onMove(1)}>
            <Icon name="chevron-right" />
          </button>
        </>
      )}
      <span class="grow muted small">{file.size === undefined ? "" : sizeOf(file.size)}</span>
      <a class="button" href={file.url} download={file.name} target="_blank" rel="noopener noreferrer">
        <Icon name="download" />{T("Download")}
      </a>
    </>
  )
}
