package work

import (
	"slices"

	"parley/bench/target"
)

func fixed(n int) func(Scale) int { return func(Scale) int { return n } }

func bigRoom(s Scale) int { return s.BigRoom }

// All returns every workload in the order they are run.
func All() []Work {
	return slices.Concat(chats(), rooms(), halls(), sessions(), clusters())
}

// chats returns the workloads between two people.
func chats() []Work {
	chatUsers := fixed(2 * Pairs)
	return []Work{
		{
			Rows: []Row{{Name: "chat", Title: "one-to-one, closed loop, archived", Unit: "message",
				Must: []Goal{{Of: "ejabberd", Max: 0.1}}, Aim: []Goal{{Max: 50}}}},
			Users: chatUsers, Archive: true, Run: chat("chat"),
		},
		{
			Rows: []Row{{Name: "chat-noarchive", Title: "one-to-one, closed loop, no archive", Unit: "message",
				Must: []Goal{{Of: "ejabberd", Max: 0.25}}, Aim: []Goal{{Of: "relay", Max: 5}}}},
			Users: chatUsers, Run: chat("chat-noarchive"),
		},
		{
			Rows: []Row{{Name: "open", Title: "one-to-one, 500/s, archived", Unit: "message",
				Must: []Goal{{Of: "relay", Max: 4}}, Aim: []Goal{{Of: "relay", Max: 2.5}}}},
			Users: chatUsers, Archive: true, Run: open,
		},
	}
}

// rooms returns the workloads in rooms.
func rooms() []Work {
	return []Work{
		{
			Rows:  []Row{{Name: "fanout10", Title: "room of 10", Unit: "delivery"}},
			Users: fixed(10), Archive: true, Run: fanout(fixed(10), "", "fanout10", ""),
		},
		{
			Rows: []Row{
				{Name: "fanout100", Title: "room of 100", Unit: "delivery",
					Must: []Goal{{Of: "relay", Max: 5}}, Aim: []Goal{{Max: 8}}},
				{Name: "latency", Title: "room of 100 at 1,000 deliveries/s", Unit: "delivery",
					Must: []Goal{{Max: 15000, Latency: true}}},
			},
			Users: fixed(100), Archive: true, Run: fanout(fixed(100), "", "fanout100", "latency"),
		},
		{
			Rows: []Row{
				{Name: "joins", Title: "joins into one large room", Unit: "presence",
					Must: []Goal{{Of: "ejabberd", Max: 1. / 8}}, Aim: []Goal{{Of: "ejabberd", Max: 1. / 15}}},
				{Name: "fanout500", Title: "the large room", Unit: "delivery"},
			},
			Users: bigRoom, Archive: true, Once: true, Run: fanout(bigRoom, "joins", "fanout500", ""),
		},
		{
			Rows: []Row{
				{Name: "talkers100", Title: "joins, room of 100", Unit: "presence"},
				{Name: "talk100", Title: "all of a room of 100 talk", Unit: "delivery"},
			},
			Users: fixed(100), Archive: true, Run: talk(fixed(100), "talkers100", "talk100"),
		},
		{
			Rows: []Row{
				{
					Name:  "talkers500",
					Title: "joins, the large room",
					Unit:  "presence",
					Must:  []Goal{{Of: "row:talkers100", Max: 1.5}},
				},
				{
					Name:  "talk500",
					Title: "all of the large room talk",
					Unit:  "delivery",
					Must:  []Goal{{Of: "row:talk100", Max: 1.5}},
				},
			},
			Users: bigRoom, Archive: true, Once: true, Run: talk(bigRoom, "talkers500", "talk500"),
		},
	}
}

// halls returns the workloads in groups for announcements, from the smallest.
func halls() []Work {
	return []Work{
		hallOf(0, "500", nil, nil),
		hallOf(1, "1000", []Goal{{Of: "row:enter500", Max: 1.5}}, []Goal{{Of: "row:announce500", Max: 1.5}}),
		hallOf(2, "5000", []Goal{{Of: "row:enter500", Max: 2.5}}, []Goal{{Of: "row:announce500", Max: 1.5}}),
	}
}

// sessions returns the workloads of presence, logins, idle sessions and archives.
func sessions() []Work {
	return []Work{
		{
			Rows: []Row{{Name: "presence", Title: "presence to 100 contacts", Unit: "presence",
				Must: []Goal{{Of: "ejabberd", Max: 1. / 6}}, Aim: []Goal{{Max: 10}}}},
			Users: fixed(contacts + 1), Archive: true, Run: presence,
		},
		{
			Rows: []Row{{Name: "login", Title: "login and logout", Unit: "login",
				Must: []Goal{{Of: "better", Max: 0.25}}, Aim: []Goal{{Of: "relay", Max: 3}}}},
			Users: fixed(loginWorkers * loginUsers), Archive: true, Run: login,
		},
		{
			Rows: []Row{{Name: "idle", Title: "idle sessions, memory", Unit: "session", KiB: true,
				Must: []Goal{{Of: "relay", Max: 1.5}, {NoIdle: true}}, Aim: []Goal{{Of: "relay", Max: 1.2}}}},
			Users: func(s Scale) int { return max(s.Idle, 20) }, Archive: true, Fresh: true, Once: true, Run: idle,
		},
		{
			Rows: []Row{{Name: "browsers", Title: "open browsers, memory", Unit: "browser", KiB: true,
				Must: []Goal{{Of: "row:idle", Max: 3}}, Aim: []Goal{{Of: "row:idle", Max: 1.5}}}},
			Users:   func(s Scale) int { return s.Browsers + 20 },
			Archive: true,
			Fresh:   true,
			Once:    true,
			Groups:  true,
			Run:     browsers,
		},
		{
			Rows: []Row{{Name: "archive10k", Title: "archive page, of 10,000", Unit: "page",
				Must: []Goal{{Of: "ejabberd", Max: 0.1}}, Aim: []Goal{{Max: 500}}}},
			Users:   fixed(2),
			Archive: true,
			Fresh:   true,
			Once:    true,
			Filled:  10000,
			Run:     archivePages("archive10k", 10000),
		},
		{
			Rows: []Row{{Name: "archive100k", Title: "archive page, of 100,000", Unit: "page",
				Must: []Goal{{Of: "row:archive10k", Max: 1.3}}}},
			Users:   fixed(2),
			Archive: true,
			Fresh:   true,
			Once:    true,
			Filled:  100000,
			Run:     archivePages("archive100k", 100000),
		},
	}
}

// hallOf returns the workload of the i-th size of a group for announcements, with its goals for entering and delivery.
func hallOf(i int, size string, enter, deliver []Goal) Work {
	n := func(s Scale) int { return s.Halls[i] }
	joins, messages := "enter"+size, "announce"+size
	return Work{
		Rows: []Row{
			{Name: joins, Title: "a member enters and leaves a group of " + size, Unit: "join", Must: enter},
			{Name: messages, Title: "announcement to a group of " + size, Unit: "delivery", Must: deliver},
		},
		Users: n, Archive: true, Fresh: true, Once: true, Groups: true, Run: announce(n, joins, messages),
	}
}

// Targets returns every server in the order of the table's columns. Parley's
// profiles go to the directory profile, if it is not empty.
func Targets(profile string) []target.Target {
	return []target.Target{
		target.Relay{}, target.Prosody{}, target.Ejabberd{},
		target.Parley{Profile: profile}, target.Parley{Postgres: true, Profile: profile},
		target.Parley{Several: 2, Profile: profile}, target.Parley{Several: 3, Profile: profile},
	}
}
