// The place of somebody who reads in a list that changes: older messages come above, pictures and corrections change
// heights. Browsers differ in keeping it by themselves, and do not where the top of the list is reached.

/** near is how close to the end one has to be to follow it, in pixels. */
const near = 48

/** Keeper keeps the place in a list. */
export class Keeper {
  /** atEnd is true while the list follows its end. */
  atEnd = true

  private anchor: { element: Element; offset: number } | undefined
  private seenTop = 0

  /** marks are what a place is told by; complete says whether the end of the list is the end of all there is. */
  constructor(private readonly box: HTMLElement, private readonly marks: HTMLCollectionOf<Element>,
    private readonly complete: () => boolean) {}

  /** note remembers where one is, after scrolling. */
  note(): void {
    const { box } = this
    this.seenTop = box.scrollTop
    this.atEnd = box.scrollHeight - box.clientHeight - box.scrollTop <= near && this.complete()
    this.anchor = this.firstVisible()
  }

  /** hold puts the list where it was, after a change. */
  hold(): void {
    const { box } = this
    if (this.atEnd) {
      box.scrollTop = box.scrollHeight
    } else if (this.anchor?.element.isConnected) {
      // Scrolling that was not noted yet is not taken back.
      const scrolled = box.scrollTop - this.seenTop
      const moved = this.top(this.anchor.element) - (this.anchor.offset - scrolled)
      if (Math.abs(moved) >= 1) box.scrollTop += moved
    }
    this.seenTop = box.scrollTop
    this.anchor = this.firstVisible()
  }

  /** show scrolls to an element: into the middle, or so that something of what is above it is seen. */
  show(element: Element, where: "middle" | "upper"): void {
    const { box } = this
    const height = element.getBoundingClientRect().height
    const room = where === "middle" ? Math.max(0, (box.clientHeight - height) / 2) : box.clientHeight / 4
    box.scrollTop += this.top(element) - room
    // What is drawn now for the first time may have another height than was thought: this place is kept.
    this.note()
    if (this.anchor) this.anchor = { element, offset: this.top(element) }
  }

  /** toEnd follows the end of the list. */
  toEnd(): void {
    this.atEnd = true
    this.hold()
  }

  private top(element: Element): number {
    return element.getBoundingClientRect().top - this.box.getBoundingClientRect().top
  }

  private firstVisible(): { element: Element; offset: number } | undefined {
    const top = this.box.getBoundingClientRect().top
    let low = 0
    let high = this.marks.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.marks[middle]!.getBoundingClientRect().bottom > top) high = middle
      else low = middle + 1
    }
    const element = this.marks[low]
    return element && { element, offset: this.top(element) }
  }
}
