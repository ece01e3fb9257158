// Texts in the language of the page. The English text is the text's name, as in internal/i18n.

import { boot } from "./boot"

/** lang is the language of the page, such as "fr". */
export const lang: string = boot.lang || "en"

const plurals = new Intl.PluralRules(lang)
const numbers = new Intl.NumberFormat(lang)

/**
 * T gives a text in the language of the page. values fill places such as {{.Name}}; the value Count chooses the form
 * for a number. The bundle tool collects the texts: each call has a literal in double quotes.
 */
export function T(text: string, values?: Record<string, string | number>): string {
  const known = boot.words?.[text] ?? text
  return fill(typeof known === "string" ? known : form(known, values?.["Count"]), values)
}

function form(forms: { one?: string; many?: string; other: string }, count: string | number | undefined): string {
  const rule = plurals.select(Number(count))
  if (rule === "one") return forms.one ?? forms.other
  if (rule === "many") return forms.many ?? forms.other
  return forms.other
}

function fill(text: string, values?: Record<string, string | number>): string {
  if (!values) return text
  return text.replace(/\{\{\.(\w+)\}\}/g, (place, name: string) => {
    const value = values[name]
    return typeof value === "number" ? numbers.format(value) : value ?? place
  })
}
