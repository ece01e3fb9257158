package node

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"
	"strings"

	"parley/wire/jid"
)

// Browsers find the server by /.well-known/host-meta and host-meta.json of each hosted domain (XEP-0156).

const (
	relWebSocket = "urn:xmpp:alt-connections:websocket"
	relBOSH      = "urn:xmpp:alt-connections:xbosh"
)

type link struct {
	Rel  string `json:"rel" xml:"rel,attr"`
	Href string `json:"href" xml:"href,attr"`
}

func (n *Node) handleHostMeta(mux *http.ServeMux) {
	answer := func(w http.ResponseWriter, r *http.Request, typ string, encode func([]link) ([]byte, error)) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		j, err := jid.New("", host, "")
		if err != nil || n.Host(j.Domain()) == nil {
			http.NotFound(w, r)
			return
		}
		b, err := encode(n.links(j.Domain()))
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

// links gives the connection URLs of a host as clients reach them.
func (n *Node) links(domain string) []link {
	at := n.publicURL(domain)
	w := n.Config.Listeners.WebSocket
	ls := []link{{relWebSocket, "ws" + strings.TrimPrefix(at, "http") + w.Path}}
	if w.BOSHPath != "" {
		ls = append(ls, link{relBOSH, at + w.BOSHPath})
	}
	return ls
}
