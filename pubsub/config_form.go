package pubsub

import (
	"errors"
	"slices"
	"strconv"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// The values of choices, as in the XEP's registry.
var (
	accessModels  = []string{"authorize", "open", "presence", "roster", "whitelist"}
	publishModels = []string{"publishers", "subscribers", "open"}
	lastModels    = []string{"never", "on_sub", "on_sub_and_presence"}
	kinds         = []string{"headline", "normal"}
	// "owner" is accepted and means the same as "none"
	publisherSaid = []string{"publisher", "owner", "none"}
	// the first two do the same: the notification of the new item is the only one
	fullModels = []string{"retract-oldest", "discard-oldest", "reject"}
)

// option is one field of the configuration form: how to show it and how to set it.
type option struct {
	name, label, kind string
	choices           []string
	account           bool // only nodes of accounts have it
	get               func(c *NodeConfig, l *Limits) []string
	set               func(c *NodeConfig, v []string, l *Limits) error
}

var errValue = errors.New("pubsub: value is not allowed")

func text(name, label, kind string, at func(c *NodeConfig) *string) option {
	return option{name: name, label: label, kind: kind, get: func(c *NodeConfig, l *Limits) []string {
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
		get: func(c *NodeConfig, l *Limits) []string { return []string{*at(c)} },
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
		get: func(c *NodeConfig, l *Limits) []string {
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

// maxExpire is a hundred years, in seconds.
const maxExpire = 100 * 366 * 24 * 3600

// number makes an option whose value is a number or "max". at sets the value of a word, or reads the value for the word
// "".
func number(name, label string, at func(c *NodeConfig, v int64, word string, l *Limits) (int64, error)) option {
	return option{name: name, label: label, kind: form.TextSingle,
		get: func(c *NodeConfig, l *Limits) []string {
			v, _ := at(c, 0, "", l)
			if v == unlimited {
				return []string{"max"}
			}
			return []string{strconv.FormatInt(v, 10)}
		},
		set: func(c *NodeConfig, v []string, l *Limits) error {
			var n int64
			word := one(v)
			if word == "" {
				return errValue
			}
			if word != "max" {
				var err error
				if n, err = strconv.ParseInt(word, 10, 64); err != nil {
					return errValue
				}
				// an unchanged value may exceed a limit that was lowered later
				if is, _ := at(c, 0, "", l); n > 0 && is == n {
					return nil
				}
			}
			_, err := at(c, n, word, l)
			return err
		}}
}

// several makes an option with several texts, such as addresses.
func several(name, label, kind string, max int, ok func(string) bool, at func(c *NodeConfig) *[]string) option {
	return option{name: name, label: label, kind: kind,
		get: func(c *NodeConfig, l *Limits) []string { return *at(c) },
		set: func(c *NodeConfig, v []string, l *Limits) error {
			if len(v) > max {
				return errValue
			}
			for _, s := range v {
				if len(s) > 1024 || !ok(s) {
					return errValue
				}
			}
			*at(c) = v
			return nil
		}}
}

func isJID(s string) bool {
	_, err := jid.Parse(s)
	return err == nil
}

var options = []option{
	text("pubsub#title", "Title", form.TextSingle, func(c *NodeConfig) *string { return &c.Title }),
	text("pubsub#description", "Description", form.TextSingle, func(c *NodeConfig) *string { return &c.Description }),
	text("pubsub#type", "Namespace of the payloads", form.TextSingle, func(c *NodeConfig) *string { return &c.Type }),
	text("pubsub#language", "Language", form.ListSingle, func(c *NodeConfig) *string { return &c.Language }),
	several("pubsub#contact", "People to write to", form.JIDMulti, 20,
		isJID, func(c *NodeConfig) *[]string { return &c.Contact }),
	choice("pubsub#access_model", "Who may subscribe and read",
		accessModels, func(c *NodeConfig) *string { return &c.Access }),
	choice("pubsub#publish_model", "Who may publish", publishModels, func(c *NodeConfig) *string { return &c.Publish }),
	only(several("pubsub#roster_groups_allowed", "Roster groups that may subscribe", form.ListMulti, 100,
		func(string) bool { return true }, func(c *NodeConfig) *[]string { return &c.Groups })),
	truth("pubsub#subscribe", "Allow subscriptions", func(c *NodeConfig) *bool { return &c.Subscribe }),
	number("pubsub#max_items", "Items kept", func(c *NodeConfig, v int64, word string, l *Limits) (int64, error) {
		switch {
		case word == "max":
			c.Max = unlimited
		case word != "":
			if v < 0 || v > int64(l.Items) {
				return 0, errValue
			}
			c.Max = max(int(v), 1)
		}
		return int64(c.Max), nil
	}),
	choice("pubsub#publish_node_full", "What happens when a full node gets another item",
		fullModels, func(c *NodeConfig) *string { return &c.Full }),
	number("pubsub#item_expire", "Seconds an item is kept", func(c *NodeConfig, v int64, word string,
		l *Limits) (int64, error) {
		switch {
		case word == "max":
			c.Expire = 0
		case word != "":
			if v < 0 || v > maxExpire {
				return 0, errValue
			}
			c.Expire = v
		}
		if c.Expire == 0 {
			return unlimited, nil
		}
		return c.Expire, nil
	}),
	number("pubsub#max_payload_size", "Bytes of one payload", func(c *NodeConfig, v int64, word string,
		l *Limits) (int64, error) {
		if word != "" {
			if v < 1 || v > int64(l.ItemBytes) {
				return 0, errValue
			}
			c.MaxBytes = int(v)
		}
		return int64(c.maxBytes(l)), nil
	}),
	truth("pubsub#persist_items", "Keep items", func(c *NodeConfig) *bool { return &c.Persist }),
	only(truth("pubsub#purge_offline",
		"Remove items when their publisher goes offline", func(c *NodeConfig) *bool { return &c.PurgeGone })),
	truth("pubsub#deliver_payloads",
		"Send payloads with notifications", func(c *NodeConfig) *bool { return &c.Payloads }),
	truth("pubsub#deliver_notifications", "Send notifications", func(c *NodeConfig) *bool { return &c.Notify }),
	truth("pubsub#notify_config",
		"Tell subscribers when the configuration changes", func(c *NodeConfig) *bool { return &c.OnConfig }),
	truth("pubsub#notify_delete",
		"Tell subscribers when the node is deleted", func(c *NodeConfig) *bool { return &c.OnDelete }),
	truth("pubsub#notify_retract",
		"Tell subscribers when items are removed", func(c *NodeConfig) *bool { return &c.OnRetract }),
	truth("pubsub#notify_sub",
		"Tell owners about new and lost subscribers", func(c *NodeConfig) *bool { return &c.OnSub }),
	truth("pubsub#presence_based_delivery",
		"Notify available clients only", func(c *NodeConfig) *bool { return &c.ByPresence }),
	choice("pubsub#send_last_published_item", "When to send the newest item",
		lastModels, func(c *NodeConfig) *string { return &c.Last }),
	choice("pubsub#itemreply", "Whether items name their publisher",
		publisherSaid, func(c *NodeConfig) *string { return &c.Publisher }),
	choice("pubsub#notification_type", "Type of notifications", kinds, func(c *NodeConfig) *string { return &c.Kind }),
}

// only marks an option that only nodes of accounts have: a service has no roster and sees no presence.
func only(o option) option {
	o.account = true
	return o
}

// onService lists the access models of services.
var onService = []string{"authorize", "open", "whitelist"}

// option returns the option of this name, or nil if this engine does not have it.
func (e *engine) option(name string) *option {
	for i := range options {
		if options[i].name == name && (e.accounts || !options[i].account) {
			return &options[i]
		}
	}
	return nil
}

func (e *engine) choices(o *option) []string {
	if o.name == "pubsub#access_model" && !e.accounts {
		return onService
	}
	return o.choices
}

// offered returns the values that a form offers for an option. A node's language may be another one.
func (e *engine) offered(o *option, c *NodeConfig) []string {
	switch o.name {
	case "pubsub#roster_groups_allowed":
		return c.Groups
	case "pubsub#language":
	default:
		return e.choices(o)
	}
	langs := []string{"de", "en", "es", "fr", "it", "nl", "pl", "pt"}
	if c.Language != "" && !slices.Contains(langs, c.Language) {
		langs = append(langs, c.Language)
	}
	return langs
}

// form returns a configuration as a form of this type.
func (e *engine) form(c NodeConfig, typ, about string) *wire.Element {
	f := form.New(typ, about)
	if !e.accounts { // clients expect the field before they set it
		f.AddList("pubsub#node_type", "Type of the node", "leaf", form.Option{Value: "leaf"})
	}
	for i := range options {
		o := e.option(options[i].name)
		if o == nil {
			continue
		}
		f.Add(o.name, o.kind, o.label, o.get(&c, &e.limits)...)
		if typ == form.Ask {
			fd := &f.Fields[len(f.Fields)-1]
			for _, v := range e.offered(o, &c) {
				fd.Options = append(fd.Options, form.Option{Value: v})
			}
		}
	}
	return f.Element()
}

// apply changes a configuration by a submitted form. It ignores unknown fields unless strict.
func (e *engine) apply(c NodeConfig, f form.Form, strict bool) (NodeConfig, error) {
	for _, fd := range f.Fields {
		switch {
		case fd.Var == form.TypeVar || fd.Type == form.Fixed:
			continue
		case fd.Var == "pubsub#node_type":
			if one(fd.Values) != "leaf" {
				return c, unsupported("collections")
			}
			continue
		}
		o := e.option(fd.Var)
		if o == nil {
			if strict {
				return c, errValue
			}
			continue
		}
		if cs := e.choices(o); cs != nil && !slices.Contains(cs, one(fd.Values)) {
			if o.name == "pubsub#access_model" {
				return c, errAccessModel
			}
			return c, errValue
		}
		if err := o.set(&c, fd.Values, &e.limits); err != nil {
			return c, err
		}
	}
	return c, nil
}

// configured is apply for a form that a person filled in: its errors have a text for that person.
func (e *engine) configured(c NodeConfig, f form.Form) (NodeConfig, error) {
	c, err := e.apply(c, f, false)
	if errors.Is(err, errValue) {
		err = server.WithText(server.NotAcceptable, "a field of the configuration has a value that is not allowed")
	}
	return c, err
}

// meets reports whether a configuration satisfies publish-options (section 7.1.5).
func (e *engine) meets(c NodeConfig, f form.Form) bool {
	want, err := e.apply(c, f, true)
	if err != nil {
		return false
	}
	for _, fd := range f.Fields {
		o := e.option(fd.Var)
		switch {
		case o == nil:
		case fd.Var == "pubsub#max_items":
			if c.max(&e.limits) != want.max(&e.limits) {
				return false
			}
		case !slices.Equal(o.get(&c, &e.limits), o.get(&want, &e.limits)):
			return false
		}
	}
	return true
}
