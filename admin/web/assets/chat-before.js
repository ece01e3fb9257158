// Converse.js shows its sponsors, with pictures from its own site, while it connects. Nothing of this page comes from elsewhere:
// the element is here already, and empty.
"use strict";

customElements.define("converse-footer", class extends HTMLElement {});
