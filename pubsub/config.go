package pubsub

import (
	"encoding/json"
	"time"

	"parley/store"
)

// NodeConfig is the configuration of a node (XEP-0060, section 16.4.4). The store keeps it as JSON.
type NodeConfig struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type,omitempty"` // of its payloads; usually a namespace
	Language    string   `json:"language,omitempty"`
	Contact     []string `json:"contact,omitempty"`
	Access      string   `json:"access"`  // open presence roster authorize whitelist
	Publish     string   `json:"publish"` // publishers subscribers open
	Groups      []string `json:"groups,omitempty"`
	Subscribe   bool     `json:"subscribe"`            // subscribing is allowed
	Max         int      `json:"max"`                  // items to keep; unlimited: up to the limit
	MaxBytes    int      `json:"max_bytes,omitempty"`  // per payload; 0: up to the limit
	Expire      int64    `json:"expire,omitempty"`     // seconds that an item is kept; 0: no limit
	Persist     bool     `json:"persist"`              //
	PurgeGone   bool     `json:"purge_gone,omitempty"` // items disappear when their publisher goes offline
	Payloads    bool     `json:"payloads"`             // part of notifications
	Notify      bool     `json:"notify"`               // send notifications at all
	OnConfig    bool     `json:"on_config"`            // notify of changes of the configuration
	OnDelete    bool     `json:"on_delete"`            // notify of the deletion of the node
	OnRetract   bool     `json:"on_retract"`           // notify of removed items
	OnSub       bool     `json:"on_sub,omitempty"`     // notify owners of new and lost subscribers
	ByPresence  bool     `json:"by_presence"`          // notify only available clients
	Last        string   `json:"last"`                 // never on_sub on_sub_and_presence
	Kind        string   `json:"kind"`                 // type of the message: headline or normal
	Publisher   string   `json:"publisher,omitempty"`  // "publisher": items name their publisher; "none", "owner"
	// retract-oldest discard-oldest reject: what happens when a full node gets another item
	Full string `json:"full,omitempty"`
}

// unlimited is the value "max" of max_items.
const unlimited = -1

// max returns how many items the node keeps.
func (c *NodeConfig) max(l *Limits) int {
	if c.Max == unlimited || c.Max > l.Items {
		return l.Items
	}
	return c.Max
}

// maxBytes returns how large a payload may be, in bytes.
func (c *NodeConfig) maxBytes(l *Limits) int {
	if c.MaxBytes == 0 {
		return l.ItemBytes
	}
	return min(c.MaxBytes, l.ItemBytes)
}

func (c *NodeConfig) upkeep() store.Upkeep {
	return store.Upkeep{Expire: time.Duration(c.Expire) * time.Second, PurgeOffline: c.PurgeGone}
}

// since returns the id of the oldest item that has not expired by now.
func (c *NodeConfig) since(now time.Time) store.ID {
	if c.Expire == 0 {
		return 0
	}
	return store.FirstID(now.Add(-time.Duration(c.Expire) * time.Second))
}

// The default configurations: those of accounts' nodes follow XEP-0163, section 4; the others are for services.
var (
	accountDefault = NodeConfig{
		Access:     "presence",
		Publish:    "publishers",
		Subscribe:  true,
		Max:        1,
		Persist:    true,
		Payloads:   true,
		Notify:     true,
		OnDelete:   true,
		OnRetract:  true,
		ByPresence: true,
		Last:       "on_sub_and_presence",
		Kind:       "headline",
		Publisher:  none,
		Full:       fullModels[0],
	}
	serviceDefault = NodeConfig{
		Access:    "open",
		Publish:   "publishers",
		Subscribe: true,
		Max:       100,
		Persist:   true,
		Payloads:  true,
		Notify:    true,
		OnDelete:  true,
		OnRetract: true,
		Last:      "on_sub",
		Kind:      "headline",
		Publisher: publisher,
		Full:      fullModels[0],
	}
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

// configOf parses a node's configuration. Fields that an older one lacks have their defaults.
func configOf(n store.Node, def NodeConfig) (NodeConfig, error) { return parseConfig(n.Config, def) }
