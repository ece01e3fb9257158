// Ids of messages: they are in order of time, as store.ID of the server makes them.

const epoch = Date.UTC(2020, 0, 1)
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

/** idAt gives the smallest id of a moment: messages with greater ones were sent later. */
export function idAt(moment: Date): string {
  let id = BigInt(Math.max(0, moment.getTime() - epoch)) * 1000n << 12n
  let text = ""
  for (let i = 0; i < 13; i++) {
    text = alphabet[Number(id & 31n)] + text
    id >>= 5n
  }
  return text
}
