// What several parts of the front draw with.

export { Avatar, hue, initials, showText, statusText } from "./avatar"
export { Dialog } from "./dialog"
export { Icon } from "./icon"
export { Menu, MenuList, openMenu, type MenuItem } from "./menu"
export { Picker, type Choice } from "./picker"
export { clock, dayKey, dayName, moment, short, today, until } from "./time"
export { toast } from "./toast"
