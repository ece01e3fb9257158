package pubsub

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"parley/store"
	"parley/wire"
	"parley/wire/form"
)

// NodeConfig is how a node is configured (XEP-0060, section 16.4.4). It is kept as JSON.
type NodeConfig struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type,omitempty"` // of its payloads, a namespace
	Access      string   `json:"access"`         // open presence roster authorize whitelist
	Publish     string   `json:"publish"`        // publishers subscribers open
	Groups      []string `json:"groups,omitempty"`
	Max         int      `json:"max"` // items kept
	Persist     bool     `json:"persist"`
	Payloads    bool     `json:"payloads"`    // delivered with notifications
	Notify      bool     `json:"notify"`      // deliver notifications at all
	OnConfig    bool     `json:"on_config"`   // tell when the configuration changes
	OnDelete    bool     `json:"on_delete"`   // tell when the node is deleted
	OnRetract   bool     `json:"on_retract"`  // tell when items go away
	ByPresence  bool     `json:"by_presence"` // only to who is available
	Last        string   `json:"last"`        // never on_sub on_sub_and_presence
	Kind        string   `json:"kind"`        // type of the message: headline or normal
}

// What nodes are when nothing else is said. XEP-0163, section 4 has the first; the second is for services.
var (
	accountDefault = NodeConfig{Access: "presence", Publish: "publishers", Max: 1, Persist: true, Payloads: true, Notify: true,
		OnDelete: true, OnRetract: true, ByPresence: true, Last: "on_sub_and_presence", Kind: "headline"}
	serviceDefault = NodeConfig{Access: "open", Publish: "publishers", Max: 100, Persist: true, Payloads: true, Notify: true,
		OnDelete: true, OnRetract: true, Last: "on_sub", Kind: "headline"}
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

// Values of the choices, as the XEP's registrar has them.
var (
	accessModels  = []string{"authorize", "open", "presence", "roster", "whitelist"}
	publishModels = []string{"publishers", "subscribers", "open"}
	lastModels    = []string{"never", "on_sub", "on_sub_and_presence"}
	kinds         = []string{"headline", "normal"}
)

// option is one field of the configuration form: how it reads and is set.
type option struct {
	name, label, kind string
	choices           []string
	get               func(c *NodeConfig) []string
	set               func(c *NodeConfig, v []string, l *Limits) error
}

var errValue = errors.New("pubsub: value is not allowed")

func text(name, label, kind string, at func(c *NodeConfig) *string) option {
	return option{name: name, label: label, kind: kind, get: func(c *NodeConfig) []string {
		if s := *at(c); s != "" {
			return []string{s}
		}
		return nil
	}, set: func(c *NodeConfig, v []string, l *Limits) error {
		s := one(v)
		if len(s) > 1024 {
			return errValue
		}
		*at(c) = s
		return nil
	}}
}

func choice(name, label string, from []string, at func(c *NodeConfig) *string) option {
	return option{name: name, label: label, kind: form.ListSingle, choices: from,
		get: func(c *NodeConfig) []string { return []string{*at(c)} },
		set: func(c *NodeConfig, v []string, l *Limits) error {
			if !slices.Contains(from, one(v)) {
				return errValue
			}
			*at(c) = one(v)
			return nil
		}}
}

func truth(name, label string, at func(c *NodeConfig) *bool) option {
	return option{name: name, label: label, kind: form.Boolean,
		get: func(c *NodeConfig) []string {
			if *at(c) {
				return []string{"1"}
			}
			return []string{"0"}
		},
		set: func(c *NodeConfig, v []string, l *Limits) error {
			switch one(v) {
			case "1", "true":
				*at(c) = true
			case "0", "false":
				*at(c) = false
			default:
				return errValue
			}
			return nil
		}}
}

func one(v []string) string {
	if len(v) == 0 {
		return ""
	}
	return v[0]
}

var options = []option{
	text("pubsub#title", "Title", form.TextSingle, func(c *NodeConfig) *string { return &c.Title }),
	text("pubsub#description", "Description", form.TextSingle, func(c *NodeConfig) *string { return &c.Description }),
	text("pubsub#type", "Namespace of the payloads", form.TextSingle, func(c *NodeConfig) *string { return &c.Type }),
	choice("pubsub#access_model", "Who may subscribe and read", accessModels, func(c *NodeConfig) *string { return &c.Access }),
	choice("pubsub#publish_model", "Who may publish", publishModels, func(c *NodeConfig) *string { return &c.Publish }),
	{name: "pubsub#roster_groups_allowed", label: "Roster groups that may subscribe", kind: form.TextMulti,
		get: func(c *NodeConfig) []string { return c.Groups },
		set: func(c *NodeConfig, v []string, l *Limits) error {
			if len(v) > 100 {
				return errValue
			}
			c.Groups = v
			return nil
		}},
	{name: "pubsub#max_items", label: "Items kept", kind: form.TextSingle,
		get: func(c *NodeConfig) []string { return []string{strconv.Itoa(c.Max)} },
		set: func(c *NodeConfig, v []string, l *Limits) error {
			if one(v) == "max" {
				c.Max = l.Items
				return nil
			}
			n, err := strconv.Atoi(one(v))
			if err != nil || n < 0 || n > l.Items {
				return errValue
			}
			c.Max = max(n, 1)
			return nil
		}},
	truth("pubsub#persist_items", "Keep items", func(c *NodeConfig) *bool { return &c.Persist }),
	truth("pubsub#deliver_payloads", "Send payloads with notifications", func(c *NodeConfig) *bool { return &c.Payloads }),
	truth("pubsub#deliver_notifications", "Send notifications", func(c *NodeConfig) *bool { return &c.Notify }),
	truth("pubsub#notify_config", "Tell subscribers when the configuration changes", func(c *NodeConfig) *bool { return &c.OnConfig }),
	truth("pubsub#notify_delete", "Tell subscribers when the node is deleted", func(c *NodeConfig) *bool { return &c.OnDelete }),
	truth("pubsub#notify_retract", "Tell subscribers when items are removed", func(c *NodeConfig) *bool { return &c.OnRetract }),
	truth("pubsub#presence_based_delivery", "Only to who is available", func(c *NodeConfig) *bool { return &c.ByPresence }),
	choice("pubsub#send_last_published_item", "When to send the newest item", lastModels, func(c *NodeConfig) *string { return &c.Last }),
	choice("pubsub#notification_type", "Type of notifications", kinds, func(c *NodeConfig) *string { return &c.Kind }),
}

func findOption(name string) *option {
	for i := range options {
		if options[i].name == name {
			return &options[i]
		}
	}
	return nil
}

// form gives the configuration as a form of this type.
func (c NodeConfig) form(typ, about string) *wire.Element {
	f := form.New(typ, about)
	for i := range options {
		o := &options[i]
		f.Add(o.name, o.kind, o.label, o.get(&c)...)
		if typ == form.Ask {
			fd := &f.Fields[len(f.Fields)-1]
			for _, v := range o.choices {
				fd.Options = append(fd.Options, form.Option{Value: v})
			}
		}
	}
	return f.Element()
}

// apply changes the configuration as a submitted form says. Fields that are not known are left out unless strict.
func (c NodeConfig) apply(f form.Form, l *Limits, strict bool) (NodeConfig, error) {
	for _, fd := range f.Fields {
		if fd.Var == form.TypeVar || fd.Type == form.Fixed {
			continue
		}
		o := findOption(fd.Var)
		if o == nil {
			if strict {
				return c, errValue
			}
			continue
		}
		if err := o.set(&c, fd.Values, l); err != nil {
			return c, err
		}
	}
	return c, nil
}

// meets says whether the configuration is as publish-options demand (section 7.1.5).
func (c NodeConfig) meets(f form.Form, l *Limits) bool {
	want, err := c.apply(f, l, true)
	if err != nil {
		return false
	}
	for _, fd := range f.Fields {
		if o := findOption(fd.Var); o != nil && !slices.Equal(o.get(&c), o.get(&want)) {
			return false
		}
	}
	return true
}

func configOf(n store.Node, def NodeConfig) (NodeConfig, error) { return parseConfig(n.Config, def) }
