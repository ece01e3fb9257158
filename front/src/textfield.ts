// Changes of a text field that can be undone with the browser's own undo.

/** replace puts a text in place of a part of what is in the field, and the caret behind it. */
export function replace(field: HTMLTextAreaElement, begin: number, end: number, text: string): void {
  field.focus()
  field.setSelectionRange(begin, end)
  // Deprecated, and the only way that goes into the list of what can be undone.
  const done = text === "" ? document.execCommand("delete") : document.execCommand("insertText", false, text)
  if (done) return
  field.setRangeText(text, begin, end, "end")
  field.dispatchEvent(new InputEvent("input", { bubbles: true }))
}

/** insertInto puts a text at the caret of a field. */
export function insertInto(field: HTMLTextAreaElement, text: string): void {
  replace(field, field.selectionStart, field.selectionEnd, text)
}

/** wrap puts a directive of styling around what is selected, or takes it away; around a word if nothing is selected. */
export function wrap(field: HTMLTextAreaElement, mark: string): void {
  let { selectionStart: begin, selectionEnd: end } = field
  const { value } = field
  if (begin === end) {
    while (begin > 0 && /[\p{L}\p{N}]/u.test(value[begin - 1]!)) begin--
    while (end < value.length && /[\p{L}\p{N}]/u.test(value[end]!)) end++
  }
  // White space at the ends would keep the directives from being ones.
  while (begin < end && /\s/.test(value[begin]!)) begin++
  while (end > begin && /\s/.test(value[end - 1]!)) end--
  const inside = value.slice(begin, end)
  if (inside.includes("\n") && mark === "`") return wrapBlock(field, begin, end, inside)
  if (value.slice(begin - mark.length, begin) === mark && value.slice(end, end + mark.length) === mark) {
    replace(field, begin - mark.length, end + mark.length, inside)
    field.setSelectionRange(begin - mark.length, end - mark.length)
    return
  }
  replace(field, begin, end, mark + inside + mark)
  field.setSelectionRange(begin + mark.length, end + mark.length)
}

function wrapBlock(field: HTMLTextAreaElement, begin: number, end: number, inside: string): void {
  const before = begin > 0 && field.value[begin - 1] !== "\n" ? "\n" : ""
  const after = end < field.value.length && field.value[end] !== "\n" ? "\n" : ""
  replace(field, begin, end, `${before}\`\`\`\n${inside}\n\`\`\`${after}`)
}

/** Newer browsers make a field as high as its text by themselves, without drawing the page twice. */
const grows = CSS.supports("field-sizing", "content")

/** grow makes a field as high as its text; the stylesheet has the limit. */
export function grow(field: HTMLTextAreaElement): void {
  if (grows) return
  field.style.height = "auto"
  const border = field.offsetHeight - field.clientHeight
  field.style.height = `${field.scrollHeight + border}px`
}
