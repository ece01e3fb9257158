// Converse.js, signed in with the session of this page: the WebSocket knows who it is.
"use strict";

(() => {
  const d = document.querySelector("script[data-jid]").dataset;
  const ws = new URL("/chat/ws", location.href);
  ws.protocol = ws.protocol.replace("http", "ws");
  converse.initialize({
    assets_path: d.assets,
    authentication: "external",
    auto_login: true,
    auto_reconnect: true,
    jid: d.jid,
    nickname: d.name,
    websocket_url: ws.href,
    discover_connection_methods: false,
    view_mode: "fullscreen",
    theme: "classic",
    dark_theme: "dracula",
    i18n: d.lang,
    locked_muc_domain: "hidden",
    muc_domain: d.rooms,
    auto_join_private_chats: [],
    muc_nickname_from_jid: true,
    allow_registration: false,
    auto_register_muc_nickname: false,
    allow_logout: false,
    allow_user_trust_override: false,
    show_background: false,
    show_client_info: false,
    clear_cache_on_logout: true,
    // With pictures, the list of names after an @ fails at the first occupant without one.
    muc_mention_autocomplete_show_avatar: false,
    // Lists of other servers, which Converse.js would fetch from elsewhere.
    autocomplete_providers_url: "",
    xmpp_providers_url: "",
    persistent_store: "IndexedDB",
    loglevel: "warn",
  });
})();
