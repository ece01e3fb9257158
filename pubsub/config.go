package pubsub

import (
	"encoding/json"
	"time"

	"parley/store"
)

// NodeConfig is how a node is configured (XEP-0060, section 16.4.4). It is kept as JSON.
type NodeConfig struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type,omitempty"` // of its payloads, mostly a namespace
	Language    string   `json:"language,omitempty"`
	Contact     []string `json:"contact,omitempty"`
	Access      string   `json:"access"`  // open presence roster authorize whitelist
	Publish     string   `json:"publish"` // publishers subscribers open
	Groups      []string `json:"groups,omitempty"`
	Subscribe   bool     `json:"subscribe"`            // whether one may subscribe
	Max         int      `json:"max"`                  // items kept; unlimited: as many as there may be
	MaxBytes    int      `json:"max_bytes,omitempty"`  // of one payload; 0: as large as one may be
	Expire      int64    `json:"expire,omitempty"`     // seconds an item is kept; 0: no limit
	Persist     bool     `json:"persist"`              //
	PurgeGone   bool     `json:"purge_gone,omitempty"` // items go when their publisher goes offline
	Payloads    bool     `json:"payloads"`             // delivered with notifications
	Notify      bool     `json:"notify"`               // deliver notifications at all
	OnConfig    bool     `json:"on_config"`            // tell when the configuration changes
	OnDelete    bool     `json:"on_delete"`            // tell when the node is deleted
	OnRetract   bool     `json:"on_retract"`           // tell when items go away
	OnSub       bool     `json:"on_sub,omitempty"`     // tell owners of subscribers that come and go
	ByPresence  bool     `json:"by_presence"`          // only to who is available
	Last        string   `json:"last"`                 // never on_sub on_sub_and_presence
	Kind        string   `json:"kind"`                 // type of the message: headline or normal
	Publisher   string   `json:"publisher,omitempty"`  // "publisher": said with items; "none", "owner"
	Full        string   `json:"full,omitempty"`       // retract-oldest discard-oldest reject: what a node with Max items does with another
}

// unlimited is the value "max" of max_items.
const unlimited = -1

// max is how many items the node keeps.
func (c *NodeConfig) max(l *Limits) int {
	if c.Max == unlimited || c.Max > l.Items {
		return l.Items
	}
	return c.Max
}

// maxBytes is how large a payload may be.
func (c *NodeConfig) maxBytes(l *Limits) int {
	if c.MaxBytes == 0 {
		return l.ItemBytes
	}
	return min(c.MaxBytes, l.ItemBytes)
}

func (c *NodeConfig) upkeep() store.Upkeep {
	return store.Upkeep{Expire: time.Duration(c.Expire) * time.Second, PurgeOffline: c.PurgeGone}
}

// since is the oldest that an item may be.
func (c *NodeConfig) since() store.ID {
	if c.Expire == 0 {
		return 0
	}
	return store.FirstID(time.Now().Add(-time.Duration(c.Expire) * time.Second))
}

// What nodes are when nothing else is said. XEP-0163, section 4 has the first; the second is for services.
var (
	accountDefault = NodeConfig{Access: "presence", Publish: "publishers", Subscribe: true, Max: 1, Persist: true, Payloads: true, Notify: true,
		OnDelete: true, OnRetract: true, ByPresence: true, Last: "on_sub_and_presence", Kind: "headline", Publisher: none, Full: fullModels[0]}
	serviceDefault = NodeConfig{Access: "open", Publish: "publishers", Subscribe: true, Max: 100, Persist: true, Payloads: true, Notify: true,
		OnDelete: true, OnRetract: true, Last: "on_sub", Kind: "headline", Publisher: publisher, Full: fullModels[0]}
)

func parseConfig(b []byte, def NodeConfig) (NodeConfig, error) {
	c := def
	if len(b) == 0 {
		return c, nil
	}
	err := json.Unmarshal(b, &c)
	return c, err
}

func (c NodeConfig) json() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings, numbers and truth values
	}
	return b
}

// configOf reads a node's configuration; what an older one has not got is as it is by default.
func configOf(n store.Node, def NodeConfig) (NodeConfig, error) { return parseConfig(n.Config, def) }
