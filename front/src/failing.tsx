// What is shown in place of a part that cannot be drawn.

import { Component, type ComponentChildren } from "preact"
import { T } from "./i18n"
import { Icon } from "./icon"

/** Guarded draws its content. If that fails, it says so, and the rest of the page goes on. */
export class Guarded extends Component<{ children: ComponentChildren }, { failed: boolean }> {
  static override getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override componentDidCatch(err: unknown): void {
    console.error(err)
  }

  override render() {
    if (!this.state.failed) return this.props.children
    return (
      <div class="empty" role="alert">
        <Icon name="circle-alert" />
        <h2>{T("This could not be shown")}</h2>
        <p>{T("What you have written is kept. Load the page again.")}</p>
        <button onClick={() => location.reload()}><Icon name="refresh-cw" />{T("Load again")}</button>
      </div>
    )
  }
}
