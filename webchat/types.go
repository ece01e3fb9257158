package webchat

import "time"

// What browsers and programs are told. The same types are in front/src/types.ts.

// Author is somebody who says or does something. ID is the bare address or, in a room that hides addresses, an opaque
// id that is the same for all that the person does there.
type Author struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Photo   string `json:"photo,omitempty" doc:"path of the picture"`
	Hats    []Hat  `json:"hats,omitempty" doc:"roles and teams"`
}

// Hat is a role or a team that somebody shows.
type Hat struct {
	Name string `json:"name"`
}

// Status is what somebody shows of their presence.
type Status struct {
	Show  string     `json:"show" enum:"available,away,xa,dnd,offline"`
	Text  string     `json:"text,omitempty" maxLength:"200"`
	Until *time.Time `json:"until,omitempty"`
}

// Me is the person who asks.
type Me struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	Photo   string `json:"photo,omitempty"`
	Status  Status `json:"status"`
	Quiet   bool   `json:"quiet,omitempty" doc:"it is a quiet hour: others see do-not-disturb"`
}

// Conversation is a room of a group or theme, a room of nobody but its owners, the conversation with a person or, of
// the kind several, one of three to nine people. In events, what is the same as before is left out.
type Conversation struct {
	ID           string  `json:"id" doc:"bare address"`
	Kind         string  `json:"kind" enum:"group,theme,room,person,several"`
	Name         string  `json:"name"`
	Group        string  `json:"group,omitempty" doc:"slug of the group"`
	Theme        string  `json:"theme,omitempty" doc:"key of the theme"`
	Parent       string  `json:"parent,omitempty" doc:"id of the group's conversation"`
	Me           string  `json:"me" doc:"what the id of an author is for the caller here"`
	Unread       *int    `json:"unread,omitempty" doc:"at most 100"`
	Mentions     *int    `json:"mentions,omitempty" doc:"unread messages that mention the caller"`
	Read         string  `json:"read,omitempty" doc:"id of the last message that the caller has read"`
	Last         *Last   `json:"last,omitempty"`
	Write        bool    `json:"write"`
	Manage       bool    `json:"manage"`
	StartsThemes bool    `json:"startsThemes"`
	React        bool    `json:"react"`
	Closed       bool    `json:"closed"`
	Restricted   bool    `json:"restricted"`
	Notify       string  `json:"notify,omitempty" enum:"all,mentions,none"`
	Photo        string  `json:"photo,omitempty"`
	Status       *Status `json:"status,omitempty"`
	Topic        string  `json:"topic,omitempty"`
	// People and Named are of the kind several.
	People []Author `json:"people,omitempty" doc:"of the kind several: who is in it besides the caller"`
	Named  bool     `json:"named,omitempty" doc:"of the kind several: its people gave it this name"`
}

// Last is the newest message of a conversation, in short.
type Last struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	By   string    `json:"by,omitempty"`
	Text string    `json:"text"`
}

// Message is a message as people see it: corrected, with its reactions, without what only clients read.
type Message struct {
	ID        string     `json:"id"`
	Version   string     `json:"version,omitempty" doc:"the higher one is newer; none: its id"`
	Origin    string     `json:"origin,omitempty" doc:"id that the author's client made"`
	At        time.Time  `json:"at"`
	By        *Author    `json:"by,omitempty" doc:"none: the room itself says it"`
	Text      string     `json:"text" doc:"plain text with message styling (XEP-0393)"`
	Edited    *time.Time `json:"edited,omitempty"`
	Removed   *Removed   `json:"removed,omitempty"`
	Reply     *Reply     `json:"reply,omitempty"`
	Reactions []Reaction `json:"reactions,omitempty"`
	Files     []File     `json:"files,omitempty"`
	Mentions  []Mention  `json:"mentions,omitempty"`
	Kind      string     `json:"kind,omitempty" enum:"subject,me,meeting,encrypted,task,task-done"`
	Link      string     `json:"link,omitempty"`
	Task      *Task      `json:"task,omitempty" doc:"of the kinds task and task-done: the task as it is now"`
	Opens     string     `json:"opens,omitempty" doc:"conversation that the message hands over, such as a new theme's"`
	Preview   *Preview   `json:"preview,omitempty" doc:"of a link in the text, as the author's program says"`
}

// Removed says who took a message back, and why.
type Removed struct {
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
	Own    bool   `json:"own"`
}

// Reply is the message that a message answers.
type Reply struct {
	ID   string `json:"id"`
	By   string `json:"by,omitempty"`
	Text string `json:"text,omitempty"`
	Gone bool   `json:"gone,omitempty"`
}

// Reaction is an emoji with everyone who reacted with it.
type Reaction struct {
	Emoji string   `json:"emoji"`
	By    []Author `json:"by"`
}

// File is a file in a message.
type File struct {
	URL    string `json:"url" maxLength:"2000"`
	Name   string `json:"name" maxLength:"255"`
	Type   string `json:"type,omitempty" maxLength:"255"`
	Size   int64  `json:"size,omitempty" minimum:"0"`
	Width  int    `json:"width,omitempty" minimum:"0" maximum:"100000"`
	Height int    `json:"height,omitempty" minimum:"0" maximum:"100000"`
}

// Mention is a place in a text that mentions somebody, in code points.
type Mention struct {
	Begin    int    `json:"begin" minimum:"0"`
	End      int    `json:"end" minimum:"0"`
	Address  string `json:"address,omitempty" maxLength:"3071"`
	Everyone bool   `json:"everyone,omitempty"`
}

// Page is a part of a conversation, oldest first.
type Page struct {
	Messages []Message `json:"messages"`
	Pinned   []string  `json:"pinned,omitempty" doc:"ids of all pinned messages of the conversation"`
	Older    bool      `json:"older" doc:"there are older messages"`
	Newer    bool      `json:"newer" doc:"there are newer messages"`
}

// Unread says how far somebody has read a conversation.
type Unread struct {
	Unread   int    `json:"unread"`
	Mentions int    `json:"mentions"`
	Read     string `json:"read,omitempty" doc:"id of the last message that was read, after marking as unread"`
}
