package web

import (
	"encoding/json"
	"io/fs"

	"parley/front"
)

// versionHeader says which version of the front a page is of, so that the service worker keeps the page with its files.
const versionHeader = "Parley-Version"

// keepsHeader says "no" where the organization forbids browsers to keep anything for opening while offline: the
// service worker forgets what it has.
const keepsHeader = "Parley-Keeps"

// frontWorker serves the front's service worker, and what browsers read to install the chat as an application.
func (s *Server) frontWorker() {
	s.handle("GET /chat/sw.js", public, (*request).worker)
	s.handle("GET /chat/manifest.webmanifest", public, (*request).manifest)
}

// worker serves the script of the service worker. It begins with what the worker keeps, and differs with each version
// of the front, so that browsers take the new one.
func (c *request) worker() error {
	script, err := fs.ReadFile(front.Files(), "sw.js")
	if err != nil {
		return err
	}
	base := "/front/" + front.Version() + "/"
	files := []string{base + "front.js", base + "front.css"}
	for _, name := range front.Preload() {
		files = append(files, base+name)
	}
	begin, err := json.Marshal(map[string]any{
		"version": front.Version(),
		"files":   files,
		"icon":    c.s.assets.path("icon-192.png"),
	})
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Service-Worker-Allowed", "/chat")
	_, _ = c.w.Write([]byte("const parley = " + string(begin) + ";\n"))
	_, _ = c.w.Write(script)
	return nil
}

// manifest describes the chat as an application of the organization (W3C Web Application Manifest).
func (c *request) manifest() error {
	c.w.Header().Set("Content-Type", "application/manifest+json")
	c.w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(c.w).Encode(map[string]any{
		"id":               "/chat",
		"name":             c.P.Title(),
		"short_name":       c.P.Title(),
		"lang":             c.Lang.Code,
		"start_url":        "/chat",
		"scope":            "/chat",
		"display":          "standalone",
		"theme_color":      "#0f766e",
		"background_color": "#f4f6f8",
		"icons": []map[string]string{
			{"src": c.s.assets.path("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
			{"src": c.s.assets.path("icon-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
			{"src": c.s.assets.path("icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any"},
			{"src": c.s.assets.path("icon-maskable-512.png"), "sizes": "512x512", "type": "image/png",
				"purpose": "maskable"},
		},
	})
}
