// Components that are drawn again only if what they are given differs.

import { Component, h, type ComponentChildren, type FunctionComponent, type VNode } from "preact"

/** memo makes a component that is not drawn again for the same properties. Signals that it reads still draw it. */
export function memo<P extends object>(draw: (properties: P) => ComponentChildren): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return differ(this.props, next)
    }
    override render(): VNode {
      return h(draw as FunctionComponent, this.props)
    }
  }
  return Memo as unknown as FunctionComponent<P>
}

function differ(a: object, b: object): boolean {
  const before = a as Record<string, unknown>
  const after = b as Record<string, unknown>
  for (const name in before) if (!(name in after)) return true
  for (const name in after) if (before[name] !== after[name]) return true
  return false
}
