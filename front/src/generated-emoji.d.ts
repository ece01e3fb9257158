declare module "generated:emoji" {
  export const emoji: readonly (readonly [string, number, string, string, string, 1?])[]
}
