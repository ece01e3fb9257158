// What the sources want of a browser when they are loaded, for scripts that run outside one.

const nothing = (): void => undefined
const me = { address: "anna@a.example", name: "Anna" }

Object.assign(globalThis, {
  addEventListener: nothing,
  matchMedia: () => ({ matches: false, addEventListener: nothing }),
  document: {
    addEventListener: nothing,
    getElementById: () => ({ textContent: JSON.stringify({ me, lang: "en", words: {} }) }),
    hasFocus: () => false,
    visibilityState: "hidden",
  },
})
