package c2s

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"

	"parley/wire/jid"
)

const (
	relWebSocket = "urn:xmpp:alt-connections:websocket"
	relBOSH      = "urn:xmpp:alt-connections:xbosh"
)

// HostMeta says where a hosted domain serves browsers.
type HostMeta struct {
	WebSocket string // URL
	BOSH      string // URL; "" if it is off
}

func (m HostMeta) links() []link {
	ls := []link{{relWebSocket, m.WebSocket}}
	if m.BOSH != "" {
		ls = append(ls, link{relBOSH, m.BOSH})
	}
	return ls
}

type link struct {
	Rel  string `json:"rel" xml:"rel,attr"`
	Href string `json:"href" xml:"href,attr"`
}

// HandleHostMeta serves /.well-known/host-meta and host-meta.json of each hosted domain, by which browsers find the
// server (XEP-0156). find returns false for domains that are not hosted.
func HandleHostMeta(mux *http.ServeMux, find func(domain string) (HostMeta, bool)) {
	answer := func(w http.ResponseWriter, r *http.Request, typ string, encode func([]link) ([]byte, error)) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		j, err := jid.New("", host, "")
		if err != nil {
			http.NotFound(w, r)
			return
		}
		m, ok := find(j.Domain())
		if !ok {
			http.NotFound(w, r)
			return
		}
		b, err := encode(m.links())
		if err != nil {
			http.Error(w, "something is wrong here", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", typ)
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = w.Write(b)
	}
	mux.HandleFunc("GET /.well-known/host-meta", func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, "application/xrd+xml; charset=utf-8", func(ls []link) ([]byte, error) {
			b, err := xml.Marshal(struct {
				XMLName xml.Name `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD"`
				Links   []link   `xml:"Link"`
			}{Links: ls})
			return append([]byte(xml.Header), b...), err
		})
	})
	mux.HandleFunc("GET /.well-known/host-meta.json", func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, "application/json", func(ls []link) ([]byte, error) {
			return json.Marshal(map[string][]link{"links": ls})
		})
	})
}
