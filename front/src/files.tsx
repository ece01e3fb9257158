// The files of a message: pictures, videos and sounds in their place, the others as cards.

import { useState } from "preact/hooks"
import { T } from "./i18n"
import { showPicture } from "./lightbox"
import { sizeOf } from "./size"
import type { FileRef } from "./types"
import { Icon } from "./ui"
import { isPicture } from "./uploads"

const widest = 420 // px
const highest = 320

/** Files shows the files of a message. */
export function Files({ files }: { files: readonly FileRef[] }) {
  return (
    <ul class="files">
      {files.map((f, i) => <li key={f.url + i}><OneFile file={f} all={files} /></li>)}
    </ul>
  )
}

function OneFile({ file, all }: { file: FileRef; all: readonly FileRef[] }) {
  const [broken, setBroken] = useState(false)
  const type = file.type ?? ""
  const fail = () => setBroken(true)
  if (!isSafe(file.url)) return <span class="file-card">{file.name}</span>
  // What cannot be shown in place can be fetched: it may be on another server, or of a kind the browser does not know.
  if (broken) return <Card file={file} />
  if (isPicture(type)) return <Picture file={file} all={all} onError={fail} />
  if (type.startsWith("video/")) {
    return <video class="video" controls preload="metadata" src={file.url} aria-label={file.name} onError={fail}
      style={room(file)} />
  }
  if (type.startsWith("audio/")) {
    return (
      <figure class="audio">
        <figcaption dir="auto">{file.name}</figcaption>
        <audio controls preload="metadata" src={file.url} aria-label={file.name} onError={fail} />
      </figure>
    )
  }
  return <Card file={file} />
}

function isSafe(url: string): boolean {
  return /^(?:https?:\/\/|\/(?!\/)|blob:)/i.test(url)
}

/** room is the style of what has a known size: its place is there before it is loaded. */
function room(file: FileRef): { width: string; aspectRatio: string } | undefined {
  const { width, height } = file
  if (!width || !height || width <= 0 || height <= 0) return undefined
  const scale = Math.min(1, widest / width, highest / height)
  return { width: `${Math.max(48, Math.round(width * scale))}px`, aspectRatio: `${width} / ${height}` }
}

function Picture({ file, all, onError }: { file: FileRef; all: readonly FileRef[]; onError: () => void }) {
  const size = room(file)
  const pictures = all.filter((f) => isPicture(f.type) && isSafe(f.url))
  return (
    <button type="button" class={size ? "picture" : "picture unsized"} style={size}
      aria-label={T("Show the picture {{.Name}}", { Name: file.name })}
      onClick={() => showPicture(pictures, pictures.indexOf(file))}>
      <img src={file.url} alt={file.name} loading="lazy" decoding="async" onError={onError} />
    </button>
  )
}

function Card({ file }: { file: FileRef }) {
  return (
    <a class="file-card" href={file.url} target="_blank" rel="noopener noreferrer" download={file.name}>
      <Icon name={iconOf(file.type)} />
      <span class="grow">
        <b dir="auto">{file.name}</b>
        <small>{[kindOf(file), file.size === undefined ? "" : sizeOf(file.size)].filter(Boolean).join(" · ")}</small>
      </span>
      <Icon name="download" />
    </a>
  )
}

function kindOf(file: FileRef): string {
  const ending = /\.([A-Za-z0-9]{1,5})$/.exec(file.name)?.[1]
  return ending ? ending.toUpperCase() : file.type ?? ""
}

/** iconOf names the icon of a type of file. */
export function iconOf(type: string | undefined): string {
  if (type?.startsWith("image/")) return "image"
  if (type?.startsWith("video/")) return "film"
  if (type?.startsWith("audio/")) return "audio-lines"
  if (/zip|tar|compressed/.test(type ?? "")) return "file-archive"
  if (/pdf|text|document|sheet|presentation/.test(type ?? "")) return "file-text"
  return "file"
}
