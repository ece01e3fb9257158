// Package admin offers administrators the server itself: health and metrics over HTTP, the control socket, and facts
// about the server (System). Package admin/web has their pages, and admin/api is the interface for programs.
package admin
