// From where on a list of what is unread shows a conversation.

/** Beginning is the message after which the list begins. It is sure once the server has said it. */
export interface Beginning { read: string | undefined; sure: boolean }

/**
 * beginning gives what the list goes on with. What was read at the last visit stands until the server says how far one
 * has read elsewhere; that stays while the list is open, so that nothing jumps away that is read in it.
 */
export function beginning(before: Beginning | undefined, sure: boolean, read: string | undefined): Beginning {
  return before && before.sure === sure ? before : { read, sure }
}
