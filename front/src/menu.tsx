// Menus: of a button, or at a place such as a message.

import { signal } from "@preact/signals"
import type { ComponentChildren, TargetedKeyboardEvent } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import { Icon } from "./icon"

/** MenuItem is a line of a menu. checked makes it one of a choice. */
export interface MenuItem {
  label: string
  do: () => void
  icon?: string | undefined
  detail?: string | undefined
  danger?: boolean
  checked?: boolean
  disabled?: boolean
  /** line draws a line above it. */
  line?: boolean
}

/** Spot is where a menu opens: at an element or at a point of the window. */
export type Spot = Element | { x: number; y: number }

/** Menu is a button that opens a menu. label names the menu, and the button unless it has children. */
export function Menu({ label, items, icon, children, class: classes }: {
  label: string
  items: () => readonly MenuItem[]
  icon?: string
  children?: ComponentChildren
  class?: string
}) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const onKey = (e: KeyboardEvent) => {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return
    e.preventDefault()
    setOpen(true)
  }
  return (
    <>
      <button ref={button} type="button" class={classes ?? "quiet icon-button"} aria-haspopup="menu"
        aria-expanded={open} aria-label={icon && !children ? label : undefined} title={icon ? label : undefined}
        onClick={() => setOpen(!open)} onKeyDown={onKey}>
        {icon && <Icon name={icon} />}
        {children ?? (icon ? null : label)}
      </button>
      {open && button.current && (
        <MenuList label={label} items={items()} at={button.current} onClose={() => setOpen(false)} />
      )}
    </>
  )
}

const opened = signal<{ at: Spot; label: string; items: readonly MenuItem[] } | undefined>(undefined)

/** openMenu opens a menu at a place. The focus returns to where it was. */
export function openMenu(at: Spot, label: string, items: readonly MenuItem[]): void {
  opened.value = { at, label, items }
}

/** OpenedMenu shows the menu of openMenu. The page has one. */
export function OpenedMenu() {
  const menu = opened.value
  if (!menu) return null
  return (
    <section aria-label={menu.label}>
      <MenuList key={menu} {...menu} onClose={() => { opened.value = undefined }} />
    </section>
  )
}

/** MenuList is an open menu. It takes the focus, and gives it back when it goes. */
export function MenuList({ label, items, at, onClose }: {
  label: string
  items: readonly MenuItem[]
  at: Spot
  onClose: () => void
}) {
  const list = useRef<HTMLDivElement>(null)
  const done = useRef(onClose)
  done.current = onClose
  useLayoutEffect(() => {
    const menu = list.current
    if (!menu) return
    const before = document.activeElement
    menu.showPopover()
    place(menu, at)
    menu.querySelector<HTMLElement>("[role^=menuitem]:not([disabled])")?.focus()
    const onToggle = (e: Event) => (e as ToggleEvent).newState === "closed" && done.current()
    menu.addEventListener("toggle", onToggle)
    return () => {
      menu.removeEventListener("toggle", onToggle)
      const inside = menu.contains(document.activeElement) || document.activeElement === document.body
      if (inside && before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  const pick = (item: MenuItem) => {
    onClose()
    // The menu is gone and the focus back before something else takes it.
    setTimeout(item.do)
  }
  return (
    <div ref={list} class="menu" role="menu" aria-label={label} popover="auto" onKeyDown={(e) => move(e, onClose)}>
      {items.map((item, i) => (
        <button key={i} type="button" tabIndex={-1} disabled={item.disabled ?? false}
          role={item.checked === undefined ? "menuitem" : "menuitemradio"} aria-checked={item.checked}
          class={[item.danger ? "danger" : "", item.line ? "line" : ""].join(" ")} onClick={() => pick(item)}>
          <Icon name={item.checked ? "check" : item.icon ?? ""} />
          <span class="grow">
            <span dir="auto">{item.label}</span>
            {item.detail && <small dir="auto">{item.detail}</small>}
          </span>
        </button>
      ))}
    </div>
  )
}

/** move goes through a menu with the keys of the ARIA practices: arrows, Home, End, letters; Tab and Escape leave. */
function move(e: TargetedKeyboardEvent<HTMLElement>, onClose: () => void): void {
  const all = [...e.currentTarget.querySelectorAll<HTMLElement>("[role^=menuitem]:not([disabled])")]
  const now = all.indexOf(document.activeElement as HTMLElement)
  let next = -1
  if (e.key === "ArrowDown") next = (now + 1) % all.length
  else if (e.key === "ArrowUp") next = (now - 1 + all.length) % all.length
  else if (e.key === "Home") next = 0
  else if (e.key === "End") next = all.length - 1
  else if (e.key === "Tab" || e.key === "Escape") {
    e.preventDefault()
    e.stopPropagation()
    onClose()
  } else if (e.key.length === 1 && e.key !== " " && !e.ctrlKey && !e.metaKey && !e.altKey) {
    const begins = (el: HTMLElement) => el.textContent?.trim().toLowerCase().startsWith(e.key.toLowerCase())
    next = all.findIndex((el, i) => i > now && begins(el))
    if (next < 0) next = all.findIndex(begins)
  }
  if (next < 0) return
  e.preventDefault()
  all[next]?.focus()
}

/** place puts a menu below its place, or above it where there is no room, inside the window. */
function place(menu: HTMLElement, at: Spot): void {
  const edge = 8
  const box = at instanceof Element ? at.getBoundingClientRect() : new DOMRect(at.x, at.y, 0, 0)
  const size = menu.getBoundingClientRect()
  const below = box.bottom + 4
  const top = below + size.height + edge <= innerHeight ? below : Math.max(edge, box.top - size.height - 4)
  const start = document.dir === "rtl" ? box.right - size.width : box.left
  const left = Math.max(edge, Math.min(start, innerWidth - size.width - edge))
  menu.style.top = `${top}px`
  menu.style.left = `${left}px`
}
