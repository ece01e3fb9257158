// The state of the front, in one place for those who draw it.

export { edit, markRead, notify, react, retract, setStatus, typing } from "./acts"
export { history, type History } from "./history"
export { discard, outbox, retry, send, type Pending } from "./outbox"
export {
  conversations, current, fetchOne, isMine, line, loaded, me, notices, order, presence, self, typers, type Line,
} from "./store"
export { go, type Place } from "./route"
