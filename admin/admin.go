// Package admin is what administrators have of the server itself: health and metrics over HTTP, the control socket, and
// what the server tells of itself (System). Their pages are admin/web, and the way in for programs is admin/api.
package admin
