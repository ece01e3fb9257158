// The status of one person, for what is drawn many times: others' changes do not draw it again.

import { computed, type ReadonlySignal } from "@preact/signals"
import { presence } from "./state"
import type { Status } from "./types"

const known = new Map<string, ReadonlySignal<Status | undefined>>()
const most = 2000

/** statusOf is the status of an address, undefined if it is not known. */
export function statusOf(address: string): ReadonlySignal<Status | undefined> {
  let status = known.get(address)
  if (!status) {
    if (known.size >= most) known.clear()
    known.set(address, status = computed(() => presence.value.get(address)))
  }
  return status
}
